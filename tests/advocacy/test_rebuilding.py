"""A rebuild in several processes gives what one gives; when one of them is killed nothing is half done."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from portal.advocacy.models import CompanySum, Entry, GiverSum, MemberScore, ScopeScore
from portal.advocacy.services import rebuilding
from portal.discussions.services.acceptance import accept
from portal.discussions.services.voting import vote
from portal.kernel import cores
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from tests.advocacy.scenes import World, make_world, rate
from tests.conftest import viewer_of
from tests.discussions.factories import make_thread

pytestmark = pytest.mark.long  # each starts processes with an application of their own
TABLES = (Entry, GiverSum, CompanySum, MemberScore, ScopeScore)


@pytest.fixture
def world(in_app: Flask) -> World:
    """Everything that stands in a ledger, of several people and companies."""
    world = make_world(companies=4, people=2)
    for number, asker in enumerate(world.members):
        thread = make_thread(asker, world.board, tags=f"upgrade, part-{number % 3}")
        for step in (1, 2, 3):
            post = world.answer(world.members[(number + step) % 8], thread)
            vote(viewer_of(world.members[(number + step + 2) % 8]), post.id)
            if step == number % 3 + 1:
                accept(viewer_of(asker), thread.id, post.id)
        rate(asker, world.members[(number + 5) % 8], useful=True)
        world.engage(asker, 30 * number)
    return world


def contents() -> dict[str, list[str]]:
    """All rows, without what counts them and when they were made."""
    found = {}
    for model in TABLES:
        table = model.__table__
        columns = [column for column in table.c if column.name not in ("id", "recorded_at", "reverses_id")]
        rows = db.session.execute(select(*columns).order_by(*table.primary_key.columns))
        found[table.name] = sorted(str(_rounded(row)) for row in rows)
    return found


def _rounded(row: object) -> list[object]:
    return [round(value, 9) if isinstance(value, float) else value for value in row]  # type: ignore[attr-defined]


def from_nothing() -> rebuilding.Rebuilt:
    with unit_of_work():
        for model in TABLES:
            db.session.execute(delete(model))
    return rebuilding.rebuild()


def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "_MANY", 0)


def test_several_processes_make_what_one_makes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = from_nothing()
    expected = contents()
    assert alone.added == alone.entries > 60
    assert all(expected.values())
    in_processes(monkeypatch)
    assert from_nothing() == alone
    assert contents() == expected
    again = rebuilding.rebuild()
    assert (again.added, again.entries) == (0, alone.entries)
    assert contents() == expected


def test_when_a_reader_is_killed_the_rebuild_ends_and_can_be_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = from_nothing()
    expected = contents()
    in_processes(monkeypatch)
    started = cores.pool

    @contextmanager
    def killed_soon(*given: object) -> Iterator[object]:
        with started(*given) as processes:  # type: ignore[arg-type]

            def kill() -> None:
                while not processes._processes:
                    time.sleep(0.01)
                for number in list(processes._processes):
                    os.kill(number, signal.SIGKILL)

            threading.Thread(target=kill, daemon=True).start()
            yield processes

    monkeypatch.setattr(cores, "pool", killed_soon)
    with pytest.raises(BrokenExecutor):
        from_nothing()
    assert db.session.execute(select(func.count()).select_from(Entry)).scalar_one() == 0
    db.session.rollback()
    monkeypatch.setattr(cores, "pool", started)
    assert rebuilding.rebuild() == alone
    assert contents() == expected
