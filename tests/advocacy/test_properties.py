"""What holds for Helpfulness whatever happens, on both databases."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from portal.advocacy.models import (
    Act,
    CompanySum,
    Counts,
    Engagement,
    Entry,
    GiverSum,
    MemberScore,
    Rule,
    ScopeScore,
)
from portal.advocacy.queries.accounts import rows_by_receiver, values_at
from portal.advocacy.queries.weights import in_force
from portal.advocacy.services import contesting
from portal.advocacy.services.noting import note_acceptance, note_votes
from portal.advocacy.services.sums import renew_due
from portal.conversations.models import Conversation
from portal.discussions.models import Post, Thread, Vote
from portal.discussions.services.voting import vote
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from tests.advocacy.scenes import act, by_ledger, by_sums, helpfulness, make_world, rebuilt
from tests.conftest import make_customer, make_moderator, noon, viewer_of

ACTS = ["ask", "answer", "answer", "vote", "vote", "vote", "unvote", "accept", "accept", "unaccept", "hide"]
ACTS += ["restore", "talk", "talk", "untalk", "engage", "engage", "disengage"]
THANKS = ("ask", "answer", "vote", "accept", "talk")  # all that earns; nothing of it may lower anybody


def steps_of(acts: list[str]) -> st.SearchStrategy:
    """Sequences of these: what, who, where, and how long after the one before."""
    one = st.tuples(st.sampled_from(acts), st.integers(0, 50), st.integers(0, 50), st.integers(0, 40))
    return st.lists(one, min_size=5, max_size=30)


STEPS = steps_of(ACTS)
FEW = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEWER = settings(FEW, max_examples=6)
pytestmark = pytest.mark.long

NEAR = {"rel": 1e-9, "abs": 1e-9}


def accepted_answers() -> dict[int, int]:
    """Posts that are accepted, and their authors."""
    rows = db.session.execute(
        select(Post.id, Post.author_id).join(Thread, Thread.accepted_post_id == Post.id)
    )
    return {row.id: row.author_id for row in rows}


def _sums() -> list[tuple[object, ...]]:
    """Every row of every table of sums."""
    tables = (GiverSum, CompanySum, MemberScore, ScopeScore)
    return [
        (table.__tablename__, *row)
        for table in tables
        for row in db.session.execute(select(*table.__table__.columns).order_by(*table.__table__.primary_key))
    ]


def _clear() -> None:
    with unit_of_work():
        for table in (Entry, Engagement, Vote, Thread, Conversation):
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
            before, accepted = by_sums(world.members), accepted_answers()
            act(world, what, a, b)
            after = by_sums(world.members)
        if what in THANKS:
            # Whoever accepts another answer takes back what they accepted before.
            taken_back = {author for post, author in accepted.items() if post not in accepted_answers()}
            others = [one for one in world.members if one not in taken_back]
            assert all(after[one] >= before[one] - 1e-9 for one in others)
        # Two other companies: three points each; five for answering.
        assert all(score <= 2 * 3 + 5 + 1e-9 for score in after.values())


# Who thanks: of the helper's own company, of two others, and without a company, six of each; and how.
CROWD = st.lists(st.tuples(st.integers(0, 23), st.sampled_from(["accept", "vote"])), min_size=20, max_size=45)


@FEWER
@given(CROWD)
@example([(who, "accept") for who in range(24)] * 2)
@example([(who, "vote") for who in range(24)])
@example([(6, "accept"), (12, "vote"), (18, "accept")] * 3)
def test_any_number_of_accounts_counts_as_its_companies_do(in_app: Flask, crowd) -> None:
    """Within a moment: a point a person, three a company, nothing from one's own, five for answering."""
    _clear()
    with clock.frozen(noon()):
        world = make_world(companies=3, people=6)
        strangers = [make_customer() for _n in range(6)]
        with unit_of_work():
            without = update(Member).where(Member.id.in_(strangers))
            db.session.execute(without.values(company_id=None, verified_by=None))
        helper, *colleagues = world.members[:6]
        people = [
            *colleagues,
            helper,
            *world.members[6:],
            *strangers,
        ]
        company_of = {member: place // 6 for place, member in enumerate(people)}
        asker = world.members[6]  # of the first of the other companies
        thanked: dict[int, set[int]] = {1: set(), 2: set(), 3: set()}
        answered = 0
        for who, how in crowd:
            giver = people[who]
            if giver == helper:
                continue
            if how == "accept":
                world.thank(giver, helper)
                answered += company_of[giver] != 0
            else:
                vote(viewer_of(giver), world.answer(helper, world.ask(asker)).id)
                answered += 1
            if company_of[giver] != 0:
                thanked[company_of[giver]].add(giver)
        counted = sum(min(3, len(persons)) for persons in thanked.values())
        expected = counted + min(5, 0.5 * answered)
    with clock.frozen(noon() + timedelta(seconds=1)):
        assert helpfulness(helper) == pytest.approx(expected, abs=1e-4)
        assert by_ledger([helper])[helper] == pytest.approx(expected, abs=1e-4)
        assert by_sums(colleagues) == dict.fromkeys(colleagues, 0)


@FEW
@given(STEPS)
def test_a_score_is_moved_by_no_engagement(in_app: Flask, steps) -> None:
    """Neither by one that is written down nor by one that is taken back: not one number of any sum."""
    _clear()
    world = make_world(companies=3, people=2)
    moment = noon()
    for number, (what, a, b, days) in enumerate(steps):
        moment += timedelta(days=days, minutes=1)
        with clock.frozen(moment):
            act(world, what, a, b)
        with clock.frozen(moment + timedelta(seconds=1)):
            before, sums = by_sums(world.members), _sums()
            act(world, "engage", a, b)
            if number % 2:
                act(world, "disengage", a, b)
            assert by_sums(world.members) == before
            assert by_ledger(world.members) == pytest.approx(before, **NEAR)
            assert _sums() == sums
    shown = db.session.execute(select(Entry).where(Entry.rule == Rule.ENGAGEMENT)).scalars().all()
    assert {entry.counts for entry in shown} == {Counts.NONE}
    with clock.frozen(moment + timedelta(seconds=2)):
        before = by_sums(world.members)
        assert rebuilt(world.members, from_nothing=True) == pytest.approx(before, **NEAR)
    again = db.session.execute(select(Entry).where(Entry.rule == Rule.ENGAGEMENT)).scalars().all()
    stand = db.session.execute(select(Engagement.id).where(Engagement.withdrawn_at.is_(None))).scalars()
    assert {(entry.source, entry.act) for entry in again} == {(str(one), Act.MADE) for one in stand}


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
@given(steps_of([one for one in ACTS if "talk" not in one]), st.integers(0, 29))
def test_the_score_as_of_a_day_uses_nothing_that_came_after(in_app: Flask, steps, place) -> None:
    # Without conversations: their entries say the month only, so a day within it cannot be told apart.
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


@FEWER
@given(STEPS, st.integers(0, 200), st.integers(0, 100))
@example(steps=[("ask", 0, 0, 0), ("talk", 0, 1, 0)], place=0, days=0)
def test_reversing_takes_away_from_one_alone_and_restoring_brings_everything_back(
    in_app: Flask, steps, place, days
) -> None:
    _clear()
    world = make_world(companies=3, people=2)
    moderator = viewer_of(make_moderator())
    moment = noon()
    for what, a, b, later in steps:
        moment += timedelta(days=later, minutes=1)
        with clock.frozen(moment):
            act(world, what, a, b)
    with clock.frozen(moment + timedelta(days=days, minutes=1)):
        chains = db.session.execute(select(Entry).order_by(Entry.turn, Entry.id)).scalars()
        last = {(row.rule, row.source): row for row in chains}
        # What conversations gave has no page and can't be taken up one by one (promise 1).
        standing = [
            row.id
            for row in last.values()
            if row.act is not Act.REVERSED and row.rule is not Rule.CONVERSATION
        ]
        if not standing:
            return
        entry = standing[place % len(standing)]
        receiver = db.session.get_one(Entry, entry).receiver_id
        before = by_sums(world.members)
        contesting.correct_entry(moderator, entry, Act.REVERSED, "A look at it.")
        without = by_sums(world.members)
        assert without[receiver] <= before[receiver] + 1e-9
        assert {**without, receiver: 0} == pytest.approx({**before, receiver: 0}, **NEAR)
        contesting.correct_entry(moderator, entry, Act.RESTORED, "It was right.")
        assert by_sums(world.members) == pytest.approx(before, **NEAR)
        assert rebuilt(world.members, from_nothing=False) == pytest.approx(before, **NEAR)


EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 10), st.integers(1, 60)), min_size=3, max_size=14, unique=True
)


@FEWER
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_in_which_thanks_are_brought_does_not_matter(in_app: Flask, events, draw) -> None:
    """Each event keeps its own moment, as when an import brings them late and mixed up."""

    def score(order) -> list[float]:
        _clear()
        with clock.frozen(noon()):
            world = make_world(companies=7, people=2)
            authors = world.members[:4]
            posts = [world.answer(author, world.ask(world.members[13])) for author in authors]
            where = [(post.id, post.thread_id) for post in posts]
        with clock.frozen(noon() + timedelta(days=61)):
            for post, who, days in order:
                giver, at = world.members[who + 3], noon() + timedelta(days=days)
                post_id, thread_id = where[post]
                with unit_of_work():
                    if who == 10:
                        thread = db.session.get_one(Thread, thread_id)
                        thread.accepted_post_id, thread.accepted_at = post_id, at
                        note_acceptance(thread_id)
                    elif giver != authors[post]:
                        db.session.add(Vote(post_id=post_id, member_id=giver, value=1, created_at=at))
                        note_votes([post_id])
            return [helpfulness(author) for author in authors]

    # Each giver thanks for a post once; the first moment drawn is theirs.
    once = list({(post, who): (post, who, days) for post, who, days in reversed(events)}.values())
    shuffled = list(once)
    draw.shuffle(shuffled)
    assert score(shuffled) == pytest.approx(score(sorted(once, key=lambda event: event[2])), **NEAR)
