"""From a post to the index: queued with the change, drained once, healed by a rebuild."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.discussions.models import ThreadKind
from portal.discussions.services import acceptance, editing, posting, removal, tools, voting
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.search import services as search
from portal.search.commands import search as commands
from portal.search.engines.base import IndexUnavailable
from portal.search.engines.postgres_engine import SCHEMA
from portal.search.models import OutboxEntry, Scope
from portal.search.query import parse
from tests.conftest import make_board, make_customer, make_moderator, viewer_of

pytestmark = pytest.mark.usefixtures("in_app")


def found(text: str) -> list[int]:
    return [hit.id for hit in search.find(parse(text)).hits]


def open_thread(
    title: str, body: str, *, board: int | None = None, author: int | None = None
) -> tuple[int, int]:
    """A question; gives the ids of its thread and opening."""
    thread = posting.open_thread(
        viewer_of(author or make_customer()),
        board or make_board(),
        kind=ThreadKind.QUESTION,
        title=title,
        body=body,
    )
    opening = db.session.execute(
        select(db.func.min(posting.Post.id)).where(posting.Post.thread_id == thread.id)
    ).scalar_one()
    return thread.id, opening


def test_a_post_is_found_after_the_drain() -> None:
    _, opening = open_thread("Peppol in Norway", "Which access point do you use?")
    assert search.waiting() == 1
    assert search.drain() == 1
    assert search.waiting() == 0
    assert found("norway access") == [opening]
    assert search.drain() == 0


def test_what_happens_to_a_post_reaches_the_index() -> None:
    asker, helper = make_customer(), make_customer()
    thread, opening = open_thread("Slow pallets", "The scanner waits.", author=asker)
    answer = posting.post_reply(viewer_of(helper), thread, "Restart the zebra printer.").id
    search.drain()
    assert found("zebra") == [answer]
    editing.edit_post(
        viewer_of(helper),
        answer,
        editing.Edit(body="Restart the giraffe printer.", version=1, reason="wrong animal"),
    )
    search.drain()
    assert found("zebra") == []
    assert found("giraffe") == [answer]
    voting.vote(viewer_of(asker), answer)
    acceptance.accept(viewer_of(asker), thread, answer)
    assert search.drain() == 1
    assert found("giraffe") == [answer]
    removal.hide_post(answer, rule="Rule 4", reason="names a person", case_id=1, by_id=helper)
    search.drain()
    assert found("giraffe") == []
    removal.restore_post(answer)
    search.drain()
    assert found("giraffe") == [answer]
    removal.hide_post(opening, rule="Rule 4", reason="names a person", case_id=2, by_id=helper)
    search.drain()
    assert found("giraffe pallets scanner") == []
    removal.restore_post(opening)
    search.drain()
    assert set(found("pallets")) == {answer, opening}


def test_a_thread_that_is_merged_is_found_under_its_new_title() -> None:
    moderator = viewer_of(make_moderator())
    board = make_board()
    source, opening = open_thread("Umbrella title", "alpha", board=board)
    target, _ = open_thread("Lantern title", "beta", board=board)
    search.drain()
    tools.merge_threads(moderator, source, target, "Asked twice.")
    search.drain()
    assert opening in found("lantern alpha")
    assert found("umbrella") == []


def test_a_change_that_is_not_stored_is_not_queued() -> None:
    def fail() -> None:
        with unit_of_work():
            search.queue_posts([1])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert search.waiting() == 0


def test_a_post_is_queued_once_however_often_it_changes() -> None:
    with unit_of_work():
        search.queue_posts([3, 3, 4])
        search.queue_posts([3])
        search.queue_threads([3])
    rows = db.session.execute(select(OutboxEntry.scope, OutboxEntry.target_id)).all()
    assert sorted(tuple(row) for row in rows) == [(Scope.POST, 3), (Scope.POST, 4), (Scope.THREAD, 3)]


def test_a_change_during_the_drain_is_drained_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _, opening = open_thread("The first of them", "one")
    search.drain()
    with unit_of_work():
        search.queue_posts([opening])

    class Meddling:
        """The engine, with somebody who edits the post just after it was read."""

        def __init__(self) -> None:
            self.rounds = 0

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def update(self, documents: object, gone: object = ()) -> None:
            self.rounds += 1
            if self.rounds == 1:
                with unit_of_work():
                    search.queue_posts([opening])
                assert search.drain() == 0, "the post is being worked on: a second drain leaves it alone"
            real.update(documents, gone)

    real = search.engine()
    meddling = Meddling()
    search.use(meddling)  # type: ignore[arg-type]
    assert search.drain() == 2
    assert meddling.rounds == 2
    assert search.waiting() == 0


def test_nobody_who_writes_waits_for_the_index() -> None:
    _, opening = open_thread("The first of them", "one")
    real, seen = search.engine(), []

    class Watching:
        """The engine, that looks whether the drain holds a transaction while it writes."""

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def update(self, documents: object, gone: object = ()) -> None:
            seen.append(db.session().in_transaction())
            real.update(documents, gone)

    search.use(Watching())  # type: ignore[arg-type]
    assert search.drain() == 1
    assert seen == [False]
    assert found("one") == [opening]


def test_a_drain_with_nothing_to_do_waits_for_nobody_who_writes() -> None:
    with db.engine.connect().execution_options(immediate=True) as other, other.begin():
        assert search.drain() == 0


def test_entries_of_a_drain_that_died_come_back(at) -> None:  # type: ignore[no-untyped-def]
    _, opening = open_thread("Left behind", "quokka")
    assert search._claim() is not None
    assert search.drain() == 0
    from_now = db.session.execute(select(OutboxEntry.claimed_until)).scalar_one()
    at(from_now + search.CLAIM)
    assert search.drain() == 1
    assert found("quokka") == [opening]


@pytest.mark.parametrize("damage", ["deleted", "truncated", "flipped"])
def test_posting_goes_on_and_the_drain_heals_a_damaged_index(app: Flask, damage: str) -> None:
    _, first = open_thread("Before the damage", "walrus")
    search.drain()
    assert found("walrus") == [first]
    _damage(app, damage)
    with pytest.raises(IndexUnavailable):
        found("walrus")
    _, second = open_thread("After the damage", "walrus walrus")
    search.drain()
    assert set(found("walrus")) == {first, second}
    assert search.documents_indexed() == 2
    assert search.waiting() == 0


def _damage(app: Flask, damage: str) -> None:
    if db.engine.dialect.name == "postgresql":  # its files are the database's own affair: tables go missing
        table = {"deleted": "posts", "truncated": "terms", "flipped": "words"}[damage]
        with db.engine.begin() as connection:
            connection.execute(text(f"DROP TABLE {SCHEMA}.{table}"))
        return
    index: Path = app.config["SETTINGS"].index_path
    for path in [path for path in index.rglob("*") if path.is_file() and path.stat().st_size]:
        raw = path.read_bytes()
        middle = len(raw) // 2
        if damage == "deleted":
            path.unlink()
        elif damage == "truncated":
            path.write_bytes(raw[:middle])
        else:
            path.write_bytes(raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :])


def test_rebuild_counts_and_equals_the_database() -> None:
    ids = {open_thread(f"Thread {number}", "narwhal")[1] for number in range(7)}
    told: list[tuple[int, int]] = []
    assert search.rebuild(lambda done, total: told.append((done, total))) == 7
    assert told[-1] == (7, 7)
    assert set(found("narwhal")) == ids


def test_the_commands(app: Flask) -> None:
    open_thread("By the command", "ocelot")
    drained = app.test_cli_runner().invoke(commands, ["drain"])
    assert drained.exit_code == 0
    assert "1 entries done, 0 left" in drained.output
    rebuilt = app.test_cli_runner().invoke(commands, ["rebuild"])
    assert rebuilt.exit_code == 0
    assert "1 posts indexed" in rebuilt.output
