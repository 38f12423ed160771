"""What a member was asked for in private stands with what they were asked in the open, for them alone."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.asks.queries import lists
from portal.asks.queries.finding import proposals_of
from portal.asks.services import connecting
from portal.conversations import services as conversations
from portal.kernel.access import Duty, Status
from portal.matching.services import open_slot
from tests.asks.scenes import TUESDAY, ask, board, change_member, make_customers, make_prospect, work
from tests.conftest import make_member, make_moderator, viewer_of
from tests.conversations.conftest import asked

Clock = Callable[[datetime], None]
SignIn = Callable[[int], FlaskClient]


@pytest.fixture(autouse=True)
def on_tuesday(at: Clock) -> None:
    at(TUESDAY)


def from_an_ask(customer: int, name: str = "Nadia Petrov") -> tuple[int, str]:
    """(asker, conversation): asked from the proposals of an open ask."""
    asker = make_prospect(name)
    one = ask(asker)
    connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
    chosen = next(row for row in proposals_of(one.id) if row.member_id == customer)
    made = connecting.approach(viewer_of(asker), one.id, [chosen.id], note="May I ask you?")
    return asker, made.conversation_ids[0]


def test_each_stands_there_with_what_became_of_it_and_why(in_app: Flask, at: Clock):
    board()
    [customer] = make_customers(1, username="dana")
    me = viewer_of(customer)
    _asker, declined = from_an_ask(customer)
    conversations.decline(me, declined)
    lapsed = asked(make_prospect(), customer, origin="profile")
    accepted = asked(make_prospect(), customer)
    conversations.accept(me, accepted.id)
    at(TUESDAY + timedelta(days=6))
    conversations.release_due()
    taken_back = asked(asker := make_prospect(), customer)
    conversations.withdraw(viewer_of(asker), taken_back.id)
    waiting = asked(make_prospect(), customer)
    lines = lists.talks_of(me)
    assert {line.asked.id: line.asked.state.value for line in lines} == {
        declined: "declined",
        lapsed.id: "released",
        accepted.id: "open",
        taken_back.id: "withdrawn",
        waiting.id: "requested",
    }
    assert {line.asked.id for line in lines if line.asked.is_there} == {accepted.id, waiting.id}
    why = {line.asked.id: line.proposal.same if line.proposal else [] for line in lines}
    assert why[declined] == ["industry", "size_band", "region"]
    assert why[lapsed.id] == []


def test_nobody_else_has_a_line_of_it_nor_has_a_member_who_came_to_work_for_the_vendor(in_app: Flask):
    board()
    [customer] = make_customers(1)
    asker, _made = from_an_ask(customer)
    assert len(lists.talks_of(viewer_of(customer))) == 1
    others = [asker, make_moderator(), make_member(status=Status.VENDOR, duties=(Duty.ADMIN,))]
    assert [lists.talks_of(viewer_of(other)) for other in others] == [[], [], []]
    change_member(customer, status=Status.VENDOR, company_id=None)
    assert lists.talks_of(viewer_of(customer)) == []


def test_the_page_says_who_asked_why_and_what_became_of_it(app: Flask, sign_in: SignIn):
    with app.app_context():
        board()
        [customer] = make_customers(1)
        _asker, declined = from_an_ask(customer)
        conversations.decline(viewer_of(customer), declined)
        slot = open_slot(customer, TUESDAY + timedelta(days=3), 30)
        booked = asked(make_prospect("Ola Berg"), customer, slot_id=slot.id).id
        ask(make_prospect("Third Asker"))
        work()
    page = re.sub(r"\s+", " ", sign_in(customer).get("/requests").get_data(as_text=True))
    private, _heading, public = page.partition("To answer in the open")
    assert "you declined" in private
    assert "Nadia Petrov" in private
    assert "Why you: same industry, same size, same country. They chose you among" in private
    assert f"/conversations/{declined}" not in private, "it is over, for both"
    assert "booked a time of yours" in private
    assert f"/conversations/{booked}" in private
    assert "They chose you from your page." in private
    assert "Why you: same industry" in public
