"""A request that came to nothing: not sent again, read like any reason, forgotten on every page in time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.conversations import services
from portal.conversations.models import Conversation, ConversationState
from portal.conversations.personal import CLASSES
from portal.conversations.queries import listing
from portal.conversations.queries.asked import asked_for
from portal.conversations.queries.finding import find_own
from portal.conversations.services import people
from portal.conversations.services.messages import forget_requests
from portal.conversations.services.preserving import preserve
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.errors import NoCapacity
from portal.matching.models import Availability
from portal.matching.services import open_slot
from tests.conftest import make_customer, make_prospect, viewer_of
from tests.conversations.conftest import asked, talking

Clock = Callable[[datetime], None]
SignIn = Callable[[int], FlaskClient]
TUESDAY = datetime(2026, 3, 3, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_tuesday(at: Clock) -> None:
    at(TUESDAY)


def pause(member_id: int) -> None:
    with unit_of_work():
        db.session.add(
            Availability(member_id=member_id, values=[], paused_until=clock.now() + timedelta(days=99))
        )


@pytest.mark.parametrize("silence", [False, True], ids=["declined", "silence"])
def test_the_same_person_asks_not_again_for_90_days_and_reads_what_everybody_reads(
    in_app: Flask, at: Clock, silence: bool
):
    jonas, ines, paused = make_prospect(), make_customer(), make_customer()
    first = asked(jonas, ines)
    if silence:
        at(TUESDAY + timedelta(days=3))
        assert services.release_due() == 1
    else:
        services.decline(viewer_of(ines), first.id)
    over = clock.now()
    pause(paused)
    with pytest.raises(NoCapacity) as of_a_no:
        asked(jonas, ines)
    with pytest.raises(NoCapacity) as of_a_pause:
        asked(jonas, paused)
    assert of_a_no.value.message == of_a_pause.value.message
    assert asked(make_prospect(), ines), "anybody else may ask her"
    at(over + timedelta(days=89))
    with pytest.raises(NoCapacity):
        asked(jonas, ines)
    at(over + timedelta(days=91))
    assert asked(jonas, ines)


def test_nor_do_they_take_a_time_that_was_opened_or_bring_in_whom_they_asked(in_app: Flask):
    jonas, ines, otto = make_prospect(), make_customer(username="ines"), make_customer()
    services.decline(viewer_of(ines), asked(jonas, ines).id)
    slot = open_slot(ines, TUESDAY + timedelta(days=3), 30)
    with pytest.raises(NoCapacity):
        asked(jonas, ines, slot_id=slot.id)
    talk = talking(jonas, otto, "hello")
    with pytest.raises(Invalid):
        people.propose_person(viewer_of(jonas), talk.id, "ines")


def test_whoever_said_no_may_ask_themselves(in_app: Flask):
    otto, ines = make_customer(), make_customer()
    services.decline(viewer_of(ines), asked(otto, ines).id)
    assert asked(ines, otto).state is ConversationState.REQUESTED


def test_what_was_offered_can_be_taken_up_after_a_no(in_app: Flask):
    jonas, ines = make_prospect(), make_customer()
    services.decline(viewer_of(ines), asked(jonas, ines).id)
    assert asked(jonas, ines, offered=True)


def test_a_request_taken_back_can_be_sent_once_more_and_not_for_ever(in_app: Flask):
    jonas, ines = make_prospect(), make_customer()
    for _ in range(2):
        services.withdraw(viewer_of(jonas), asked(jonas, ines).id)
    with pytest.raises(NoCapacity):
        asked(jonas, ines)


def test_a_silent_order_for_either_keeps_the_request_and_shows_on_no_page(in_app: Flask, at: Clock):
    jonas, ines = make_prospect(username="jonas"), make_customer(username="ines")
    request = asked(jonas, ines)
    services.decline(viewer_of(ines), request.id)
    preserve("ines", reason="Court 7", until=clock.now() + timedelta(days=400), silent=True)
    assert len(asked_for(viewer_of(ines))) == len(listing.lists(viewer_of(jonas)).over) == 1
    at(TUESDAY + timedelta(days=91))
    assert forget_requests() == 0
    assert db.session.query(Conversation).count() == 1, "it is kept"
    assert asked_for(viewer_of(ines)) == []
    assert listing.lists(viewer_of(jonas)).over == []
    with pytest.raises(NotFound):
        find_own(viewer_of(jonas), request.id)
    exported = next(one for one in CLASSES if "conversations" in one.tables).export(jonas)
    assert exported == []
