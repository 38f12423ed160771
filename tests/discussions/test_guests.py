"""Prospects to sales and service: role, industry, size and country, wherever somebody wrote of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Audience, Post
from portal.discussions.services import acceptance, editing, following
from portal.discussions.services.editing import Edit
from portal.kernel import clock
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.members.models import Member
from portal.notifications.models import Notice
from tests.conftest import make_board, make_customer, make_member, make_prospect, viewer_of
from tests.discussions.factories import make_comment, make_post, make_thread, opening_of

SignIn = Callable[[int], FlaskClient]
NAME, USERNAME, COMPANY = "Zephyrine Quillfeather", "zephyrine-q", "Palimpsest Works"

PAGES = (
    "/",
    "/boards/before",
    "/threads/{thread}",
    "/threads/{thread}/posts?quote={opening}",
    "/posts/{opening}/quotation",
    "/posts/{answer}/quotation",
    "/posts/{opening}/comments",
    "/posts/{answer}/comments",
    "/posts/{opening}/history",
    "/posts/{answer}/history",
    "/posts/{opening}/flag",
    "/posts/{answer}/flag",
    "/search?q=restore",
    "/search?author=zephyrine-q",
    "/search?board=before",
    "/members",
    "/members?q=Zeph",
    "/members/zephyrine-q",
    "/members/zephyrine-q/threads",
    "/members/{helper}",
    "/members/{helper}/posts",
    "/members/complete?q=zeph",
    "/feeds/latest.atom",
    "/boards/before.atom",
    "/notifications",
    "/me/bookmarks",
)


@pytest.fixture
def places(app: Flask) -> dict[str, object]:
    with app.app_context():
        board = make_board("Before you buy", slug="before")
        asker = viewer_of(
            make_prospect(NAME, username=USERNAME, title="Head of IT", region="PT", picture="zephyrine.png")
        )
        helper = viewer_of(make_customer("Tomasz"))
        thread = make_thread(asker, board, "How often do you test a restore?", "Of a restore I am afraid.")
        opening = opening_of(thread)
        quoted = f"> [@{USERNAME} in #1](/posts/{opening.id}):\n> restore\n\n"
        answer = make_post(
            helper, thread, f"{quoted}@{USERNAME}, restore weekly. See [her page](/members/{USERNAME})."
        )
        make_comment(helper, opening, f"Which restore, @{USERNAME}?")
        acceptance.accept(asker, thread.id, answer.id)
        db.session.rollback()
        with clock.frozen(clock.now() + timedelta(hours=2)):
            for writer, post in ((asker, opening), (helper, answer)):
                post = db.session.get_one(Post, post.id)
                edit = Edit(
                    body=post.source + "\n\nEdited.",
                    title=thread.title if post.number == 1 else None,
                    reason="more",
                    version=post.version,
                )
                editing.edit_post(writer, post.id, edit)
        return {
            "board": board,
            "thread": thread.id,
            "opening": opening.id,
            "answer": answer.id,
            "helper": helper.username,
        }


@pytest.mark.parametrize("duty", [Duty.SALES, Duty.SERVICE])
def test_no_page_names_a_guest_to_sales_or_service(
    app: Flask, sign_in: SignIn, places: dict[str, object], duty: Duty
) -> None:
    with app.app_context():
        seller = viewer_of(make_member("Sal", status=Status.VENDOR, duties=(duty,)))
        following.follow_board(seller, places["board"])
        following.follow_thread(seller, places["thread"])
        for post in ("opening", "answer"):
            following.bookmark(seller, places[post])
        another = make_prospect("Another one")
        make_post(another, places["thread"], f"Thank you, @{USERNAME}, for asking.")
        make_thread(
            db.session.scalar(db.select(Member.id).where(Member.username == USERNAME)), places["board"]
        )
    browser, customer = sign_in(seller.member_id), sign_in(make_customer_in(app))
    named = 0
    for page in PAGES:
        answer = browser.get(page.format(**places), follow_redirects=True)
        text = answer.text.replace(USERNAME, "") if USERNAME in page else answer.text  # what was asked
        for sign in (NAME, "Zephyrine", "@zephyrine", "/members/zephyrine", "Quillfeather"):
            assert sign.lower() not in text.lower(), page
        named += NAME in customer.get(page.format(**places), follow_redirects=True).text
    assert named > 6, "others read the name on these pages"
    text = browser.get(f"/threads/{places['thread']}", follow_redirects=True).text
    assert "Head of IT" in text
    assert "a prospect in #1" in text
    assert "a prospect, restore weekly" in text
    assert browser.get("/members/zephyrine-q").status_code == 404


def make_customer_in(app: Flask) -> int:
    with app.app_context():
        return make_customer("Carla")


def test_quoting_a_guest_writes_no_name_for_anybody(
    app: Flask, sign_in: SignIn, places: dict[str, object]
) -> None:
    browser = sign_in(make_customer_in(app))
    assert (
        browser.get(f"/posts/{places['opening']}/quotation")
        .json["markdown"]
        .startswith(f"> [#1](/posts/{places['opening']}):\n> Of a restore")
    )
    page = browser.get(f"/threads/{places['thread']}/posts?quote={places['answer']}").text
    assert f"@{places['helper']} in #2" in page


def test_sales_cannot_mention_a_guest(app: Flask, places: dict[str, object]) -> None:
    with app.app_context():
        seller = make_member("Sal", status=Status.VENDOR, duties=(Duty.SALES,))
        customer = make_customer("Carla")
        guest = db.session.scalar(db.select(Member.id).where(Member.username == USERNAME))
        other = make_thread(customer, places["board"], "What does a licence cost?")
        for writer, told in ((seller, 0), (customer, 1)):
            post = make_post(writer, other, f"Hello @{USERNAME}, look here.")
            notices = db.select(Notice).where(Notice.member_id == guest, Notice.post_id == post.id)
            assert len(db.session.scalars(notices).all()) == told
            assert (f'href="/members/{USERNAME}"' in post.html) == bool(told)


def test_a_board_of_prospects_reads_the_same(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        board = make_board("Ask", slug="ask", audience=Audience.PROSPECTS)
        make_thread(make_prospect(NAME, username=USERNAME), board)
        seller = make_member("Sal", status=Status.VENDOR, duties=(Duty.SERVICE,))
    page = sign_in(seller).get("/boards/ask").text
    assert "A prospect" in page
    assert NAME not in page
