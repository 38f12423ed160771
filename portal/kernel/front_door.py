"""Visitors' kept pages, answered before the application is entered: a thread at the speed of "hello".

A view that keeps a page (`kernel.kept_pages`) may give its proof along: the statement whose row the page was
made from. The door asks that statement again and, while the row is the same, hands out the same answer.
Whatever it is not sure of goes to the application: a cookie of a session, another method, an unusual query.
"""

import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import Engine, Executable
from sqlalchemy.exc import SQLAlchemyError

from portal.kernel import clock, metrics
from portal.kernel.db import db

PROOF = "candor.proof"  # where in the WSGI environment a view leaves it
_QUERY = re.compile(r"(page=[1-9]\d{0,6})?")  # others would let anybody fill the shelf with the same page
_LIMIT = 12 * 2**20
_OF_THE_REQUEST = {"x-request-id", "date"}
_OF_THE_BODY = {"content-type", "content-length"}

Start = Callable[..., Any]


@dataclass(frozen=True)
class Proof:
    """The statement and the row it gave; `until`: when time alone changes the page.

    `on_answer` is called each time the page is handed out without its view.
    """

    statement: Executable
    row: tuple[Any, ...]
    until: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict)
    on_answer: Callable[[], None] = lambda: None
    view: str = ""


@dataclass(frozen=True)
class _Kept:
    proof: Proof
    headers: list[tuple[str, str]]
    tag: str
    body: bytes
    made_at: datetime


class FrontDoor:
    """WSGI middleware around the application, inside what corrects scheme and host."""

    def __init__(self, app: Flask) -> None:
        self._flask = app
        self._app = app.wsgi_app
        self._cookie = app.config["SESSION_COOKIE_NAME"] + "="
        self._shelf: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        if (
            environ["REQUEST_METHOD"] != "GET"
            or self._cookie in environ.get("HTTP_COOKIE", "")
            or "HTTP_AUTHORIZATION" in environ
            or not _QUERY.fullmatch(environ.get("QUERY_STRING", ""))
        ):
            return self._app(environ, start_response)
        began = time.perf_counter()
        key = tuple(
            environ.get(name, "") for name in ("wsgi.url_scheme", "HTTP_HOST", "PATH_INFO", "QUERY_STRING")
        )
        with self._lock:
            kept = self._shelf.get(key)
        if kept is None or not self._still_holds(kept):
            return self._ask(key, environ, start_response)
        kept.proof.on_answer()
        known = kept.tag in environ.get("HTTP_IF_NONE_MATCH", "")
        request_id = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}"
        headers = [*kept.headers, ("X-Request-Id", request_id)]
        if known:
            headers = [header for header in headers if header[0].lower() not in _OF_THE_BODY]
        metrics.count(kept.proof.view, 304 if known else 200, time.perf_counter() - began)
        start_response("304 NOT MODIFIED" if known else "200 OK", headers)
        return [] if known else [kept.body]

    def _still_holds(self, page: _Kept) -> bool:
        proof = page.proof
        if not page.made_at <= clock.now() < proof.until:
            return False
        if self._engine is None:
            with self._flask.app_context():
                self._engine = db.engine
        try:
            with self._engine.connect() as connection:
                row = connection.execute(proof.statement, proof.parameters).one_or_none()
                connection.commit()  # a rollback would lose what the driver has prepared
        except SQLAlchemyError:
            return False  # the application says what is wrong
        return row is not None and tuple(row) == proof.row

    def _ask(self, key: tuple[str, ...], environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """The application's answer; put on the shelf where its view gave a proof."""
        seen: list[Any] = []

        def note(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            seen[:] = [status, headers]
            return start_response(status, headers, *more)

        answer = self._app(environ, note)
        proof = environ.get(PROOF)
        if proof is None or not seen or not seen[0].startswith("200"):
            return answer
        headers = [(name, value) for name, value in seen[1] if name.lower() not in _OF_THE_REQUEST]
        named = {name.lower(): value for name, value in headers}
        if "etag" not in named or "set-cookie" in named or "vary" in named:
            return answer
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        self._keep(key, _Kept(proof, headers, named["etag"], body, clock.now()))
        return [body]

    def _keep(self, key: tuple[str, ...], page: _Kept) -> None:
        with self._lock:
            old = self._shelf.pop(key, None)
            self._shelf[key] = page
            self._size += len(page.body) - (len(old.body) if old else 0)
            while self._size > _LIMIT:
                _key, dropped = self._shelf.popitem(last=False)
                self._size -= len(dropped.body)


def install(app: Flask) -> None:
    """Put the door before the application; what corrects scheme and host has to be put on afterwards."""
    app.wsgi_app = FrontDoor(app)  # type: ignore[method-assign]
