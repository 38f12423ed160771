"""The home page: for a visitor what this place is, for a member what is new to them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions import reading_state
from portal.discussions.models import Audience, ThreadKind
from portal.discussions.services import following
from portal.members.queries import viewer_of
from tests.conftest import make_admin, make_board, make_customer
from tests.discussions.factories import fill_board, make_post, make_thread
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]


def part(page: str, heading: str) -> str:
    """A section of the page, from its heading to the next section."""
    _before, found, rest = page.partition(f">{heading}</h2>")
    return rest.split("</section>", 1)[0] if found else ""


def test_a_visitor_reads_what_this_place_is_and_what_goes_on(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author, board = make_customer(), make_board("Integrations", slug="b", description="What breaks.")
        answered = make_thread(author, board, "This one has an answer", tags="sftp")
        make_post(make_customer(), answered)
        make_thread(author, board, "This one still waits")
        make_thread(author, board, "What the moths taught us", kind=ThreadKind.WAR_STORY)
        make_board("For us alone", audience=Audience.CUSTOMERS)
    page = client.get("/").text
    assert "Ask the people who run" in page
    assert 'href="/join"' in page
    for title in ("This one has an answer", "This one still waits", "What the moths taught us"):
        assert title in part(page, "Latest")
    waiting = part(page, "Waiting for an answer")
    assert "This one still waits" in waiting
    assert "This one has an answer" not in waiting
    assert "1 of the 2 asked this week" in waiting
    assert "Integrations" in part(page, "Boards")
    assert "For us alone" not in page
    assert "connected" in part(page, "From a war story"), "a sentence of it, without its heading"
    assert "What happened" not in part(page, "From a war story")
    assert 'href="/feeds/latest.atom"' in page
    assert 'rel="canonical" href="http://localhost:8000/"' in page


def test_a_member_reads_what_is_unread_in_what_they_follow(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        reader, author, board = make_customer(), make_customer(), make_board()
        followed = make_thread(author, board, "A thread that is followed")
        make_thread(author, board, "A thread that is not")
        following.follow_thread(viewer_of(reader), followed.id)
        address = f"/threads/{followed.id}/{followed.slug}"
        thread_id = followed.id
    browser = sign_in(reader)
    browser.get(address)
    assert "Unread in what you follow" not in browser.get("/").text
    with app.app_context():
        make_post(author, thread_id, "Something new.")
        reading_state.flush()
    unread = part(browser.get("/").text, "Unread in what you follow")
    assert "A thread that is followed" in unread
    assert "1 new" in unread
    assert f'href="{address}#new"' in unread
    browser.get(address)
    assert "Unread in what you follow" not in browser.get("/").text, "before it is written"
    assert "Ask the people" not in browser.get("/").text


def test_an_empty_site_says_what_to_do(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    assert "Nothing has been written yet" in client.get("/").text
    with app.app_context():
        admin = make_admin()
    assert "See what is to be done" in sign_in(admin).get("/").text


@pytest.mark.parametrize("who", ["visitor", "customer"])
def test_home_takes_as_many_statements_for_many_threads_as_for_few(
    app: Flask,
    client: FlaskClient,
    sign_in: SignIn,
    statements: Callable[[], AbstractContextManager[Statements]],
    who: str,
) -> None:
    with app.app_context():
        author, board = make_customer(), make_board()
        fill_board(board, author, 1)
    reader = client if who == "visitor" else sign_in(author)
    reader.get("/")
    counts = []
    for threads in (1, 100):
        with app.app_context():
            fill_board(board, author, threads)
        with statements() as seen:
            assert reader.get("/").status_code == 200
        counts.append(len([text for text in seen.texts if not text.startswith("SELECT site_version")]))
    # Of a customer also whether the first minute was done.
    assert counts[0] == counts[1] <= (8 if who == "visitor" else 9)
