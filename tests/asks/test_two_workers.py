"""Two workers in processes of their own do what is due at once: everything once, nobody told twice."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.asks.models import AnswerRequest, AskStage, StageKind
from portal.conversations.models import Conversation, ConversationState
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import Case, CaseKind
from portal.notifications.models import Mail, Notice
from tests.asks.scenes import ask, board, make_customers, make_prospect
from tests.conftest import make_customer
from tests.conversations.conftest import asked

ASKS, REQUESTS = 4, 6


@pytest.mark.long
def test_two_processes_at_once_tell_nobody_twice(in_app: Flask, database: str, tmp_path: Path) -> None:
    board()
    make_customers(30)
    for number in range(ASKS):
        ask(make_prospect(), title=f"How long did moving partners take, number {number}?")
    waiting = [asked(make_prospect(), make_customer()).id for _ in range(REQUESTS)]
    late = [asked(make_prospect(), make_customer()).id for _ in range(REQUESTS)]
    with unit_of_work():  # a worker was down: both waves and the end are due, requests wait, others are late
        past = clock.now() - timedelta(hours=1)
        db.session.execute(update(AskStage).where(AskStage.at.is_(None)).values(planned_at=past))
        db.session.execute(update(Conversation).where(Conversation.id.in_(waiting)).values(waits_until=past))
        db.session.execute(update(Conversation).where(Conversation.id.in_(late)).values(due_at=past))
        before = db.session.execute(select(func.max(Notice.id))).scalar() or 0
    _run_two(database, tmp_path)

    db.session.rollback()
    done = db.session.execute(select(AskStage.ask_id, AskStage.kind, AskStage.number)).all()
    assert len(done) == len(set(done))
    kinds = Counter(row.kind for row in done)
    assert (kinds[StageKind.WAVE], kinds[StageKind.DUE]) == (2 * ASKS, ASKS)
    assert db.session.scalar(select(func.count()).where(AskStage.at.is_(None))) == 0
    assert db.session.scalar(select(func.count()).where(Case.kind == CaseKind.CONNECT)) == ASKS

    notices = db.session.execute(select(Notice).where(Notice.id > before)).scalars().all()
    by_kind = Counter(notice.kind for notice in notices)
    sent = db.session.scalar(select(func.count()).where(AnswerRequest.sent_at.is_not(None)))
    assert by_kind["answer_request"] == sent == 10 * ASKS
    assert by_kind["conversation_request"] == REQUESTS
    assert by_kind["conversation_news"] == REQUESTS
    mails = db.session.execute(select(Mail.notice_id).where(Mail.notice_id.in_([one.id for one in notices])))
    assert max(Counter(mails.scalars()).values()) == 1
    states = db.session.execute(select(Conversation.state).where(Conversation.id.in_(late))).scalars()
    assert set(states) == {ConversationState.RELEASED}


def _run_two(database: str, folder: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.asks.worker", str(folder), database],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    did = [[int(part) for part in worker.communicate(timeout=120)[0].split()] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    moved, told, brought, released = (sum(parts) for parts in zip(*did, strict=True))
    assert (moved, told, brought, released) == (3 * ASKS, 10 * ASKS, REQUESTS, REQUESTS)
