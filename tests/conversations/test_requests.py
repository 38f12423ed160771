"""Asking for a conversation: who may, what is shown, and what becomes of the request."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from portal.conversations import services, telling
from portal.conversations.errors import InTouch
from portal.conversations.events import ConversationReleased
from portal.conversations.models import Conversation, ConversationState
from portal.conversations.queries import listing, reading
from portal.conversations.queries.asked import asked_for
from portal.conversations.queries.finding import find_own, may_be_asked
from portal.conversations.services import people
from portal.kernel import clock, events
from portal.kernel.access import Duty, Permission, Status
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound, Repeated
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.errors import NoCapacity
from portal.matching.models import Availability, Identity
from portal.matching.queries import load, open_slots, open_slots_of
from portal.matching.services import open_slot
from portal.members.models import Company, Member, MemberState, VerifiedBy
from portal.moderation.models import MemberMeasure
from portal.moderation.services.deciding import Verdict, decide
from portal.notifications.models import Mail, Notice
from tests.conftest import (
    make_admin,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.conversations.conftest import asked, talking


def allow(member_id: int, **fields: object) -> None:
    with unit_of_work():
        db.session.add(Availability(member_id=member_id, values=[], **fields))


def test_a_request_reserves_a_place_and_tells_the_member_nothing_by_mail(in_app):
    jonas, ines = make_prospect("Jonas Petterlund"), make_customer("Ines Okaforova")
    conversation = asked(jonas, ines, "The note about Brokerline")
    assert load(ines, clock.now()).taken == 1
    found = reading.page(viewer_of(ines), conversation.id)
    assert (found.note, found.title) == ("The note about Brokerline", "Jonas Petterlund")
    notice = db.session.execute(select(Notice).where(Notice.member_id == ines)).scalar_one()
    assert notice.actor_id is None
    assert db.session.execute(select(func.count()).select_from(Mail)).scalar_one() == 1


@pytest.mark.parametrize("duty", [None, *Duty])
def test_no_account_of_the_vendor_asks_or_is_asked_or_finds_anything(in_app, duty):
    duties = (duty,) if duty else ()
    vendor = make_member("Vera", status=Status.VENDOR, duties=duties)
    jonas, ines = make_prospect(), make_customer()
    conversation = talking(jonas, ines, "hello")
    assert not viewer_of(vendor).may(Permission.CONVERSE)
    with pytest.raises(Forbidden):
        asked(vendor, ines)
    with pytest.raises(NotFound):
        asked(jonas, vendor)
    with pytest.raises(NotFound):
        find_own(viewer_of(vendor), conversation.id)
    with pytest.raises(NotFound):
        services.send_message(viewer_of(vendor), conversation.id, "let me in")


def test_a_customer_who_becomes_the_vendors_loses_every_conversation(in_app):
    jonas, ines = make_prospect(), make_customer()
    conversation = talking(jonas, ines, "hello")
    with unit_of_work():
        db.session.get_one(Member, ines).status = Status.VENDOR
    with pytest.raises(NotFound):
        find_own(viewer_of(ines), conversation.id)


def test_customers_ask_customers_and_nobody_oneself(in_app):
    otto, ines = make_customer(), make_customer()
    assert asked(otto, ines).state is ConversationState.REQUESTED
    with pytest.raises(Invalid):
        asked(otto, otto)


def test_two_at_once_for_one_origin(in_app):
    jonas = make_prospect()
    first, second, third = make_customer(), make_customer(), make_customer()
    one = asked(jonas, first, origin="ask:1")
    asked(jonas, second, origin="ask:1")
    with pytest.raises(Invalid):
        asked(jonas, third, origin="ask:1")
    asked(jonas, third, origin="ask:2")
    services.decline(viewer_of(first), one.id)
    asked(jonas, make_customer(), origin="ask:1")


def test_the_same_form_twice_is_one_request(in_app):
    jonas, ines = make_prospect(), make_customer()
    asked(jonas, ines, form_key="key")
    with pytest.raises(Repeated):
        asked(jonas, ines, form_key="key")
    assert db.session.execute(select(func.count()).select_from(Conversation)).scalar_one() == 1


def test_a_role_stays_a_role_until_it_accepts(in_app):
    jonas, ines = make_prospect(), make_customer("Ines Okaforova", title="Head of integration")
    allow(ines, identity=Identity.ROLE)
    conversation = asked(jonas, ines)
    before = reading.page(viewer_of(jonas), conversation.id)
    assert before.title == "Head of integration"
    assert listing.lists(viewer_of(jonas)).on_others[0].who[0].name == "Head of integration"
    services.accept(viewer_of(ines), conversation.id)
    assert reading.page(viewer_of(jonas), conversation.id).title == "Ines Okaforova"


def test_who_wants_a_company_address_is_asked_only_from_one(in_app):
    jonas, ines = make_prospect(), make_customer()
    allow(ines, company_address_required=True)
    with pytest.raises(Forbidden):
        asked(jonas, ines)
    assert load(ines, clock.now()).taken == 0
    with unit_of_work():
        db.session.get_one(Member, jonas).verified_by = VerifiedBy.MAIL
    assert asked(jonas, ines)


def test_declining_is_silent_and_gives_the_place_back(in_app):
    jonas, ines = make_prospect(), make_customer()
    conversation = asked(jonas, ines)
    services.decline(viewer_of(ines), conversation.id)
    assert load(ines, clock.now()).taken == 0
    with pytest.raises(NotFound):
        find_own(viewer_of(ines), conversation.id)
    row = listing.lists(viewer_of(jonas)).over[0]
    assert not row.is_available


def test_no_answer_in_two_working_days_moves_on_and_reads_like_declined(in_app, at):
    at(datetime(2026, 3, 6, 12, tzinfo=UTC))  # a Friday
    jonas, ines, otto = make_prospect(), make_customer(), make_customer()
    late, declined = asked(jonas, ines, origin="ask:1"), asked(jonas, otto, origin="ask:1")
    services.decline(viewer_of(otto), declined.id)
    released: list[ConversationReleased] = []
    events.subscribe(ConversationReleased, released.append)
    at(datetime(2026, 3, 9, 12, tzinfo=UTC))
    assert services.release_due() == 0
    at(datetime(2026, 3, 11, 0, 1, tzinfo=UTC))
    assert services.release_due() == 1
    assert services.release_due() == 0
    assert (released[-1].origin, released[-1].reason) == ("ask:1", "no answer")
    assert load(ines, clock.now()).taken == 0
    over = listing.lists(viewer_of(jonas)).over
    assert [row.is_available for row in over] == [False, False]
    with pytest.raises(NotFound):
        services.accept(viewer_of(ines), late.id)


def test_a_member_who_is_gone_is_moved_on_from_at_once(in_app):
    jonas, ines = make_prospect(), make_customer()
    conversation = asked(jonas, ines)
    with unit_of_work():
        db.session.get_one(Member, ines).state = MemberState.BANNED
    assert services.release_due() == 1
    assert db.session.get_one(Conversation, conversation.id).state is ConversationState.RELEASED


def test_full_paused_and_blocked_read_alike(in_app):
    jonas, full, paused, blocking = make_prospect(), make_customer(), make_customer(), make_customer()
    allow(full, limit_per_quarter=0)
    allow(paused, paused_until=clock.now() + timedelta(days=3))
    before = asked(jonas, blocking)
    services.block(viewer_of(blocking), before.id, jonas)
    said = set()
    for one in (full, paused, blocking):
        with pytest.raises(NoCapacity) as refused:
            asked(jonas, one)
        said.add(refused.value.message)
    assert len(said) == 1


def test_a_booked_time_opens_the_conversation(in_app):
    jonas, ines = make_prospect(), make_customer()
    slot = open_slot(ines, clock.now() + timedelta(days=2), 30)
    conversation = asked(jonas, ines, slot_id=slot.id)
    assert conversation.state is ConversationState.OPEN
    assert conversation.agreed_at == slot.starts_at
    assert [one.booked for one in asked_for(viewer_of(ines))] == [True], "also where the clock runs"
    services.leave(viewer_of(jonas), conversation.id)
    assert load(ines, clock.now()).taken == 0


def test_only_a_booked_time_is_told_of_as_booked(in_app, at):
    ines, otto = make_customer(), make_customer()
    slot = open_slot(otto, clock.now() + timedelta(days=2), 30)
    asked(make_prospect(), otto, slot_id=slot.id)
    conversation = asked(make_prospect(), ines)
    at(clock.now() + timedelta(hours=3))
    services.accept(viewer_of(ines), conversation.id, text="Gladly.")
    assert _told(otto) == ["A time that you opened was booked"]
    assert _told(ines) == ["You have a request for a conversation"], "they accepted it, nobody booked a time"


def _told(member_id: int) -> list[str]:
    rows = db.session.execute(select(Notice).where(Notice.member_id == member_id)).scalars().all()
    requests = [one for one in rows if one.kind == "conversation_request"]
    return [line.sentence for line in telling.resolve(viewer_of(member_id), requests).values()]


def test_who_takes_no_conversations_cannot_be_booked(in_app):
    jonas, ines, otto = make_prospect(), make_customer(), make_customer()
    allow(ines, conversations_open=False)
    slot = open_slot(ines, clock.now() + timedelta(days=2), 30)
    other = open_slot(otto, clock.now() + timedelta(days=2), 30)
    assert open_slots(ines) == []
    assert list(open_slots_of([ines, otto], most=2)) == [otto]
    with pytest.raises(NoCapacity):
        asked(jonas, ines, slot_id=slot.id)
    assert load(ines, clock.now()).taken == 0
    assert asked(jonas, otto, slot_id=other.id).state is ConversationState.OPEN


@pytest.mark.parametrize("by", ["asker's company", "member's company", "the same company"])
def test_a_competitor_or_a_colleague_is_no_one_to_ask_in_any_way(in_app, by):
    here, there = make_company(), make_company()
    jonas = make_prospect(company_id=here)
    ines = make_customer(company_id=here if by == "the same company" else there)
    if by != "the same company":
        one, other = (here, there) if by == "asker's company" else (there, here)
        with unit_of_work():
            db.session.get_one(Company, one).competitors = [other]
    slot = open_slot(ines, clock.now() + timedelta(days=2), 30)
    assert not may_be_asked(viewer_of(jonas), ines)
    assert may_be_asked(viewer_of(jonas), make_customer(company_id=make_company()))
    for slot_id in (None, slot.id):
        with pytest.raises(NoCapacity):
            asked(jonas, ines, slot_id=slot_id)
    assert db.session.execute(select(func.count()).select_from(Conversation)).scalar_one() == 0


def test_a_second_request_leads_to_the_conversation_there_is_and_books_nothing(in_app):
    jonas, ines = make_prospect(), make_customer()
    there = talking(jonas, ines, "hello")
    slot = open_slot(ines, clock.now() + timedelta(days=2), 30)
    for one, other in ((jonas, ines), (ines, jonas)):
        if one == ines:
            with unit_of_work():
                db.session.get_one(Member, jonas).status = Status.CUSTOMER
        with pytest.raises(InTouch) as found:
            asked(one, other, slot_id=slot.id if one == jonas else None)
        assert found.value.conversation_id == there.id
    assert [row.id for row in open_slots(ines)] == [slot.id]


def test_a_sanction_stops_new_conversations_and_reads_nothing(in_app):
    jonas, ines, mona = make_prospect(), make_customer(), viewer_of(make_moderator())
    conversation = talking(jonas, ines, "one", "two", "three")
    message = reading.page(viewer_of(ines), conversation.id).letters[1]
    report = services.report(viewer_of(ines), conversation.id, [message.id], rule_number=2)
    decide(
        mona,
        report.case_id,
        Verdict(
            member=MemberMeasure.NO_CONVERSATIONS,
            rule_number=2,
            reason="Pushes people.",
            suspended_until=clock.now() + timedelta(days=7),
            version=1,
        ),
    )
    with pytest.raises(Forbidden):
        asked(jonas, make_customer())
    with pytest.raises(Forbidden):
        people.propose_person(viewer_of(jonas), conversation.id, viewer_of(make_customer()).username)
    services.send_message(viewer_of(jonas), conversation.id, "what goes on goes on")


def test_the_last_place_is_taken_once(in_app):
    ines = make_customer()
    allow(ines, limit_per_quarter=1)
    asked(make_prospect(), ines)
    with pytest.raises(NoCapacity):
        asked(make_prospect(), ines)


def test_an_admin_is_nobody_to_ask(in_app):
    with pytest.raises(NotFound):
        asked(make_prospect(), make_admin())
