"""Thanks that were taken back count nowhere: the ledger keeps their rows, lists pass over them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from portal.advocacy.queries.recognition import FIRST_ACCEPTED, badges_of
from portal.advocacy.queries.routes import routes
from portal.advocacy.queries.yesterday import helped_between, thanks_of
from portal.discussions.services.acceptance import accept, withdraw_acceptance
from portal.discussions.services.voting import vote, withdraw_vote
from tests.advocacy.scenes import by_ledger, by_sums, helpfulness, make_world
from tests.conftest import noon, viewer_of


@pytest.fixture(autouse=True)
def _at_noon(at: Callable[[datetime], None]) -> None:
    at(noon())


def test_withdrawn_thanks_are_no_help_of_that_day_and_no_badge(in_app: Flask) -> None:
    world = make_world(companies=3, people=1)
    asker, helper, reader = world.members
    thread = world.ask(asker)
    post = world.answer(helper, thread)
    vote(viewer_of(reader), post.id)
    accept(viewer_of(asker), thread.id, post.id)
    day = (noon() - timedelta(hours=12), noon() + timedelta(hours=12))
    [helped] = helped_between(*day)
    assert (helped.companies, helped.accepted, helped.answered) == (2, 1, 1)
    assert thanks_of([helper], day[0]) == {helper: 2}
    assert badges_of(helper) == [FIRST_ACCEPTED]
    withdraw_vote(viewer_of(reader), post.id)
    withdraw_acceptance(viewer_of(asker), thread.id)
    [helped] = helped_between(*day)
    assert (helped.companies, helped.accepted, helped.answered) == (0, 0, 1)
    assert thanks_of([helper], day[0]) == {}
    assert badges_of(helper) == []
    accept(viewer_of(asker), thread.id, post.id)
    assert badges_of(helper) == [FIRST_ACCEPTED]


def test_days_of_help_are_those_whose_thanks_stand(in_app: Flask) -> None:
    world = make_world(companies=3, people=1)
    asker, helper, reader = world.members
    thread = world.ask(asker)
    post = world.answer(helper, thread)
    vote(viewer_of(reader), post.id)
    [days] = [gate.have for gate in routes([helper])[helper].helper if gate.name == "days"]
    assert days == 1


def test_a_limit_that_stopped_to_bind_is_followed_before_anybody_renews_the_sums(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    world = make_world(companies=4, people=1)
    helper, *others = world.members
    for giver, times in zip(others, (3, 2, 1), strict=True):
        for _time in range(times):
            world.thank(giver, helper)
    for days in (0, 30, 59, 61, 90, 96, 200):
        at(noon() + timedelta(days=days, seconds=1))
        assert by_sums([helper]) == pytest.approx(by_ledger([helper]), rel=1e-9, abs=1e-9)
    at(noon() + timedelta(days=70))
    decay = 2 ** (-70 / 60)
    answering = 6 * 0.5
    assert helpfulness(helper) == pytest.approx(1 + (2 + 1 + answering) * decay, rel=1e-9)
