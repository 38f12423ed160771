"""The mail server is away, refuses, or the worker dies while sending: each mail arrives once in the end."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import clock, mail
from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import unit_of_work
from portal.notifications.models import Mail
from portal.notifications.services import mailing
from tests.conftest import make_board, make_customer, noon, viewer_of
from tests.support.mail_server import MailServer
from tests.support.site import ROOT, Site

pytestmark = pytest.mark.drill

THREADS = 5
KILLS = 15 if os.environ.get("DRILL") == "full" else 4


def ask_and_answer(times: int = THREADS) -> None:
    """As many questions, each answered, so that each asker is to be told by mail."""
    board = make_board()
    for number in range(times):
        asker = viewer_of(make_customer())
        thread = open_thread(
            asker, board, kind=ThreadKind.QUESTION, title=f"Question number {number}", body="How is it done?"
        )
        post_reply(viewer_of(make_customer()), thread.id, "Like this.")


@pytest.fixture
def sender(in_app: Flask, mail_server: MailServer) -> mailing.Sender:
    transport = mail.Smtp(mail_server.url, timeout_seconds=2)
    return mailing.Sender("https://community.example", "Flow <us@flow.example>", "k" * 40, transport)


def let_pass(at: Callable[[datetime], None], minutes: int, sender: mailing.Sender) -> None:
    """Minute by minute, the worker looking each time."""
    begin = clock.now()
    for minute in range(minutes):
        at(begin + timedelta(minutes=minute + 1))
        mailing.send_due(sender)


def copies(server: MailServer) -> Counter[str]:
    return Counter(str(arrived["Message-ID"]) for arrived in server.mails)


def test_a_server_that_is_away_for_an_hour(
    sender: mailing.Sender, mail_server: MailServer, at: Callable[[datetime], None]
):
    at(noon())
    mail_server.stop()
    ask_and_answer()  # posting does not notice
    let_pass(at, 60, sender)
    waiting = db.session.scalars(select(Mail)).all()
    assert len(waiting) == THREADS
    assert all(row.sent_at is None and row.failed_at is None for row in waiting)
    assert max(row.attempts for row in waiting) <= len(mailing.WAITS)
    db.session.rollback()

    back = MailServer(port=mail_server.port).start()
    try:
        let_pass(at, 200, sender)
        assert list(copies(back).values()) == [1] * THREADS
    finally:
        back.stop()


def test_a_server_that_refuses(
    sender: mailing.Sender, mail_server: MailServer, at: Callable[[datetime], None]
):
    at(noon())
    mail_server.answer = "550 5.1.1 no such person"
    ask_and_answer()
    let_pass(at, 30, sender)
    given_up = db.session.scalars(select(Mail)).all()
    assert len(given_up) == THREADS
    for row in given_up:
        assert row.failed_at is not None
        assert row.attempts == 1, "a refusal is not tried again"
        assert "550" in row.error
    db.session.rollback()

    # Somebody mends the address and has one sent again: one, and no other.
    mail_server.answer = "250 ok"
    mailing.retry_failed(given_up[0].id)
    let_pass(at, 30, sender)
    assert sum(copies(mail_server).values()) == 1


def test_a_server_that_says_later_is_asked_a_bounded_number_of_times(
    sender: mailing.Sender, mail_server: MailServer, at: Callable[[datetime], None]
):
    at(noon())
    mail_server.answer = "451 4.3.0 later"
    ask_and_answer(1)
    begin = clock.now()
    for hours in range(1, 24 * 5):
        at(begin + timedelta(hours=hours))
        mailing.send_due(sender)
    row = db.session.scalars(select(Mail)).one()
    assert row.failed_at is not None
    assert row.attempts <= len(mailing.WAITS) + 1


class Deadly(MailServer):
    """Takes a mail and kills the worker that sent it before it can note that."""

    def __init__(self, kills: int) -> None:
        super().__init__()
        self.victim: subprocess.Popen[bytes] | None = None
        self.kills_left = kills

    async def handle_DATA(self, *arguments: object) -> str:
        answer = await super().handle_DATA(*arguments)  # type: ignore[arg-type] # aiosmtpd hands over what it has
        if self.kills_left and self.victim is not None:
            self.kills_left -= 1
            self.victim.kill()
            self.victim.wait()
        return answer


@pytest.fixture
def deadly() -> Iterator[Deadly]:
    server = Deadly(KILLS)
    server.start()
    yield server
    server.stop()


WORKER = """
from portal import create_app, worker
from portal.kernel import jobs
from portal.notifications.services.notifying import SEND_JOB
worker.run_job(create_app(), jobs.registered()[SEND_JOB])
"""


def test_a_worker_killed_after_sending(tmp_path: Path, deadly: Deadly):
    site = Site(tmp_path / "instance", MAIL_URL=deadly.url)
    with site.inside():
        Base.metadata.create_all(db.engine)
        ask_and_answer(KILLS + 2)

    for _run in range(KILLS + 2):
        deadly.victim = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=ROOT, env=site.environment, stdin=subprocess.DEVNULL
        )
        deadly.victim.wait(60)
        with site.inside(), unit_of_work():
            # As if the time of the dead worker's claim were over.
            db.session.execute(update(Mail).values(claimed_until=None))

    with site.inside():
        assert db.session.scalar(select(func.count()).where(Mail.sent_at.is_(None))) == 0
    assert deadly.kills_left == 0
    arrived = copies(deadly)
    assert len(arrived) == KILLS + 2, "every mail arrived, each under one stable Message-ID"
    assert sum(arrived.values()) - len(arrived) <= KILLS
