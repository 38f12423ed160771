"""A request for a conversation waits for the end of quiet hours, and so do its two working days."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.conversations import services
from portal.conversations.models import Conversation, ConversationState
from portal.conversations.queries import listing
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Availability
from portal.matching.queries import load
from portal.matching.services import open_slot, release_due
from portal.members.models import Member, MemberState
from portal.notifications.models import Mail, Notice
from tests.conftest import make_customer, make_prospect, viewer_of
from tests.conversations.conftest import asked


def quiet(zone: str, start: int = 22, end: int = 7, **more: object) -> int:
    member = make_customer(time_zone=zone)
    with unit_of_work():
        db.session.add(Availability(member_id=member, values=[], quiet_from=start, quiet_to=end, **more))
    return member


def told(member: int) -> tuple[int, int]:
    """Notices and mails."""
    notices = db.session.execute(select(Notice.id).where(Notice.member_id == member)).scalars().all()
    mails = db.session.execute(select(Mail.id).where(Mail.member_id == member)).scalars().all()
    return len(notices), len(mails)


def again(conversation: Conversation) -> Conversation:
    return db.session.get_one(Conversation, conversation.id, populate_existing=True)


@pytest.mark.parametrize(
    ("zone", "asked_at", "brought_at", "due_at"),
    [
        # A Monday evening: the same time of day where the member is, two working days later.
        ("Europe/Berlin", "2026-03-02T21:30+00:00", "2026-03-03T06:00+00:00", "2026-03-05T06:00+00:00"),
        ("America/Los_Angeles", "2026-03-03T06:30+00:00", "2026-03-03T15:00+00:00", "2026-03-05T15:00+00:00"),
        ("Asia/Kolkata", "2026-03-02T17:00+00:00", "2026-03-03T01:30+00:00", "2026-03-05T01:30+00:00"),
        ("Pacific/Auckland", "2026-03-02T10:00+00:00", "2026-03-02T18:00+00:00", "2026-03-04T18:00+00:00"),
        # The night in which the clocks go forward: seven o'clock comes an hour sooner.
        ("Europe/Berlin", "2026-03-28T22:00+00:00", "2026-03-29T05:00+00:00", "2026-03-31T22:00+00:00"),
        # What is brought on a Saturday counts from Monday: two whole days.
        ("UTC", "2026-03-06T23:00+00:00", "2026-03-07T07:00+00:00", "2026-03-11T00:00+00:00"),
    ],
)
def test_it_is_brought_in_the_morning_of_the_member(in_app, at, zone, asked_at, brought_at, due_at):
    brought, due = datetime.fromisoformat(brought_at), datetime.fromisoformat(due_at)
    at(datetime.fromisoformat(asked_at).astimezone(UTC))
    member = quiet(zone)
    conversation = asked(make_prospect(), member)
    assert told(member) == (0, 0)
    assert again(conversation).due_at == due
    at(brought - timedelta(minutes=1))
    assert services.deliver_due() == 0
    assert told(member) == (0, 0)
    at(brought)
    assert (services.deliver_due(), services.deliver_due()) == (1, 0)
    assert told(member) == (1, 1)
    assert again(conversation).due_at == due


def test_outside_quiet_hours_it_is_brought_at_once(in_app, at):
    at(datetime(2026, 3, 3, 12, tzinfo=UTC))
    member = quiet("Europe/Berlin")
    asked(make_prospect(), member)
    assert told(member) == (1, 1)
    assert services.deliver_due() == 0


def test_a_worker_that_was_down_takes_nobody_the_two_days(in_app, at):
    """Down from Monday night to Friday noon: the days count from the delivery, and the place is kept."""
    at(datetime(2026, 3, 2, 23, tzinfo=UTC))
    jonas, ines = make_prospect(), quiet("UTC")
    conversation = asked(jonas, ines)
    at(datetime(2026, 3, 6, 12, tzinfo=UTC))
    assert services.release_due() == 0, "nobody was late who was not asked yet"
    release_due()
    assert services.deliver_due() == 1
    assert again(conversation).due_at == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert load(ines, clock.now()).taken == 1
    at(datetime(2026, 3, 10, 11, tzinfo=UTC))
    assert services.release_due() == 0
    services.accept(viewer_of(ines), conversation.id)
    assert load(ines, clock.now()).taken == 1


def test_a_worker_that_comes_in_the_next_night_waits_for_the_morning(in_app, at):
    at(datetime(2026, 3, 2, 23, tzinfo=UTC))
    ines = quiet("UTC")
    asked(make_prospect(), ines)
    at(datetime(2026, 3, 4, 3, tzinfo=UTC))
    assert services.deliver_due() == 0
    assert told(ines) == (0, 0)
    at(datetime(2026, 3, 4, 7, tzinfo=UTC))
    assert services.deliver_due() == 1


def test_who_looks_by_night_finds_it_and_is_told_no_more(in_app, at):
    at(datetime(2026, 3, 2, 23, tzinfo=UTC))
    ines = quiet("UTC")
    conversation = asked(make_prospect(), ines)
    assert [row.id for row in listing.lists(viewer_of(ines)).on_me] == [conversation.id]
    services.accept(viewer_of(ines), conversation.id)
    at(datetime(2026, 3, 3, 8, tzinfo=UTC))
    assert services.deliver_due() == 0
    assert told(ines) == (0, 0)


def test_a_request_taken_back_by_night_wakes_nobody_in_the_morning(in_app, at):
    at(datetime(2026, 3, 2, 23, tzinfo=UTC))
    jonas, ines = make_prospect(), quiet("UTC")
    conversation = asked(jonas, ines)
    services.withdraw(viewer_of(jonas), conversation.id)
    at(datetime(2026, 3, 3, 8, tzinfo=UTC))
    assert services.deliver_due() == 0
    assert told(ines) == (0, 0)


def test_a_member_who_left_by_night_is_moved_on_from(in_app, at):
    at(datetime(2026, 3, 2, 23, tzinfo=UTC))
    ines = quiet("UTC")
    conversation = asked(make_prospect(), ines)
    with unit_of_work():
        db.session.get_one(Member, ines).state = MemberState.BANNED
    assert services.release_due() == 1
    assert again(conversation).state is ConversationState.RELEASED


def test_who_wants_no_mail_when_asked_is_told_here_only(in_app, at):
    at(datetime(2026, 3, 3, 12, tzinfo=UTC))
    ines = quiet("UTC", by_mail=False)
    asked(make_prospect(), ines)
    assert told(ines) == (1, 0)


def test_a_booked_time_waits_too_unless_it_begins_before_the_morning_is_over(in_app, at):
    at(datetime(2026, 3, 2, 23, tzinfo=UTC))
    late, soon = quiet("UTC"), quiet("UTC")
    later = open_slot(late, datetime(2026, 3, 4, 10, tzinfo=UTC), 30)
    at_eight = open_slot(soon, datetime(2026, 3, 3, 8, tzinfo=UTC), 30)
    asked(make_prospect(), late, slot_id=later.id)
    asked(make_prospect(), soon, slot_id=at_eight.id)
    assert (told(late), told(soon)) == ((0, 0), (1, 1))
    at(datetime(2026, 3, 3, 7, tzinfo=UTC))
    assert services.deliver_due() == 1
    assert told(late) == (1, 1)
