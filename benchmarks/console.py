"""The moderators' pages on a community of 50,000 members, in one process and as they are served.

In one process, without server or worker: each page is asked for again and again by the test client, signed in
as the moderator, and hello of the same process right after it. Processor time is that of the page's thread;
statements are those of one request.

Served: `portal serve` with two processes and its worker beside it. Round after round asks for hello and for
each page once, one request after the other, each on a connection of its own; milliseconds by the clock, and
the mean that the web processes took of processors meanwhile, what they do behind the requests included. The
rounds begin as soon as the site answers, so that the first ones show what new processes take.
"""

import statistics
import time
from typing import Any

import psutil
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from benchmarks import hello, ledger
from benchmarks.servers import Place, inside, portal, serving, serving_hello, web_workers
from portal.advocacy.models import Entry
from portal.advocacy.services import remembering, scoping, sums
from portal.kernel.db import db
from portal.members.services import sessions
from tests.support.http import Client
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
TIMES, HELLOS = 40, 200
BEGINNING = 6  # rounds; the slowest of them stands for the first looks, since nobody chooses who answers


def measure(*, quick: bool, database: str) -> dict[str, Any]:
    """Milliseconds and statements of each page."""
    crowd, place = ledger.built(quick, database)
    _prepare(place)
    with inside(place) as application:
        browser = _moderator(application, crowd.members + 1)
        pages = {name: _page(browser, path, 3 if quick else TIMES) for name, path in PAGES.items()}
    return {"console": crowd.name, "members": crowd.members, "database": database, "pages": pages}


def measure_served(*, quick: bool, database: str) -> dict[str, Any]:
    """Milliseconds of each page by the clock."""
    crowd, place = ledger.built(quick, database)
    _prepare(place)
    taken: dict[str, list[float]] = {name: [] for name in ("hello", *PAGES)}
    busy = dict.fromkeys(PAGES, 0.0)
    rounds = 3 if quick else TIMES
    with serving_hello() as small, serving(place) as site:
        browser = site.browser_of(crowd.members + 1)
        web = web_workers(site)
        for number in range(BEGINNING + rounds):
            taken["hello"].append(_by_the_clock(small, "/"))
            for name, path in PAGES.items():
                before = _seconds_of(web)
                taken[name].append(_by_the_clock(browser, path))
                if number >= BEGINNING:
                    busy[name] += (_seconds_of(web) - before) * 1000 / rounds
    hello_ms = statistics.median(taken.pop("hello")[BEGINNING:])
    return {
        "console": crowd.name,
        "members": crowd.members,
        "database": database,
        "hello_ms": round(hello_ms, 2),
        "pages": {
            name: _served(row, hello_ms) | {"cpu_ms": round(busy[name], 1)} for name, row in taken.items()
        },
    }


def _served(taken: list[float], hello_ms: float) -> dict[str, float]:
    first, rest = taken[:BEGINNING], sorted(taken[BEGINNING:])
    return {
        "p50_ratio": round(statistics.median(rest) / hello_ms, 1),
        "p50_ms": round(statistics.median(rest), 1),
        "p95_ms": round(rest[int(len(rest) * 0.95)], 1),
        "max_ms": round(rest[-1], 1),
        "first_ms": round(max(first), 1),
        "requests": len(rest),
    }


def _by_the_clock(client: Client, path: str) -> float:
    begin = time.perf_counter()
    answer = client.get(path)
    took = (time.perf_counter() - begin) * 1000
    if answer.status != 200:
        raise RuntimeError(f"{path} gave {answer.status}")
    return took


def _seconds_of(processes: list[psutil.Process]) -> float:
    """Of processors, so far; in steps of ten milliseconds, so one request says nothing and many do."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _prepare(place: Place) -> None:
    """What the worker does once a day, and every few minutes."""
    with inside(place):
        empty = db.session.execute(select(Entry.id).limit(1)).first() is None
    if empty:
        portal(place, "score", "rebuild")
    with inside(place):
        remembering.remember()
        while sums.renew_due() or scoping.renew_due():
            pass


def report(result: dict[str, Any]) -> str:
    """The figures as lines."""
    if "hello_ms" in result:
        return _report_served(result)
    lines = [
        f"console at {result['members']:,} members, {result['database']}: p50 ÷ hello, p50, p95, statements"
    ]
    for name, row in result["pages"].items():
        lines.append(
            f"  {name:<22} {row['p50_ratio']:>7.1f} {row['p50_ms']:>8.1f} ms of processors "
            f"{row['p95_ms']:>8.1f} {row['statements']:>4} (first {row['first_ms']:.0f} ms)"
        )
    return "\n".join(lines)


def _report_served(result: dict[str, Any]) -> str:
    lines = [
        f"console at {result['members']:,} members, {result['database']}, served "
        f"(hello {result['hello_ms']} ms): p50 ÷ hello, p50, p95, longest, of processors"
    ]
    for name, row in result["pages"].items():
        lines.append(
            f"  {name:<22} {row['p50_ratio']:>7.1f} {row['p50_ms']:>8.1f} ms {row['p95_ms']:>8.1f} "
            f"{row['max_ms']:>8.1f} {row['cpu_ms']:>8.1f} (first looks up to {row['first_ms']:.0f} ms)"
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
