"""Pages on generated communities, each divided by `hello` measured seconds before on the same machine."""

import sqlite3
import statistics
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.servers import DATA, PASSWORD, portal, serving
from benchmarks.timing import Timing, get_again_and_again, submit_once, timing
from tests.support.http import Client

MEMBER = "reader@benchmark.example"
BOARD = "measurements"
CASES = [
    "board, visitor",
    "board, signed in",
    "thread, visitor",
    "thread, signed in",
    "end of a long thread, visitor",
    "end of a long thread, signed in",
    "search, common word",
    "search, rare word",
    "reply",
]


def community(size: data.Size) -> Path:
    """The instance folder of a site with this community; kept from an earlier run."""
    instance = DATA / f"site-{size.name}"
    done = instance / "benchmark.done"
    if not done.exists():
        posts, users = data.write(size, DATA / size.name)
        instance.mkdir(parents=True, exist_ok=True)
        portal(instance, "db", "upgrade")
        portal(instance, "import", "jsonl", str(posts), "--users", str(users), "--board", BOARD)
        portal(instance, "search", "rebuild")
        member = ["member", "create", "--email", MEMBER, "--name", "A Reader", "--password-stdin"]
        portal(instance, *member, stdin=PASSWORD + "\n")
        done.touch()
    return instance


def _thread(instance: Path, external_id: str) -> tuple[str, int]:
    """Address of the thread that was imported under this id, and its last number."""
    with sqlite3.connect(instance / "portal.sqlite") as connection:
        number, slug, last = connection.execute(
            "SELECT id, slug, last_number FROM threads WHERE external_id = ?", (external_id,)
        ).fetchone()
    return f"/threads/{number}/{slug}", last


def _landing(client: Client, path: str) -> str:
    """Where a chain of redirects ends."""
    for _ in range(4):
        answer = client.get(path)
        if answer.status not in (301, 302, 303, 307, 308):
            return path
        path = answer.location.removeprefix(f"http://localhost:{client.port}").split("#")[0]
    raise RuntimeError(f"{path} redirects for ever")


def measure(size: data.Size, case: str, *, seconds: float, rounds: int) -> dict[str, Any]:
    """Medians of so many rounds; `ratio` is the page's time ÷ hello's."""
    instance = community(size)
    yardsticks: list[Timing] = []
    pages: list[Timing] = []
    with serving("benchmarks.hello:app") as hello_port, serving("wsgi:app", instance) as port:
        hello, client = Client(hello_port), Client(port)
        if case.endswith("signed in") or case == "reply":
            client.sign_in(MEMBER, PASSWORD)
        path = "" if case == "reply" else _landing(client, _path(instance, case))
        for _ in range(rounds):
            yardsticks.append(get_again_and_again(hello, "/", seconds=seconds))
            pages.append(
                _replies(client, instance, seconds)
                if case == "reply"
                else get_again_and_again(client, path, seconds=seconds)
            )
    return _summary(yardsticks, pages)


def _path(instance: Path, case: str) -> str:
    name = case.partition(",")[0]
    if name == "board":
        return f"/boards/{BOARD}"
    if name == "thread":
        return _thread(instance, "t2")[0]
    if name == "search":
        return f"/search?q={data.COMMON_WORD if 'common' in case else data.RARE_WORD}"
    with sqlite3.connect(instance / "portal.sqlite") as connection:
        row = connection.execute("SELECT last_post_id FROM threads WHERE external_id = 't1'").fetchone()
    return f"/posts/{row[0]}"


def _replies(client: Client, instance: Path, seconds: float) -> Timing:
    """The POST alone; fetching the form before is not counted."""
    address, _last = _thread(instance, "t3")
    number = address.split("/")[2]
    taken = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < 10:
        taken.append(
            submit_once(client, address, f"/threads/{number}/posts", {"body": "A reply that says a little."})
        )
    return timing(taken, 0)


def _summary(yardsticks: list[Timing], pages: list[Timing]) -> dict[str, Any]:
    hello, page = statistics.median(t.p50 for t in yardsticks), statistics.median(t.p50 for t in pages)
    return {
        "ratio": round(page / hello, 2),
        "p50_ms": round(page, 2),
        "p95_ms": round(statistics.median(t.p95 for t in pages), 2),
        "hello_p50_ms": round(hello, 3),
        "per_second": round(statistics.median(t.per_second for t in pages), 1),
        "kilobytes": round(pages[-1].kilobytes, 1),
        "rounds": [asdict(t) for t in pages],
    }
