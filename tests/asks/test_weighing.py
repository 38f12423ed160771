"""The asker says what matters most, and proposals follow it."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.asks.models import AskProposal, ProposalState
from portal.asks.queries.finding import proposals_of
from portal.asks.services import asking, connecting, requests, weighing
from portal.asks.services.asking import Situation
from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.matching.queries import cards
from portal.members.models import Member
from tests.asks.scenes import (
    FACTORY,
    TUESDAY,
    ask,
    asked,
    board,
    fresh,
    make_company,
    make_prospect,
    request_of,
    work,
)
from tests.conftest import make_customer, make_member, viewer_of

Clock = Callable[[datetime], None]
SignIn = Callable[[int], FlaskClient]


@pytest.fixture(autouse=True)
def on_tuesday(at: Clock) -> None:
    at(TUESDAY)


def of_the_trade(count: int) -> set[int]:
    """Customers of the asker's industry: another size, another country."""
    return {
        make_customer(f"Trade {n}", company_id=make_company(size_band="10-49", region="SE"), region="SE")
        for n in range(count)
    }


def of_the_place(count: int) -> set[int]:
    """Customers of the asker's size and country, in another industry."""
    return {
        make_customer(f"Place {n}", company_id=make_company(industry="52"), region="DE") for n in range(count)
    }


def proposed(ask_id: int) -> set[int]:
    return {one.member_id for one in proposals_of(ask_id) if one.state is ProposalState.OPEN}


def test_who_is_proposed_follows_what_matters_most(in_app: Flask):
    board()
    trade, place = of_the_trade(4), of_the_place(4)
    asker = viewer_of(make_prospect())
    one = ask(asker.member_id or 0)
    assert weighing.weigh(asker, one.id, ["industry"]) is False, "nobody is proposed before it is wanted"
    connecting.connect_now(asker, one.id, may_connect=False)
    assert proposed(one.id) <= trade
    assert {row.fit for row in proposals_of(one.id)} == {0.75}
    assert weighing.weigh(asker, one.id, ["size_band", "region"]) is True
    assert len(proposed(one.id)) == 3
    assert proposed(one.id) <= place
    assert fresh(one).matters == ["size_band", "region"]


def test_customers_who_are_asked_follow_it_too(in_app: Flask):
    board()
    trade, _place = of_the_trade(5), of_the_place(5)
    asker = make_prospect()
    one = ask(asker)
    weighing.weigh(viewer_of(asker), one.id, ["industry"])
    work()
    assert set(asked(one)) == trade


def test_what_matters_most_is_given_up_last(in_app: Flask):
    board()
    asker = make_prospect()
    one = ask(asker)
    weighing.weigh(viewer_of(asker), one.id, ["region"])
    assert connecting.widen(viewer_of(asker), one.id) == "size_band"
    assert connecting.widen(viewer_of(asker), one.id) == "industry"


def test_whom_one_asked_and_who_offered_to_talk_stay(in_app: Flask):
    board()
    trade, _place = of_the_trade(5), of_the_place(4)
    asker = make_prospect()
    one = ask(asker)
    weighing.weigh(viewer_of(asker), one.id, ["industry"])
    work()
    talker = min(trade)
    requests.would_talk(viewer_of(talker), request_of(one, talker))
    connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
    first = next(row for row in proposals_of(one.id) if row.member_id != talker)
    connecting.approach(viewer_of(asker), one.id, [first.id], note="May I ask you?")
    weighing.weigh(viewer_of(asker), one.id, ["size_band", "region"])
    states = {row.member_id: row.state for row in proposals_of(one.id)}
    assert states[talker] is ProposalState.OPEN
    assert states[first.member_id] is ProposalState.APPROACHED


def test_it_is_changed_three_times_at_most_so_nobody_tries_for_a_certain_person(in_app: Flask):
    board()
    asker = make_prospect()
    one = ask(asker)
    for names in (["industry"], ["region"], [], []):
        weighing.weigh(viewer_of(asker), one.id, names)
    with pytest.raises(Invalid, match="3 times"):
        weighing.weigh(viewer_of(asker), one.id, ["industry"])
    assert fresh(one).matters == []


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["use_case"], "what you said"),
        (["nonsense"], "what you said"),
        (["industry", "size_band", "region"], "nothing does"),
    ],
)
def test_only_some_of_what_was_stated_can_matter_most(in_app: Flask, names: list[str], why: str):
    board()
    asker = make_prospect()
    one = ask(asker)
    with pytest.raises(Invalid, match=why):
        weighing.weigh(viewer_of(asker), one.id, names)
    assert fresh(one).weighed == 0


def test_with_one_thing_stated_there_is_nothing_to_weigh(in_app: Flask):
    board()
    asker = make_prospect()
    assert weighing.may_matter(ask(asker, situation=Situation(industry="52"))) == []
    assert weighing.may_matter(ask(asker, situation=FACTORY)) == ["industry", "size_band", "region"]


def test_nobody_weighs_for_somebody_else(in_app: Flask):
    board()
    one = ask(make_prospect())
    for other in (make_prospect(), make_member(duties=(Duty.MODERATOR,))):
        with pytest.raises(Forbidden):
            weighing.weigh(viewer_of(other), one.id, ["industry"])


def test_in_private_likewise(in_app: Flask):
    trade, _place = of_the_trade(3), of_the_place(3)
    asker = viewer_of(make_prospect())
    one = asking.ask_privately(asker, title="Nine months?", body="Or three.", situation=FACTORY)
    weighing.weigh(asker, one.id, ["industry"])
    assert proposed(one.id) == trade


def test_a_page_opened_before_asks_nobody_else(in_app: Flask):
    """What it names stands for the same person for ever, also where a row would be the newest of all."""
    board()
    of_the_trade(3)
    of_the_place(3)
    asker = viewer_of(make_prospect())
    one = ask(asker.member_id or 0)
    connecting.connect_now(asker, one.id, may_connect=False)
    weighing.weigh(asker, one.id, ["industry"])
    old = {row.id: row.member_id for row in proposals_of(one.id) if row.state is ProposalState.OPEN}
    weighing.weigh(asker, one.id, ["size_band", "region"])
    weighing.weigh(asker, one.id, ["industry"])
    now = {row.id: row.member_id for row in proposals_of(one.id) if row.state is ProposalState.OPEN}
    assert set(now.values()) == set(old.values()), "who was weighed away may come again"
    assert now == old
    weighing.may_matter(one)
    rows = {row.id: row.member_id for row in db.session.query(AskProposal)}
    assert {number: rows[number] for number in old} == old


def test_on_the_page_it_is_explained_chosen_and_stands_with_the_ask(app: Flask, sign_in: SignIn):
    app.config["WTF_CSRF_ENABLED"] = False  # tests/house looks after those
    with app.app_context():
        board()
        trade, place = of_the_trade(3), of_the_place(3)
        asker = make_prospect()
        one = ask(asker)
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        names = {n: db.session.get_one(Member, n).name for n in trade | place}
        assert cards(viewer_of(asker), list(names))
    browser = sign_in(asker)
    page = browser.get(f"/asks/{one.id}/connect").get_data(as_text=True)
    assert "What matters most to you" in page
    assert "counts 3 times" in page
    assert "Same use case" not in page, "nothing was said of it"
    sent = browser.post(f"/asks/{one.id}/matters", data={"matters": ["size_band", "region"]})
    assert (sent.status_code, sent.location) == (303, f"/asks/{one.id}/connect")
    page = browser.get(sent.location).get_data(as_text=True)
    assert "You said: same size, same country." in page
    assert "2 times for this ask" in page
    assert {names[n] for n in place} <= {name for name in names.values() if name in page}
    assert not {names[n] for n in trade} & {name for name in names.values() if name in page}
    shown = browser.get(f"/asks/{one.id}").get_data(as_text=True)
    assert "Matters most" in shown
    assert "Same size, same country" in shown
    refused = browser.post(f"/asks/{one.id}/matters", data={"matters": ["size_band", "region", "industry"]})
    assert refused.status_code == 422
    assert "leave one out" in refused.get_data(as_text=True)
