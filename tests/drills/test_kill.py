"""kill -9 of web workers and of the web server itself, and restarts, under writers."""

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable

import psutil
import pytest

from portal.discussions.services.recount import recount
from tests.drills.conftest import SEED, writers_on
from tests.drills.writers import balance
from tests.support.site import Site

pytestmark = pytest.mark.drill

KILLS = 200 if os.environ.get("DRILL") == "full" else 15
RESTARTS = 10 if os.environ.get("DRILL") == "full" else 2
WRITERS = 20
UP_AGAIN_SECONDS = 5.0


def web_server(site: Site) -> psutil.Process:
    """gunicorn's master, once it runs."""
    for _ in range(200):
        for process in psutil.Process(site.pid).children():
            if "gunicorn" in " ".join(process.cmdline()):
                return process
        time.sleep(0.05)
    raise AssertionError("the web server is not running")


def web_workers(site: Site) -> list[psutil.Process]:
    for _ in range(200):
        if workers := web_server(site).children():
            return workers
        time.sleep(0.05)
    raise AssertionError("no web worker is running")


def check_database(site: Site) -> None:
    with sqlite3.connect(site.instance / "portal.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with site.inside():
        assert recount() == []


def test_nothing_acknowledged_is_lost_when_processes_are_killed(
    make_site: Callable[..., Site], capsys: pytest.CaptureFixture[str]
):
    site = make_site(workers=2)
    begin = time.monotonic()
    site.start()
    # 5 s where nothing else runs; a machine that took longer for the first start takes longer for the next.
    allowed_seconds = max(UP_AGAIN_SECONDS, 3 * (time.monotonic() - begin))
    draw = random.Random(SEED)
    slowest_return = 0.0
    with writers_on(site, WRITERS) as writers:
        for kill in range(KILLS):
            time.sleep(draw.uniform(0.3, 1.5))
            # One in five hits the server itself, the others one of its workers.
            victim = web_server(site) if kill % 5 == 4 else draw.choice(web_workers(site))
            victim.send_signal(signal.SIGKILL)
            slowest_return = max(slowest_return, site.wait_until_up(60, patience=30))
        time.sleep(2)
        log = writers.log
    outcome = balance(site, log)
    with capsys.disabled():
        print(
            f"\n{KILLS} kills, seed {SEED}, {WRITERS} writers: {outcome}; "
            f"up again after {slowest_return:.1f} s at most, {log.refused} refused, {log.broken} broken off"
        )
    assert outcome.acknowledged > KILLS
    assert outcome.lost == 0
    assert outcome.duplicated == 0
    assert log.refused == 0
    assert set(log.answers) <= {303, 503}
    assert slowest_return < allowed_seconds
    site.stop()
    check_database(site)


@pytest.mark.parametrize("how", ["replaced in place", "stopped and started"])
def test_a_restart_under_load_fails_nobody(
    make_site: Callable[..., Site], capsys: pytest.CaptureFixture[str], how: str
):
    # systemd (candor.socket) holds the socket while the service is stopped and started; so does the test.
    site = make_site(workers=2, holds_socket=how == "stopped and started").start()
    with writers_on(site, 10) as writers:
        writers.wait_for(10)
        for _ in range(RESTARTS):
            if how == "replaced in place":
                os.kill(site.pid, signal.SIGHUP)
            else:
                site.stop(seconds=60)
                site.start(seconds=60)
            writers.wait_for(20)
        log = writers.log
    outcome = balance(site, log)
    with capsys.disabled():
        print(
            f"\n{RESTARTS} times {how}: {outcome}; {log.refused} refused, {log.broken} broken off, "
            f"the slowest answer after {log.slowest_seconds:.1f} s"
        )
    assert (outcome.lost, outcome.duplicated) == (0, 0)
    assert (log.refused, log.broken) == (0, 0), "every request was taken and answered"
    assert set(log.answers) == {303}
    check_database(site)


def test_what_only_waits_for_the_others_holds_little_memory(make_site: Callable[..., Site]):
    site = make_site(workers=1).start()
    assert len(psutil.Process(site.pid).children()) == 2
    assert psutil.Process(site.pid).memory_info().rss < 30 * 2**20
