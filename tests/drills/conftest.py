"""A site under load: people with accounts, threads to write in, and the writers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask_migrate import stamp

from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread
from portal.kernel.access import Status
from portal.kernel.db import Base, db
from portal.wiring import MIGRATIONS
from tests.conftest import make_board, make_member, viewer_of
from tests.drills.writers import Writers
from tests.support.site import Site

SEED = 20261122


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """make_site(workers=…, SETTING=…): a site with every table, not yet started; ended after the test.

    With is_bare there is nothing but an empty folder.
    """
    sites: list[Site] = []

    def make(
        *,
        workers: int = 2,
        holds_socket: bool = False,
        folder: Path | None = None,
        is_bare: bool = False,
        **environment: str,
    ) -> Site:
        folder = folder or tmp_path / f"site{len(sites)}"
        site = Site(folder, workers=workers, holds_socket=holds_socket, **environment)
        if is_bare:
            folder.mkdir()
        else:
            with site.inside():
                Base.metadata.create_all(db.engine)
                stamp(directory=str(MIGRATIONS))
        sites.append(site)
        return site

    yield make
    for site in sites:
        site.kill()


def writers_on(site: Site, count: int, *, pause_seconds: float = 0.05) -> Writers:
    """So many signed-in members, five to a thread. They belong to the vendor: no newcomer's limit applies."""
    with site.inside():
        board = make_board("Under load")
        members = [make_member(status=Status.VENDOR) for _ in range(count)]
        threads = [
            open_thread(
                viewer_of(members[0]),
                board,
                kind=ThreadKind.DISCUSSION,
                title=f"Thread number {number}",
                body="Write here.",
            ).id
            for number in range((count + 4) // 5)
        ]
    clients = [(site.browser_of(member), threads[place // 5]) for place, member in enumerate(members)]
    return Writers(clients, SEED, pause_seconds)
