"""An agreed time: moved or called off by either side, and "it did not take place" afterwards."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select

from portal.asks.models import Invite
from portal.asks.services import inviting
from portal.conversations import services
from portal.conversations.events import ConversationReleased
from portal.conversations.models import Conversation, ConversationState
from portal.conversations.queries import listing, reading
from portal.conversations.services.times import hold_due
from portal.kernel import clock, events
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Availability
from portal.matching.queries import load, open_slots
from portal.matching.services import open_slot
from portal.notifications.models import Notice
from tests.conftest import make_customer, make_member, make_prospect, noon, viewer_of
from tests.conversations.conftest import asked
from tests.support.people import submit

DAY = timedelta(days=1)


@pytest.fixture
def two(in_app, at: Callable[[datetime], None]) -> tuple[int, int]:
    at(noon("2026-03-02"))
    return make_prospect("Jonas Petterlund"), make_customer("Ines Okaforova")


def agreed(jonas: int, ines: int, days: int = 2, **more: object) -> Conversation:
    """They speak in two days, and have written nothing but the request."""
    conversation = asked(jonas, ines, **more)
    services.accept(viewer_of(ines), conversation.id, times=((clock.now() + days * DAY, 20),))
    take_last(jonas, conversation)
    return conversation


def take_last(member: int, conversation: Conversation) -> None:
    letters = reading.page(viewer_of(member), conversation.id).letters
    times = [letter for letter in letters if letter.times][-1].times
    services.agree_time(viewer_of(member), conversation.id, times[0].id)


def taken(member: int) -> int:
    return load(member, clock.now()).taken


def again(conversation: Conversation) -> Conversation:
    return db.session.get_one(Conversation, conversation.id, populate_existing=True)


def news(member: int) -> list[str]:
    rows = db.session.execute(select(Notice).where(Notice.member_id == member).order_by(Notice.id)).scalars()
    return [row.data.get("what", "") for row in rows if row.kind == "conversation_news"]


@pytest.mark.parametrize("by_asker", [True, False])
def test_either_side_calls_it_off_and_the_place_is_free(two, at, by_asker):
    jonas, ines = two
    conversation = agreed(jonas, ines)
    assert taken(ines) == 1
    one, other = (jonas, ines) if by_asker else (ines, jonas)
    assert services.call_off(viewer_of(one), conversation.id)
    assert taken(ines) == 0
    assert news(other)[-1] == "called_off"
    assert news(one)[-1:] != ["called_off"]
    at(noon("2026-03-10"))
    assert hold_due() == 0, "what was called off does not count as held when its time passes"
    assert again(conversation).state is ConversationState.OPEN


def test_who_only_arranged_a_time_has_not_talked_yet(two):
    jonas, ines = two
    conversation = asked(jonas, ines)
    services.accept(viewer_of(ines), conversation.id, text="Gladly. Wednesday?")
    services.propose_times(viewer_of(ines), conversation.id, ((clock.now() + DAY, 20),))
    take_last(jonas, conversation)
    assert again(conversation).held_at is not None
    assert services.call_off(viewer_of(ines), conversation.id)
    assert (taken(ines), again(conversation).held_at) == (0, None)
    services.send_message(viewer_of(ines), conversation.id, "I am sorry, a customer of ours called")
    assert taken(ines) == 0


def test_who_talked_in_writing_keeps_it_counted(two):
    jonas, ines = two
    conversation = agreed(jonas, ines)
    for number in range(3):
        services.send_message(viewer_of(ines), conversation.id, f"What we learned, part {number}")
    assert not services.call_off(viewer_of(jonas), conversation.id)
    assert taken(ines) == 1


def test_a_moved_time_takes_the_place_of_the_old_one(two, at):
    jonas, ines = two
    conversation = agreed(jonas, ines)
    services.propose_times(viewer_of(jonas), conversation.id, ((clock.now() + 5 * DAY, 30),))
    assert again(conversation).agreed_at == clock.now() + 2 * DAY, "until the other side takes it"
    take_last(ines, conversation)
    assert again(conversation).agreed_at == clock.now() + 5 * DAY
    at(noon("2026-03-05"))
    assert hold_due() == 0
    at(noon("2026-03-08"))
    assert hold_due() == 1
    assert taken(ines) == 1


def test_after_calling_off_another_time_takes_a_place_again_within_the_limit(two):
    jonas, ines = two
    with unit_of_work():
        db.session.add(Availability(member_id=ines, values=[], limit_per_quarter=1))
    conversation = agreed(jonas, ines)
    services.call_off(viewer_of(ines), conversation.id)
    services.propose_times(viewer_of(ines), conversation.id, ((clock.now() + 4 * DAY, 20),))
    other = asked(make_prospect(), ines)
    with pytest.raises(Invalid, match="taken"):
        take_last(jonas, conversation)
    services.decline(viewer_of(ines), other.id)
    take_last(jonas, conversation)
    assert taken(ines) == 1
    assert again(conversation).called_off_at is None


def test_a_booked_time_that_is_called_off_is_open_again(two):
    jonas, ines = two
    slot = open_slot(ines, clock.now() + 2 * DAY, 30)
    conversation = asked(jonas, ines, slot_id=slot.id)
    assert not open_slots(ines)
    services.call_off(viewer_of(jonas), conversation.id)
    assert [one.id for one in open_slots(ines)] == [slot.id]
    assert taken(ines) == 0


def test_when_the_member_calls_it_off_the_next_is_proposed(two):
    jonas, ines = two
    released: list[ConversationReleased] = []
    events.subscribe(ConversationReleased, released.append)
    services.call_off(viewer_of(ines), agreed(jonas, ines, origin="ask:7").id)
    otto = make_customer()
    services.call_off(viewer_of(jonas), agreed(jonas, otto, origin="ask:7").id)
    assert [(one.origin, one.reason) for one in released] == [
        ("ask:7", "called off"),
        ("ask:7", "withdrawn"),
    ]


def test_accepting_and_taking_a_proposed_time_is_one_step(app: Flask, at, sign_in):
    at(noon("2026-03-02"))
    with app.app_context():
        jonas, ines = make_prospect("Jonas"), make_customer("Ines")
        conversation = asked(jonas, ines, slots=((clock.now() + DAY, 20), (clock.now() + 2 * DAY, 30)))
    browser, place = sign_in(ines), f"/conversations/{conversation.id}"
    values = re.findall(r'name="time" id="time-\d" value="([^"]+)"', browser.get(place).text)
    assert len(values) == 2
    assert submit(browser, place, {"time": values[1]}, f"{place}/acceptance").status_code == 303
    with app.app_context():
        row = again(conversation)
        assert (row.state, row.agreed_minutes) == (ConversationState.OPEN, 30)
        assert taken(ines) == 1


def test_a_time_that_is_over_or_never_was_cannot_be_called_off(two, at):
    jonas, ines = two
    conversation = asked(jonas, ines)
    services.accept(viewer_of(ines), conversation.id)
    with pytest.raises(Invalid):
        services.call_off(viewer_of(jonas), conversation.id)
    second = agreed(make_prospect(), make_customer())
    at(noon("2026-03-05"))
    with pytest.raises(Invalid):
        services.call_off(viewer_of(second.asker_id), second.id)


@pytest.mark.parametrize("job_first", [True, False])
@pytest.mark.parametrize("by_asker", [True, False])
def test_somebody_did_not_come_and_the_place_is_given_back(two, at, job_first, by_asker):
    jonas, ines = two
    conversation = agreed(jonas, ines)
    one = jonas if by_asker else ines
    with pytest.raises(Invalid):
        services.deny(viewer_of(one), conversation.id)
    at(noon("2026-03-04") + timedelta(minutes=15))
    if job_first:
        assert hold_due() == 1
        assert taken(ines) == 1
    assert reading.page(viewer_of(one), conversation.id).may_deny
    assert services.deny(viewer_of(one), conversation.id)
    assert taken(ines) == 0
    assert hold_due() == 0
    assert news(ines if by_asker else jonas)[-1] == "missed"
    with pytest.raises(Invalid):
        services.rate(viewer_of(one), conversation.id, useful=True)
    services.propose_times(viewer_of(one), conversation.id, ((clock.now() + DAY, 20),))
    take_last(ines if by_asker else jonas, conversation)
    assert taken(ines) == 1


def test_it_can_be_said_for_two_weeks_and_not_after_saying_how_it_was(two, at):
    jonas, ines = two
    conversation = agreed(jonas, ines)
    at(noon("2026-03-05"))
    hold_due()
    services.rate(viewer_of(jonas), conversation.id, useful=True)
    with pytest.raises(Invalid):
        services.deny(viewer_of(jonas), conversation.id)
    assert not services.deny(viewer_of(ines), conversation.id), "word against word: it stays counted"
    assert taken(ines) == 1
    late = agreed(make_prospect(), make_customer())
    at(noon("2026-03-25"))
    hold_due()
    with pytest.raises(Invalid):
        services.deny(viewer_of(late.asker_id), late.id)


def test_nobody_else_calls_off_or_denies(two):
    jonas, ines = two
    conversation = agreed(jonas, ines)
    vendor = make_member("Vera", status=Status.VENDOR, duties=(Duty.ADMIN,))
    for outsider in (vendor, make_customer(), make_prospect()):
        for act in (services.call_off, services.deny):
            with pytest.raises(NotFound):
                act(viewer_of(outsider), conversation.id)


def test_a_guest_who_did_not_speak_is_not_reported_to_have_spoken(two, at):
    jonas, ines = two
    sales = viewer_of(make_member("Sam", status=Status.VENDOR, duties=(Duty.SALES,)))
    invite, token = inviting.invite_guest(sales, "OPP-1")
    inviting.accept_as_guest(viewer_of(jonas), token, report=True)
    conversation = agreed(jonas, ines)
    at(noon("2026-03-05"))
    hold_due()
    assert db.session.get_one(Invite, invite.id, populate_existing=True).spoke
    services.deny(viewer_of(ines), conversation.id)
    assert not db.session.get_one(Invite, invite.id, populate_existing=True).spoke


def test_the_page_and_the_list_say_what_holds(two):
    jonas, ines = two
    conversation = agreed(jonas, ines)
    assert listing.lists(viewer_of(jonas)).going_on[0].agreed_at
    services.call_off(viewer_of(jonas), conversation.id)
    assert listing.lists(viewer_of(jonas)).going_on[0].agreed_at is None
    times = [letter for letter in reading.page(viewer_of(jonas), conversation.id).letters if letter.times]
    assert [(one.is_agreed, one.is_off, one.may_take) for one in times[0].times] == [(False, True, False)]


def test_the_calendar_file_moves_and_takes_away(app: Flask, at: Callable[[datetime], None], sign_in):
    at(noon("2026-03-02"))
    with app.app_context():
        jonas, ines = make_prospect("Jonas Petterlund"), make_customer("Ines Okaforova")
        conversation = agreed(jonas, ines)
    browser = sign_in(jonas)
    files = []

    def note() -> None:
        answer = browser.get(f"/conversations/{conversation.id}/calendar.ics")
        assert answer.status_code == 200
        calendar = Calendar.from_ical(answer.data)
        event = calendar.walk("VEVENT")[0]
        files.append((str(calendar["METHOD"]), event["SEQUENCE"], str(event["STATUS"]), str(event["UID"])))

    note()
    with app.app_context():
        services.propose_times(viewer_of(ines), conversation.id, ((clock.now() + 3 * DAY, 30),))
        take_last(jonas, conversation)
    note()
    with app.app_context():
        services.call_off(viewer_of(ines), conversation.id)
    note()
    assert [one[:3] for one in files[:3]] == [
        ("PUBLISH", 1, "CONFIRMED"),
        ("PUBLISH", 2, "CONFIRMED"),
        ("CANCEL", 3, "CANCELLED"),
    ]
    assert len({one[3] for one in files}) == 1
    with app.app_context():
        take_last(jonas, conversation)
    note()
    with app.app_context():
        services.leave(viewer_of(ines), conversation.id)
    note()
    assert [one[:2] for one in files[3:]] == [("PUBLISH", 4), ("CANCEL", 5)]
    page = browser.get(f"/conversations/{conversation.id}").text
    assert "was called off" in page
    assert "takes it out of your calendar" in page
