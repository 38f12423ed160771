"""What a reply costs the database: few statements under the lock, each row written once."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Flask
from sqlalchemy import select

from portal.discussions.models import Draft, Thread, ThreadKind
from portal.discussions.services import drafts, following
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.access import Viewer
from portal.kernel.db import db
from tests.conftest import make_board, make_customer, viewer_of
from tests.discussions.factories import fill_thread
from tests.support.statements import Statements

# Of a known member to somebody else's question: with ledger, notice, mail and index; on PostgreSQL two locks.
A_REPLY = 28


def question() -> tuple[Viewer, int]:
    """Somebody else's question, and a member who has answered it once."""
    asker, helper = viewer_of(make_customer("Asker")), viewer_of(make_customer("Helper"))
    thread = open_thread(
        asker, make_board(), kind=ThreadKind.QUESTION, title="How is a label printed?", body="All of them."
    )
    post_reply(helper, thread.id, "With the second printer.")
    return helper, thread.id


def test_a_reply_takes_few_statements_however_long_the_thread_and_many_its_followers(
    in_app: Flask, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    helper, thread_id = question()
    db.session.remove()
    with statements() as short:
        post_reply(helper, thread_id, "And with the third one.", form_key="first")
    fill_thread(db.session.get_one(Thread, thread_id), helper.member_id or 0, 40)
    for _ in range(5):
        following.follow_thread(viewer_of(make_customer()), thread_id)
    db.session.remove()
    with statements() as long:
        post_reply(helper, thread_id, "And with any other.", form_key="second")
    assert len(short) <= A_REPLY, short
    assert len(long) <= len(short) + 3, f"the followers' notices, mails and counters\n{long}"
    for table in ("threads", "boards", "posts", "members", "form_keys"):
        first, second = f"UPDATE {table} ", f"INSERT INTO {table} "
        for part in (first, second):
            times = [text for text in short.writes if text.startswith(part)]
            assert len(times) <= (2 if part == "UPDATE members " else 1), f"{part}\n{short}"


def test_a_reply_drops_its_draft_in_the_same_transaction(in_app: Flask) -> None:
    helper, thread_id = question()
    drafts.save_draft(helper.member_id or 0, f"thread:{thread_id}", {"body": "And with"}, 0)
    drafts.save_draft(helper.member_id or 0, "new:", {"body": "Another one"}, 0)
    post_reply(helper, thread_id, "And with the third one.")
    assert list(db.session.execute(select(Draft.place)).scalars()) == ["new:"]
