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
from portal.notifications.services import mailing
from portal.search import services as search
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


def test_two_machines_whose_clocks_differ_do_each_thing_once(
    in_app: Flask, wrong_by: Callable[[timedelta], None]
):
    """One machine 90 s ahead, the other 30 s behind: what one works on the other leaves alone."""
    here, there = timedelta(seconds=-30), timedelta(seconds=90)
    sent: list[str] = []

    class Server:
        """Takes a mail; meanwhile the other machine looks for some, too."""

        def send(self, message: object) -> None:
            sent.append(str(message["Message-ID"]))  # type: ignore[index] # a message has headers
            if len(sent) == 1:
                wrong_by(there)
                assert mailing.send_due(sender) == 0
                wrong_by(here)

    sender = mailing.Sender("https://flow.example", "flow@flow.example", "a secret", Server())
    wrong_by(here)
    member = make_customer("Ines")
    mailing.queue_account_mail("ines@castellan.example", subject="Confirm", paragraphs=["Here."])
    assert mailing.send_due(sender) == 1
    assert len(sent) == 1
    # A session begun on the machine that is ahead holds on the other, and the other way round.
    for begun, used in ((there, here), (here, there)):
        wrong_by(begun)
        token = sessions.start_session(member, remembered=False)
        wrong_by(used)
        assert members_queries.signed_in_by_token(token) is not None
        db.session.rollback()
    # The index: an entry that one machine has claimed is not taken by the other.
    wrong_by(here)
    author = viewer_of(make_customer("Tomasz"))
    open_thread(author, make_board(), kind=ThreadKind.DISCUSSION, title="Lanes in practice", body="Who?")
    claimed = search._claim()
    assert claimed is not None
    wrong_by(there)
    assert search._claim() is None
