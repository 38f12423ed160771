"""A machine whose clock is a day ahead, then an hour behind: order, sessions and digests bear it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.discussions import digest
from portal.discussions.models import Post, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import clock, jobs
from portal.kernel.db import db
from portal.members import queries as members_queries
from portal.members.services import sessions
from portal.notifications.models import Notice
from tests.conftest import make_board, make_customer, viewer_of

pytestmark = pytest.mark.drill

DAY_AHEAD, HOUR_BEHIND = timedelta(days=1), timedelta(hours=-1)
HOUSEKEEPING = ("forget", "keep", "sign", "make digests")


@pytest.fixture
def wrong_by() -> Iterator[Callable[[timedelta], None]]:
    yield clock.shift
    clock.shift(timedelta(0))


def keep_house() -> None:
    """Everything that looks at the clock and throws away."""
    for name, job in jobs.registered().items():
        if name.startswith(HOUSEKEEPING):
            job.run()
            db.session.rollback()


def test_order_sessions_and_digests_bear_a_clock_that_jumps(
    in_app: Flask, wrong_by: Callable[[timedelta], None]
):
    reader, author = make_customer("Ines"), viewer_of(make_customer("Tomasz"))
    token = sessions.start_session(reader, remembered=True)
    thread = open_thread(
        author, make_board(), kind=ThreadKind.DISCUSSION, title="Lanes in practice", body="Who uses them?"
    ).id
    digests = 0
    for place, shift in enumerate([timedelta(0), DAY_AHEAD, HOUR_BEHIND, timedelta(0)]):
        wrong_by(shift)
        post_reply(author, thread, f"Reply number {place}.")
        keep_house()
        assert members_queries.signed_in_by_token(token) is not None, "nobody is signed out early"
        db.session.rollback()
    digests = db.session.scalar(
        select(func.count()).select_from(Notice).where(Notice.kind == "digest", Notice.member_id == reader)
    )
    assert digests is not None
    assert digests <= 1, "what was told once is not told again"
    numbered = db.session.execute(
        select(Post.number, Post.source).where(Post.thread_id == thread).order_by(Post.id)
    ).all()
    assert [row.number for row in numbered] == [1, 2, 3, 4, 5]
    assert [row.source for row in numbered[1:]] == [f"Reply number {place}." for place in range(4)]
    assert digest.make_due() == 0
