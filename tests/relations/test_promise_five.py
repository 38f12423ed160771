"""Unpicked voices: what sales and service say of companies changes nothing that a prospect starts.

A random community, a random asker and what they state; then all that the product answers them, before and
after every company is on hold, red and escalated.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from portal.asks.models import AnswerRequest, Ask
from portal.asks.queries.finding import proposals_of
from portal.asks.queries.lists import cards_of
from portal.asks.services import asking, connecting, waves
from portal.asks.services.asking import Situation
from portal.conversations.queries.finding import may_be_asked
from portal.conversations.services import request
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import DomainError
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import services as matching
from portal.matching.criteria import Criteria
from portal.matching.queries import explanation
from portal.members.models import Company, Member, MemberState
from portal.members.queries.directory import Wanted, directory
from portal.relations import queries
from portal.relations.models import Health
from portal.relations.services import LONGEST_HOLD
from tests.asks.scenes import board
from tests.conftest import make_company, make_customer, make_member, make_prospect, noon, viewer_of
from tests.matching.scenes import choose, competes, had_request
from tests.matching.scenes import held as has_talked
from tests.relations.scenes import escalated, health, held, sales, service

_numbers = itertools.count(1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INDUSTRIES, SIZES, REGIONS = ["31-33", "52", ""], ["1-49", "500-999", ""], ["DE", "SE", ""]


@dataclass(frozen=True)
class Person:
    """Somebody who can be asked, and what happened to them before."""

    industry: str
    size: str
    region: str
    former: bool
    limit: int
    answer_requests: int
    talked_days_ago: int | None
    had_request: bool
    competes: bool


PERSON = st.builds(
    Person,
    industry=st.sampled_from(INDUSTRIES),
    size=st.sampled_from(SIZES),
    region=st.sampled_from(REGIONS),
    former=st.booleans(),
    limit=st.integers(0, 4),
    answer_requests=st.integers(0, 3),
    talked_days_ago=st.sampled_from([None, None, 10, 30, 100]),
    had_request=st.booleans(),
    competes=st.integers(0, 9).map(lambda number: number == 0),
)


class _Undone(Exception):
    """Ends a unit of work whose writes are to leave no trace."""


@contextmanager
def undone() -> Iterator[None]:
    """What is written inside was never there."""
    try:
        with unit_of_work():
            yield
            raise _Undone
    except _Undone:
        db.session.expire_all()


def _same_numbers(first: int) -> None:
    """Asks are numbered alike each time, as on SQLite: the draw of an ask hangs on its number."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SELECT setval('asks_id_seq', :first)"), {"first": first})


def _cards(asker: Viewer, ask_id: int) -> list[Any]:
    """The proposals of an ask as the asker reads them."""
    of_ask = ("fit", "same", "differs", "unknown", "load", "limit", "chosen_as", "fitting", "relaxed")
    return [
        (one.card, *(getattr(one.proposal, name) for name in of_ask))
        for one in cards_of(asker, proposals_of(ask_id))
    ]


def _request(asker: Viewer, member_id: int) -> str:
    """What comes of asking this member from their page."""
    try:
        with unit_of_work():
            request(asker, member_id, note="How did the first winter go for a plant like ours?")
    except DomainError as refused:
        return f"{type(refused).__name__}: {refused.message}"
    return "asked"


def all_that_is_answered(asker: Viewer, situation: Situation, number: int) -> dict[str, Any]:
    """Proposals, waves and their explanations for this asker; whom they find, and whom they can ask."""
    found: dict[str, Any] = {}
    asker_id = asker.member_id or 0
    criteria = Criteria(industry=situation.industry, size_band=situation.size_band, region=situation.region)
    with undone():
        proposals = matching.propose(asker_id, criteria, purpose=f"p:{number}")
        found["proposals"] = proposals
        found["explained"] = [explanation(match, proposals) for match in proposals.matches]
        found["waves"] = [
            matching.choose_for_wave(asker_id, criteria, purpose=f"w:{number}") for _ in range(2)
        ]
    with undone():
        _same_numbers(1000 * number + 1)
        private = asking.ask_privately(
            asker, title="How long did it take?", body="Ours is nine months.", situation=situation
        )
        found["cards"] = _cards(asker, private.id)
    with undone():
        _same_numbers(1000 * number + 1)
        open_ask = asking.ask_openly(
            asker, title="How long did moving really take?", body="Ours is nine months.", situation=situation
        )
        for hours in (0, 6, 30):
            with clock.frozen(clock.now() + hours * HOUR):
                waves.move_on()
                waves.deliver()
        connecting.connect_now(asker, open_ask.id, may_connect=False)
        told = (AnswerRequest.wave, AnswerRequest.fit, AnswerRequest.same, AnswerRequest.sent_at)
        asked = select(AnswerRequest.member_id, *told).where(AnswerRequest.ask_id == open_ask.id)
        found["asked"] = [tuple(row) for row in db.session.execute(asked.order_by(AnswerRequest.id))]
        found["then proposed"] = _cards(asker, open_ask.id)
        found["state"] = db.session.get_one(Ask, open_ask.id).state
    customers = select(Member.id).where(Member.state == MemberState.ACTIVE, Member.company_id.is_not(None))
    for member_id in db.session.scalars(customers.order_by(Member.id)).all():
        with undone():
            found[f"profile of {member_id}"] = (may_be_asked(asker, member_id), _request(asker, member_id))
    found["directory"] = directory(asker, Wanted()).rows
    return found


def _make(people: list[Person], number: int) -> None:
    companies, now = [], clock.now()
    for place, person in enumerate(people):
        company = make_company(
            kind="former" if person.former else "customer",
            industry=person.industry,
            size_band=person.size,
            region=person.region,
        )
        companies.append(company)
        member = make_member(
            status="former" if person.former else "customer", company_id=company, languages=["en"]
        )
        choose(member, limit_per_quarter=4, answer_requests_per_month=person.answer_requests)
        if person.talked_days_ago is not None:
            has_talked(member, f"{number}:{place}", now - person.talked_days_ago * DAY)
        if person.had_request:
            had_request(member, f"before:{number}", now - 5 * DAY)
        choose(member, limit_per_quarter=person.limit, answer_requests_per_month=person.answer_requests)
    for company, person in zip(companies, people, strict=True):
        if person.competes:
            competes(company, companies[0])


def _away_with_all_but(*stay: Viewer) -> None:
    """The people of the last example are here no more."""
    with unit_of_work():
        gone = update(Member).where(Member.id.not_in([one.member_id for one in stay]))
        db.session.execute(gone.values(state=MemberState.BANNED))


def hold_and_redden_everybody(asks: Viewer, cares: Viewer) -> None:
    """Every company there is on hold, red and escalated: none of them is approachable any more."""
    for company_id in db.session.scalars(select(Company.id).where(queries.is_known())).all():
        held(company_id, asks, days=LONGEST_HOLD.days - 1)
        health(company_id, Health.RED, cares)
        escalated(company_id, cares)
    left = select(Company.id).where(queries.is_known(), queries.approachable())
    assert db.session.scalars(left).all() == []


@pytest.fixture(autouse=True)
def on_a_monday(at: Callable[[datetime], None]) -> None:
    at(noon())


@pytest.mark.long
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(PERSON, min_size=1, max_size=10),
    said=st.tuples(st.sampled_from(INDUSTRIES), st.sampled_from(SIZES), st.sampled_from(REGIONS)),
    asks_as=st.sampled_from(["prospect", "customer"]),
)
def test_all_companies_on_hold_and_red_change_no_prospects_proposals(
    in_app: Flask, people: list[Person], said: tuple[str, str, str], asks_as: str
):
    number, asks, cares = next(_numbers), sales(), service()
    _away_with_all_but(asks, cares)
    if db.session.execute(select(Company.id)).first() is None:
        board()
    _make(people, number)
    make = {"prospect": make_prospect, "customer": make_customer}[asks_as]
    asker = viewer_of(make(languages=["en"]))
    situation = Situation(industry=said[0], size_band=said[1], region=said[2])
    before = all_that_is_answered(asker, situation, number)
    hold_and_redden_everybody(asks, cares)
    assert all_that_is_answered(asker, situation, number) == before


def test_the_property_looks_at_answers_that_are_there(in_app: Flask):
    """What is compared above is not empty: thirty who fit, of whom some are proposed, asked and found."""
    board()
    for _ in range(30):
        make_customer(languages=["en"])
    asker = viewer_of(make_prospect(languages=["en"]))
    found = all_that_is_answered(asker, Situation(industry="31-33"), 1)
    assert len(found["proposals"].matches) == len(found["cards"]) == len(found["then proposed"]) == 3
    assert [len(wave) for wave in found["waves"]] == [5, 5]
    assert len(found["asked"]) >= 5
    assert all("Same industry" in said[0] for said in found["explained"])
    assert [found[one] for one in found if one.startswith("profile of")] == [(True, "asked")] * 30
    assert len(found["directory"]) >= 30
