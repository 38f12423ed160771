"""The internal log: every privileged action, who did it, when, on what, and whether the chain is whole."""

from datetime import UTC, datetime, time
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from portal.console import log_queries
from portal.kernel.access import Permission, requires, viewer
from portal.kernel.files import csv_file

blueprint = Blueprint("log", __name__, url_prefix="/console")

WORDS = ("area", "action", "actor", "target", "since", "until", "sort")  # of the address


@blueprint.get("/log")
@requires(Permission.MODERATE)
def index() -> str:
    """Actions, newest first unless the address says otherwise; filters stand in it too."""
    filters = _filters()
    page = log_queries.entries(viewer(), filters, request.args.get("before", type=int))
    kept: dict[str, Any] = {name: request.args[name] for name in WORDS if request.args.get(name)}
    return render_template(
        "console/log.html",
        page=page,
        filters=filters,
        values=request.args,
        actions=log_queries.actions(viewer()),
        actors=log_queries.actors(viewer()),
        areas=log_queries.areas_of(viewer()),
        export_url=url_for("log.export", **kept),
        next_url=url_for("log.index", **{**kept, "before": page.next}) if page.next else "",
        first_url=url_for("log.index", **kept) if "before" in request.args else "",
    )


@blueprint.get("/log.csv")
@requires(Permission.MODERATE)
def export() -> Response:
    """The same actions as a file, all pages of them."""
    head = ["number", "when", "who", "about", "what", "on", "said", "hash"]
    cells = [
        [
            line.entry.number,
            line.entry.at,
            line.actor,
            line.entry.area,
            line.entry.action,
            line.title or f"{line.entry.target_kind} {line.entry.target_id or ''}".strip(),
            line.said,
            line.entry.hash,
        ]
        for line in log_queries.everything(viewer(), _filters())
    ]
    return csv_file("log", head, cells)


def _filters() -> log_queries.LogFilters:
    return log_queries.LogFilters(
        area=request.args.get("area", "")[:16],
        action=request.args.get("action", "")[:40],
        actor=request.args.get("actor", "")[:40],
        target=request.args.get("target", "")[:40],
        since=_day(request.args.get("since", ""), time.min),
        until=_day(request.args.get("until", ""), time.max),
        sort="oldest" if request.args.get("sort") == "oldest" else "",
    )


def _day(text: str, at: time) -> datetime | None:
    """A day out of the address, as a moment in UTC; None for anything else."""
    try:
        day: Any = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return datetime.combine(day.date(), at, tzinfo=UTC)
