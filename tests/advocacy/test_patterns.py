"""What looks like agreement beforehand: each pattern when it is there, and when it only nearly is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.queries.patterns import SHOWN, Patterns, Wanted, patterns
from portal.discussions.services.voting import vote
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Session
from tests.advocacy.scenes import World, make_world
from tests.conftest import make_company, make_customer, make_moderator, noon, viewer_of

SignIn = Callable[[int], FlaskClient]
Move = Callable[..., None]


@pytest.fixture(autouse=True)
def _at_noon(at: Move) -> None:
    at(noon())


@pytest.fixture
def world(in_app: Flask) -> World:
    return make_world(companies=8, people=1)


def found(**wanted: object) -> Patterns:
    return patterns(Wanted(**wanted))  # type: ignore[arg-type]


def thank(world: World, giver: int, receiver: int, times: int = 1) -> None:
    for _time in range(times):
        world.thank(giver, receiver)


def visit(member: int, address: str) -> None:
    """The member used the site from this address."""
    with unit_of_work():
        now = clock.now()
        db.session.add(
            Session(
                token_hash=f"session-{member}",
                member_id=member,
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(days=30),
                address=address,
            )
        )


def posts_of(world: World, author: int, count: int) -> list[int]:
    return [world.answer(author, world.ask(world.members[-1])).id for _n in range(count)]


@pytest.mark.parametrize(("there", "back", "is_one"), [(2, 2, True), (5, 1, False), (2, 0, False)])
def test_a_pair_thanks_each_other_twice_each_way(world: World, there: int, back: int, is_one: bool) -> None:
    one, other, third = world.members[:3]
    thank(world, one, other, there)
    thank(world, other, one, back)
    thank(world, one, third, 4)
    pairs = found().pairs
    assert pairs.all == is_one
    for pair in pairs.rows:
        assert {pair.one.member_id, pair.other.member_id} == {one, other}
        assert (pair.there, pair.back) == (2, 2)
        assert pair.share == pytest.approx(4 / 8)


def test_a_pair_of_long_ago_is_none(world: World, at: Move) -> None:
    one, other = world.members[:2]
    thank(world, one, other, 2)
    thank(world, other, one, 2)
    at(noon() + timedelta(days=91))
    assert found().is_empty


@pytest.mark.parametrize(("count", "hours", "is_one"), [(5, 4, True), (4, 4, False), (5, 13, False)])
def test_a_burst_is_five_thanks_within_a_day(
    world: World, at: Move, count: int, hours: int, is_one: bool
) -> None:
    helper, *givers = world.members
    for number in range(count):
        at(noon() + timedelta(hours=hours * number))
        world.thank(givers[number % 2], helper)
    bursts = found().bursts
    assert bursts.all == is_one
    for burst in bursts.rows:
        assert (burst.member.member_id, burst.count, burst.people) == (helper, 5, 2)
        assert burst.until - burst.since == timedelta(hours=16)


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("198.51.100.4", "198.51.100.200", True),
        ("198.51.100.4", "198.51.101.4", False),
        ("2001:db8:1::1", "2001:db8:1:ff::9", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_accounts_of_one_network_that_thank_one_another_are_a_group(
    world: World, first: str, second: str, is_one: bool
) -> None:
    one, other, bystander = world.members[:3]
    world.thank(one, other)
    visit(one, first)
    visit(other, second)
    visit(bystander, first)  # shares the network, thanks nobody
    ranges = found().ranges
    assert ranges.all == is_one
    for group in ranges.rows:
        assert {person.member_id for person in group.people} == {one, other}
        assert group.thanks_between == 1


def test_a_network_whose_people_thank_others_only_is_no_group(world: World) -> None:
    one, other, third, fourth = world.members[:4]
    world.thank(one, third)
    world.thank(other, fourth)
    visit(one, "198.51.100.4")
    visit(other, "198.51.100.5")
    assert found().ranges.all == 0


@pytest.mark.parametrize(("posts", "minutes", "is_one"), [(3, 9, True), (2, 9, False), (3, 11, False)])
def test_votes_arrive_together_three_times_within_ten_minutes(
    world: World, at: Move, posts: int, minutes: int, is_one: bool
) -> None:
    helper, one, other = world.members[:3]
    for number, post in enumerate(posts_of(world, helper, posts)):
        begin = noon() + timedelta(days=number)
        at(begin)
        vote(viewer_of(one), post)
        at(begin + timedelta(minutes=minutes))
        vote(viewer_of(other), post)
    together = found().together
    assert together.all == is_one
    for pair in together.rows:
        assert ({pair.one.member_id, pair.other.member_id}, pair.times) == ({one, other}, 3)


def test_the_list_is_narrowed_sorted_paged_and_exported(app: Flask, sign_in: SignIn, at: Move) -> None:
    with app.app_context():
        world = make_world(companies=1, people=1)
        acme = make_company("Acme Mills")
        often = [make_customer("Olga Often"), make_customer("Oskar Often", company_id=acme)]
        late = [make_customer("Lena Late"), make_customer("Luis Late")]
        helper = make_customer("Berta Burst")
        for pair, times in ((often, 3), (late, 2)):
            thank(world, pair[0], pair[1], times)
            thank(world, pair[1], pair[0], times)
            thank(world, pair[0], helper, 3)
            at(noon() + timedelta(hours=2))
        moderator = make_moderator()
        named = Wanted(words="acme")
        assert [pair.one.name for pair in patterns(named).pairs.rows] == ["Olga Often"]
        assert patterns(named).bursts.all == 0
        assert [pair.one.name for pair in found(sort="often").pairs.rows] == ["Olga Often", "Lena Late"]
        assert [pair.one.name for pair in found(sort="latest").pairs.rows] == ["Lena Late", "Olga Often"]
        assert found(kind="bursts").pairs.all == 0
        second = patterns(Wanted(kind="pairs", page=2), most=1)
        assert (len(second.pairs.rows), second.pairs.all) == (1, 2)
    browser = sign_in(moderator)
    every = browser.get("/console/patterns").text
    assert all(name in every for name in ("Olga Often", "Lena Late", "Berta Burst"))
    bursts = browser.get("/console/patterns?kind=bursts&sort=latest").text
    assert "Berta Burst" in bursts
    assert "Lena Late" not in bursts
    assert 'href="/console/patterns.csv?kind=bursts&amp;sort=latest"' in bursts
    assert "Nothing fits" in browser.get("/console/patterns?q=nobody+is+called+so").text
    assert len(browser.get("/console/patterns.csv").text.splitlines()) == 4
    file = browser.get("/console/patterns.csv?q=late&kind=pairs").text.splitlines()
    assert file[1].startswith("thank each other,Lena Late,Luis Late,4,")
    assert len(file) == 2
    assert browser.get("/console/patterns?page=0&kind=x&sort=y").status_code == 200


def test_more_of_a_kind_than_fit_are_read_by_the_page(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        world = make_world(companies=1, people=1)
        for number in range(SHOWN + 1):
            one, other = make_customer(f"One {number:02}"), make_customer(f"Other {number:02}")
            thank(world, one, other, 2)
            thank(world, other, one, 2)
        moderator = make_moderator()
    browser = sign_in(moderator)
    assert f"All {SHOWN + 1} of this kind" in browser.get("/console/patterns").text
    first = browser.get("/console/patterns?kind=pairs").text
    assert 'href="/console/patterns?kind=pairs&amp;page=2"' in first
    second = browser.get("/console/patterns?kind=pairs&page=2").text
    assert second.count("<tr data-row>") == 1
