"""The audit log cannot be written: what has to stand in it is refused, everything else goes on."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from portal.discussions.models import Post, PostState, Thread, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.tools import close_thread
from portal.kernel import audit
from portal.kernel.access import Duty
from portal.kernel.audit import AuditUnavailable
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.members.services import adding, confirming, erasing
from tests.conftest import make_admin, make_board, make_customer, make_moderator, viewer_of

pytestmark = pytest.mark.drill

SQLITE = "CREATE TRIGGER unwritable BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END"
POSTGRES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER unwritable BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse()
"""


def make_unwritable() -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql(SQLITE if db.engine.dialect.name == "sqlite" else POSTGRES)


def make_writable() -> None:
    on = "" if db.engine.dialect.name == "sqlite" else " ON audit_entries"
    with db.engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER unwritable{on}"))


def test_privileged_actions_are_refused_and_posting_goes_on(in_app: Flask):
    admin, moderator = viewer_of(make_admin("Ruth")), viewer_of(make_moderator("Anneke"))
    author, other = viewer_of(make_customer("Ines")), make_customer("Tomasz", username="tomasz")
    board = make_board()
    thread = open_thread(
        author, board, kind=ThreadKind.QUESTION, title="Which port does it use?", body="Mine is blocked."
    ).id

    def erase() -> None:
        with unit_of_work():
            erasing.erase_account(other, keep_text=False)

    privileged: dict[str, Callable[[], Any]] = {
        "close a thread": lambda: close_thread(moderator, thread, reason="It is answered."),
        "give a duty": lambda: confirming.set_duties(admin, "tomasz", frozenset({Duty.MODERATOR})),
        "add a member": lambda: adding.add_member(email="new@castellan.example", name="Lea Marchetti"),
        "erase an account": erase,
    }
    make_unwritable()
    for act in privileged.values():
        with pytest.raises(AuditUnavailable):
            act()
        db.session.rollback()
    assert db.session.scalars(select(Thread.closed_at)).one() is None
    assert db.session.get_one(Member, other, populate_existing=True).duties == []
    assert db.session.get_one(Member, other).name == "Tomasz"
    assert db.session.scalars(select(Member.id).where(Member.email == "new@castellan.example")).all() == []

    post_reply(author, thread, "Posting goes on.")
    make_writable()
    close_thread(moderator, thread, reason="It is answered.")
    assert audit.verify().problems == []
    assert db.session.scalar(select(func.count()).where(Post.state == PostState.VISIBLE)) == 2


def test_the_page_says_why(app: Flask, sign_in: Callable[[int], FlaskClient]):
    with app.app_context():
        moderator = make_moderator()
        thread = open_thread(
            viewer_of(moderator), make_board(), kind=ThreadKind.DISCUSSION, title="On lanes", body="Words."
        ).id
        make_unwritable()
    browser = sign_in(moderator)
    page = browser.get(f"/threads/{thread}", follow_redirects=True)
    token = page.text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    answer = browser.post(
        f"/threads/{thread}/closing", data={"csrf_token": token, "reason": "It is answered."}
    )
    assert answer.status_code == 503
    assert "audit log cannot be written" in answer.text
