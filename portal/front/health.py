"""For operators: is the process up, can it work, what are its figures."""

from collections.abc import Callable

from flask import Blueprint, abort, current_app, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.kernel import heartbeat, metrics
from portal.kernel.access import Permission, requires
from portal.kernel.db import db

blueprint = Blueprint("health", __name__)

# Filled by wiring: name -> a function that raises or gives False when that part does not work.
checks: dict[str, Callable[[], bool]] = {}


@blueprint.get("/healthz")
@requires(Permission.VISIT)
def healthz() -> tuple[str, dict[str, str]]:
    """The process answers."""
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}


@blueprint.get("/readyz")
@requires(Permission.VISIT)
def readyz() -> tuple[str, int, dict[str, str]]:
    """Database, search index and worker; 503 with a line for each part that fails."""
    failing = []
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        failing.append("database")
    else:
        if not heartbeat.is_alive("worker"):
            failing.append("worker")
        failing += [name for name, works in checks.items() if not _works(works)]
    lines = "".join(f"{name}: failing\n" for name in failing) or "ready\n"
    return lines, 503 if failing else 200, {"Content-Type": "text/plain; charset=utf-8"}


@blueprint.get("/metrics")
@requires(Permission.VISIT)
def figures() -> tuple[bytes, dict[str, str]]:
    """Prometheus text, for the configured addresses only."""
    if request.remote_addr not in current_app.config["SETTINGS"].METRICS_FROM:
        abort(404)
    return metrics.text()


def _works(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:
        return False
