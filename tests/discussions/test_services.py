"""Stories of threads and posts, told through the services; the counters agree with the rows afterwards."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from portal.discussions.models import (
    Audience,
    Follow,
    Post,
    PostKind,
    PostRevision,
    PostState,
    Thread,
    ThreadKind,
    Vote,
)
from portal.discussions.services import acceptance, editing, following, removal, tools, voting
from portal.discussions.services.drafts import save_draft
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import open_thread, post_comment, post_reply
from portal.discussions.services.recount import recount
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Repeated
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from tests.conftest import make_board, make_customer, make_moderator, make_prospect, noon, viewer_of


@pytest.fixture
def board(in_app: Flask) -> int:
    return make_board("Integrations")


@pytest.fixture
def asker(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Ines"))


@pytest.fixture
def helper(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Tomasz"))


@pytest.fixture
def moderator(in_app: Flask) -> Viewer:
    return viewer_of(make_moderator("Ruth"))


def ask(
    asker: Viewer, board: int, title: str = "How do you isolate one bad partner?", **fields: str
) -> Thread:
    return open_thread(
        asker, board, kind=ThreadKind.QUESTION, title=title, body="One down, all late.", **fields
    )


def test_a_question_is_answered_commented_voted_and_accepted(
    board: int, asker: Viewer, helper: Viewer
) -> None:
    thread = ask(asker, board, tags="SFTP, lanes")
    answer = post_reply(helper, thread.id, "Use a lane for each partner.")
    own = post_reply(asker, thread.id, "Thank you, testing now.")
    comment = post_comment(asker, answer.id, "How many workers?")
    assert (answer.kind, answer.number) == (PostKind.ANSWER, 2)
    assert (own.kind, own.number) == (PostKind.REPLY, 3)
    assert (comment.number, comment.parent_id) == (None, answer.id)
    assert voting.vote(asker, answer.id) == 1
    assert voting.vote(asker, answer.id) == 1
    acceptance.accept(asker, thread.id, answer.id)
    thread = db.session.get_one(Thread, thread.id)
    assert thread.accepted_post_id == answer.id
    assert (thread.posts_count, thread.answers_count, thread.comments_count) == (3, 1, 1)
    assert db.session.get_one(Member, helper.member_id).accepted_count == 1
    assert recount() == []
    acceptance.withdraw_acceptance(asker, thread.id)
    assert voting.withdraw_vote(asker, answer.id) == 0
    assert recount() == []


def test_nobody_votes_for_themselves_and_only_the_asker_accepts(
    board: int, asker: Viewer, helper: Viewer, moderator: Viewer
) -> None:
    thread = ask(asker, board)
    answer = post_reply(helper, thread.id, "Use a lane for each partner.")
    with pytest.raises(Forbidden):
        voting.vote(helper, answer.id)
    for other in (helper, moderator):
        with pytest.raises(Forbidden):
            acceptance.accept(other, thread.id, answer.id)
    opening = db.session.execute(
        select(Post.id).where(Post.thread_id == thread.id, Post.number == 1)
    ).scalar_one()
    with pytest.raises(Invalid):
        acceptance.accept(asker, thread.id, opening)


def test_a_form_is_taken_once(board: int, asker: Viewer) -> None:
    thread = ask(asker, board, form_key="k1")
    with pytest.raises(Repeated) as again:
        ask(asker, board, form_key="k1")
    assert again.value.place == f"/threads/{thread.id}/{thread.slug}"
    assert len(db.session.execute(select(Thread.id)).all()) == 1


def test_a_board_out_of_sight_is_not_found(asker: Viewer) -> None:
    staff_room = make_board("Staff room", audience=Audience.STAFF)
    customers = make_board("Customers only", audience=Audience.CUSTOMERS)
    prospect = viewer_of(make_prospect())
    with pytest.raises(NotFound):
        ask(asker, staff_room)
    with pytest.raises(NotFound):
        ask(prospect, customers)
    assert ask(asker, customers).id


def test_own_quick_fixes_leave_no_mark_later_edits_do(
    board: int, asker: Viewer, helper: Viewer, moderator: Viewer, at: Callable[[datetime], None]
) -> None:
    at(noon("2026-03-02"))
    post = post_reply(helper, ask(asker, board).id, "Use a lane for each partner.")
    post = edit_post(helper, post.id, Edit(body="Use one lane for each partner.", version=post.version))
    assert (post.revisions_count, post.edited_at) == (0, None)
    at(noon("2026-03-03"))
    with pytest.raises(Conflict):
        edit_post(helper, post.id, Edit(body="Another text.", version=1))
    post = edit_post(helper, post.id, Edit(body="Use two lanes.", version=post.version, reason="measured"))
    assert post.revisions_count == 1
    kept = db.session.execute(select(PostRevision)).scalar_one()
    assert (kept.source, kept.reason) == ("Use one lane for each partner.", "measured")
    with pytest.raises(Invalid):
        edit_post(moderator, post.id, Edit(body="Use lanes.", version=post.version))
    with pytest.raises(Forbidden):
        edit_post(asker, post.id, Edit(body="Use lanes.", version=post.version))


def test_removal_leaves_a_tombstone_and_restoring_brings_all_back(
    board: int, asker: Viewer, helper: Viewer
) -> None:
    thread = ask(asker, board)
    answer = post_reply(helper, thread.id, "Use a lane for each partner.")
    voting.vote(asker, answer.id)
    acceptance.accept(asker, thread.id, answer.id)
    removal.hide_post(answer.id, rule="4 Personal data", reason="It named a technician.", case_id=1, by_id=1)
    post = db.session.get_one(Post, answer.id)
    assert (post.state, post.state_reason) == (PostState.HIDDEN, "It named a technician.")
    assert db.session.get_one(Thread, thread.id).accepted_post_id is None
    assert recount() == []
    with pytest.raises(NotFound):
        voting.vote(asker, answer.id)
    removal.restore_post(answer.id)
    assert db.session.get_one(Post, answer.id).score == 1
    assert recount() == []
    opening = db.session.execute(
        select(Post.id).where(Post.thread_id == thread.id, Post.number == 1)
    ).scalar_one()
    removal.hide_post(opening, rule="6", reason="Sells.", case_id=2, by_id=1)
    assert recount() == []
    removal.restore_post(opening)
    assert recount() == []


def test_authors_delete_their_own_unless_others_have_written(
    board: int, asker: Viewer, helper: Viewer
) -> None:
    thread = ask(asker, board)
    opening = db.session.execute(select(Post.id).where(Post.thread_id == thread.id)).scalar_one()
    answer = post_reply(helper, thread.id, "Use a lane for each partner.")
    with pytest.raises(Invalid):
        editing.delete_own_post(asker, opening)
    editing.delete_own_post(helper, answer.id)
    assert recount() == []
    editing.delete_own_post(asker, opening)
    assert db.session.get_one(Thread, thread.id).state is PostState.DELETED
    assert recount() == []


def test_split_and_merge_carry_posts_comments_votes_and_followers(
    board: int, asker: Viewer, helper: Viewer, moderator: Viewer
) -> None:
    reader = viewer_of(make_customer())
    thread = ask(asker, board, tags="sftp")
    first = post_reply(helper, thread.id, "Use a lane for each partner.")
    other = post_reply(reader, thread.id, "How do lanes count in the licence?")
    post_comment(asker, other.id, "Good point.")
    voting.vote(asker, other.id)
    new = tools.split_thread(
        moderator, thread.id, [other.id], "Do lanes count in the licence?", "Another question."
    )
    moved = db.session.get_one(Post, other.id)
    assert (moved.thread_id, moved.number, moved.kind) == (new.id, 1, PostKind.OPENING)
    assert (new.posts_count, new.comments_count, new.score) == (1, 1, 1)
    followers = set(db.session.execute(select(Follow.member_id).where(Follow.thread_id == new.id)).scalars())
    assert {asker.member_id, helper.member_id, reader.member_id} <= followers
    assert recount() == []

    merged = tools.merge_threads(moderator, new.id, thread.id, "Asked twice.")
    assert merged.id == thread.id
    moved = db.session.get_one(Post, other.id)
    assert (moved.thread_id, moved.kind) == (thread.id, PostKind.ANSWER)
    assert moved.number == 4
    assert db.session.get_one(Thread, new.id).merged_into_id == thread.id
    assert db.session.execute(select(Vote.post_id)).scalar_one() == other.id
    assert recount() == []
    with pytest.raises(Forbidden):
        tools.split_thread(asker, thread.id, [first.id], "Not allowed to do this", "Why.")


def test_moving_a_thread_changes_who_may_read_it(board: int, asker: Viewer, moderator: Viewer) -> None:
    inner = make_board("Customers only", audience=Audience.CUSTOMERS)
    thread = ask(asker, board)
    tools.move_thread(moderator, thread.id, inner, "Why.", rule=4)
    assert recount() == []
    with pytest.raises(NotFound):
        following.follow_thread(viewer_of(make_prospect()), thread.id)


def test_a_stale_tab_cannot_overwrite_a_draft(asker: Viewer) -> None:
    first = save_draft(asker.member_id or 0, "new:1", {"body": "one"}, 0)
    assert first.sequence == 1
    assert save_draft(asker.member_id or 0, "new:1", {"body": "one two"}, 1).sequence == 2
    with pytest.raises(Conflict) as stale:
        save_draft(asker.member_id or 0, "new:1", {"body": "old tab"}, 1)
    assert stale.value.version == 2


def test_recount_finds_and_repairs_a_wrong_counter(board: int, asker: Viewer) -> None:
    thread = ask(asker, board)
    with unit_of_work():
        db.session.get_one(Thread, thread.id).posts_count = 7
    assert [difference.counter for difference in recount()] == ["threads.posts_count"]
    assert recount() == []
