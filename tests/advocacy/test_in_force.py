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
from tests.advocacy.scenes import by_ledger, by_sums, helpfulness, make_world, rate
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


def _days(helper: int) -> int:
    [days] = [gate.have for gate in routes([helper])[helper].helper if gate.name == "days"]
    return days


def test_an_answer_found_helpful_on_four_days_is_one_day_of_help(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    world = make_world(companies=5, people=1)
    asker, helper, *readers = world.members
    post = world.answer(helper, world.ask(asker))
    for days, reader in enumerate((asker, *readers)):
        at(noon() + timedelta(days=days))
        vote(viewer_of(reader), post.id)
    assert _days(helper) == 1
    world.thank(asker, helper)
    assert _days(helper) == 2


def test_a_day_of_help_is_that_of_the_answer_and_only_where_somebody_thanked_for_it(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    world = make_world(companies=3, people=1)
    asker, helper, _reader = world.members
    thread = world.ask(asker)
    post = world.answer(helper, thread)
    assert _days(helper) == 0
    at(noon() + timedelta(days=170))
    accept(viewer_of(asker), thread.id, post.id)
    assert _days(helper) == 1
    at(noon() + timedelta(days=181))
    assert _days(helper) == 0


def test_conversations_found_useful_are_a_day_of_help_for_each_month(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    """The ledger does not know of which day they were: nobody is to find out who thanked."""
    world = make_world(companies=3, people=1)
    helper, *askers = world.members
    for asker in askers:
        rate(asker, helper, useful=True)
    assert _days(helper) == 1
