"""What is known of companies now, where it came from, and the predicates that others leave them alone by."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.kernel import clock, personal
from portal.kernel.db import db
from portal.kernel.preserving import Preservation
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member
from portal.members.services.erasing import erase_account
from portal.relations import queries, services
from portal.relations.models import CompanyHealth, Escalation, Health, Hold, Measure, Satisfaction
from portal.relations.queries.known import NOTHING
from tests.conftest import make_company, make_customer, noon
from tests.relations.scenes import escalated, health, held, sales, service, surveyed
from tests.support.statements import Statements

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def at_noon(at: Callable[[datetime], None]) -> None:
    at(noon())


def test_of_a_company_is_known_what_holds_now_and_who_said_so(in_app: Flask, at: Callable[[datetime], None]):
    company_id, other = make_company(), make_company()
    asks, cares = sales("Sally"), service("Serge")
    held(company_id, asks, days=3)
    held(company_id, asks, days=40)
    over = held(company_id, asks, days=80)
    services.end_hold(asks, over.id, "It was the wrong company.", version=over.version)
    health(company_id, Health.GREEN, cares)
    at(noon() + DAY)
    health(company_id, Health.AMBER, cares, "Two outages in a week.")
    one = escalated(company_id, cares)
    done = escalated(company_id, cares, "Invoices come late.")
    services.close_escalation(cares, done.company_id, done.id, "A new address.", version=done.version)
    surveyed(company_id, Measure.CSAT, 91, days_ago=90, by=cares)
    surveyed(company_id, Measure.NPS, 12, days_ago=91, by=cares)
    surveyed(company_id, Measure.NPS, -8, days_ago=120, by=cares)
    found = queries.relations_of_company(company_id)
    assert [hold.expires_at.date() for hold in found.holds] == [
        (noon() + 41 * DAY).date(),
        (noon() + 4 * DAY).date(),
    ]
    assert found.held_until == found.holds[0].expires_at
    assert found.holds[0].entered == queries.Entered("Sally", asks.username, noon())
    assert found.health == queries.HealthNow(
        Health.AMBER, "Two outages in a week.", queries.Entered("Serge", cares.username, noon() + DAY)
    )
    assert [row.id for row in found.escalations] == [one.id]
    assert found.csat is not None
    assert found.nps is not None
    assert (found.csat.value, found.csat.sample, found.csat.is_old) == (91, 12, False)
    assert (found.nps.value, found.nps.is_old) == (12, True)
    assert not found.is_approachable
    assert queries.relations_of_company(other) == queries.relations_of_company(None) == NOTHING
    assert NOTHING.is_approachable


def test_many_companies_take_as_many_statements_as_one(
    app: Flask, statements: Callable[[], AbstractContextManager[Statements]]
):
    counts = []
    with app.app_context():
        for count in (1, 12):
            ids = [make_company() for _ in range(count)]
            for company_id in ids:
                held(company_id)
                health(company_id, Health.RED)
                escalated(company_id)
                surveyed(company_id, Measure.CSAT, 70)
            with statements() as seen:
                assert set(queries.relations_of(ids)) == set(ids)
            counts.append(len(seen.texts))
    assert counts == [4, 4]


STATES = st.fixed_dictionaries(
    {
        "hold": st.sampled_from(["none", "open", "ended", "over"]),
        "health": st.lists(st.sampled_from(list(Health)), max_size=3),
        "escalation": st.sampled_from(["none", "open", "closed"]),
    }
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(STATES, min_size=3, max_size=6))
def test_predicates_and_what_is_known_say_the_same(in_app: Flask, states: list[dict]):
    asks, cares = sales(), service()
    expected = {}
    for state in states:
        company_id = make_company()
        if state["hold"] != "none":
            with clock.frozen(noon() - 5 * DAY if state["hold"] == "over" else noon()):
                hold = held(company_id, asks, days=2)
            if state["hold"] == "ended":
                services.end_hold(asks, hold.id, "Signed.", version=hold.version)
        for colour in state["health"]:
            health(company_id, colour, cares)
        if state["escalation"] != "none":
            one = escalated(company_id, cares)
            if state["escalation"] == "closed":
                services.close_escalation(cares, one.company_id, one.id, "Sorted.", version=one.version)
        expected[company_id] = (
            state["hold"] == "open",
            state["health"][-1:] == [Health.RED],
            state["escalation"] == "open",
        )
    by_sql = db.session.execute(
        select(
            Company.id,
            queries.is_held(),
            queries.is_red(),
            queries.has_open_escalation(),
            queries.approachable(),
        ).where(Company.id.in_(expected))
    )
    known = queries.relations_of(expected)
    for company_id, *said, free in by_sql:
        now = known[company_id]
        assert tuple(bool(one) for one in said) == expected[company_id]
        assert (now.is_held, now.is_red, now.has_open_escalation) == expected[company_id]
        assert bool(free) == now.is_approachable == (not any(expected[company_id]))


def test_whoever_has_no_company_is_approachable(in_app: Flask):
    alone, kept_alone = make_customer(), make_customer()
    with unit_of_work():
        db.session.get_one(Member, alone).company_id = None
    held(db.session.get_one(Member, kept_alone).company_id or 0)
    free = select(Member.id).where(
        queries.approachable(of=Member.company_id), Member.id.in_([alone, kept_alone])
    )
    assert db.session.scalars(free).all() == [alone]


def test_a_hold_is_over_at_the_end_of_its_last_day(in_app: Flask, at: Callable[[datetime], None]):
    company_id = make_company()
    held(company_id, days=1)
    for moment, is_held in (
        (noon() + 35 * timedelta(hours=1), True),
        (noon() + 36 * timedelta(hours=1), False),
    ):
        at(moment)
        assert queries.relations_of_company(company_id).is_held is is_held
        where = select(Company.id).where(queries.is_held(), Company.id == company_id)
        assert (db.session.scalar(where) is not None) is is_held


def test_who_entered_it_leaves_with_their_account_and_the_words_stay(in_app: Flask):
    company_id, leaves = make_company(), service("Leaving")
    hold = held(company_id, leaves)
    services.end_hold(leaves, hold.id, "Sorted.", version=hold.version)
    health(company_id, Health.RED, leaves)
    one = escalated(company_id, leaves)
    services.close_escalation(leaves, one.company_id, one.id, "Sorted.", version=one.version)
    surveyed(company_id, Measure.NPS, 3, by=leaves)
    held(company_id, leaves)
    export = {one.name: one.export(leaves.member_id or 0) for one in personal.registered()}
    done = export["what you entered about companies"]
    assert [row["what"] for row in done] == [
        "placed a hold",
        "placed a hold",
        "ended a hold",
        "set the health of a company",
        "opened an escalation",
        "closed an escalation",
        "entered a survey",
    ]
    assert "Sorted" not in str(done)
    with unit_of_work():
        erase_account(leaves.member_id or 0, keep_text=False)
    found = queries.relations_of_company(company_id)
    assert found.health is not None
    assert found.health.entered.name == found.holds[0].entered.name == ""
    for column in (Hold.placed_by_id, Hold.ended_by_id, CompanyHealth.set_by_id, Escalation.closed_by_id):
        assert db.session.scalars(select(column).where(column.is_not(None))).all() == []


def test_what_is_over_is_forgotten_after_two_years_and_what_is_in_force_never(
    in_app: Flask, at: Callable[[datetime], None]
):
    company_id, by, kept = make_company(), service(), service("Under an order")
    with unit_of_work():
        db.session.add(
            Preservation(
                member_id=kept.member_id, reason="a court", created_at=noon(), until=noon() + 2000 * DAY
            )
        )
    for who in (by, kept):
        hold = held(company_id, who)
        services.end_hold(who, hold.id, "Sorted.", version=hold.version)
        one = escalated(company_id, who)
        services.close_escalation(who, one.company_id, one.id, "Sorted.", version=one.version)
        surveyed(company_id, Measure.NPS, 3, by=who, source=who.username)
        health(company_id, Health.GREEN, who)
    escalated(company_id, by, "Still open.")
    health(company_id, Health.RED, by)
    at(noon() + 700 * DAY)
    assert services.forget_old() == 0
    at(noon() + 770 * DAY)
    assert services.forget_old() == 4
    for column in (Hold.placed_by_id, Satisfaction.entered_by_id):
        assert db.session.scalars(select(column)).all() == [kept.member_id]
    assert queries.relations_of_company(company_id).is_red
    assert queries.relations_of_company(company_id).has_open_escalation
