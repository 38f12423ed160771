"""The disk is full: clear answers, nothing acknowledged lost, reading goes on, recovery without a restart."""

import contextlib
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from portal.kernel.access import Status
from tests.conftest import make_member
from tests.drills.conftest import writers_on
from tests.drills.test_kill import check_database
from tests.drills.writers import balance
from tests.support.site import Site

pytestmark = pytest.mark.drill

SIZE_MB = 24
DRAFT = "Words that took an hour to write: keep them."


class SmallDisk:
    """A file system of its own where that may be mounted, else a limit on how long files may grow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)]
        try:
            self.mounted = not subprocess.run(mount, capture_output=True, check=False).returncode
        except FileNotFoundError:
            self.mounted = False

    def fill(self, site: Site) -> None:
        if self.mounted:
            with (self.folder / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
                while ballast.write(b"\0" * 4096):
                    pass
        else:
            self._limit(site, 4096)

    def make_room(self, site: Site) -> None:
        if self.mounted:
            (self.folder / "ballast").unlink()
        else:
            self._limit(site, resource.RLIM_INFINITY)

    def _limit(self, site: Site, size: int) -> None:
        for process in site.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
                process.rlimit(psutil.RLIMIT_FSIZE, (size, hard))

    def unmount(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    small = SmallDisk(tmp_path / "disk")
    yield small
    small.unmount()


def test_a_full_disk_is_said_and_got_over(
    disk: SmallDisk, make_site: Callable[..., Site], capsys: pytest.CaptureFixture[str]
):
    site = make_site(workers=2, folder=disk.folder / "site")  # its log is on the full disk too
    with site.inside():
        author = make_member(status=Status.VENDOR)
    site.start(seconds=90)
    person = site.browser_of(author)
    with writers_on(site, 6) as writers:
        writers.wait_for(10)
        form = person.hidden_fields("/threads/1/posts", "/threads/1/posts")
        disk.fill(site)
        time.sleep(3)
        refused = person.request("POST", "/threads/1/posts", {**form, "body": DRAFT})
        reads = [
            person.get(path).status
            for path in ("/", "/threads/1", "/boards/board-1", "/login", "/search?q=write")
        ]
        time.sleep(3)
        disk.make_room(site)
        begin = time.monotonic()
        writers.wait_for(10, seconds=60)
        recovered = time.monotonic() - begin
        taken = person.request("POST", "/threads/1/posts", {**form, "body": DRAFT})
        log = writers.log
    outcome = balance(site, log)
    kind = "a file system of its own" if disk.mounted else "a limit on the length of files"
    with capsys.disabled():
        print(
            f"\ndisk full ({kind}): {outcome}; answers {dict(log.answers)}; "
            f"posting again {recovered:.1f} s after there was room"
        )
    assert refused.status in (503, 507), refused.body.decode()[:500]
    assert DRAFT in refused.body.decode()
    assert "out of room" in refused.body.decode()
    assert [status for status in reads if status >= 500] == [], "reading goes on"
    assert taken.status == 303, "the same form is taken once there is room"
    assert set(log.answers) <= {303, 503, 507}
    assert (outcome.lost, outcome.duplicated, log.refused) == (0, 0, 0)
    site.stop()
    check_database(site)
