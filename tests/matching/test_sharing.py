"""How fairly being asked is shared, as of Mondays: against what each member's own load was at that moment."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from flask import Flask

from portal.kernel import clock, page_cache
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import services
from portal.matching.evenness import gini, in_fives, in_steps
from portal.matching.models import Exposure, Reservation, Shown
from portal.matching.queries import load
from portal.matching.queries.loads import Load, loads_by_week
from portal.matching.queries.sharing import sharing
from portal.members.models import VerifiedBy
from tests.conftest import make_customer, make_prospect
from tests.matching.scenes import change, choose, had_request, held

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
NOW = MONDAY + timedelta(days=2, hours=10)
LONG_AGO = MONDAY - timedelta(days=300)
ON_BOTH = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


def _people(count: int) -> list[int]:
    with clock.frozen(LONG_AGO):
        return [make_customer() for _one in range(count)]


def _history(people: list[int], draw: Random) -> None:
    """Reservations and exposures of every kind over a year, most of them in the last months."""
    moment = lambda: NOW - timedelta(days=330 * draw.random() ** 2)  # noqa: E731 - one line, three uses
    with unit_of_work():
        for number in range(120):
            began = moment()
            later = began + timedelta(days=20 * draw.random())
            how = draw.choice(("outstanding", "held", "released", "did not happen"))
            db.session.add(
                Reservation(
                    member_id=draw.choice(people[:30]),
                    purpose=f"ask:{number}",
                    reserved_at=began,
                    held_at=later if how in ("held", "did not happen") else None,
                    released_at=later + timedelta(days=draw.random())
                    if how in ("released", "did not happen")
                    else None,
                )
            )
            shown = draw.choice(list(Shown))
            db.session.add(
                Exposure(member_id=draw.choice(people), kind=shown, purpose=f"s:{number}", at=moment())
            )


@ON_BOTH
def test_each_week_reads_as_it_was_on_its_monday(app: Flask) -> None:
    with app.app_context():
        people = _people(60)
        _history(people, Random(7))
        for number, limit in zip(people[:6], (0, 1, 1, 3, 5, 12), strict=True):
            choose(number, limit_per_quarter=limit)
        choose(people[6], conversations_open=False)
        talkers = set(people) - {people[0], people[6]}
        with clock.frozen(NOW):
            found = sharing(26)
            assert [week.monday for week in found.weeks][-1] == MONDAY
            for week in found.weeks:
                loads = {n: one for n, one in loads_by_week(people, week.monday).items() if n in talkers}
                holding = [one for one in loads.values() if one.taken]
                assert week.people == 60
                assert week.talkers == in_fives(58)
                assert week.holding == in_fives(len(holding))
                assert week.full == in_fives(sum(one.taken >= one.limit for one in holding))
                idle = [n for n in people if not _touched(n, week.monday)]
                assert (week.idle, week.asked) == (in_fives(len(idle)), in_fives(60 - len(idle)))
                if len(holding) >= 5:
                    assert week.gini == in_steps(gini(Counter(one.taken for one in loads.values())))
                    assert week.least_gini is not None
                    assert week.least_gini <= week.gini
                else:
                    assert week.gini is week.least_gini is None
            assert found.busiest is not None
            assert found.busiest.taken == max(one.taken for one in loads.values())
            assert found.busiest in loads.values()
            assert found.someone_over == any(one.taken > one.limit for one in loads.values())
    assert len({week.gini for week in found.weeks}) > 3, "the history is a history"


def _touched(member_id: int, monday: datetime) -> bool:
    since = monday - timedelta(days=90)
    shown = db.session.query(Exposure).filter_by(member_id=member_id).all()
    places = db.session.query(Reservation).filter_by(member_id=member_id).all()
    return (
        any(since < one.at < monday for one in shown)
        or any(since < one.reserved_at < monday for one in places)
        or loads_by_week([member_id], monday)[member_id].taken > 0
    )


def test_the_load_of_a_monday_is_the_load_that_limits_at_that_moment(app: Flask) -> None:
    with app.app_context():
        (member,) = _people(1)
        held(member, "ask:1", MONDAY - timedelta(days=89))
        with clock.frozen(MONDAY):
            assert load(member) == Load(1, 2) == loads_by_week([member], NOW)[member]


def test_nothing_changes_in_the_course_of_a_week(app: Flask) -> None:
    with app.app_context():
        people = _people(40)
        for number, member in enumerate(people[:20]):
            held(member, f"ask:{number}", MONDAY - timedelta(days=10 + number))
        with clock.frozen(MONDAY + timedelta(seconds=1)):
            before = sharing(12)
        for number, member in enumerate(people[20:35]):
            with clock.frozen(MONDAY + timedelta(days=1, minutes=number)):
                services.reserve(member, purpose=f"talk:{number}", expires_at=NOW)
                if number % 3:
                    had_request(member, f"open:{number}")
                if number % 2:
                    services.release(f"talk:{number}")
                elif number % 4:
                    services.hold(f"talk:{number}")
        page_cache.clear()
        with clock.frozen(MONDAY + timedelta(days=6, hours=23)):
            assert sharing(12) == before
        page_cache.clear()
        with clock.frozen(MONDAY + timedelta(days=7)):
            after = sharing(12)
        assert after.weeks[:-1] == before.weeks[1:]
        assert (before.now.idle, after.now.idle) == (20, 5)


@pytest.mark.parametrize("count", [1, 4])
def test_of_fewer_than_five_nothing_is_told(app: Flask, count: int) -> None:
    with app.app_context():
        people = _people(count)
        for number, member in enumerate(people):
            held(member, f"ask:{number}", MONDAY - timedelta(days=10))
            had_request(member, "open:1", MONDAY - timedelta(days=3))
        with clock.frozen(NOW):
            found = sharing(12)
    week = found.now
    assert [week.people, week.idle, week.asked, week.talkers, week.holding, week.full, week.gini] == [
        None
    ] * 7
    assert found.busiest is found.requests is found.choices is found.someone_over is None
    assert not found.is_empty


def test_of_fewer_than_five_with_a_conversation_nothing_is_told_among_many(app: Flask) -> None:
    with app.app_context():
        people = _people(40)
        told = []
        for number in range(5):
            with clock.frozen(NOW):
                page_cache.clear()
                found = sharing(12)
                told.append((found.now.holding, found.now.asked, found.now.gini, found.busiest))
            held(people[number], f"ask:{number}", MONDAY - timedelta(days=10))
        assert set(told) == {(0, 0, None, None)}
        with clock.frozen(NOW):
            page_cache.clear()
            found = sharing(12)
    assert (found.now.holding, found.now.asked, found.busiest) == (5, 5, Load(1, 2))
    assert (found.now.gini, found.now.least_gini) == (0.9, 0.9)


def test_nobody_at_all_is_an_empty_programme(app: Flask) -> None:
    with app.app_context(), clock.frozen(NOW):
        make_prospect()
        assert sharing(12).is_empty


def test_who_cannot_be_asked_is_not_idle(app: Flask) -> None:
    with app.app_context():
        people = _people(30)
        for member in people[:5]:
            choose(member, paused_until=NOW + timedelta(days=9))
        for member in people[5:10]:
            choose(member, conversations_open=False, answer_requests_open=False)
        for member in people[10:15]:
            choose(member, limit_per_quarter=0)  # still told of asks
        change(people[15], verified_by=None)
        with clock.frozen(NOW - timedelta(days=1)):
            make_customer()  # since Monday
        with clock.frozen(NOW):
            found = sharing(12)
    assert (found.now.people, found.now.idle, found.now.talkers) == (20, 20, 15)
    assert found.choices is not None
    assert (found.choices.customers, found.choices.paused) == (30, 5)
    assert (found.choices.no_talks, found.choices.no_requests) == (10, 5)


def test_whoever_claimed_an_imported_account_is_idle_from_then_on(app: Flask) -> None:
    with app.app_context():
        people = _people(15)
        for number, member in enumerate(people):
            change(
                member,
                import_source="forum",
                external_id=str(number),
                email_confirmed_at=MONDAY - timedelta(days=10),
                verified_by=VerifiedBy.IMPORTED,
            )
        with clock.frozen(NOW):
            assert [week.people for week in sharing(12).weeks[-3:]] == [None, 15, 15]


def test_answer_requests_of_the_month_stand_against_what_each_takes(app: Flask) -> None:
    with app.app_context():
        people = _people(40)
        for member in people[:10]:
            had_request(member, "open:1", MONDAY - timedelta(days=3))
            had_request(member, "open:2", MONDAY - timedelta(days=2))
        for member in people[10:25]:
            had_request(member, "open:1", MONDAY - timedelta(days=3))
            had_request(member, "open:3", MONDAY - timedelta(days=40))
        for member in people[25:30]:
            had_request(member, "open:4", MONDAY + timedelta(days=1))
        with clock.frozen(NOW):
            found = sharing(12).requests
    assert found is not None
    assert (found.people, found.none, found.some, found.full) == (40, 15, 15, 10)
