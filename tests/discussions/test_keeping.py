"""Kept posts, followed threads and boards, and the names that the composer offers."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.models import Post
from portal.discussions.services import following
from portal.discussions.services.drafts import save_draft
from portal.discussions.services.posting import post_reply
from portal.discussions.services.removal import hide_post
from portal.discussions.services.tools import merge_threads
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.members.models import MemberState
from tests.conftest import make_customer, make_member, make_prospect, viewer_of
from tests.discussions.browsing import send
from tests.discussions.scenes import Scene


@pytest.fixture
def scene(app: Flask, sign_in: Callable[[int], FlaskClient]) -> Scene:
    return Scene(app, sign_in)


def test_kept_posts_are_listed_newest_first_and_paged(scene: Scene, statements):
    with scene.app.app_context():
        helper, asker = viewer_of(scene.helper_id), viewer_of(scene.asker_id)
        for number in range(1, 33):
            post = post_reply(helper, scene.thread_id, f"Answer number {number}, long enough.")
            following.bookmark(asker, post.id)
    with statements() as seen:
        first = scene.asker.get("/me/bookmarks").get_data(as_text=True)
    assert len(seen) <= 8, seen
    assert "Answer number 32," in first
    assert "Answer number 2," not in first
    after = first.split("/me/bookmarks?after=")[1].split('"')[0]
    second = scene.asker.get(f"/me/bookmarks?after={after}").get_data(as_text=True)
    assert "Answer number 2," in second
    assert "Answer number 1," in second
    assert "Answer number 3," not in second
    assert scene.asker.get("/me/bookmarks?after=nonsense").status_code == 404
    assert "Answer number" not in scene.helper.get("/me/bookmarks").get_data(as_text=True)


def test_a_kept_post_that_is_hidden_shows_nothing_of_itself(scene: Scene):
    answer = scene.answer("The canary sings.")
    send(scene.asker, f"/posts/{answer}/bookmark")
    with scene.app.app_context():
        hide_post(answer, rule="Rule 6", reason="It sells.", case_id=1, by_id=scene.moderator_id)
    page = scene.asker.get("/me/bookmarks").get_data(as_text=True)
    assert "canary" not in page
    assert "can no longer be read" in page
    assert f"/posts/{answer}/bookmark?from=list" in page


def test_a_removed_threads_title_is_read_nowhere(scene: Scene):
    """Neither in a list of one's own nor in the address that a link leads to."""
    answer = scene.answer()
    with scene.app.app_context():
        other, slug = scene.ask("Canaries on the wire")
        opening = post_reply(viewer_of(scene.helper_id), other, "A canary, too.").id
        following.follow_thread(viewer_of(scene.helper_id), other)
        save_draft(scene.helper_id, f"thread:{other}", {"body": "Not sent yet."}, 0)
        merge_threads(viewer_of(scene.moderator_id), scene.thread_id, other, "Asked twice.")
        first = db.session.scalar(select(Post.id).where(Post.thread_id == other, Post.number == 1)) or 0
        hide_post(first, rule="Rule 6", reason="It sells.", case_id=1, by_id=scene.moderator_id)
    addresses = (
        *("/me/following", "/me/drafts", f"/posts/{opening}", f"/posts/{answer}", f"/threads/{other}"),
        *(f"/threads/{scene.thread_id}", f"/threads/{other}/go?number=2", f"/threads/{other}/posts"),
    )
    for address in addresses:
        answered = scene.helper.get(address)
        told = answered.get_data(as_text=True) + answered.headers.get("Location", "")
        assert "Canaries on the wire" not in told, address
        assert slug not in told, address
    assert scene.helper.get(f"/posts/{opening}").headers["Location"].startswith(f"/threads/{other}#")
    assert slug in scene.moderator.get(f"/posts/{opening}").headers["Location"]


def test_what_one_follows_is_listed_and_left_from_there(scene: Scene):
    send(scene.helper, "/boards/integrations/follow")
    send(scene.helper, f"/threads/{scene.thread_id}/follow")
    page = scene.helper.get("/me/following").get_data(as_text=True)
    assert "Integrations" in page
    assert "How do you isolate one bad partner?" in page
    left = send(scene.helper, f"/threads/{scene.thread_id}/follow?from=list", method="DELETE")
    assert left.headers["Location"] == "/me/following"
    left = send(scene.helper, "/boards/integrations/follow?from=list", method="DELETE")
    assert left.headers["Location"] == "/me/following"
    page = scene.helper.get("/me/following").get_data(as_text=True)
    assert "You follow no board" in page
    assert "You follow no thread" in page


def names(browser: FlaskClient, q: str) -> list[str]:
    return [person["name"] for person in browser.get("/members/complete", query_string={"q": q}).json]


def test_names_begin_with_what_was_typed(scene: Scene):
    with scene.app.app_context():
        make_customer("Marta Nowak", username="marta.nowak")
        make_customer("Jan Martens", username="jan")
        make_customer("Omar Tamm", username="omar")
        make_customer("Martin Gone", username="gone", state=MemberState.ERASED)
    assert names(scene.helper, "mart") == ["Marta Nowak", "Jan Martens"]
    assert names(scene.helper, "NOW") == ["Marta Nowak"]
    assert names(scene.helper, "") == []
    for wild in ("%", "_", "m%n"):
        assert names(scene.helper, wild) == []


def test_names_are_for_members_and_prospects_names_not_for_sales(scene: Scene, client: FlaskClient):
    with scene.app.app_context():
        make_prospect("Paula Prospect", username="paula")
        sales = make_member("Sam", status=Status.VENDOR, duties=(Duty.SALES,))
        service = make_member("Sue", status=Status.VENDOR, duties=(Duty.SERVICE,))
    assert names(scene.helper, "paula") == ["Paula Prospect"]
    assert names(scene.sign_in(sales), "paula") == []
    assert names(scene.sign_in(service), "paula") == []
    assert client.get("/members/complete?q=paula").status_code == 303
