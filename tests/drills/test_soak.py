"""A web worker that answers thousands of requests does not grow: memory and open files stay as they were."""

import os
import time
from collections.abc import Callable

import psutil
import pytest

from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread
from portal.kernel.access import Duty, Status
from portal.search import services as search
from tests.conftest import make_board, make_customer, make_member, make_moderator, make_prospect, viewer_of
from tests.drills.conftest import SEED
from tests.drills.test_kill import web_workers
from tests.drills.writers import Writers
from tests.support.site import Site

pytestmark = pytest.mark.drill

ROUNDS = 400 if os.environ.get("DRILL") == "full" else 25
WARM_UP = 8
THREADS = 20
GROWTH = 1.12
"""Of the memory after warming up: caches fill up to their bounds, a leak goes on."""


def pages(threads: list[int]) -> list[str]:
    """A round: what people ask for, much of it different each time."""
    return [
        "/",
        "/boards/soak",
        "/boards/soak?sort=newest",
        "/members",
        "/search?q=restore",
        "/search?q=nothing+of+the+kind",
        "/feeds/latest.atom",
        "/notifications",
        "/transparency",
        "/no-such-page",
        *(f"/threads/{thread}" for thread in threads[::4]),
        *(f"/threads/{thread}/posts" for thread in threads[::10]),
    ]


def test_a_worker_does_not_grow(make_site: Callable[..., Site], capsys: pytest.CaptureFixture[str]) -> None:
    site = make_site(workers=1)
    with site.inside():
        board = make_board("Soak", slug="soak")
        people = [
            make_customer(),
            make_prospect(),
            make_moderator(),
            make_member(status=Status.VENDOR, duties=(Duty.SALES,)),
        ]
        author = viewer_of(make_customer())
        threads = [
            open_thread(
                author,
                board,
                kind=ThreadKind.DISCUSSION,
                title=f"How is restore number {number} tested",
                body="Word by word, restore by restore. " * 20,
            ).id
            for number in range(THREADS)
        ]
        search.rebuild()
    site.start(seconds=90)
    browsers = [site.browser_of(member) for member in people]
    writer = site.browser_of(people[0])
    process = web_workers(site)[0]
    memory: list[int] = []
    files: list[int] = []
    requests, begin = 0, time.monotonic()
    with Writers([(writer, threads[0])], SEED, pause_seconds=0.5) as writers:
        for _ in range(WARM_UP + ROUNDS):
            for browser in browsers:
                for page in pages(threads):
                    status = browser.get(page).status
                    assert status < 500, page
                    requests += 1
            memory.append(process.memory_info().rss)
            files.append(process.num_fds())
        posted = len(writers.log.acknowledged)
    after_warm_up = max(memory[WARM_UP - 3 : WARM_UP])
    with capsys.disabled():
        print(
            f"\n{requests} requests, {posted} posts in {time.monotonic() - begin:.0f} s: "
            f"{after_warm_up >> 20} MB after warming up, {memory[-1] >> 20} MB at the end, "
            f"{max(files[WARM_UP:])} files open at most"
        )
    assert psutil.pid_exists(process.pid), "it is still the same worker"
    assert memory[-1] < GROWTH * after_warm_up
    assert max(files[WARM_UP:]) <= max(files[:WARM_UP]) + 5
