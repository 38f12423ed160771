"""Many do the same at the same moment: one of them counts, no words are overwritten, counters stay right."""

import os

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.discussions.models import Post, PostRevision, Thread, ThreadKind, Vote
from portal.discussions.services import acceptance, voting
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.recount import recount
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Repeated
from tests.conftest import make_board, make_customer, viewer_of
from tests.support.racing import all_at_once

pytestmark = pytest.mark.drill

RACES = 1000 if os.environ.get("DRILL") == "full" else 40


@pytest.fixture
def asker(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Ines"))


@pytest.fixture
def thread(in_app: Flask, asker: Viewer) -> int:
    made = open_thread(
        asker, make_board(), kind=ThreadKind.QUESTION, title="Which port does it use?", body="Mine."
    )
    return made.id


def everything_counts() -> None:
    assert recount() == []


def test_a_form_sent_ten_times_at_once_is_taken_once(in_app: Flask, thread: int):
    helper = viewer_of(make_customer("Tomasz"))

    results = all_at_once(
        in_app, [lambda: post_reply(helper, thread, "Port 8443.", form_key="the same")] * 10
    )

    assert sum(isinstance(result, Post) for result in results) == 1
    assert sum(isinstance(result, Repeated) for result in results) == 9
    places = {result.place for result in results if isinstance(result, Repeated)}
    assert len(places) == 1
    assert db.session.scalar(select(func.count()).select_from(Post).where(Post.thread_id == thread)) == 2
    everything_counts()


def test_twenty_votes_of_one_member_are_one(in_app: Flask, asker: Viewer, thread: int):
    post_id = post_reply(viewer_of(make_customer("Tomasz")), thread, "Port 8443.").id

    results = all_at_once(in_app, [lambda: voting.vote(asker, post_id)] * 20)

    assert [result for result in results if isinstance(result, Exception)] == []
    assert db.session.scalar(select(func.count()).select_from(Vote).where(Vote.post_id == post_id)) == 1
    everything_counts()


def test_twenty_voters_at_once_are_twenty(in_app: Flask, thread: int):
    post_id = post_reply(viewer_of(make_customer("Tomasz")), thread, "Port 8443.").id
    voters = [viewer_of(make_customer()) for _ in range(20)]

    results = all_at_once(in_app, [lambda voter=voter: voting.vote(voter, post_id) for voter in voters])

    assert [result for result in results if isinstance(result, Exception)] == []
    assert db.session.scalar(select(Post.votes_count).where(Post.id == post_id)) == 20
    everything_counts()


def test_of_twenty_acceptances_one_stands(in_app: Flask, asker: Viewer, thread: int):
    answers = [post_reply(viewer_of(make_customer()), thread, f"Port {number}.").id for number in range(4)]

    results = all_at_once(
        in_app,
        [lambda number=number: acceptance.accept(asker, thread, answers[number % 4]) for number in range(20)],
    )

    assert [result for result in results if isinstance(result, Exception)] == []
    assert db.session.scalar(select(Thread.accepted_post_id).where(Thread.id == thread)) in answers
    everything_counts()


def test_twenty_replies_at_once_have_twenty_numbers(in_app: Flask, thread: int):
    helpers = [viewer_of(make_customer()) for _ in range(20)]

    results = all_at_once(
        in_app, [lambda helper=helper: post_reply(helper, thread, "Me too.") for helper in helpers]
    )

    assert [result for result in results if isinstance(result, Exception)] == []
    numbers = db.session.scalars(
        select(Post.number).where(Post.thread_id == thread).order_by(Post.number)
    ).all()
    assert numbers == list(range(1, 22))
    everything_counts()


def test_two_editors_of_one_text_never_overwrite_each_other(in_app: Flask, asker: Viewer, thread: int):
    post = db.session.scalars(select(Post).where(Post.thread_id == thread)).one()
    post_id, author = post.id, asker
    for race in range(RACES):
        version = db.session.scalar(select(Post.version).where(Post.id == post_id)) or 0
        edits = [Edit(body=f"Race {race}, text {name}.", version=version) for name in "ab"]

        results = all_at_once(in_app, [lambda edit=edit: edit_post(author, post_id, edit) for edit in edits])

        won = [edit.body for edit, result in zip(edits, results, strict=True) if isinstance(result, Post)]
        lost = [result for result in results if isinstance(result, Conflict)]
        assert (len(won), len(lost)) == (1, 1), results
        stored = db.session.execute(select(Post.source, Post.version).where(Post.id == post_id)).one()
        assert tuple(stored) == (won[0], version + 1)
        assert lost[0].version == version + 1
    assert db.session.scalar(select(func.count()).select_from(PostRevision)) == 0, (
        "own quick fixes leave no mark"
    )
