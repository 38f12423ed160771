"""What moderators do to whole threads, through the pages."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.discussions.models import Audience, Follow, Post, ShownAs, Thread, ThreadKind
from portal.discussions.services import removal, tools
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.recount import recount
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import Decision
from tests.conftest import make_board, make_customer, make_member, viewer_of
from tests.discussions.browsing import send
from tests.discussions.scenes import Scene


@pytest.fixture
def scene(app: Flask, sign_in: Callable[[int], FlaskClient]) -> Scene:
    return Scene(app, sign_in)


def thread(scene: Scene) -> Thread:
    with scene.app.app_context():
        return db.session.get_one(Thread, scene.thread_id)


def test_closing_needs_a_reason_and_can_be_undone(scene: Scene):
    path = f"/threads/{scene.thread_id}/closing"
    without = send(scene.moderator, path, {"reason": " "})
    assert without.status_code == 422
    assert 'href="#reason"' in without.get_data(as_text=True)
    closed = send(scene.moderator, path, {"reason": "Solved in 7.6."})
    assert (closed.status_code, closed.headers["Location"]) == (
        303,
        f"/threads/{scene.thread_id}/{scene.slug}",
    )
    page = scene.helper.get(f"/threads/{scene.thread_id}/{scene.slug}").get_data(as_text=True)
    assert "Solved in 7.6." in page
    assert "<textarea" not in page
    assert send(scene.moderator, path, method="DELETE").status_code == 303
    assert thread(scene).closed_at is None


def test_pinning(scene: Scene):
    path = f"/threads/{scene.thread_id}/pin"
    assert send(scene.moderator, path).status_code == 303
    assert thread(scene).pinned_at is not None
    assert send(scene.moderator, path, method="DELETE").status_code == 303
    assert thread(scene).pinned_at is None


def test_a_thread_moves_to_the_same_or_fewer_readers_never_to_more(scene: Scene):
    with scene.app.app_context():
        make_board("Operations", slug="operations")
        make_board("Customers", slug="customers", audience=Audience.CUSTOMERS)
    path = f"/threads/{scene.thread_id}/board"
    assert send(scene.moderator, path, {"board": "nowhere", "move_reason": "x"}).status_code == 422
    without = send(scene.moderator, path, {"board": "operations", "move_reason": " "})
    assert without.status_code == 422
    assert 'href="#move_reason"' in without.text
    tools = scene.moderator.get(f"/threads/{scene.thread_id}/tools").get_data(as_text=True)
    assert 'name="move_reason"' in tools
    moving = {"board": "operations", "move_reason": "It is about  running it."}
    assert send(scene.moderator, path, moving).status_code == 303
    with scene.app.app_context():
        logged = db.session.execute(
            db.text("SELECT details FROM audit_entries WHERE action = 'thread moved'")
        )
        assert list(logged.scalars()) == ["It is about running it."]
    narrower = send(scene.moderator, path, {**moving, "board": "customers"})
    assert narrower.status_code == 422
    assert 'href="#move_rule"' in narrower.text
    fewer = {**moving, "board": "customers", "move_rule": "4"}
    assert send(scene.moderator, path, fewer).status_code == 303
    back = send(scene.moderator, path, moving)
    assert back.status_code == 422
    assert "More people read" in back.get_data(as_text=True)
    page = scene.moderator.get(f"/threads/{scene.thread_id}/tools").get_data(as_text=True)
    assert 'value="operations"' not in page
    with scene.app.app_context():
        assert recount() == []


def test_chosen_posts_become_a_thread_of_their_own(scene: Scene):
    first, second, third = (scene.answer(f"Answer {n}, long enough.") for n in (1, 2, 3))
    path = f"/threads/{scene.thread_id}/split"
    page = scene.moderator.get(path).get_data(as_text=True)
    assert f'value="{first}"' in page
    assert f'value="{scene.posts()[0].id}"' not in page, "the opening stays"
    chosen = {"title": "Lanes at night", "posts": [first, third], "reason": "Another question."}
    for wrong, said in (
        ({"posts": []}, "Choose the posts to take along."),
        ({"title": "Short"}, 'href="#title"'),
        ({"reason": " "}, 'href="#reason"'),
    ):
        refused = send(scene.moderator, path, {**chosen, **wrong})
        assert refused.status_code == 422
        assert said in refused.text
    assert f'value="{first}" checked' in refused.get_data(as_text=True)
    done = send(scene.moderator, path, chosen)
    assert done.status_code == 303
    new_id = int(done.headers["Location"].split("/")[2])
    with scene.app.app_context():
        moved = db.session.scalars(
            select(Post.id).where(Post.thread_id == new_id).order_by(Post.number)
        ).all()
        assert list(moved) == [first, third]
        assert recount() == []
    assert [post.id for post in scene.posts()][1:] == [second]


def test_a_choice_with_a_post_from_elsewhere_is_refused_whole(scene: Scene):
    own = scene.answer("Answer one, long enough.")
    with scene.app.app_context():
        other_id, _slug = scene.ask("Another thread entirely")
        other = post_reply(viewer_of(scene.helper_id), other_id, "An answer elsewhere.").id
    for foreign in (other, 98765, 10**30, "x"):
        sent = {"title": "Lanes at night", "posts": [own, foreign], "reason": "Another question."}
        if foreign == "x":
            continue
        assert send(scene.moderator, f"/threads/{scene.thread_id}/split", sent).status_code == 422
    assert scene.count(Thread) == 2


def test_a_duplicate_is_merged_by_address_number_or_words(scene: Scene):
    with scene.app.app_context():
        target_id, target_slug = scene.ask("How can one isolate a bad partner?")
        follows = db.session.scalar(
            select(func.count()).select_from(Follow).where(Follow.thread_id == target_id)
        )
    path = f"/threads/{scene.thread_id}/merge"
    page = scene.moderator.get(path).get_data(as_text=True)
    assert "How can one isolate a bad partner?" in page, "threads like this one are offered"
    found = send(scene.moderator, path, {"target": "isolate partner"})
    assert found.status_code == 200
    assert f'value="{target_id}"' in found.get_data(as_text=True)
    nothing = send(scene.moderator, path, {"target": "zebra crossing"})
    assert nothing.status_code == 422
    itself = send(scene.moderator, path, {"target": str(scene.thread_id), "reason": "Asked twice"})
    assert itself.status_code == 422
    without = send(scene.moderator, path, {"target": str(target_id)})
    assert without.status_code == 422
    assert 'href="#reason"' in without.text
    assert f'value="{target_id}"' in without.text, "what was chosen is kept"
    scene.answer("An answer that comes along.")
    done = send(
        scene.moderator,
        path,
        {
            "target": f"http://localhost:8000/threads/{target_id}/{target_slug}?page=2",
            "reason": "Asked twice",
        },
    )
    assert (done.status_code, done.headers["Location"]) == (303, f"/threads/{target_id}/{target_slug}")
    with scene.app.app_context():
        assert db.session.get_one(Thread, target_id).posts_count == 3
        followers = db.session.scalar(
            select(func.count()).select_from(Follow).where(Follow.thread_id == target_id)
        )
        assert followers == follows + 1
        assert recount() == []


def test_a_second_press_does_nothing_twice_and_leads_to_the_same_place(scene: Scene):
    with scene.app.app_context():
        make_board("Operations", slug="operations")
        target_id, _slug = scene.ask("How can one isolate a bad partner?")
    post = scene.answer()
    uses = {
        "closing": {"reason": "Solved in 7.6."},
        "board": {"board": "operations", "move_reason": "It is about running it."},
        "split": {"title": "Lanes at night", "posts": [post], "reason": "Another question."},
        "merge": {"target": str(target_id), "reason": "Asked twice."},
    }
    for tool, fields in uses.items():
        path = f"/threads/{scene.thread_id}/{tool}"
        sent = {**fields, "form_key": "one-page"}
        first = send(scene.moderator, path, sent)
        done = scene.count(Decision)
        second = send(scene.moderator, path, sent)
        assert (first.status_code, second.status_code) == (303, 303), tool
        assert first.headers["Location"] == second.headers["Location"], tool
        assert scene.count(Decision) == done > 0, tool
    assert scene.posts() == []
    with scene.app.app_context():
        assert recount() == []


def test_a_thread_does_not_move_to_where_it_stands(scene: Scene):
    sent = {"board": "integrations", "move_reason": "x"}
    refused = send(scene.moderator, f"/threads/{scene.thread_id}/board", sent)
    assert refused.status_code == 422
    assert 'href="#board"' in refused.text
    assert "It stands on that board already." in refused.text


def test_what_is_split_off_a_hidden_thread_is_counted(scene: Scene):
    chosen = [scene.answer()]
    with scene.app.app_context():
        opening = scene.posts()[0].id
        removal.hide_post(opening, rule="Rule 1", reason="Spam.", case_id=1, by_id=scene.moderator_id)
        tools.split_thread(viewer_of(scene.moderator_id), scene.thread_id, chosen, "Lanes at night", "Fine.")
        assert recount() == []


def test_a_thread_is_not_merged_into_one_that_more_people_read(scene: Scene):
    with scene.app.app_context():
        customers = make_board("Customers", audience=Audience.CUSTOMERS)
        inner_id, _slug = scene.ask("How can one isolate a bad partner?", customers)
    refused = send(
        scene.moderator, f"/threads/{inner_id}/merge", {"target": str(scene.thread_id), "reason": "x"}
    )
    assert refused.status_code == 422
    assert "More people read" in refused.get_data(as_text=True)
    offered = scene.moderator.get(f"/threads/{inner_id}/merge").get_data(as_text=True)
    assert f'id="t{scene.thread_id}"' not in offered


@pytest.mark.parametrize("what", ["closing", "pin", "board", "split", "merge"])
def test_only_moderators_and_only_where_they_read(scene: Scene, what: str):
    with scene.app.app_context():
        staff = make_board("Staff room", audience=Audience.STAFF)
        inner_id, _slug = scene.ask("Something among staff", scene.board_id)
        db.session.rollback()
        peer = make_member("Peer", status=Status.CUSTOMER, duties=(Duty.MODERATOR,))
    moved = send(
        scene.moderator,
        f"/threads/{inner_id}/board",
        {"board": _slug_of(scene, staff), "move_reason": "x", "move_rule": "4"},
    )
    assert moved.status_code == 303
    fields = {
        "reason": "x",
        "move_reason": "x",
        "board": "integrations",
        "title": "A long enough title",
        "target": "1",
        "posts": [1],
    }
    assert send(scene.helper, f"/threads/{scene.thread_id}/{what}", fields).status_code == 403
    assert scene.helper.get(f"/threads/{scene.thread_id}/tools").status_code == 403
    browser = scene.sign_in(peer)
    assert send(browser, f"/threads/{inner_id}/{what}", fields).status_code == 404
    assert browser.get(f"/threads/{inner_id}/tools").status_code == 404


def _slug_of(scene: Scene, board_id: int) -> str:
    with scene.app.app_context():
        return str(
            db.session.execute(db.text("SELECT slug FROM boards WHERE id = :id"), {"id": board_id}).scalar()
        )


def test_a_split_shows_what_both_authors_will_read(scene: Scene):
    answer = scene.answer("An answer, long enough.")
    path = f"/threads/{scene.thread_id}/split"
    sent = {"title": "Lanes at night", "posts": [answer], "reason": "Another question."}
    said = "A thread with your post was split. “Another question.”"
    for page in (
        send(scene.moderator, f"{path}/preview", sent),
        send(scene.moderator, path, {**sent, "preview": "yes"}),
    ):
        assert page.status_code == 200
        assert page.text.count(said) == 2
        assert "Who began this thread" in page.text
        assert "Who wrote the first post taken along" in page.text
        assert "Thread split. “Another question.”" in page.text
    assert scene.count(Thread) == 1, "to look is not to do"
    with scene.app.app_context():
        further = post_reply(viewer_of(scene.asker_id), scene.thread_id, "Their own further word.").id
    by_both = {**sent, "posts": [further]}
    page = send(scene.moderator, f"{path}/preview", by_both)
    assert page.text.count(said) == 1
    assert "Who began both threads" in page.text
    with scene.app.app_context(), unit_of_work():
        db.session.get_one(Post, further).author_shown_as = ShownAs.ROLE
    page = send(scene.moderator, f"{path}/preview", by_both)
    assert "Who began both threads" not in page.text, "who is shown as a role is not given away"


def test_a_merge_shows_what_both_authors_will_read(scene: Scene):
    with scene.app.app_context():
        other = make_customer("Lars Tveit")
        board = db.session.get_one(Thread, scene.thread_id).board_id
        target = open_thread(
            viewer_of(other),
            board,
            kind=ThreadKind.QUESTION,
            title="How can one isolate it?",
            body="It is slow.",
        ).id
    path = f"/threads/{scene.thread_id}/merge"
    sent = {"target": str(target), "reason": "Asked twice.", "rule": "1"}
    for page in (
        send(scene.moderator, f"{path}/preview", sent),
        send(scene.moderator, path, {**sent, "preview": "yes"}),
    ):
        assert page.status_code == 200
        assert "Your thread was merged into another. Rule 1" in page.text
        assert "You can appeal within 14 days" in page.text
        assert "Another thread was merged into yours. “Asked twice.”" in page.text
        assert "Another thread merged into it. “Asked twice.”" in page.text
    assert "The same is asked there." in page.text, "a reason to begin from"
