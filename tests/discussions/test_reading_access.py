"""Who reads what: every audience × every status, by every way to a thread; one body for both answers."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Audience, PostState
from portal.discussions.services import editing, removal
from portal.kernel import clock
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.members.queries import viewer_of
from tests.conftest import make_board, make_customer, make_member, make_moderator
from tests.discussions.factories import hold, make_comment, make_post, make_thread, opening_of

CANARY = "zanzibarcanary"
READS: dict[str, set[Audience]] = {
    "visitor": {Audience.PUBLIC},
    "unconfirmed": {Audience.PUBLIC},
    "prospect": {Audience.PUBLIC, Audience.PROSPECTS},
    "customer": {Audience.PUBLIC, Audience.PROSPECTS, Audience.CUSTOMERS},
    "former": {Audience.PUBLIC, Audience.PROSPECTS, Audience.CUSTOMERS},
    "suspended": {Audience.PUBLIC, Audience.PROSPECTS, Audience.CUSTOMERS},
    "vendor": set(Audience),
}


@pytest.fixture
def browser_of(
    app: Flask, client: FlaskClient, sign_in: Callable[[int], FlaskClient]
) -> Callable[[str], FlaskClient]:
    """browser_of("customer"): a browser of such a person."""

    def of(who: str) -> FlaskClient:
        if who == "visitor":
            return client
        with app.app_context():
            if who == "unconfirmed":
                member_id = make_customer(confirmed=False)
            elif who == "suspended":
                member_id = make_customer()
                with unit_of_work():
                    member = db.session.get_one(Member, member_id)
                    member.suspended_until = clock.now() + timedelta(days=3)
            else:
                member_id = make_member(status=Status(who))
        return sign_in(member_id)

    return of


def body_of(page: str) -> str:
    """A page without what differs each time: the number of the request, the address asked for, tokens."""
    page = re.sub(r"[0-9a-f]{4}-[0-9a-f]{4}", "", page)
    return re.sub(r'(href|next|value|content)="?[^">]*"?', "", page)


@pytest.mark.parametrize("who", READS)
def test_a_thread_is_there_for_those_who_read_its_board(
    app: Flask, browser_of: Callable[[str], FlaskClient], who: str
) -> None:
    canaries = {audience: f"{CANARY}{number}" for number, audience in enumerate(Audience)}
    addresses, places = {}, {}
    with app.app_context():
        asker, helper = make_member(status=Status.VENDOR), make_member(status=Status.VENDOR)
        for audience, canary in canaries.items():
            board = make_board(f"About {canary}", audience=audience, slug=f"board-{audience}")
            thread = make_thread(
                asker, board, f"What is {canary} for?", f"Nobody knows {canary}.", tags=canary
            )
            answer = make_post(helper, thread, f"I know {canary}.")
            comment = make_comment(asker, answer, f"A comment on {canary}.")
            addresses[audience] = f"/threads/{thread.id}/{thread.slug}"
            places[audience] = [f"/posts/{answer.id}", f"/posts/{comment.id}", f"/threads/{thread.id}"]
    reader = browser_of(who)
    home, feed, sitemap = (reader.get(path) for path in ("/", "/feeds/latest.atom", "/sitemap.xml"))
    assert (home.status_code, feed.status_code, sitemap.status_code) == (200, 200, 200)
    for audience, canary in canaries.items():
        readable, public = audience in READS[who], audience is Audience.PUBLIC
        for path in (addresses[audience], f"/boards/board-{audience}", f"/tags/{canary}"):
            page = reader.get(path)
            assert page.status_code == (200 if readable else 404), path
            assert (canary in body_of(page.text)) == readable, path
            if not readable:
                missing = reader.get(re.sub(r"\d+|board-\w+|zanzibarcanary\d", "987654", path, count=1))
                assert missing.status_code == 404
                assert body_of(page.text) == body_of(missing.text), path
        for path in places[audience]:
            found = 301 if path.startswith("/threads") else 302
            assert reader.get(path).status_code == (found if readable else 404), path
        assert (canary in home.text) == readable
        assert (canary in feed.text) == public, "public content only, whoever asks"
        assert (canary in sitemap.text) == public
        assert reader.get(f"/boards/board-{audience}.atom").status_code == (200 if public else 404)
        if readable:
            page = reader.get(addresses[audience])
            assert ("noindex" in page.text) == (not public)
            kept = public and who == "visitor"
            assert page.headers["Cache-Control"] == ("public, no-cache" if kept else "no-store")


@pytest.mark.parametrize("who", ["visitor", "customer", "author", "moderator"])
def test_the_words_of_a_post_are_for_those_who_may_read_them(
    app: Flask, client: FlaskClient, sign_in: Callable[[int], FlaskClient], who: str
) -> None:
    stories = {}
    with app.app_context():
        board = make_board()
        asker, author, moderator = make_customer("Ines"), make_customer("Tomasz"), make_moderator("Ruth")
        people = {"customer": make_customer(), "author": author, "moderator": moderator}
        for state in PostState:
            thread = make_thread(asker, board)
            post = make_post(author, thread, f"Call {CANARY} at night.")
            _bring_into(state, post.id, author, moderator)
            stories[state] = (f"/threads/{thread.id}/{thread.slug}", f"/posts/{post.id}")
    reader = client if who == "visitor" else sign_in(people[who])
    for state, (address, place) in stories.items():
        readable = who in READABLE_BY[state]
        page = reader.get(address)
        assert page.status_code == 200
        assert (CANARY in page.text) == readable, state
        leads_somewhere = readable or state is PostState.HIDDEN
        assert reader.get(place).status_code == (302 if leads_somewhere else 404), state
        assert ("#2 was removed" in page.text) == (state is PostState.HIDDEN)
        assert ("deleted by its author" in page.text) == (state is PostState.DELETED)
        if state is PostState.HIDDEN:
            assert "Rule 4" in page.text
            assert "A number." in page.text
            assert "/transparency" in page.text
        assert "<!--@" not in page.text, "every mark was replaced"


@pytest.mark.parametrize("who", ["visitor", "customer", "author", "moderator"])
def test_a_thread_is_as_visible_as_its_opening(
    app: Flask, client: FlaskClient, sign_in: Callable[[int], FlaskClient], who: str
) -> None:
    addresses = {}
    with app.app_context():
        board = make_board(slug="b")
        author, moderator = make_customer("Tomasz"), make_moderator("Ruth")
        people = {"customer": make_customer(), "author": author, "moderator": moderator}
        for state in PostState:
            thread = make_thread(author, board, f"Where is {CANARY} now?", f"Look for {CANARY}{state}.")
            addresses[state] = f"/threads/{thread.id}/{thread.slug}"
            _bring_into(state, opening_of(thread).id, author, moderator)
    reader = client if who == "visitor" else sign_in(people[who])
    listed, sitemap = reader.get("/boards/b").text, reader.get("/sitemap.xml").text
    for state, address in addresses.items():
        page = reader.get(address, follow_redirects=True)
        readable = who in READABLE_BY[state]
        stone = state is PostState.HIDDEN and not readable
        assert page.status_code == (200 if readable or stone else 404)
        assert (f"Look for {CANARY}{state}" in page.text) == readable
        assert (CANARY in body_of(page.text)) == readable, "its title is gone too"
        assert ("A number." in page.text) == (state is PostState.HIDDEN)
        in_list = state is PostState.VISIBLE or (state is PostState.HELD and readable)
        assert (address in listed) == in_list
        assert (address in sitemap) == (state is PostState.VISIBLE)


READABLE_BY = {
    PostState.VISIBLE: {"visitor", "customer", "author", "moderator"},
    PostState.HELD: {"author", "moderator"},
    PostState.HIDDEN: {"moderator"},
    PostState.DELETED: set(),
}


def _bring_into(state: PostState, post_id: int, author: int, moderator: int) -> None:
    if state is PostState.HELD:
        hold(post_id)
    elif state is PostState.HIDDEN:
        removal.hide_post(post_id, rule="Rule 4", reason="A number.", case_id=7, by_id=moderator)
    elif state is PostState.DELETED:
        editing.delete_own_post(viewer_of(author), post_id)
