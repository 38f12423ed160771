"""What holds for Helpfulness whatever happens, on both databases."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from portal.advocacy.models import Act, Counts, Entry
from portal.advocacy.queries.accounts import rows_by_receiver, values_at
from portal.advocacy.queries.weights import in_force
from portal.advocacy.services.sums import renew_due
from portal.discussions.models import Thread, Vote
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from tests.advocacy.scenes import act, by_ledger, by_sums, helpfulness, make_world, rebuilt
from tests.conftest import noon

ACTS = ["ask", "answer", "answer", "vote", "vote", "vote", "unvote", "accept", "accept", "unaccept", "hide"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from([*ACTS, "restore"]), st.integers(0, 50), st.integers(0, 50), st.integers(0, 40)
    ),
    min_size=5,
    max_size=30,
)
FEW = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
pytestmark = pytest.mark.long

NEAR = {"rel": 1e-9, "abs": 1e-9}


def _clear() -> None:
    with unit_of_work():
        for table in (Entry, Vote, Thread):
            db.session.execute(delete(table))
    db.session.expire_all()


@FEW
@given(STEPS)
def test_running_sums_are_what_the_ledger_says_and_what_a_rebuild_makes(in_app: Flask, steps) -> None:
    _clear()
    world = make_world(companies=3, people=2)
    moment = noon()
    for what, a, b, days in steps:
        moment += timedelta(days=days, minutes=1)
        with clock.frozen(moment):
            act(world, what, a, b)
    for later in (timedelta(seconds=1), timedelta(days=100)):
        with clock.frozen(moment + later):
            running = by_sums(world.members)
            assert by_ledger(world.members) == pytest.approx(running, **NEAR)
            renew_due()
            assert by_sums(world.members) == pytest.approx(running, **NEAR)
    with clock.frozen(moment + timedelta(days=101)):
        running = by_sums(world.members)
        assert rebuilt(world.members, from_nothing=False) == pytest.approx(running, **NEAR)
        assert rebuilt(world.members, from_nothing=True) == pytest.approx(running, **NEAR)
        count = db.session.execute(select(func.count()).select_from(Entry)).scalar_one()
        rebuilt(world.members, from_nothing=False)
        assert db.session.execute(select(func.count()).select_from(Entry)).scalar_one() == count


@FEW
@given(STEPS)
def test_no_thanks_lowers_anybody_and_no_member_passes_the_bounds(in_app: Flask, steps) -> None:
    _clear()
    world = make_world(companies=3, people=3)
    moment = noon()
    for what, a, b, hours in steps:
        moment += timedelta(hours=hours, minutes=1)
        with clock.frozen(moment):
            before = by_sums(world.members)
            act(world, what, a, b)
            after = by_sums(world.members)
        if what in ("ask", "answer", "vote"):
            assert all(after[one] >= before[one] - 1e-9 for one in world.members)
        # Two other companies: three points each; five for answering.
        assert all(score <= 2 * 3 + 5 + 1e-9 for score in after.values())


@FEW
@given(STEPS)
def test_every_point_belongs_to_an_entry_with_a_source_and_no_entry_is_edited(in_app: Flask, steps) -> None:
    _clear()
    world = make_world(companies=3, people=2)
    moment = noon()
    seen: dict[int, object] = {}
    for what, a, b, days in steps:
        moment += timedelta(days=days, minutes=1)
        with clock.frozen(moment):
            act(world, what, a, b)
        rows = {row.id: tuple(row) for row in db.session.execute(select(*Entry.__table__.columns))}
        assert all(rows[number] == row for number, row in seen.items())
        seen = rows
    chains = db.session.execute(select(Entry).order_by(Entry.rule, Entry.source, Entry.turn)).scalars().all()
    for entry in chains:
        assert entry.source
        assert entry.receiver_id
        if entry.act in (Act.REVERSED, Act.RESTORED, Act.REVISED):
            assert entry.reverses_id in seen
    with clock.frozen(moment + timedelta(seconds=1)):
        for member, score in by_sums(world.members).items():
            standing = {(row.rule, row.source): row for row in chains if row.receiver_id == member}
            counting = [
                row
                for row in standing.values()
                if row.act is not Act.REVERSED and row.counts is not Counts.NONE
            ]
            assert score <= len(counting) + 1e-9
            assert (score > 0) == bool(counting)


@FEW
@given(STEPS, st.randoms(use_true_random=False))
def test_the_order_in_which_entries_are_read_does_not_matter(in_app: Flask, steps, draw) -> None:
    _clear()
    world = make_world(companies=3, people=2)
    moment = noon()
    for what, a, b, days in steps:
        if what in ("unvote", "unaccept", "hide", "restore"):
            continue
        moment += timedelta(days=days, minutes=1)
        with clock.frozen(moment):
            act(world, what, a, b)
    later = moment + timedelta(days=1)
    for receiver, rows in list(rows_by_receiver()):
        if any(row.turn for row in rows):
            continue  # a chain has an order by itself
        right = values_at(receiver, rows, [later], in_force())[0]
        shuffled = list(rows)
        draw.shuffle(shuffled)
        assert values_at(receiver, shuffled, [later], in_force())[0].helpfulness == pytest.approx(
            right.helpfulness, **NEAR
        )


@FEW
@given(STEPS, st.integers(0, 29))
def test_the_score_as_of_a_day_uses_nothing_that_came_after(in_app: Flask, steps, place) -> None:
    _clear()
    world = make_world(companies=3, people=2)
    moment = noon()
    at, then = None, {}
    for number, (what, a, b, days) in enumerate(steps):
        moment += timedelta(days=days, minutes=1)
        with clock.frozen(moment):
            act(world, what, a, b)
        if number == min(place, len(steps) - 1):
            at = moment + timedelta(seconds=1)
            with clock.frozen(at):
                then = by_sums(world.members)
    with clock.frozen(moment + timedelta(days=30)):
        assert {one: helpfulness(one, at) for one in world.members} == pytest.approx(then, **NEAR)
