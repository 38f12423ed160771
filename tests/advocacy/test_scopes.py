"""Scores within a product or a tag: the same rule, the same bounds, right after whatever happened."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from portal.advocacy.commands import score
from portal.advocacy.models import Entry, ScopeScore
from portal.advocacy.queries import scopes
from portal.advocacy.queries.weights import current
from portal.advocacy.services import choosing, rebuilding, scoping
from portal.asks.models import Ask, AskMode, AskState
from portal.console import explorer
from portal.console.explorer import Wanted
from portal.discussions.models import Post, Tag, Thread, Vote
from portal.discussions.services.acceptance import accept, withdraw_acceptance
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.tools import merge_threads
from portal.discussions.services.voting import vote
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Product
from portal.members.services import lists
from portal.members.services.lists import ProductRow
from tests.advocacy.scenes import World, act, by_scope, by_sums, make_world
from tests.conftest import make_admin, make_moderator, noon, viewer_of
from tests.discussions.factories import make_post, make_thread, opening_of
from tests.support.statements import count_statements

NEAR = {"rel": 1e-9, "abs": 1e-9}


@pytest.fixture(autouse=True)
def _at_noon(at: Any) -> None:
    at(noon())


def tag(name: str) -> str:
    return scopes.tag_scope(db.session.execute(select(Tag.id).where(Tag.name == name)).scalar_one())


def product(name: str, tags: str = "") -> str:
    with unit_of_work():
        row = Product(name=name, tags=tags)
        db.session.add(row)
        db.session.flush()
        return scopes.product_scope(row.id)


def helped(world: World, giver: int, helper: int, *tags: str) -> tuple[Thread, Post]:
    """The asker accepts an answer in a thread with these tags."""
    thread = make_thread(giver, world.board, tags=" ".join(tags))
    post = make_post(helper, thread)
    accept(viewer_of(giver), thread.id, post.id)
    return thread, post


def parts(member: int, at: Any = None) -> dict[str, float]:
    return {part.name: round(part.value.helpfulness, 6) for part in scopes.parts_of(member, at)}


def test_a_tag_and_the_products_it_belongs_to_have_a_score_of_their_own(in_app: Flask) -> None:
    world = make_world(companies=4, people=1)
    helper, *others = world.members
    mapper = product("Mapper")
    product("Gateway", "peppol e-invoicing")
    helped(world, others[0], helper, "mapper", "speed")
    helped(world, others[1], helper, "peppol")
    helped(world, others[2], helper)
    assert parts(helper) == {"Mapper": 1.5, "Gateway": 1.5, "mapper": 1.5, "speed": 1.5, "peppol": 1.5}
    assert [part.is_product for part in scopes.parts_of(helper)][:3] == [True, True, False]
    assert by_scope(mapper, world.members) == {helper: pytest.approx(1.5)}
    assert by_scope(tag("speed"), world.members) == {helper: pytest.approx(1.5)}


def test_an_ask_that_considers_a_product_is_about_it(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    helper, asker = world.members
    lanes, other = product("Lanes"), product("Other")
    thread = make_thread(asker, world.board)
    now = clock.now()
    with unit_of_work():
        number = scopes.number_of(lanes)
        db.session.add(
            Ask(
                thread_id=thread.id,
                asker_id=asker,
                mode=AskMode.OPEN,
                state=AskState.RUNNING,
                product_ids=[number * 10 + 7, number],
                created_at=now,
            )
        )
    make_post(helper, thread)
    assert parts(helper) == {"Lanes": 0.5}
    assert by_scope(lanes, [helper]) == {helper: pytest.approx(0.5)}
    assert by_scope(other, [helper]) == {}
    assert scopes.in_scope(lanes, None) == scopes.in_scope(lanes, [helper])


def test_people_and_companies_are_held_to_their_limits_within_a_tag(in_app: Flask) -> None:
    world = make_world(companies=2, people=5)
    helper, crowd = world.members[0], world.members[5:]
    for giver in crowd:
        for _more in range(2):
            helped(world, giver, helper, "mapper")
            helped(world, giver, helper, "lanes")
    found = {part.name: part.value for part in scopes.parts_of(helper)}
    assert found["mapper"].thanks == pytest.approx(3)
    assert found["mapper"].participation == pytest.approx(5)
    assert found["mapper"].companies == 1
    assert by_scope(tag("mapper"), [helper]) == {helper: pytest.approx(8)}


def test_what_is_taken_back_counts_no_more(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    helper, asker = world.members
    thread, _post = helped(world, asker, helper, "mapper")
    scope = tag("mapper")
    assert by_scope(scope, [helper]) == {helper: pytest.approx(1.5)}
    withdraw_acceptance(viewer_of(asker), thread.id)
    # Before the job has come by, too.
    assert scopes.values_now(scope, [helper])[helper].helpfulness == pytest.approx(0.5)
    assert by_scope(scope, [helper]) == {helper: pytest.approx(0.5)}


def test_a_thread_filed_anew_counts_under_its_new_tag_alone(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    helper, asker = world.members
    thread, _post = helped(world, asker, helper, "mapper")
    old = tag("mapper")
    assert by_scope(old, [helper])
    opening = opening_of(thread)
    edit = Edit(body=opening.source, title=thread.title, tags="lanes", version=opening.version)
    edit_post(viewer_of(asker), opening.id, edit)
    assert parts(helper) == {"lanes": 1.5}
    assert by_scope(old, [helper]) == {}
    assert by_scope(tag("lanes"), [helper]) == {helper: pytest.approx(1.5)}


def test_posts_that_were_merged_count_where_they_stand_now(in_app: Flask) -> None:
    world = make_world(companies=3, people=1)
    helper, asker, reader = world.members
    moderator = make_moderator()
    source = make_thread(asker, world.board, tags="mapper")
    target = make_thread(asker, world.board, tags="lanes")
    post = make_post(helper, source)
    vote(viewer_of(reader), post.id)
    merge_threads(viewer_of(moderator), source.id, target.id, "Asked twice.")
    assert parts(helper) == {"lanes": 1.5}
    assert by_scope(tag("mapper"), [helper]) == {}
    assert by_scope(tag("lanes"), [helper]) == {helper: pytest.approx(1.5)}


def test_other_tags_of_a_product_change_who_helps_with_it(in_app: Flask) -> None:
    world = make_world(companies=2, people=1)
    helper, asker = world.members
    scope = product("Gateway")
    helped(world, asker, helper, "peppol")
    assert by_scope(scope, [helper]) == {}
    number = scopes.number_of(scope)
    admin = viewer_of(make_admin())
    lists.save_products(admin, [ProductRow(number, "Gateway", tags="Peppol, e-invoicing")])
    assert db.session.get_one(Product, number).tags == "peppol e-invoicing"
    assert by_scope(scope, [helper]) == {helper: pytest.approx(1.5)}
    lists.save_products(admin, [ProductRow(number, "Gateway")])
    assert by_scope(scope, [helper]) == {}


def test_the_past_knows_nothing_of_what_came_later(in_app: Flask, at: Any) -> None:
    world = make_world(companies=3, people=1)
    helper, *others = world.members
    helped(world, others[0], helper, "mapper")
    then = clock.now() + timedelta(days=1)
    at(clock.now() + timedelta(days=60))
    helped(world, others[1], helper, "mapper")
    decay = 2 ** (-1 / 60)
    assert parts(helper, then) == {"mapper": round(1.5 * decay, 6)}
    assert parts(helper) == {"mapper": 2.25}
    assert by_scope(tag("mapper"), [helper]) == {helper: pytest.approx(2.25)}


def test_a_place_is_among_those_who_helped_there(in_app: Flask) -> None:
    world = make_world(companies=4, people=1)
    best, second, asker, other = world.members
    for giver in (asker, other):
        helped(world, giver, best, "mapper")
    helped(world, asker, second, "mapper")
    scoping.renew_due()
    places = [
        (part.place, part.of)
        for one in (best, second)
        for part in scopes.with_places(one, scopes.parts_of(one))
    ]
    assert places == [(1, 2), (2, 2)]


def test_the_number_of_statements_does_not_grow_with_tags(in_app: Flask) -> None:
    world = make_world(companies=3, people=1)
    helper, asker, _other = world.members
    counts = []
    for number in range(12):
        helped(world, asker, helper, f"tag{number}", f"more{number}")
        if number in (1, 11):
            with count_statements(db.engine) as statements:
                scopes.with_places(helper, scopes.parts_of(helper))
            counts.append(len(statements))
    assert counts[0] == counts[1]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "answer", "answer", "vote", "vote", "accept", "unvote", "unaccept", "hide"]),
        st.integers(0, 50),
        st.integers(0, 50),
        st.integers(0, 40),
    ),
    min_size=5,
    max_size=25,
)


@pytest.mark.long
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_every_scope_keeps_the_bounds_and_follows_the_ledger(in_app: Flask, steps: Any) -> None:
    with unit_of_work():
        for table in (Entry, ScopeScore, Vote, Thread):
            db.session.execute(delete(table))
    db.session.expire_all()
    world = make_world(companies=3, people=2)
    tags = ("red", "blue")
    for number, member in enumerate(world.members):
        make_thread(member, world.board, tags=f"{tags[number % 2]} all")
    moment = noon()
    for what, a, b, days in steps:
        moment += timedelta(days=days, minutes=1)
        with clock.frozen(moment):
            act(world, what, a, b)
    for later in (timedelta(seconds=1), timedelta(days=90)):
        with clock.frozen(moment + later):
            whole = by_sums(world.members)
            names = {name: tag(name) for name in (*tags, "all")}
            exact = {name: scopes.in_scope(scope, None) for name, scope in names.items()}
            for name, scope in names.items():
                kept = by_scope(scope, world.members)
                assert kept == pytest.approx(
                    {one: value.helpfulness for one, value in exact[name].items()}, **NEAR
                )
                for one, value in exact[name].items():
                    assert value.thanks <= 2 * 3 + 1e-9  # two other companies
                    assert value.participation <= 5 + 1e-9
                    assert value.helpfulness <= whole[one] + 1e-9
                    red, blue = (exact[part].get(one) for part in tags)
                    parted = sum(part.helpfulness for part in (red, blue) if part)
                    assert name != "all" or value.helpfulness <= parted + 1e-9
    with clock.frozen(moment + timedelta(days=91)):
        before = {name: by_scope(tag(name), world.members) for name in tags}
        rebuilding.rebuild()
        assert {name: by_scope(tag(name), world.members) for name in tags} == {
            name: pytest.approx(values, **NEAR) for name, values in before.items()
        }


def test_pages_say_where_one_helps_and_who_helps_most(
    app: Flask, sign_in: Callable[[int], FlaskClient]
) -> None:
    with app.app_context():
        world = make_world(companies=4, people=1)
        best, second, asker, other = world.members
        product("Lane keeper", "mapper")
        for giver in (asker, other):
            helped(world, giver, best, "mapper")
        helped(world, asker, second, "mapper")
        helped(world, asker, second)
        scoping.renew_due()
        scope = tag("mapper")
        names = {one: viewer_of(one) for one in world.members}
        moderator = make_moderator()
    own = sign_in(best).get("/me/score").text
    assert "By product and tag" in own
    assert "Lane keeper" in own
    assert " of 2" not in own.split("By product and tag", 1)[1]  # no place among others
    browser = sign_in(moderator)
    beside = browser.get(f"/console/scores/{names[second].username}").text
    assert "2 of 2" in beside
    listed = browser.get(f"/console/members?scope={scope}&sort=helpful").text
    rows = listed.split("<tbody>", 1)[1]
    assert rows.index(names[best].display_name) < rows.index(names[second].display_name)
    assert names[asker].display_name not in rows
    assert "3.00" in rows  # two askers and two answers
    assert "Helpfulness, mapper" in listed
    assert "Lane keeper (3.0)" in browser.get(f"/console/members/{names[best].username}").text
    file = browser.get(f"/console/members.csv?scope={scope}&sort=helpful").text
    assert "helpfulness within the tag" in file
    assert file.splitlines()[1].startswith(names[best].username)
    for nonsense in ("x1", "t", "t-1", "t99999999", "p0"):
        assert browser.get(f"/console/members?scope={nonsense}").status_code == 200


def test_whoever_opted_out_stands_in_no_list_of_a_tag(app: Flask) -> None:
    with app.app_context():
        world = make_world(companies=3, people=1)
        helper, other, asker = world.members
        for one in (helper, other):
            helped(world, asker, one, "mapper")
        scoping.renew_due()
        scope = tag("mapper")
        assert len(explorer.members(Wanted(scope=scope))) == 2
        choosing.choose(viewer_of(helper), not_scored=True, not_approached=False)
        assert [one.id for one in explorer.members(Wanted(scope=scope, sort="helpful"))] == [other]
        assert scopes.highest_of(helper, 5) == []


def test_the_command_tells_scores_of_a_product_and_a_tag(app: Flask) -> None:
    with app.app_context():
        world = make_world(companies=2, people=1)
        helper, asker = world.members
        product("Lane keeper", "mapper")
        helped(world, asker, helper, "mapper")
        helped(world, asker, helper)
        username = viewer_of(helper).username
        day = (clock.now() + timedelta(days=1)).date().isoformat()

    def run(args: list[str]) -> Any:
        return app.test_cli_runner().invoke(score, args)

    told = run(["explain", username]).output
    assert "product Lane keeper: 1.500 = thanks 1.000 + answering 0.500" in told
    whole = run(["export", "--at", day]).output.splitlines()
    by_product = run(["export", "--at", day, "--product", "lane keeper"]).output.splitlines()
    by_tag = run(["export", "--at", day, "--tag", "mapper"]).output.splitlines()
    assert by_product == by_tag
    assert float(by_tag[1].split(",")[2]) < float(whole[1].split(",")[2])
    assert run(["export", "--at", day, "--tag", "nothing"]).exit_code == 1


def test_ones_own_place_follows_at_once_where_the_others_numbers_are_kept(in_app: Flask) -> None:
    world = make_world(companies=6, people=1)
    one, other, *givers = world.members
    flow = product("Flow", "sync")
    for giver in givers[:2]:
        helped(world, giver, other, "sync")
    helped(world, givers[0], one, "sync")
    scoping.renew_due()
    weights = current()

    def counted_slowly() -> Any:
        time.sleep(0.3)  # as where there is much to count
        return scopes._count((flow,), weights, clock.now())

    scopes._others.get(((flow,), weights), counted_slowly)

    def place_of(member: int) -> tuple[int, int]:
        [part] = [part for part in scopes.parts_of(member) if part.is_product]
        [placed] = scopes.with_places(member, [part])
        return placed.place, placed.of

    assert (place_of(one), place_of(other)) == ((2, 2), (1, 2))
    for giver in givers[1:]:
        helped(world, giver, one, "sync")
    assert place_of(one) == (1, 2)
