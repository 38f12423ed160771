"""Many at once, on both databases: one vote, one acceptance, one post, and nothing overwritten silently."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.discussions.models import Follow, Post, Thread, ThreadKind, Vote
from portal.discussions.services import acceptance, drafts, following, voting
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.recount import recount
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Repeated
from tests.conftest import make_board, make_customer, viewer_of
from tests.support.racing import at_once

AT_ONCE = 12  # fewer than the pool has connections: who waits too long for one is told to come again


@pytest.fixture
def people(in_app: Flask) -> tuple[Viewer, Viewer]:
    return viewer_of(make_customer("Ines")), viewer_of(make_customer("Tomasz"))


@pytest.fixture
def thread_id(in_app: Flask, people: tuple[Viewer, Viewer]) -> int:
    return open_thread(
        people[0],
        make_board("Integrations"),
        kind=ThreadKind.QUESTION,
        title="How do you isolate one bad partner?",
        body="One down, all late.",
    ).id


def test_one_person_pressing_again_and_again_votes_once(in_app: Flask, people, thread_id: int):
    asker, helper = people
    answer = post_reply(helper, thread_id, "Use a lane for each partner.").id
    assert at_once(in_app, lambda _n: voting.vote(asker, answer), AT_ONCE) == [1] * AT_ONCE
    assert db.session.scalar(select(func.count()).select_from(Vote)) == 1
    assert db.session.get_one(Post, answer, populate_existing=True).score == 1
    assert recount() == []


def test_each_vote_counts_of_all_who_vote_at_once(in_app: Flask, people, thread_id: int):
    answer = post_reply(people[1], thread_id, "Use a lane for each partner.").id
    voters = [viewer_of(make_customer()) for _ in range(AT_ONCE)]
    results = at_once(in_app, lambda number: voting.vote(voters[number], answer), AT_ONCE)
    assert sorted(results, key=str) == sorted(range(1, AT_ONCE + 1), key=str)
    assert db.session.get_one(Post, answer, populate_existing=True).score == AT_ONCE
    assert recount() == []


def test_of_all_acceptances_at_once_one_holds(in_app: Flask, people, thread_id: int):
    asker, helper = people
    answers = [post_reply(helper, thread_id, f"Answer {n}, long enough.").id for n in range(4)]
    results = at_once(
        in_app, lambda number: acceptance.accept(asker, thread_id, answers[number % 4]), AT_ONCE
    )
    assert results == [None] * AT_ONCE
    assert db.session.get_one(Thread, thread_id, populate_existing=True).accepted_post_id in answers
    assert viewer_counts(helper) == 1
    assert recount() == []


def viewer_counts(helper: Viewer) -> int:
    table = db.metadata.tables["members"]
    return db.session.scalar(select(table.c.accepted_count).where(table.c.id == helper.member_id)) or 0


def test_the_same_form_sent_at_once_makes_one_post(in_app: Flask, people, thread_id: int):
    results = at_once(
        in_app,
        lambda _n: post_reply(people[1], thread_id, "Use a lane.", form_key="the same form").number,
        10,
    )
    places = {error.place for error in results if isinstance(error, Repeated)}
    assert [result for result in results if not isinstance(result, Repeated)] == [2]
    assert len(places) == 1
    assert places.pop().endswith("#p2")
    assert db.session.scalar(select(func.count()).select_from(Post)) == 2


def test_of_many_editors_of_one_version_one_wins_and_the_others_know(in_app: Flask, people, thread_id: int):
    helper = people[1]
    post = post_reply(helper, thread_id, "Use a lane.")
    post_id, version = post.id, post.version
    results = at_once(
        in_app,
        lambda n: edit_post(helper, post_id, Edit(body=f"Text number {n}.", version=version)).source,
        AT_ONCE,
    )
    won = [result for result in results if isinstance(result, str)]
    assert len(won) == 1
    assert sum(isinstance(result, Conflict) for result in results) == AT_ONCE - 1
    assert db.session.get_one(Post, post_id, populate_existing=True).source == won[0]


def test_posts_at_once_get_different_numbers_and_all_are_counted(in_app: Flask, people, thread_id: int):
    numbers = at_once(
        in_app, lambda n: post_reply(people[1], thread_id, f"Answer {n}, long enough.").number, AT_ONCE
    )
    assert sorted(numbers) == list(range(2, AT_ONCE + 2))
    assert db.session.get_one(Thread, thread_id, populate_existing=True).posts_count == AT_ONCE + 1
    assert recount() == []


def test_following_and_drafts_at_once_are_one(in_app: Flask, people, thread_id: int):
    helper = people[1]
    assert at_once(in_app, lambda _n: following.follow_thread(helper, thread_id), 8) == [None] * 8
    assert (
        db.session.scalar(
            select(func.count()).select_from(Follow).where(Follow.member_id == helper.member_id)
        )
        == 1
    )
    results = at_once(
        in_app, lambda n: drafts.save_draft(helper.member_id or 0, "new:", {"body": f"{n}"}, 0).sequence, 8
    )
    assert results.count(1) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 7
