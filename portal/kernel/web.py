"""What every answer has: a request id, security headers, error pages, the method override."""

import errno
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, render_template, request
from flask.json.provider import DefaultJSONProvider
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from portal.kernel.errors import DomainError, Repeated, TooMany
from portal.kernel.kept import MAX_KEPT, Kept, is_secret, kept_form
from portal.kernel.places import is_local_path, local_path

log = structlog.get_logger("candor.web")

CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

# How SQLite and PostgreSQL say that the disk is full.
_FULL = ("disk is full", "disk I/O error", "No space left on device", "Disk quota exceeded")
_OVERRIDES = {"PUT", "PATCH", "DELETE"}


class MethodOverride:
    """Reads `?_method=DELETE` from the query string of a POST, and nowhere else."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and "_method=" in environ.get("QUERY_STRING", ""):
            wanted = parse_qs(environ["QUERY_STRING"]).get("_method", [""])[-1].upper()
            if wanted in _OVERRIDES:
                environ["REQUEST_METHOD"] = wanted
        return self.app(environ, start_response)


class _Json(DefaultJSONProvider):
    """JSON as Flask reads it; what is nested without end is a bad request like any other nonsense."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def install(app: Flask) -> None:
    """Put the common behaviour on the application."""
    app.json = _Json(app)
    app.wsgi_app = MethodOverride(app.wsgi_app)  # type: ignore[method-assign]

    @app.before_request
    def _number() -> None:
        g.request_id = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}"
        g.started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)

    @app.after_request
    def _finish(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        response.headers.setdefault("X-Request-Id", g.get("request_id", ""))
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _csrf_error)
    for kind in (OperationalError, InterfaceError, InternalError, PoolTimeout):
        app.register_error_handler(kind, _database_error)
    app.register_error_handler(OSError, _system_error)
    app.register_error_handler(Exception, _unexpected)


def page_before(default: str = "/") -> str:
    """The page of this site that the form stood on, as the browser says; else `default`."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host:
        return default
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""), default)


def wants_json() -> bool:
    """Whether a script asks, rather than a person who will look at a page."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def _form_to_send_again() -> Kept | None:
    """What this request was sending; None for a form of another site, an upload alone, or too much."""
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return None
    action = request.full_path.rstrip("?")
    fields = list(request.form.items(multi=True))
    if sum(len(value) for _, value in fields) > MAX_KEPT or len(fields) > 100 or not is_local_path(action):
        return None
    return kept_form(action, fields)


def error_page(status: int, message: str = "", **more: Any) -> Response:
    """The page for a status: what happened, what was kept, what to do, and the request id.

    A script that asks for JSON gets {"error", "status", "request"} instead.
    """
    if wants_json():
        response = jsonify(error=message or str(status), status=status, request=g.get("request_id", ""))
        response.status_code = status
        response.headers["Cache-Control"] = "no-store"
        return response
    text_fields = _what_was_typed()
    try:
        body = render_template(
            more.pop("template", None) or [f"errors/{status}.html", "errors/error.html"],
            status=status,
            message=message,
            kept=text_fields,
            **more,
        )
    except Exception:
        log.exception("error page failed", status=status)
        body = _plain_error_page(status, text_fields)
    response = make_response(body, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _what_was_typed() -> dict[str, str]:
    """The text of the form, so that it can be copied from the page; none of a form too large to be read."""
    try:
        form = request.form
    except HTTPException:
        return {}
    return {
        name: value
        for name, value in form.items()
        if name != "form_key" and not is_secret(name) and value.strip()
    }


def _plain_error_page(status: int, kept: dict[str, str]) -> str:
    """The page when the frame of every page cannot be made: no database, no viewer, no menus."""
    number = g.get("request_id", "")
    try:
        template = current_app.jinja_env.get_template("errors/plain.html")
        return template.render(status=status, kept=kept, request_id=number)
    except Exception:
        return f"<!doctype html><title>{status}</title><p>{status}. {number}"


def _http_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error.get_response()
    more: dict[str, Any] = {}
    if error.code == 401:
        more = {"again": _form_to_send_again(), "place": page_before()}
    response = error_page(error.code, **more)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    if error.code == 429 and "Retry-After" not in response.headers:
        response.headers["Retry-After"] = "60"
    return response


def _domain_error(error: DomainError) -> Any:
    if isinstance(error, Repeated):
        return redirect(error.place or "/", 303)
    response = error_page(error.status, "" if error.status == 404 else error.message)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _csrf_error(_error: CSRFError) -> Response:
    again = _form_to_send_again()
    if again is not None:
        return error_page(400, template="errors/stale.html", again=again)
    return error_page(
        400,
        _("This form was open for too long or came from elsewhere. Nothing was sent; your text is below."),
    )


def _database_error(error: SQLAlchemyError) -> Response:
    why = str(getattr(error, "orig", None) or error)
    log.error("database unavailable", error=why[:200])
    if any(words in why for words in _FULL):
        return _no_room()
    response = error_page(503)
    response.headers["Retry-After"] = "5"
    return response


def _system_error(error: OSError) -> Response:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _unexpected(error)
    log.error("no room on the disk", path=request.path)
    return _no_room()


def _no_room() -> Response:
    return error_page(
        507,
        _(
            "The site has run out of room, so nothing can be stored just now. Reading works. What you typed "
            "is below; try again in some minutes."
        ),
    )


def _unexpected(error: Exception) -> Response:
    log.exception("unexpected error", path=request.path, method=request.method)
    return error_page(500)
