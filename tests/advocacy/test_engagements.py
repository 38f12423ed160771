"""What members did for the vendor: written down by moderators, in the ledger without a point, taken back."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.advocacy.models import Act, Counts, Engagement, Entry, Rule
from portal.advocacy.queries import engagements as queries
from portal.advocacy.queries.standing import standing_of
from portal.advocacy.services import contesting, engagements, rebuilding
from portal.advocacy.services.noting import note_company
from portal.consents import services as consents
from portal.consents.models import Activity
from portal.kernel import audit, personal
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Repeated
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.members.services.erasing import erase_account
from portal.notifications.queries import notices_of
from tests.advocacy.scenes import make_world
from tests.conftest import (
    make_admin,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    noon,
    viewer_of,
)

SPEAKING, CALL = Activity.SPEAKING, Activity.CALL
AUTUMN = date(2026, 10, 12)
WORDS = "At the autumn meeting in Ghent, for 40 customers."


@pytest.fixture(autouse=True)
def _in_november(in_app: Flask, at: Callable[[datetime], None]) -> None:
    at(noon("2026-11-20"))


def recorded(member: int, day: date = AUTUMN, activity: Activity = SPEAKING, by: int = 0) -> Engagement:
    return engagements.record(viewer_of(by or make_moderator()), member, activity, day, WORDS)


def entries() -> list[Entry]:
    found = select(Entry).where(Entry.rule == Rule.ENGAGEMENT).order_by(Entry.id)
    return list(db.session.execute(found).scalars())


def test_it_stands_in_the_ledger_from_that_day_without_a_point_and_in_the_log() -> None:
    world = make_world()
    member, giver = world.members[0], world.members[-1]
    world.thank(giver, member)
    before = standing_of(member)
    row = recorded(member)
    [entry] = entries()
    assert (entry.source, entry.receiver_id, entry.giver_id) == (str(row.id), member, None)
    assert (entry.counts, entry.act, entry.occurred_at) == (
        Counts.NONE, Act.MADE, datetime(2026, 10, 12, tzinfo=UTC),
    )  # fmt: skip
    assert (entry.post_id, entry.thread_id) == (None, None)
    assert standing_of(member) == before
    told = db.session.execute(select(audit.AuditEntry).order_by(audit.AuditEntry.number.desc())).scalars()
    last = next(iter(told))
    assert (last.action, last.target_id, last.details) == (
        "record engagement", member, "speaking, 2026-10-12",
    )  # fmt: skip


def test_taken_back_it_stays_with_who_and_why_and_the_ledger_gets_a_row_against_it() -> None:
    member, ruth = make_customer(), make_moderator("Ruth")
    row = recorded(member, by=ruth)
    engagements.withdraw(viewer_of(ruth), row.id, "It was her colleague.")
    assert [entry.act for entry in entries()] == [Act.MADE, Act.REVERSED]
    assert entries()[1].by_id is None, "no correction of a moderator: the record is what went"
    [line] = queries.of_member(member)
    assert (line.withdrawn_by, line.withdrawn_reason) == ("Ruth", "It was her colleague.")
    assert queries.summaries([member]) == {}
    with pytest.raises(Conflict):
        engagements.withdraw(viewer_of(ruth), row.id, "Once more.")
    assert rebuilding.rebuild().added == 0


def test_a_rebuild_brings_what_stands_and_nothing_else() -> None:
    member = make_customer()
    stays, goes = recorded(member), recorded(member, AUTUMN - timedelta(days=1))
    engagements.withdraw(viewer_of(make_moderator()), goes.id, "A mistake.")
    assert rebuilding.rebuild().added == 0
    with unit_of_work():
        for entry in entries():
            db.session.delete(entry)
    assert rebuilding.rebuild().added == 1
    assert [(entry.source, entry.act) for entry in entries()] == [(str(stays.id), Act.MADE)]


def test_it_changes_nothing_in_the_ledger_that_the_member_moves() -> None:
    member = make_customer(company_id=make_company())
    recorded(member)
    with unit_of_work():
        db.session.get_one(Member, member).company_id = make_company()
        note_company(member)
    assert rebuilding.rebuild().added == 0
    assert len(entries()) == 1


@pytest.mark.parametrize(
    ("day", "words", "field"),
    [
        (date(2026, 11, 21), WORDS, "done_on"),
        (date(2021, 11, 1), WORDS, "done_on"),
        (AUTUMN, " \x00 ", "words"),
        (AUTUMN, "w" * 301, "words"),
    ],
)
def test_what_is_refused_is_said_beside_its_field(day: date, words: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        engagements.record(viewer_of(make_moderator()), make_customer(), CALL, day, words)
    assert refused.value.field == field
    assert entries() == []


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2021, 11, 20)])
def test_today_and_five_years_ago_can_be_written_down(day: date) -> None:
    assert recorded(make_customer(), day).done_on == day


def test_only_of_customers_and_never_of_somebody_who_is_gone() -> None:
    for other in (make_prospect(), make_member(status=Status.VENDOR), make_moderator()):
        with pytest.raises(Invalid):
            recorded(other)
    assert recorded(make_member(status=Status.FORMER)).id
    gone = make_customer()
    with unit_of_work():
        erase_account(gone, keep_text=True)
    with pytest.raises(NotFound):
        recorded(gone)


@pytest.mark.parametrize("who", ["peer", "sales", "service", "customer", "prospect"])
def test_nobody_but_the_vendors_moderators_writes_or_takes_back(who: str) -> None:
    actor = {
        "peer": lambda: make_member(status=Status.CUSTOMER, duties=(Duty.MODERATOR,)),
        "sales": lambda: make_member(status=Status.VENDOR, duties=(Duty.SALES,)),
        "service": lambda: make_member(status=Status.VENDOR, duties=(Duty.SERVICE,)),
        "customer": make_customer,
        "prospect": make_prospect,
    }[who]()
    member = make_customer()
    row = recorded(member, by=make_admin())
    with pytest.raises(Forbidden):
        recorded(member, by=actor)
    with pytest.raises(Forbidden):
        engagements.withdraw(viewer_of(actor), row.id, "A mistake.")


def test_a_form_that_is_sent_twice_writes_once() -> None:
    ruth, member = viewer_of(make_moderator()), make_customer()
    engagements.record(ruth, member, CALL, AUTUMN, WORDS, form_key="once")
    with pytest.raises(Repeated) as repeated:
        engagements.record(ruth, member, CALL, AUTUMN, WORDS, form_key="once")
    assert repeated.value.place.endswith("#engagements")
    assert db.session.execute(select(func.count()).select_from(Engagement)).scalar_one() == 1


def test_an_agreement_held_on_that_day_or_none_is_recorded(at: Callable[[datetime], None]) -> None:
    member = make_customer()
    for day, what in (("2026-03-01", (SPEAKING, CALL)), ("2026-10-01", (CALL,))):
        at(noon(day))
        consents.give(viewer_of(member), what, months=6)
    at(noon("2026-10-05"))
    consents.withdraw(viewer_of(member), CALL)
    at(noon("2026-11-20"))
    days = {
        (SPEAKING, date(2026, 2, 28)): False,
        (SPEAKING, date(2026, 3, 1)): True,
        (SPEAKING, date(2026, 8, 20)): True,
        (SPEAKING, AUTUMN): False,  # it ended at the beginning of September
        (CALL, date(2026, 9, 30)): False,
        (CALL, date(2026, 10, 3)): True,  # given anew
        (CALL, date(2026, 10, 6)): False,  # and taken back
    }
    for activity, day in days:
        recorded(member, day, activity)
    assert {(one.activity, one.done_on): one.agreed for one in queries.of_member(member)} == days


def test_the_member_is_told_once_and_a_record_taken_back_is_no_notice(at: Callable[[datetime], None]) -> None:
    member, ruth = make_customer(email="a@example.com"), make_moderator()
    row = recorded(member, by=ruth)
    [notice] = [one for one in notices_of(viewer_of(member)).rows if "You took part" in one.line.sentence]
    assert notice.line.sentence == "You took part: speaking, 12 October 2026"
    assert notice.line.title == WORDS
    assert notice.line.url == "/me/score#not-counted"
    assert "never counts" in notice.line.excerpt
    engagements.withdraw(viewer_of(ruth), row.id, "A mistake.")
    assert not [one for one in notices_of(viewer_of(member)).rows if "You took part" in one.line.sentence]


def test_what_a_moderator_took_out_comes_back_only_while_the_record_stands() -> None:
    member, ruth = make_customer(), make_moderator()
    row = recorded(member, by=ruth)
    contesting.correct_entry(viewer_of(ruth), entries()[0].id, Act.REVERSED, "She was ill that day.")
    assert queries.of_member(member)[0].taken_out == "She was ill that day."
    contesting.correct_entry(viewer_of(ruth), entries()[0].id, Act.RESTORED, "She came after all.")
    assert queries.of_member(member)[0].taken_out == ""
    contesting.correct_entry(viewer_of(ruth), entries()[0].id, Act.REVERSED, "No, she did not.")
    engagements.withdraw(viewer_of(ruth), row.id, "A mistake.")
    with pytest.raises(Invalid):
        contesting.correct_entry(viewer_of(ruth), entries()[0].id, Act.RESTORED, "Or did she?")
    assert rebuilding.rebuild().added == 0


def test_it_is_in_the_members_data_and_goes_with_the_account() -> None:
    member, other = make_customer(), make_customer()
    of_member, of_other = recorded(member), recorded(other)
    engagements.withdraw(viewer_of(make_moderator()), of_member.id, "A mistake.")
    recorded(member)
    own = next(one for one in personal.registered() if "engagements" in one.tables).export(member)
    assert [(one["activity"], one["on"], one["words"]) for one in own] == [
        ("speaking", "2026-10-12", WORDS),
        ("speaking", "2026-10-12", WORDS),
    ]
    assert own[0]["taken back because"] == "A mistake."
    with unit_of_work():
        erase_account(member, keep_text=True)
    left = db.session.execute(select(Engagement)).scalars().all()
    assert [one.id for one in left] == [of_other.id]
    last = {entry.source: entry.act for entry in entries() if entry.receiver_id == member}
    assert set(last.values()) == {Act.REVERSED}
    assert rebuilding.rebuild().added == 0


def test_whoever_wrote_it_down_can_go_and_the_record_stays() -> None:
    member, ruth = make_customer(), make_moderator("Ruth")
    make_admin()
    row = recorded(member, by=ruth)
    with unit_of_work():
        erase_account(ruth, keep_text=True)
    assert db.session.get_one(Engagement, row.id).recorded_by_id is None
    assert queries.of_member(member)[0].recorded_by == ""


def test_in_short_counts_what_stands_and_how_much_of_it_within_a_year() -> None:
    member, idle = make_customer(), make_customer()
    for day in (AUTUMN, AUTUMN - timedelta(days=30), AUTUMN - timedelta(days=700)):
        recorded(member, day)
    assert queries.summaries([member, idle]) == {member: queries.Summary(3, 2, AUTUMN)}
