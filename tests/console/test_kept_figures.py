"""Figures that are kept for a large community: a little old at most, and never what somebody else may see."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.queries import standing
from portal.advocacy.queries.yesterday import helped_between, helped_on
from portal.advocacy.services import choosing
from portal.console import explorer, gladly
from portal.console.explorer import Wanted
from portal.discussions.models import Audience
from portal.kernel import page_cache, renewing
from portal.kernel.access import Duty
from tests.advocacy.scenes import make_world
from tests.conftest import make_board, make_company, make_customer, make_moderator, noon, viewer_of
from tests.discussions.factories import make_thread
from tests.support.renewal import held_back, until

SignIn = Callable[[int], FlaskClient]
At = Callable[[datetime], None]
PAGES = ("/console/", "/console/members", "/console/rising", "/console/health", "/console/patterns")


@pytest.fixture
def large(app: Flask) -> Iterator[threading.Event]:
    """As in a community where every figure is dear; what is old is made anew once the event is set."""
    with held_back(app) as begin, page_cache.everything_dear_and_old():
        yield begin


def shown(page: str) -> str:
    """The text of a page, without what each form has of its own."""
    return re.sub(r'value="[^"]{20,}"|nonce="[^"]*"', "", page.split("<main", 1)[1])


def test_an_old_count_is_given_at_once_and_then_the_new_one(in_app: Flask, large: threading.Event) -> None:
    make_customer(company_id=make_company(industry="62"))
    assert explorer.facets(Wanted()).industry["62"] == 1
    make_customer(company_id=make_company(industry="62"))
    assert explorer.facets(Wanted()).industry["62"] == 1
    large.set()
    until(lambda: explorer.facets(Wanted()).industry["62"] == 2)


def test_the_rows_beside_old_counts_are_those_of_now(
    app: Flask, sign_in: SignIn, large: threading.Event
) -> None:
    with app.app_context():
        browser = sign_in(make_moderator())
    browser.get("/console/members")
    with app.app_context():
        make_customer("Tamsin Boyle")
    assert "Tamsin Boyle" in browser.get("/console/members").text


@pytest.mark.parametrize("path", ["/console/members", "/console/health"])
def test_pages_say_how_old_their_counts_are(
    app: Flask, sign_in: SignIn, at: At, large: threading.Event, path: str
) -> None:
    at(noon())
    with app.app_context():
        asker = make_customer()
        make_thread(asker, make_board())
        browser = sign_in(make_moderator())
    assert "counted" not in browser.get(path).text.split("<main", 1)[1]
    at(noon() + timedelta(minutes=4))
    assert re.search(r"counted <time[^>]*>4 min ago</time>", browser.get(path).text)


def test_whoever_opts_out_leaves_at_once_what_is_kept_of_yesterday(
    in_app: Flask, at: At, large: threading.Event
) -> None:
    at(noon())
    world = make_world(companies=3, people=1)
    helper, other, asker = world.members
    world.thank(asker, helper)
    world.thank(asker, other)
    at(noon() + timedelta(days=1))
    day = gladly.yesterday()
    assert {one.member_id for one in helped_on(*day)} == {helper, other}
    choosing.choose(viewer_of(helper), not_scored=True, not_approached=False)
    assert [one.member_id for one in helped_on(*day)] == [other]


def test_the_member_who_rises_is_kept_but_neither_their_number_nor_their_choice(
    in_app: Flask, at: At, large: threading.Event
) -> None:
    at(noon())
    world = make_world(companies=4, people=1)
    helper, *others = world.members
    world.thank(others[0], helper)
    ruth = viewer_of(make_moderator())

    def riser() -> gladly.Riser | None:
        return gladly.of_yesterday(ruth).riser

    first = riser()
    assert first is not None
    assert first.standing.member_id == helper
    world.thank(others[1], others[2])
    world.thank(others[1], helper)
    second = riser()
    assert second is not None
    assert second.standing.member_id == helper
    assert second.standing.helpfulness > first.standing.helpfulness
    choosing.choose(viewer_of(helper), not_scored=False, not_approached=True)
    assert riser() is None, "the other is not known yet"
    large.set()
    until(lambda: (found := riser()) is not None and found.standing.member_id == others[2])


def test_thanks_are_said_with_the_numbers_of_now(in_app: Flask, at: At, large: threading.Event) -> None:
    at(noon())
    world = make_world(companies=4, people=1)
    helper, *others = world.members
    world.thank(others[0], helper)
    day = noon() - timedelta(hours=12), noon() + timedelta(hours=12)
    assert [one.companies for one in helped_on(*day)] == [1]
    world.thank(others[1], helper)
    assert [one.companies for one in helped_on(*day)] == [1], "a little old"
    assert [one.companies for one in helped_between(*day)] == [2]


def test_numbers_of_those_who_rise_are_never_old(in_app: Flask, at: At, large: threading.Event) -> None:
    at(noon())
    world = make_world(companies=4, people=1)
    helper, *others = world.members
    world.thank(others[0], helper)
    [before] = standing.rising(10)
    world.thank(others[1], helper)
    [after] = standing.rising(10)
    assert after.helpfulness > before.helpfulness
    assert after.companies == 2


def test_nobody_is_given_what_was_kept_for_somebody_else(
    app: Flask, sign_in: SignIn, large: threading.Event
) -> None:
    """A peer moderator and a vendor's one read the same whether the other looked before or not."""
    with app.app_context():
        world = make_world(companies=4, people=1)
        helper, *others = world.members
        for other in others:
            world.thank(other, helper)
        hidden = make_board("Behind the scenes", audience=Audience.STAFF)
        make_thread(make_moderator(), hidden, "Whom we will not renew")
        vendor = sign_in(make_moderator())
        peer = sign_in(make_customer(duties=(Duty.MODERATOR,)))
    for path in PAGES:
        alone = {}
        for who, browser in (("peer", peer), ("vendor", vendor)):
            page_cache.clear()
            alone[who] = browser.get(path)
        page_cache.clear()
        vendor.get(path)
        after = peer.get(path)
        assert (after.status_code, len(after.text)) == (alone["peer"].status_code, len(alone["peer"].text))
        if after.status_code == 200:
            assert shown(after.text) == shown(alone["peer"].text), path
        page_cache.clear()
        peer.get(path)
        assert shown(vendor.get(path).text) == shown(alone["vendor"].text), path


def test_what_is_kept_ready_is_what_the_pages_ask_for(
    app: Flask, sign_in: SignIn, large: threading.Event
) -> None:
    """Made ready before, no page counts again what every moderator looks at first."""
    with app.app_context():
        browser = sign_in(make_moderator())
        for work in renewing.ready():
            work()
        kept = {id(one): set(one.keys()) for one in page_cache.dear()}
        assert sum(map(len, kept.values())) == 8
    for path in PAGES:
        assert browser.get(path).status_code == 200
    assert {id(one): set(one.keys()) for one in page_cache.dear()} == kept
