"""Votes, accepted answers, follows and bookmarks, by form and by script."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.models import Audience, Bookmark, Follow, Post, Thread, Vote
from portal.discussions.services.removal import hide_post
from portal.kernel.db import db
from tests.conftest import make_board, make_prospect
from tests.discussions.browsing import send, send_as_script
from tests.discussions.scenes import Scene


@pytest.fixture
def scene(app: Flask, sign_in: Callable[[int], FlaskClient]) -> Scene:
    return Scene(app, sign_in)


def test_a_vote_by_form_leads_back_to_the_post(scene: Scene):
    answer = scene.answer()
    for _ in range(2):
        voted = send(scene.asker, f"/posts/{answer}/vote")
        assert (voted.status_code, voted.headers["Location"]) == (
            303,
            f"/threads/{scene.thread_id}/{scene.slug}#p2",
        )
    assert scene.post(answer).score == 1
    assert send(scene.asker, f"/posts/{answer}/vote", method="DELETE").status_code == 303
    assert scene.post(answer).score == 0
    assert scene.count(Vote) == 0


def test_a_vote_by_script_answers_with_the_state(scene: Scene):
    answer = scene.answer()
    assert send_as_script(scene.asker, f"/posts/{answer}/vote").json == {"pressed": True, "count": 1}
    assert send_as_script(scene.moderator, f"/posts/{answer}/vote").json == {"pressed": True, "count": 2}
    gone = send_as_script(scene.asker, f"/posts/{answer}/vote", method="DELETE")
    assert gone.json == {"pressed": False, "count": 1}


def test_nobody_votes_for_their_own_post(scene: Scene):
    answer = scene.answer()
    assert send(scene.helper, f"/posts/{answer}/vote").status_code == 403
    assert scene.post(answer).score == 0


def test_only_the_asker_accepts_and_may_take_it_back(scene: Scene):
    answer = scene.answer()
    path = f"/threads/{scene.thread_id}/acceptance"
    for other in (scene.helper, scene.moderator):
        assert send(other, path, {"post": answer}).status_code == 403
    accepted = send(scene.asker, path, {"post": answer})
    assert (accepted.status_code, accepted.headers["Location"][-3:]) == (303, "#p2")
    with scene.app.app_context():
        assert db.session.get_one(Thread, scene.thread_id).accepted_post_id == answer
    assert send(scene.asker, path, method="DELETE").status_code == 303
    with scene.app.app_context():
        assert db.session.get_one(Thread, scene.thread_id).accepted_post_id is None
    assert send(scene.asker, path, {"post": scene.posts()[0].id}).status_code == 422
    assert send(scene.asker, path, {}).status_code == 404


def test_threads_and_boards_are_followed_and_left(scene: Scene):
    thread, board = f"/threads/{scene.thread_id}/follow", "/boards/integrations/follow"
    before = scene.count(Follow)
    assert send_as_script(scene.moderator, thread).json == {"pressed": True, "count": None}
    followed = send(scene.moderator, board)
    assert (followed.status_code, followed.headers["Location"]) == (303, "/boards/integrations")
    assert scene.count(Follow) == before + 2
    assert send(scene.moderator, thread, method="DELETE").status_code == 303
    assert send(scene.moderator, board, method="DELETE").status_code == 303
    assert scene.count(Follow) == before


def test_a_bookmark_is_kept_and_dropped_also_of_a_hidden_post(scene: Scene):
    answer = scene.answer()
    assert send(scene.asker, f"/posts/{answer}/bookmark").status_code == 303
    assert scene.count(Bookmark) == 1
    with scene.app.app_context():
        hide_post(answer, rule="Rule 6", reason="It sells.", case_id=1, by_id=scene.moderator_id)
    dropped = send(scene.asker, f"/posts/{answer}/bookmark?from=list", method="DELETE")
    assert (dropped.status_code, dropped.headers["Location"]) == (303, "/me/bookmarks")
    assert scene.count(Bookmark) == 0


@pytest.mark.parametrize(
    "path",
    ["/posts/{post}/vote", "/posts/{post}/bookmark", "/threads/{thread}/follow", "/boards/{board}/follow"],
)
def test_what_is_out_of_sight_takes_no_reaction(scene: Scene, path: str):
    with scene.app.app_context():
        board_id = make_board("Customers only", slug="customers-only", audience=Audience.CUSTOMERS)
        thread_id, _slug = scene.ask("Something among customers", board_id)
        post_id = db.session.scalar(select(Post.id).where(Post.thread_id == thread_id))
        prospect = make_prospect("Paul")
    browser, rows = scene.sign_in(prospect), (Vote, Bookmark, Follow)
    before = [scene.count(row) for row in rows]
    there = path.format(post=post_id, thread=thread_id, board="customers-only")
    missing = path.format(post=98765, thread=98765, board="nowhere")
    assert send(browser, there).status_code == send(browser, missing).status_code == 404
    assert [scene.count(row) for row in rows] == before


def test_a_hidden_post_takes_no_vote(scene: Scene):
    answer = scene.answer()
    with scene.app.app_context():
        hide_post(answer, rule="Rule 6", reason="It sells.", case_id=1, by_id=scene.moderator_id)
    assert send(scene.asker, f"/posts/{answer}/vote").status_code == 404
    assert send(scene.asker, f"/posts/{answer}/bookmark").status_code == 404
