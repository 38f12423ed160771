"""The limit on conversations: kept whatever the order of things, and by many at once on both databases."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.kernel import clock, events
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import queries, services
from portal.matching.criteria import Criteria
from portal.matching.errors import NoCapacity, SlotTaken
from portal.matching.events import ReservationExpired
from portal.matching.models import Availability, Exposure, Reservation, Shown
from portal.matching.services import reserving
from tests.conftest import noon
from tests.matching.scenes import change, choose, held, make_asker, make_helper, reserve
from tests.support.racing import at_once

DAY = timedelta(days=1)
QUARTER = timedelta(days=90)
AT_ONCE = 12


def taken(member: int, purpose: str, **options: Any) -> bool:
    try:
        reserve(member, purpose, **options)
    except NoCapacity:
        return False
    return True


def test_places_are_taken_up_to_the_limit_and_no_further(in_app: Flask) -> None:
    member = make_helper()
    assert [taken(member, f"talk:{n}") for n in range(4)] == [True, True, False, False]
    assert services.release("talk:0")
    assert not services.release("talk:0")
    assert taken(member, "talk:4")
    assert queries.load(member) == queries.Load(2, 2)


def test_the_same_purpose_twice_is_one_place(in_app: Flask) -> None:
    member, other = make_helper(), make_helper()
    assert taken(member, "talk:1")
    assert taken(member, "talk:1")
    assert queries.load(member).taken == 1
    assert not taken(other, "talk:1")


def test_a_place_that_was_held_counts_ninety_days_from_that_moment(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    member = make_helper(limit_per_quarter=1)
    at(noon())
    reserve(member, "talk:1")
    assert services.confirm("talk:1")
    at(noon() + 50 * DAY)
    assert services.hold("talk:1")
    assert not services.hold("talk:1")
    assert not services.release("talk:1"), "what was held stays counted"
    at(noon() + (50 + 90) * DAY)
    assert not taken(member, "talk:2")
    at(noon() + (50 + 90) * DAY + timedelta(seconds=1))
    assert taken(member, "talk:2")


def test_a_moment_out_of_order_is_taken_as_the_nearest(in_app: Flask, at: Callable[[datetime], None]) -> None:
    member = make_helper(limit_per_quarter=5)
    at(noon())
    for purpose, said, kept in (
        ("before", -3, 0),
        ("between", 1, 1),
        ("to come", 9, 2),
    ):
        at(noon())
        reserve(member, purpose, offered=True)
        at(noon() + 2 * DAY)
        services.hold(purpose, noon() + said * DAY)
        row = db.session.execute(select(Reservation.held_at).where(Reservation.purpose == purpose))
        assert row.scalar_one() == noon() + kept * DAY


@pytest.mark.parametrize(
    "reason", ["paused", "closed", "rest", "banned", "vendor", "suspended", "none", "erased"]
)
def test_what_changed_since_the_proposal_is_looked_at_again(in_app: Flask, reason: str) -> None:
    member = make_helper(limit_per_quarter=3)
    now = clock.now()
    match reason:
        case "paused":
            choose(member, paused_until=now + DAY)
        case "closed":
            choose(member, conversations_open=False)
        case "rest":
            held(member, "talk:0", now - 3 * DAY)
        case "suspended":
            change(member, suspended_until=now + DAY)
        case "none":
            choose(member, limit_per_quarter=0)
        case "banned" | "erased":
            change(member, state=reason)
        case "vendor":
            change(member, status="vendor")
    with pytest.raises(NoCapacity) as refused:
        reserve(member, "talk:1")
    assert refused.value.message == NoCapacity().message, "no reason tells about the person"


def test_what_the_member_offered_needs_no_rest_but_a_place(in_app: Flask) -> None:
    member = make_helper(limit_per_quarter=2, paused_until=clock.now() + DAY)
    held(member, "talk:0", clock.now() - 3 * DAY)
    assert taken(member, "talk:1", offered=True)
    assert not taken(member, "talk:2", offered=True)


def test_nobody_is_no_member(in_app: Flask) -> None:
    with pytest.raises(NotFound):
        reserve(987_654, "talk:1")


def test_places_nobody_answered_for_are_released_once_and_told(
    in_app: Flask, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[ReservationExpired] = []
    monkeypatch.setitem(events._listeners, ReservationExpired, [told.append])
    at(noon())
    member = make_helper(limit_per_quarter=3)
    slot = services.open_slot(member, noon() + 9 * DAY, 20).id
    for purpose in ("silent", "accepted", "held"):
        reserve(member, purpose, offered=True)
    services.take_slot(slot, "silent")
    services.confirm("accepted")
    services.hold("held")
    assert services.release_due() == 0
    at(noon() + 2 * DAY)
    assert services.release_due() == 1
    assert services.release_due() == 0
    assert told == [ReservationExpired(member, "silent")]
    assert queries.load(member).taken == 2
    assert [row.taken_by for row in queries.open_slots(member)] == [None]


@dataclass
class Place:
    """What the story itself remembers of a place that was taken."""

    purpose: str
    reserved_at: datetime
    expires_at: datetime | None
    held_at: datetime | None = None

    def counts(self, now: datetime) -> bool:
        return self.held_at is None or self.held_at >= now - QUARTER


which = st.integers(0, 5)
steps = st.one_of(
    st.tuples(st.just("reserve"), st.sampled_from([True, True, True, False])),
    st.tuples(st.just("reserve"), st.just(value=True)),
    st.tuples(st.just("hold"), st.tuples(which, st.sampled_from([0, 0, 1, 40]))),
    st.tuples(st.just("hold"), st.tuples(which, st.just(0))),
    st.tuples(st.just("wait"), st.sampled_from([0, 1, 3, 21, 30, 45, 89, 90, 91])),
    st.tuples(st.just("confirm"), which),
    st.tuples(st.just("release"), which),
    st.tuples(st.just("missed"), which),
    st.tuples(st.just("expire"), st.none()),
    st.tuples(st.just("limit"), st.integers(0, 4)),
    st.tuples(st.just("staff"), st.none() | st.integers(0, 4)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(steps, min_size=8, max_size=30))
# Counted by when they were reserved, or not at all once they were held, these went through.
@example([("reserve", True), ("confirm", 0), ("wait", 45), ("hold", (0, 0)), ("wait", 89), ("reserve", True),
          ("hold", (1, 0)), ("reserve", True), ("hold", (2, 0))])  # fmt: skip
@example([("reserve", True), ("hold", (0, 0))] * 4)
def test_no_ninety_days_hold_more_than_the_limit(in_app: Flask, story: list[tuple[str, Any]]) -> None:
    """Whatever the order of reserving, holding, releasing, expiring and changing the limit.

    What counts is worked out from the story alone: no word of what is stored or of how it is counted.
    """
    member, now = make_helper(limit_per_quarter=2), noon()
    own, staff, highest = 2, None, 0
    places: list[Place] = []
    for number, (what, value) in enumerate(story):
        now += value * DAY if what == "wait" else timedelta(minutes=1)
        outstanding = [one for one in places if one.held_at is None]
        with clock.frozen(now):
            match what:
                case "reserve":
                    limit = own if staff is None else min(own, staff)
                    is_free = sum(one.counts(now) for one in places) < limit
                    got = taken(member, f"{member}:{number}", offered=value)
                    assert got <= is_free, "never more than the limit"
                    assert got == is_free or not value, "and what is free is given to whom it was offered"
                    if got:
                        places.append(Place(f"{member}:{number}", now, now + 2 * DAY))
                        highest = max(highest, limit)
                case "hold" if outstanding:
                    one = outstanding[value[0] % len(outstanding)]
                    assert services.hold(one.purpose, now - value[1] * DAY)
                    one.held_at = max(one.reserved_at, now - value[1] * DAY)
                case "confirm" if outstanding:
                    one = outstanding[value % len(outstanding)]
                    assert services.confirm(one.purpose)
                    one.expires_at = None
                case "release" if outstanding:
                    one = outstanding[value % len(outstanding)]
                    assert services.release(one.purpose)
                    places.remove(one)
                case "missed":
                    held_ones = [one for one in places if one.held_at is not None]
                    if held_ones:
                        one = held_ones[value % len(held_ones)]
                        assert services.did_not_happen(one.purpose)
                        places.remove(one)
                case "expire":
                    due = [one for one in outstanding if one.expires_at is not None and one.expires_at <= now]
                    services.release_due()
                    places = [one for one in places if one not in due]
                case "limit":
                    own = value
                    choose(member, limit_per_quarter=value)
                case "staff":
                    staff = value
                    choose(member, staff_limit=value)
            assert queries.load(member).taken == sum(one.counts(now) for one in places) <= highest
    moments = sorted(one.held_at for one in places if one.held_at is not None)
    for begin in moments:
        assert sum(begin <= moment <= begin + QUARTER for moment in moments) <= highest


def test_of_many_at_once_as_many_get_a_place_as_there_are(in_app: Flask) -> None:
    member = make_helper(limit_per_quarter=3)
    results = at_once(in_app, lambda number: taken(member, f"talk:{number}"), AT_ONCE)
    assert sorted(results) == [False] * (AT_ONCE - 3) + [True] * 3
    assert queries.load(member) == queries.Load(3, 3)


def test_the_last_place_goes_to_one_while_others_hold_release_and_lower(in_app: Flask) -> None:
    member = make_helper(limit_per_quarter=4)
    for number in range(3):
        reserve(member, f"old:{number}", offered=True)

    def run(number: int) -> Any:
        match number % 4:
            case 0:
                return services.hold("old:0")
            case 1:
                return services.release("old:1")
            case 2:
                return lower(member)
        return taken(member, f"talk:{number}", offered=True)

    results = at_once(in_app, run, AT_ONCE)
    assert not [result for result in results if isinstance(result, Exception)]
    load = queries.load(member)
    assert load.taken <= 4
    assert not taken(member, "one more", offered=True) or queries.load(member).taken <= load.limit


def lower(member: int) -> None:
    with unit_of_work():
        reserving.lock(member)
        db.session.get_one(Availability, member, populate_existing=True).limit_per_quarter = 3


def test_twelve_times_the_same_purpose_is_one_place(in_app: Flask) -> None:
    member = make_helper()
    assert at_once(in_app, lambda _number: taken(member, "talk:1"), AT_ONCE) == [True] * AT_ONCE
    assert queries.load(member).taken == 1


def test_a_slot_is_booked_by_one(in_app: Flask) -> None:
    member = make_helper()
    slot = services.open_slot(member, clock.now() + DAY, 20).id
    results = at_once(in_app, lambda number: services.take_slot(slot, f"talk:{number}").taken_by, AT_ONCE)
    assert sum(isinstance(result, SlotTaken) for result in results) == AT_ONCE - 1


def test_waves_at_once_keep_the_monthly_limit(in_app: Flask) -> None:
    asker = make_asker()
    helpers = [make_helper() for _ in range(6)]
    results = at_once(
        in_app, lambda number: services.choose_for_wave(asker, Criteria(), purpose=f"ask:{number}"), 6
    )
    assert not [result for result in results if isinstance(result, Exception)]
    counts = db.session.execute(
        select(func.count()).where(Exposure.kind == Shown.ANSWER_REQUEST).group_by(Exposure.member_id)
    ).scalars()
    assert sorted(counts) == [2] * len(helpers)


def test_proposing_the_same_at_once_is_one_exposure(in_app: Flask) -> None:
    asker, helper = make_asker(), make_helper()
    results = at_once(
        in_app, lambda _n: services.propose(asker, Criteria(), purpose="ask:1").matches, AT_ONCE
    )
    assert [[match.member_id for match in matches] for matches in results] == [[helper]] * AT_ONCE
    assert db.session.scalar(select(func.count()).select_from(Exposure)) == 1


@pytest.mark.long
def test_processes_racing_for_places_never_exceed_the_limit(
    in_app: Flask, database: str, tmp_path: Path
) -> None:
    members = [make_helper(limit_per_quarter=limit) for limit in (1, 3, 7)]
    db.session.rollback()
    root = Path(__file__).parents[2]
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.matching.racer", str(tmp_path), database, name, *map(str, members)],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "abcd"
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    got = [int(racer.communicate(timeout=120)[0]) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * len(racers)
    assert [queries.load(member).taken for member in members] == [1, 3, 7]
    assert sum(got) == 11
