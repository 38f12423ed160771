"""The search index is deleted, cut off and garbled while the site serves: posting goes on, search says so."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.discussions.models import Post, PostState
from portal.kernel.db import db
from portal.search import services as search
from tests.drills.conftest import SEED, writers_on
from tests.drills.writers import balance
from tests.support.site import Site

pytestmark = pytest.mark.drill


def files_of(site: Site) -> list[Path]:
    return sorted(path for path in (site.instance / "index").rglob("*") if path.is_file())


def delete(site: Site) -> None:
    shutil.rmtree(site.instance / "index", ignore_errors=True)


def truncate(site: Site) -> None:
    for path in files_of(site):
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)


def flip(site: Site) -> None:
    draw = random.Random(SEED)
    for path in files_of(site):
        content = bytearray(path.read_bytes())
        if content:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            path.write_bytes(content)


DAMAGES: dict[str, Callable[[Site], None]] = {"deleted": delete, "cut off": truncate, "a bit flipped": flip}


def test_a_damaged_index_stops_nobody(make_site: Callable[..., Site], capsys: pytest.CaptureFixture[str]):
    site = make_site(workers=2).start(seconds=90)
    answers: dict[str, list[int]] = {}
    with writers_on(site, 5) as writers:
        writers.wait_for(10)
        with site.inside():
            search.rebuild()
        person = site.browser_of(1)
        for name, damage in DAMAGES.items():
            damage(site)
            answers[name] = []
            for _ in range(6):
                answers[name].append(person.get("/search?q=reply+stays").status)
                time.sleep(0.1)
            writers.wait_for(5)
            with site.inside():
                search.drain()  # the worker does the same within a minute
        log = writers.log
    outcome = balance(site, log)
    site.stop()
    with site.inside():
        search.drain()
        wanted = db.session.scalar(select(func.count()).where(Post.state == PostState.VISIBLE))
        indexed = search.documents_indexed()
    with capsys.disabled():
        print(
            f"\nindex {', '.join(DAMAGES)}: {outcome}; searches {answers}; "
            f"{indexed} of {wanted} posts indexed"
        )
    assert {status for statuses in answers.values() for status in statuses} == {200}
    assert set(log.answers) == {303}
    assert (outcome.lost, outcome.duplicated) == (0, 0)
    assert indexed == wanted
