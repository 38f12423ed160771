"""New numbers come into force while the site is in use: what happens meanwhile follows them in the end."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from portal.advocacy.formula import Weights
from portal.advocacy.models import Counts, Entry, Rule
from portal.advocacy.queries.entries import is_in_force
from portal.advocacy.queries.weights import current
from portal.advocacy.services import scoping, sums, weighing
from portal.discussions.services.voting import vote, withdraw_vote
from portal.kernel.db import db
from tests.advocacy.scenes import helpfulness, make_world, rebuilt
from tests.conftest import make_admin, viewer_of


def decide(**numbers: float) -> None:
    weighing.decide(viewer_of(make_admin()), replace(Weights(), **numbers), "As we found out.")


def counted_votes(post_id: int) -> int:
    query = select(Entry.id).where(
        Entry.rule == Rule.VOTE, Entry.post_id == post_id, Entry.counts == Counts.THANKS, is_in_force()
    )
    return len(db.session.execute(query).all())


def once_each(*acts: Callable[[], object]) -> Callable[[str, int, int], None]:
    """Does one of these whenever the threads of the ledger were gone through, which is once a pass."""
    left = list(acts)

    def meanwhile(what: str, _done: int, _of: int) -> None:
        if what == "threads" and left:
            left.pop(0)()

    return meanwhile


def test_votes_that_come_while_new_numbers_are_applied_follow_them(in_app: Flask) -> None:
    world = make_world(companies=9, people=1)
    helper, asker, *voters = world.members
    post = world.answer(helper, world.ask(asker))
    late = world.answer(helper, world.ask(asker))
    for voter in voters[:4]:
        vote(viewer_of(voter), post.id)
    assert counted_votes(post.id) == 4
    decide(votes_per_post=2, half_life_days=30)
    applied = weighing.apply_due(
        once_each(
            lambda: [vote(viewer_of(voter), post.id) for voter in voters[4:6]],
            lambda: [vote(viewer_of(voter), late.id) for voter in voters[2:7]],
        )
    )
    assert (applied, current().votes_per_post, weighing.apply_due()) == (1, 2, 0)
    assert (counted_votes(post.id), counted_votes(late.id)) == (2, 2)
    assert helpfulness(helper) == pytest.approx(2 + 2 + 2 * 0.5, abs=1e-3)
    assert rebuilt([helper], from_nothing=True)[helper] == pytest.approx(helpfulness(helper), abs=1e-6)


def test_more_votes_count_also_where_one_was_taken_back_meanwhile(in_app: Flask) -> None:
    world = make_world(companies=9, people=1)
    helper, asker, *voters = world.members
    post = world.answer(helper, world.ask(asker))
    for voter in voters:
        vote(viewer_of(voter), post.id)
    assert counted_votes(post.id) == 5
    decide(votes_per_post=6)
    weighing.apply_due(
        once_each(
            lambda: withdraw_vote(viewer_of(voters[0]), post.id),
            lambda: vote(viewer_of(voters[0]), post.id),
        )
    )
    assert counted_votes(post.id) == 6
    assert helpfulness(helper) == pytest.approx(6.5, abs=1e-3)


def test_no_sum_is_renewed_by_the_old_numbers_while_new_ones_wait(in_app: Flask) -> None:
    world = make_world(companies=3, people=1)
    helper, asker, voter = world.members
    vote(viewer_of(voter), world.answer(helper, world.ask(asker)).id)
    decide(half_life_days=30)
    assert scoping.renew_due() == sums.renew_due() == 0
    weighing.apply_due()
    assert helpfulness(helper) == pytest.approx(1.5, abs=1e-3)
