"""A legal order: nothing of that member is forgotten while it holds; who is told, what the public reads."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.asks.models import Invite, InviteKind
from portal.asks.services import asking, settling
from portal.conversations import services as conversations
from portal.conversations.services.preserving import preserve
from portal.discussions.models import Audience, Draft, Post, Upload
from portal.discussions.services import drafts, editing
from portal.kernel import clock, jobs
from portal.kernel.db import Base, db
from portal.kernel.preserving import KeptWords
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Exposure, Kind, Reservation, Shown, Slot
from portal.members.models import KeptForm, LinkPurpose, MailedLink, Session
from portal.members.services import profiles
from portal.moderation.models import Case, CaseKind, CaseState, EvidenceReading, Flag
from portal.notifications.models import Mail
from tests.conftest import make_board, make_customer, make_moderator, make_prospect, viewer_of
from tests.conversations.conftest import talking
from tests.discussions.factories import make_post, make_thread

LONG = timedelta(days=500)  # longer than anything is kept
FORGOTTEN: list[type[Base]] = [
    Draft, Upload, Exposure, Reservation, Slot, KeptForm, MailedLink, Session, EvidenceReading,
]  # fmt: skip


@pytest.fixture
def two(in_app: Flask) -> tuple[int, int]:
    """(preserved, other), each with a row of everything that is forgotten in time."""
    people = make_customer("Ines", username="ines"), make_customer("Otto", username="otto")
    for member in people:
        leave_traces(member)
    preserve("ines", reason="Court 7, 12/26", until=clock.now() + LONG + timedelta(days=1))
    return people


def leave_traces(member: int) -> None:
    post = make_post(member, make_thread(member, make_board()).id)
    reporter, moderator = make_customer(), make_moderator()
    now, name = clock.now(), f"trace-{member}"
    with unit_of_work():
        case = Case(
            kind=CaseKind.FLAGS, state=CaseState.DECIDED, member_id=member, title="t", link="/", why="w",
            opened_at=now, due_at=now, decided_at=now, reasons=[],
        )  # fmt: skip
        db.session.add(case)
        db.session.flush()
        db.session.add_all(
            [
                Draft(member_id=member, place=name, fields={}, saved_at=now),
                Upload(name=name, member_id=member, width=1, height=1, bytes=1, created_at=now),
                Exposure(member_id=member, kind=Shown.PROPOSED, purpose=name, at=now),
                Reservation(
                    member_id=member, kind=Kind.CONVERSATION, purpose=name, reserved_at=now, held_at=now
                ),
                Slot(member_id=member, starts_at=now, minutes=30),
                KeptForm(token_hash=name, member_id=member, action="/", fields=[], created_at=now),
                MailedLink(
                    token_hash=name, member_id=member, purpose=LinkPurpose.PASSWORD, email="x@y.example",
                    created_at=now, expires_at=now,
                ),
                Session(
                    token_hash=name, member_id=member, created_at=now, last_seen_at=now, expires_at=now
                ),
                Invite(
                    token_hash=name, kind=InviteKind.COLLEAGUE, from_id=member, email="c@y.example",
                    created_at=now, expires_at=now,
                ),
                Flag(
                    case_id=case.id, post_id=post.id, reporter_id=reporter, comment="about them",
                    weight=100, created_at=now,
                ),
                EvidenceReading(case_id=case.id, reader_id=moderator, messages=1, at=now),
            ]
        )  # fmt: skip


def forget_everything() -> None:
    for name, job in jobs.registered().items():
        if name.startswith("forget"):
            job.run()
    db.session.rollback()


def counts() -> dict[str, int]:
    found = {
        table.__tablename__: db.session.execute(select(func.count()).select_from(table)).scalar_one()
        for table in FORGOTTEN
    }
    found["addresses"] = db.session.query(Invite).filter(Invite.email != "").count()
    found["comments"] = db.session.query(Flag).filter(Flag.comment != "").count()
    return found


def test_nothing_of_that_member_is_forgotten_and_everything_of_others_is(
    two: tuple[int, int], at: Callable[[datetime], None]
):
    before = counts()
    assert set(before.values()) == {2}
    at(clock.now() + LONG)
    forget_everything()
    assert counts() == dict.fromkeys(before, 1)
    kept = {
        table.__tablename__: db.session.execute(select(table.member_id)).scalars().all()
        for table in FORGOTTEN
        if hasattr(table, "member_id")
    }
    assert kept == {name: [two[0]] for name in kept}
    at(clock.now() + timedelta(days=2))
    forget_everything()
    assert counts() == dict.fromkeys(before, 0), "the order has ended"


def test_what_the_member_flagged_and_read_as_a_moderator_stays_too(
    in_app: Flask, at: Callable[[datetime], None]
):
    moderator = make_moderator("Mara", username="mara")
    about = make_customer()
    leave_traces(about)
    with unit_of_work():
        db.session.query(EvidenceReading).update({"reader_id": moderator})
        db.session.query(Flag).update({"reporter_id": moderator})
    preserve("mara", reason="Court 7", until=clock.now() + LONG + timedelta(days=1))
    at(clock.now() + LONG)
    forget_everything()
    assert (counts()["comments"], counts()["evidence_readings"], counts()["drafts"]) == (1, 1, 0)


def test_words_that_the_member_deletes_leave_the_pages_and_stay_aside_until_the_end(
    in_app: Flask, at: Callable[[datetime], None]
):
    ines = make_customer("Ines", username="ines")
    thread = make_thread(make_customer(), make_board(), "A thread")
    post = make_post(ines, thread.id, "What was said at first about the invoice.")
    at(clock.now() + timedelta(hours=2))
    milder = editing.Edit(body="Something milder.", reason="tone", version=post.version)
    editing.edit_post(viewer_of(ines), post.id, milder)
    preserve("ines", reason="Court 7", until=clock.now() + timedelta(days=90))
    editing.delete_own_post(viewer_of(ines), post.id)
    assert db.session.get_one(Post, post.id).source == ""
    [row] = db.session.query(KeptWords).all()
    assert (row.member_id, row.what) == (ines, f"post {post.id}")
    assert row.words["source"] == "Something milder."
    assert row.words["former"][0]["source"] == "What was said at first about the invoice."
    forget_everything()
    assert db.session.query(KeptWords).count() == 1
    at(clock.now() + timedelta(days=91))
    forget_everything()
    assert db.session.query(KeptWords).count() == 0


def test_a_draft_that_is_thrown_away_stays_aside_and_one_that_was_sent_does_not(in_app: Flask):
    people = make_customer("Ines", username="ines"), make_customer("Otto")
    preserve("ines", reason="Court 7", until=clock.now() + timedelta(days=90))
    for member in people:
        for place in ("ask", "new:general"):
            drafts.save_draft(member, place, {"body": f"Not said by {member}."}, 0)
        drafts.discard_draft(member, "ask")
        drafts.drop_draft(member, "new:general")
    assert db.session.query(Draft).count() == 0
    [row] = db.session.query(KeptWords).all()
    assert (row.member_id, row.words["at"]) == (people[0], "ask")
    assert row.words["fields"] == {"body": f"Not said by {people[0]}."}


@pytest.mark.parametrize("preserved", [True, False])
def test_what_the_member_writes_over_stays_aside_as_it_was(in_app: Flask, preserved: bool):
    ines, jonas = make_customer("Ines", username="ines"), make_prospect("Jonas")
    me, talk = viewer_of(ines), talking(jonas, ines, "It went well.", "Good.")
    make_board(audience=Audience.PROSPECTS)
    ask = asking.ask_openly(me, title="Who left a vendor like this one?", body="We are about to.")
    settling.settle(me, ask.id)
    post = make_post(ines, make_thread(make_customer(), make_board()).id, "It was a fraud.")
    if preserved:
        preserve("ines", reason="Court 7", until=clock.now() + timedelta(days=90))
    for link in ("https://meet.example/first", ""):
        conversations.set_link(me, talk.id, link)
    for useful in (False, True, True):
        conversations.rate(me, talk.id, useful=useful)
    for text in ("They **lied**.", "It went well.", "It went well."):
        settling.write_summary(me, ask.id, text)
    editing.edit_post(me, post.id, editing.Edit(body="It was late.", version=post.version))
    for about in ("I keep the invoices.", "I kept the books.", "I kept the books."):
        profile, version = profiles.profile_of(ines)
        profiles.change_profile(ines, replace(profile, about=about), version=version)
    kept = db.session.query(KeptWords).order_by(KeptWords.id).all()
    if not preserved:
        assert kept == []
        return
    link, rating, summary, former, profile_before = kept
    assert {one.member_id for one in kept} == {ines}
    assert (link.what, talk.key().open(link.words["box"], purpose="link")) == (
        f"link of {talk.id}",
        "https://meet.example/first",
    )
    assert (rating.words["useful"], summary.words["source"]) == (False, "They **lied**.")
    assert former.words["source"] == "It was a fraud."
    assert profile_before.words["about_source"] == "I keep the invoices."
    assert "meet.example" not in str([one.words for one in kept]), "an order opens nothing"


def test_without_an_order_deleted_words_are_gone(in_app: Flask):
    otto = make_customer("Otto")
    post = make_post(otto, make_thread(make_customer(), make_board()).id)
    editing.delete_own_post(viewer_of(otto), post.id)
    assert db.session.query(KeptWords).count() == 0


@pytest.mark.parametrize(("silent", "mails"), [(False, 1), (True, 0)])
def test_the_member_is_told_unless_the_order_forbids_it(in_app: Flask, silent: bool, mails: int):
    ines = make_customer("Ines", username="ines", email="ines@mail.example")
    until = clock.now() + timedelta(days=90)
    preserve("ines", reason="Court 7, 12/26", until=until, silent=silent)
    sent = db.session.execute(select(Mail).where(Mail.recipient == "ines@mail.example")).scalars().all()
    assert len(sent) == mails
    for mail in sent:
        assert mail.member_id == ines
        assert "Your data is being kept" in mail.subject
        text = str({column.key: getattr(mail, column.key) for column in Mail.__table__.columns})
        assert f"until {until:%d %B %Y}" in text
        assert "Court 7" not in text, "the order itself stands in the audit log"


def test_the_public_reads_how_many_there_were_silent_ones_too(app: Flask, client: FlaskClient):
    def shown() -> int:
        page = re.sub(r"<[^>]+>|\s+", " ", client.get("/transparency").get_data(as_text=True))
        found = re.search(r"legal orders? to keep a member’s data\W+(\d+)", page)
        assert found is not None
        return int(found.group(1))

    assert shown() == 0
    with app.app_context():
        for name, silent in (("ines", True), ("otto", False)):
            make_customer(name.title(), username=name)
            preserve(name, reason="Court 7", until=clock.now() + timedelta(days=9), silent=silent)
    assert shown() == 2
