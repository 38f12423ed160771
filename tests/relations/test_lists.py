"""Lists of holds and companies: narrowed, sorted, and how much a company was held."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, CompanyKind
from portal.notifications import kinds
from portal.notifications.models import Mail, Notice
from portal.relations import services
from portal.relations.models import Health, Measure, PlacedAs
from portal.relations.queries import companies as company_queries
from portal.relations.queries import holds as queries
from portal.relations.queries.companies import Wanted
from portal.relations.queries.holds import Span, days_held, places_in_a_row
from portal.relations.services import reminding
from tests.conftest import make_company, noon, viewer_of
from tests.relations.scenes import escalated, health, held, sales, service, surveyed

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon(at: Callable[[datetime], None]) -> None:
    at(noon())


def names(lines: list) -> list[str]:
    return [one.company for one in lines]


def test_holds_are_shown_by_state_duty_and_words_in_four_orders(
    in_app: Flask, at: Callable[[datetime], None]
):
    acme, bolt = make_company("Acme"), make_company("Bolt")
    asks, cares = sales(), service("Serge")
    at(noon() - 20 * DAY)
    held(bolt, asks, days=9)
    at(noon())
    held(acme, asks, days=30)
    ended = held(acme, cares, days=3)
    services.end_hold(cares, ended.id, "Solved.", version=ended.version)
    at(noon() + DAY)
    held(bolt, cares, days=5)
    assert names(queries.holds()) == ["Bolt", "Acme"]
    assert names(queries.holds(sort="company")) == ["Acme", "Bolt"]
    assert names(queries.holds(sort="newest")) == ["Bolt", "Acme"]
    assert [one.days_held for one in queries.holds(sort="held", show=queries.ALL)] == [10, 10, 1, 1]
    assert [one.ended_because for one in queries.holds(show=queries.ENDED)] == ["Solved.", ""]
    assert names(queries.holds(show=queries.ALL, words="ACM")) == ["Acme", "Acme"]
    assert names(queries.holds(placed_as=PlacedAs.SERVICE)) == ["Bolt"]
    assert [(one.in_a_row, one.by) for one in queries.holds_of(bolt)] == [(2, "Serge"), (1, "Sally")]
    assert queries.holds(show=queries.ALL, words="no such company") == []


def test_a_company_that_is_no_customer_any_more_is_in_no_list(in_app: Flask):
    company_id = make_company("Acme")
    held(company_id)
    health(company_id, Health.RED)
    with unit_of_work():
        db.session.get_one(Company, company_id).kind = CompanyKind.PROSPECT
    assert queries.holds(show=queries.ALL) == []
    assert company_queries.companies(Wanted())[0] == []


def test_companies_are_shown_by_what_is_known_and_in_three_orders(in_app: Flask):
    names_of = ("Amber", "Bright", "Crimson", "Dim", "Held", "Old")
    ids = {name: make_company(name, domain=f"{name.lower()}-site.example") for name in names_of}
    make_company("Prospect", kind=CompanyKind.PROSPECT)
    make_company("Vendor", kind=CompanyKind.VENDOR)
    health(ids["Amber"], Health.RED)
    health(ids["Amber"], Health.AMBER)
    health(ids["Bright"], Health.GREEN)
    health(ids["Crimson"], Health.RED)
    escalated(ids["Dim"])
    held(ids["Held"])
    surveyed(ids["Old"], Measure.NPS, 3, days_ago=400)
    for name in ("Amber", "Bright", "Crimson", "Dim", "Held"):
        surveyed(ids[name], Measure.CSAT, 80)

    def shown(**wanted: str) -> list[str]:
        rows, total, more = company_queries.companies(Wanted(**wanted))
        assert (total, more) == (len(rows), False)
        assert [one.name for one in company_queries.every_company(Wanted(**wanted))] == [
            one.name for one in rows
        ]
        return [one.name for one in rows]

    assert shown() == list(names_of)
    assert shown(sort="health") == ["Crimson", "Amber", "Bright", "Dim", "Held", "Old"]
    assert shown(sort="survey")[0] == "Old"
    assert shown(words="IGHT") == ["Bright"]
    assert shown(words="dim-site") == ["Dim"]
    for show, expected in {
        "held": ["Held"],
        "red": ["Crimson"],
        "amber": ["Amber"],
        "green": ["Bright"],
        "unknown": ["Dim", "Held", "Old"],
        "escalated": ["Dim"],
        "free": ["Amber", "Bright", "Old"],
    }.items():
        assert shown(show=show) == expected, show


def test_pages_of_companies_follow_each_other(in_app: Flask):
    for number in range(company_queries.ROWS + 3):
        make_company(f"Company no {number:03}")
    first, total, more = company_queries.companies(Wanted())
    second, _total, no_more = company_queries.companies(Wanted(page=2))
    assert (len(first), total, more) == (company_queries.ROWS, company_queries.ROWS + 3, True)
    assert (len(second), no_more) == (3, False)
    assert not {one.id for one in first} & {one.id for one in second}


SPANS = st.lists(st.tuples(st.integers(-500, -1), st.integers(1, 90)), max_size=8)


@given(drawn=SPANS)
def test_days_held_are_the_days_of_a_year_that_any_hold_covers(drawn: list[tuple[int, int]]):
    spans = [
        Span(number, NOW + begins * DAY, NOW + (begins + lasts) * DAY)
        for number, (begins, lasts) in enumerate(sorted(drawn))
    ]
    covered = {day for begins, lasts in drawn for day in range(begins, begins + lasts) if -365 <= day < 0}
    assert days_held(spans, NOW) == len(covered)


def test_a_begun_day_is_one_and_the_year_has_365():
    assert days_held([Span(1, NOW - timedelta(hours=1), NOW + DAY)], NOW) == 1
    assert days_held([Span(1, NOW - 900 * DAY, NOW + DAY)], NOW) == 365
    assert days_held([], NOW) == 0


def test_in_a_row_is_what_begins_within_two_weeks_after_the_last():
    begins_and_ends = [(0, 10), (24, 30), (26, 28), (44, 45), (60, 61)]
    spans = [Span(number, NOW + a * DAY, NOW + b * DAY) for number, (a, b) in enumerate(begins_and_ends)]
    assert places_in_a_row(spans) == {0: 1, 1: 2, 2: 3, 3: 4, 4: 1}


def test_whoever_placed_it_hears_a_week_before_and_when_it_ended_by_itself(
    in_app: Flask, at: Callable[[datetime], None]
):
    asks, acme, bolt = sales(), make_company("Acme"), make_company("Bolt")
    held(acme, asks, days=20)
    held(bolt, asks, days=5)
    taken_back = held(make_company("Corp"), asks, days=20)
    services.end_hold(asks, taken_back.id, "A mistake.", version=taken_back.version)
    assert reminding.tell_due() == 0

    def told() -> list[tuple[str, str]]:
        rows = db.session.scalars(select(Notice).order_by(Notice.id)).all()
        lines = kinds.resolve(viewer_of(asks.member_id or 0), rows)
        return [(row.kind, lines[row.id].sentence) for row in rows if row.id in lines]

    at(noon() + 6 * DAY)
    assert (reminding.tell_due(), reminding.tell_due()) == (1, 0), "the short one is told of its end alone"
    assert told() == [("hold_ended", "Your hold of Bolt ended by itself")]
    at(noon() + 15 * DAY)
    assert (reminding.tell_due(), reminding.tell_due()) == (1, 0)
    assert told()[1] == ("hold_ends_soon", "Your hold of Acme ends after 22 Mar")
    at(noon() + 21 * DAY)
    assert (reminding.tell_due(), reminding.tell_due()) == (1, 0)
    assert [kind for kind, _sentence in told()] == ["hold_ended", "hold_ended"], "what is over ends no more"
    assert len(db.session.scalars(select(Mail.id)).all()) == 3
