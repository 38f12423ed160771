"""The page of a board and of a tag: order, filters, pages by key, and how many statements they take."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from portal.discussions.models import Board, Thread, ThreadKind
from portal.discussions.queries import feeds, lists
from portal.discussions.services import following, tools
from portal.kernel import clock
from portal.kernel.access import VISITOR
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.queries import viewer_of
from tests.conftest import make_board, make_customer, make_moderator, noon
from tests.discussions.factories import fill_board, hold, make_post, make_thread, opening_of
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]
At = Callable[..., None]
Count = Callable[[], AbstractContextManager[Statements]]


def titles(page: str) -> list[str]:
    found = re.findall(r'class="threads__title"[^>]*>(?:<span[^>]*>[^<]*</span> )?\s*([^<]+?)\s*</a>', page)
    return [" ".join(title.split()) for title in found]


def link(page: str, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page)
    return found.group(1).replace("&amp;", "&") if found else ""


def test_the_liveliest_thread_comes_first_and_pinned_ones_before_it(
    app: Flask, client: FlaskClient, at: At
) -> None:
    at(noon())
    with app.app_context():
        author, board = make_customer(), make_board(slug="b")
        names = ("The first of them", "The second of them", "The third of them", "The one that is pinned")
        threads = []
        for minute, name in enumerate(names):
            at(noon() + timedelta(minutes=minute))
            threads.append(make_thread(author, board, name).id)
        at(noon() + timedelta(hours=1))
        make_post(author, threads[0])
        tools.pin_thread(viewer_of(make_moderator()), threads[3])
    assert titles(client.get("/boards/b").text) == [names[3], names[0], names[2], names[1]]
    assert titles(client.get("/boards/b?sort=newest").text) == [names[3], names[2], names[1], names[0]]


def test_a_board_narrows_to_kind_unanswered_and_tag(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author, board = make_customer(), make_board(slug="b")
        answered = make_thread(author, board, "A question with an answer", tags="sftp")
        make_post(make_customer(), answered)
        make_thread(author, board, "A question without one", tags="sftp, lanes")
        make_thread(author, board, "Let us talk of this", kind=ThreadKind.DISCUSSION, tags="lanes")
        make_thread(author, board, "What it cost us then", kind=ThreadKind.WAR_STORY)
        make_thread(author, make_board(slug="other"), "Elsewhere it is asked", tags="sftp")
    expected = {
        "kind=question": ["A question without one", "A question with an answer"],
        "show=unanswered": ["A question without one"],
        "kind=discussion": ["Let us talk of this"],
        "kind=war_story": ["What it cost us then"],
        "tag=sftp": ["A question without one", "A question with an answer"],
        "tag=lanes&kind=question": ["A question without one"],
        "tag=nothing-has-this": ["Show all threads"][:0],
        "kind=rubbish&sort=rubbish&show=rubbish": [
            "What it cost us then",
            "Let us talk of this",
            "A question without one",
            "A question with an answer",
        ],
    }
    for query, found in expected.items():
        page = client.get(f"/boards/b?{query}").text
        assert titles(page) == found, query
        assert ("noindex" in page) == (not query.endswith("rubbish")), query
    assert titles(client.get("/tags/sftp").text)[0] == "Elsewhere it is asked"
    assert client.get("/tags/nothing-has-this").status_code == 404


@pytest.mark.parametrize("query", ["", "sort=newest", "show=unanswered", "kind=question", "tag=many"])
def test_every_thread_is_met_once_from_page_to_page_and_back(in_app: Flask, query: str) -> None:
    board = make_board(slug="b")
    fill_board(board, make_customer(), 60)
    same = clock.now()
    with unit_of_work():
        for thread in db.session.execute(db.select(Thread).where(Thread.id % 3 == 0)).scalars():
            thread.last_activity_at = thread.created_at = same
        db.session.flush()
        if query == "tag=many":
            db.session.execute(db.text("INSERT INTO tags (name, threads_count) VALUES ('many', 60)"))
            db.session.execute(
                db.text(
                    "INSERT INTO thread_tags (tag_id, thread_id) SELECT g.id, t.id FROM tags g, threads t"
                )
            )
    wanted = lists.Filter(
        newest="newest" in query,
        unanswered="unanswered" in query,
        kind=ThreadKind.QUESTION if "kind" in query else None,
        tag="many" if "tag" in query else "",
    )
    pages = [lists.threads_of_board(VISITOR, board, wanted)]
    while pages[-1].next:
        pages.append(lists.threads_of_board(VISITOR, board, wanted, after=pages[-1].next))
    ids = [[line.id for line in page.rows] for page in pages]
    assert [len(rows) for rows in ids] == [25, 25, 10]
    assert len({one for rows in ids for one in rows}) == 60
    assert pages[0].previous == ""
    back = lists.threads_of_board(VISITOR, board, wanted, before=pages[2].previous)
    assert [line.id for line in back.rows] == ids[1]
    first = lists.threads_of_board(VISITOR, board, wanted, before=back.previous)
    assert [line.id for line in first.rows] == ids[0]
    assert first.previous == ""
    assert first.next


def test_the_pages_are_linked_and_a_made_up_cursor_is_not_found(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        fill_board(make_board(slug="b"), make_customer(), 30)
    first = client.get("/boards/b?kind=question").text
    second = client.get(link(first, "next")).text
    assert len(titles(first)) == 25
    assert titles(second) == [f"Question number {number}" for number in (5, 4, 3, 2, 1)]
    assert titles(client.get(link(second, "prev")).text) == titles(first)
    for cursor in ("x", "AAAA", "WzFd", "WyJ4IiwxXQ", "W251bGwsbnVsbF0", "a" * 400):
        assert client.get(f"/boards/b?after={cursor}").status_code == 404, cursor


def test_what_waits_for_a_moderator_stands_above_for_its_author(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    with app.app_context():
        author, board = make_customer(), make_board(slug="b")
        hold(opening_of(make_thread(author, board, "This one waits a while")).id)
        make_thread(author, board, "This one is there")
        other, moderator = make_customer(), make_moderator()
    assert titles(sign_in(author).get("/boards/b").text) == ["This one waits a while", "This one is there"]
    assert titles(sign_in(moderator).get("/boards/b").text) == ["This one waits a while", "This one is there"]
    assert titles(sign_in(other).get("/boards/b").text) == ["This one is there"]
    assert titles(client.get("/boards/b").text) == ["This one is there"]


def test_a_board_says_what_can_be_done_here(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    with app.app_context():
        member = make_customer()
        board, old = make_board("Empty", slug="b"), make_board("Old", slug="old", archived_at=clock.now())
        make_board("Only for us", slug="staff", audience="customers")
        following.follow_board(viewer_of(member), board)
        assert old
    empty = sign_in(member).get("/boards/b").text
    assert "/threads/new?board=b" in empty
    assert "No thread yet" in empty
    assert 'action="/boards/b/follow?_method=DELETE"' in empty
    archived = sign_in(member).get("/boards/old").text
    assert "archived" in archived
    assert "/threads/new?board=old" not in archived
    assert "customers only" in sign_in(member).get("/boards/staff").text
    visitor = client.get("/boards/b").text
    assert "/boards/b/follow" not in visitor
    assert 'href="/boards/b.atom"' in visitor


@pytest.mark.parametrize("who", ["visitor", "customer", "moderator"])
def test_a_board_takes_as_many_statements_for_many_threads_as_for_few(
    app: Flask, client: FlaskClient, sign_in: SignIn, statements: Count, who: str
) -> None:
    with app.app_context():
        author = make_customer()
        fill_board(make_board(slug="few"), author, 1)
        fill_board(make_board(slug="many"), author, 200)
        people = {"customer": make_customer(), "moderator": make_moderator()}
    reader = client if who == "visitor" else sign_in(people[who])
    reader.get("/")  # settings and menu are kept in the process
    counts = []
    for slug in ("few", "many"):
        with statements() as seen:
            assert reader.get(f"/boards/{slug}").status_code == 200
        counts.append(sum(1 for text in seen.texts if not text.startswith("SELECT site_version")))
    most = 7 if who == "moderator" else 6  # the menu says how many cases wait
    assert counts[0] == counts[1] <= most
    with statements() as again:
        reader.get("/boards/many")
    assert len(again) <= (2 if who == "visitor" else most)


def test_lists_go_along_an_index(app: Flask, statements: Count) -> None:
    """SQLite's own plan without statistics: no list sorts the threads, or looks at all of them."""
    with app.app_context():
        member = viewer_of(make_customer())
        board = make_board()
        fill_board(board, member.member_id or 0, 3)
        lists_of = {
            "activity": lambda: lists.threads_of_board(member, board, lists.Filter()),
            "newest": lambda: lists.threads_of_board(member, board, lists.Filter(newest=True)),
            "unanswered": lambda: lists.threads_of_board(VISITOR, board, lists.Filter(unanswered=True)),
            "kind": lambda: lists.threads_of_board(VISITOR, board, lists.Filter(kind=ThreadKind.QUESTION)),
            "latest": lambda: lists.latest_threads(member),
            "waiting": lambda: lists.unanswered_threads(member),
            "story": lambda: lists.story_of_the_week(VISITOR),
            "feed": feeds.latest_public,
            "feed of a board": lambda: feeds.latest_public(board),
        }
        for name, read in lists_of.items():
            read()  # settings and lists of choices are kept in the process from here on
            with plans() as found:
                read()
            steps = [step for plan in found for step in plan if not step.startswith("SEARCH (")]
            assert not any("TEMP B-TREE" in step for step in steps), (name, steps)
            assert not any(step.startswith("SCAN threads") and "USING" not in step for step in steps), (
                name,
                steps,
            )
            assert any(re.match(r"(SEARCH|SCAN) threads USING (COVERING )?INDEX", step) for step in steps), (
                steps
            )


@contextmanager
def plans() -> Iterator[list[list[str]]]:
    """SQLite's plans of the statements that run inside the block."""
    found: list[list[str]] = []

    def note(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            cursor = connection.connection.cursor()
            found.append([row[-1] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_change_of_a_board_shows_at_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        board = make_board("Before", slug="b")
    assert "Before" in client.get("/boards/b").text
    with app.app_context(), unit_of_work():
        row = db.session.get_one(Board, board)
        row.name, row.content_version = "After", row.content_version + 1
    assert "After" in client.get("/boards/b").text
