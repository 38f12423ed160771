"""Whole pages for visitors without a cookie: kept under their version, proven by an ETag.

`version` must hold everything that the page shows: it is read by one cheap statement before anything is made.
A shared cache may keep the page but has to ask each time (`public, no-cache`).
"""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from flask import Response, current_app, request

from portal.kernel import front_door, page_cache

_SOURCES = Path(__file__).resolve().parents[1]


def may_be_kept() -> bool:
    """Whether this request is a visitor's without a session cookie, whose page is everybody's page."""
    return (
        current_app.config["SESSION_COOKIE_NAME"] not in request.cookies
        and "Authorization" not in request.headers
    )


def answer(
    key: Hashable,
    version: Hashable,
    make: Callable[[], str],
    mimetype: str = "text/html",
    *,
    private: bool = False,
    proof: front_door.Proof | None = None,
) -> Response:
    """The page under `key` (path and parsed query, never the raw one) in this version.

    With a session cookie, or `private`, it is made anew and marked `no-store`. Otherwise it is kept, carries
    an ETag, and is answered by 304 where the asker has it. With a `proof` that stands for the whole version
    the next visitor is answered at the front door.
    """
    if private or not may_be_kept():
        return Response(make(), mimetype=mimetype)
    full_key = (key, version, _release(), request.host if mimetype != "text/html" else "")
    tag = hashlib.sha256(repr(full_key).encode()).hexdigest()[:24]
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    else:
        response = Response(page_cache.pages.get(full_key, make), mimetype=mimetype)
        if proof is not None:
            request.environ[front_door.PROOF] = replace(proof, view=request.endpoint or "none")
    response.set_etag(tag)
    response.headers["Cache-Control"] = "public, no-cache"
    return response


@lru_cache(1)
def _release() -> str:
    """Changes with the templates and the code, so that no page of an older release is taken for current."""
    digest = hashlib.sha256()
    for pattern in ("templates/**/*", "**/*.py", "static/vendor/build.json"):
        for path in sorted(_SOURCES.glob(pattern)):
            if path.is_file():
                stat = path.stat()
                digest.update(f"{path.relative_to(_SOURCES)}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]
