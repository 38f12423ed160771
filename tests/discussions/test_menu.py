"""The boards in the menu: which of them have something that the member has not read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions import reading_state
from portal.discussions.models import Audience, Board, Thread
from portal.discussions.queries.boards import boards_in_menu, boards_of
from portal.discussions.services.recount import Difference, recount
from portal.kernel import clock
from portal.kernel.access import VISITOR
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.queries import viewer_of
from tests.conftest import make_board, make_customer, make_prospect
from tests.discussions.factories import fill_board, make_post, make_thread
from tests.support.statements import Statements


def unread_of(member_id: int) -> dict[str, int]:
    return {line.slug: line.unread for line in boards_in_menu(viewer_of(member_id)) if line.unread}


def test_the_menu_says_on_which_boards_there_is_something_unread(in_app: Flask) -> None:
    reader, author = make_prospect(), make_customer()
    lively, quiet, hidden = (
        make_board(slug="lively"),
        make_board(slug="quiet"),
        make_board(slug="hidden", audience=Audience.CUSTOMERS),
    )
    threads = [make_thread(author, lively) for _ in range(3)]
    make_thread(author, hidden)
    make_thread(reader, quiet)
    assert unread_of(reader) == {"lively": 3}, "not what one wrote, nor what one may not read"
    reading_state.note_read(reader, threads[0].id, 1)
    assert unread_of(reader) == {"lively": 2}, "before it is written"
    reading_state.flush()
    assert unread_of(reader) == {"lively": 2}
    make_post(author, threads[0].id)
    assert unread_of(reader) == {"lively": 3}, "something new in what was read"
    assert not any(line.unread for line in boards_in_menu(VISITOR))
    with unit_of_work():
        for thread in db.session.execute(select(Thread)).scalars():
            thread.last_activity_at = clock.now() - timedelta(days=15)
    assert unread_of(reader) == {}, "what is old is no news"


def test_the_page_shows_it_in_one_statement_for_any_number_of_boards(
    app: Flask,
    sign_in: Callable[[int], FlaskClient],
    statements: Callable[[], AbstractContextManager[Statements]],
) -> None:
    with app.app_context():
        reader, author = make_customer(), make_customer()
        fill_board(make_board("Lanes and queues"), author, 2)
    browser = sign_in(reader)
    counts = []
    for more in (0, 6):
        with app.app_context():
            for _ in range(more):
                fill_board(make_board(), author, 1)
        browser.get("/members")
        with statements() as seen:
            page = browser.get("/members").text
        counts.append(len(seen))
    assert "2 new" in page
    assert counts[0] == counts[1]


def test_a_thread_never_opened_is_called_new(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        reader, author, board = make_customer(), make_customer(), make_board(slug="b")
        thread = make_thread(author, board, "A thread of today")
        address = f"/threads/{thread.id}/{thread.slug}"
    browser = sign_in(reader)
    mark = '<span class="threads__new">new</span>'
    assert mark in browser.get("/boards/b").text
    browser.get(address)
    assert mark not in browser.get("/boards/b").text
    assert mark not in sign_in(author).get("/boards/b").text


def test_a_recount_finds_when_something_last_happened_on_a_board(in_app: Flask) -> None:
    author, board_id = make_customer(), make_board(slug="b")
    thread = make_thread(author, board_id)
    moment = thread.last_activity_at
    with unit_of_work():
        db.session.get_one(Board, board_id).last_activity_at = None
    assert recount() == [Difference("boards.last_activity_at", 1)]
    db.session.expire_all()
    assert [line.last_activity_at for line in boards_of(viewer_of(author))] == [moment]
    assert recount() == []
