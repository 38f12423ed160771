"""Pages as `portal serve` answers them, each divided by `hello` on the same settings, seconds before."""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from benchmarks import community, data
from benchmarks.servers import DATABASES, Place, inside, place_of, serving, serving_hello, worker_memory
from benchmarks.timing import Timing, get_again_and_again, requests_a_second, submit_once, timing
from portal.discussions.addresses import page_of, thread_address
from portal.discussions.models import Thread
from portal.kernel.db import db
from tests.support.http import Client
from tests.support.site import Site

PAGES = {
    "home": lambda _threads: "/",
    "board": lambda _threads: f"/boards/{community.BOARDS[0]}",
    "thread of some 20 posts": lambda threads: thread_address(*threads[2][:2]),
    "last page of a long thread": lambda threads: thread_address(*threads[1][:2], page_of(threads[1][2])),
    "search, word in 1 %": lambda _threads: f"/search?q={data.COMMON_WORD}",
    "search, word in 20 posts": lambda _threads: f"/search?q={data.RARE_WORD}",
}
READERS = ("visitor", "customer")
REPLY, MEMORY = "reply, the POST alone", "memory of a worker"
Threads = dict[int, tuple[int, str, int]]  # id, slug and last number, by id


class Stage:
    """Serves one site at a time, and hello beside it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._on: Place | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def bring(self, size: data.Size, database: str) -> None:
        """Build the community where it is not kept, and serve it instead of the one before."""
        place = place_of(size.name, database)
        if place == self._on:
            return
        self._stack.close()
        community.build(size, place)
        with inside(place):
            rows = db.session.execute(
                select(Thread.id, Thread.slug, Thread.last_number).where(Thread.id <= 3).order_by(Thread.id)
            )
            self.threads: Threads = {row.id: (row.id, row.slug, row.last_number) for row in rows}
        self.hello = self._stack.enter_context(serving_hello())
        self.site: Site = self._stack.enter_context(serving(place))
        self.clients = {
            "visitor": Client(self.site.port),
            "customer": self.site.browser_of(community.READER),
        }
        self._on = place

    def path(self, page: str) -> str:
        return PAGES[page](self.threads)


def plan(
    stage: Stage, sizes: list[data.Size], *, seconds: float, rounds: int
) -> Iterator[tuple[str, float, Any]]:
    """(name, expected minutes, what to run) for each page, reader, database and size."""
    for size in sizes:
        for database in DATABASES:
            building = size.posts / 40_000

            def case(
                measure: Callable[..., dict[str, Any]],
                *about: str,
                size: data.Size = size,
                on: str = database,
            ) -> Callable[[], dict[str, Any]]:
                def run() -> dict[str, Any]:
                    stage.bring(size, on)
                    return {
                        **measure(stage, *about, seconds=seconds, rounds=rounds),
                        "size": size.name,
                        "database": on,
                        "page": ", ".join(about) or measure.__doc__,
                    }

                return run

            where = f"{size.name} {database}"
            for page in PAGES:
                for reader in READERS:
                    minutes = 4 * seconds * rounds / 60 + 0.05
                    yield f"{where}: {page}, {reader}", minutes + building, case(_page, page, reader)
                    building = 0
            yield f"{where}: {REPLY}", seconds * rounds / 60, case(_replies)
            yield f"{where}: {MEMORY}", 0.1, case(_memory)


def _page(stage: Stage, page: str, reader: str, *, seconds: float, rounds: int) -> dict[str, Any]:
    """A page."""
    path, client = stage.path(page), stage.clients[reader]
    hellos: list[Timing] = []
    pages: list[Timing] = []
    rates: list[float] = []
    hello_rates: list[float] = []
    for _ in range(rounds):
        hellos.append(get_again_and_again(stage.hello, "/", seconds=seconds))
        pages.append(get_again_and_again(client, path, seconds=seconds))
        hello_rates.append(requests_a_second(stage.hello, "/", seconds=seconds))
        rates.append(requests_a_second(client, path, seconds=seconds))
    return {
        "p50_ratio": round(statistics.median(p.p50 / h.p50 for p, h in zip(pages, hellos, strict=True)), 2),
        "rate_ratio": round(statistics.median(h / r for h, r in zip(hello_rates, rates, strict=True)), 2),
        "p50_ms": round(statistics.median(p.p50 for p in pages), 2),
        "p95_ms": round(statistics.median(p.p95 for p in pages), 2),
        "hello_p50_ms": round(statistics.median(h.p50 for h in hellos), 3),
        "per_second": round(statistics.median(rates)),
        "hello_per_second": round(statistics.median(hello_rates)),
        "kilobytes": round(pages[-1].kilobytes, 1),
        "rounds": [asdict(p) for p in pages],
    }


def _replies(stage: Stage, *, seconds: float, rounds: int) -> dict[str, Any]:
    """reply, the POST alone"""
    number, slug, _last = stage.threads[community.REPLIES_TO]
    page = thread_address(number, slug, page_of(stage.threads[community.REPLIES_TO][2]))
    client = stage.clients["customer"]
    taken = [
        submit_once(client, page, f"/threads/{number}/posts", {"body": "A reply that says a little."})
        for _ in range(max(20, int(30 * seconds * rounds)))
    ]
    hello = get_again_and_again(stage.hello, "/", seconds=seconds)
    found = timing(taken, 0)
    return {
        "p50_ratio": round(found.p50 / hello.p50, 2),
        "p50_ms": round(found.p50, 2),
        "p95_ms": round(found.p95, 2),
        "hello_p50_ms": round(hello.p50, 3),
    }


def _memory(stage: Stage, *, seconds: float, rounds: int) -> dict[str, Any]:
    """memory of a worker"""
    for _ in range(20):
        for page in PAGES:
            for client in stage.clients.values():
                client.get(stage.path(page))
    return {"pss_mb": round(worker_memory(stage.site))}


def report(results: list[dict[str, Any]]) -> str:
    """The table: a line a page, a column a database and size; ratios to hello by time and by rate."""
    columns = list(dict.fromkeys((result["database"], result["size"]) for result in results))
    lines = {}
    for result in results:
        lines.setdefault(result["page"], {})[result["database"], result["size"]] = _cell(result)
    width = max(len(page) for page in lines)
    head = " | ".join(f"{f'{database} {size}':>24}" for database, size in columns)
    table = [f"{'÷ hello: p50 alone · rate of 4 (p50 ms)':<{width}} | {head}"]
    for page, cells in lines.items():
        table.append(f"{page:<{width}} | " + " | ".join(f"{cells.get(column, ''):>24}" for column in columns))
    return "\n".join(table)


def _cell(result: dict[str, Any]) -> str:
    if "pss_mb" in result:
        return f"{result['pss_mb']} MB"
    rate = f" · {result['rate_ratio']:.1f}" if "rate_ratio" in result else ""
    return f"{result['p50_ratio']:.1f}{rate} ({result['p50_ms']:.1f})"
