"""The moderators' pages on a community of 50,000 members, in one process: no server, no worker beside it.

Each page is asked for again and again by the test client, signed in as the moderator, and hello of the same
process right after it. Processor time is that of the page's thread; statements are those of one request.
"""

import statistics
import time
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from benchmarks import hello, ledger
from benchmarks.servers import inside, portal
from portal.advocacy.models import Entry
from portal.advocacy.services import remembering, scoping, sums
from portal.kernel.db import db
from portal.members.services import sessions
from tests.support.statements import count_statements

PAGES = {
    "Today": "/console/",
    "members": "/console/members",
    "members, narrowed": "/console/members?industry=62&standing=rising&sort=helpful",
    "members, by load": "/console/members?load=taken&sort=load",
    "members, a product": "/console/members?product=2&seen=month",
    "rising": "/console/rising",
    "candidates": "/console/candidates",
    "health": "/console/health",
    "programme": "/console/programme",
    "patterns": "/console/patterns",
    "scores of the busiest": "/console/scores/member-1",
}
TIMES, HELLOS = 15, 200


def measure(*, quick: bool, database: str) -> dict[str, Any]:
    """Milliseconds and statements of each page."""
    crowd, place = ledger.built(quick, database)
    with inside(place):
        empty = db.session.execute(select(Entry.id).limit(1)).first() is None
    if empty:
        portal(place, "score", "rebuild")
    with inside(place) as application:
        remembering.remember()  # as the worker does once a day, and the next two every few minutes
        while sums.renew_due() or scoping.renew_due():
            pass
        browser = _moderator(application, crowd.members + 1)
        pages = {name: _page(browser, path, 3 if quick else TIMES) for name, path in PAGES.items()}
    return {"console": crowd.name, "members": crowd.members, "database": database, "pages": pages}


def report(result: dict[str, Any]) -> str:
    """The figures as lines."""
    lines = [
        f"console at {result['members']:,} members, {result['database']}: p50 ÷ hello, p50, p95, statements"
    ]
    for name, row in result["pages"].items():
        lines.append(
            f"  {name:<22} {row['p50_ratio']:>7.1f} {row['p50_ms']:>8.1f} ms of processors "
            f"{row['p95_ms']:>8.1f} {row['statements']:>4} (first {row['first_ms']:.0f} ms)"
        )
    return "\n".join(lines)


def _moderator(application: Flask, number: int) -> FlaskClient:
    token = sessions.start_session(number)
    browser = application.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = token
        session["_fresh"] = True
    return browser


def _page(browser: FlaskClient, path: str, times: int) -> dict[str, float]:
    first = _taken(browser, path)
    with count_statements(db.engine) as seen:
        _taken(browser, path)
    pages = sorted(_taken(browser, path) for _time in range(times))
    other = hello.app.test_client()
    small = statistics.median(_taken(other, "/") for _time in range(HELLOS))
    return {
        "p50_ratio": round(statistics.median(pages) / small, 1),
        "p50_ms": round(statistics.median(pages), 1),
        "p95_ms": round(pages[int(len(pages) * 0.95)], 1),
        "first_ms": round(first, 1),
        "hello_ms": round(small, 3),
        "statements": len(seen),
    }


def _taken(browser: FlaskClient, path: str) -> float:
    """Milliseconds of processor time."""
    begin = time.thread_time()
    answer = browser.get(path)
    took = (time.thread_time() - begin) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{path} gave {answer.status_code}")
    return took
