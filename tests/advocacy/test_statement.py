"""The statement of a score: grouped, limited, fading, and no longer for a longer ledger."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import time, timedelta
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.advocacy.models import Act, Entry, Rule
from portal.advocacy.queries import groups, statement
from portal.advocacy.queries.accounts import account_of, rows_by_receiver
from portal.advocacy.queries.books import book_of
from portal.advocacy.queries.standing import standing_of
from portal.advocacy.queries.statement import statement_of
from portal.advocacy.queries.weights import current
from portal.advocacy.services import contesting, rebuilding
from portal.discussions.models import ShownAs, ThreadKind, Vote
from portal.discussions.services.acceptance import accept
from portal.discussions.services.voting import vote, withdraw_vote
from portal.kernel import clock, page_cache
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company
from tests.advocacy.scenes import World, make_world, rate
from tests.conftest import make_company, make_customer, make_moderator, make_prospect, noon, viewer_of
from tests.discussions.factories import make_post, make_thread, opening_of
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]
Counting = Callable[[], AbstractContextManager[Statements]]


@pytest.fixture(autouse=True)
def _at_noon(at: Callable[..., None]) -> None:
    at(noon())


def company_with(name: str, *people: str) -> list[int]:
    company = make_company(name)
    return [make_customer(person, company_id=company) for person in people]


def thanked(world: World, helper: int, givers: Sequence[int]) -> None:
    for giver in givers:
        world.thank(giver, helper)


def test_thanks_stand_by_company_and_by_person_as_far_as_they_were_given_by_name(in_app: Flask) -> None:
    world = make_world(companies=1, people=1)
    [helper] = world.members
    dana, omar, vera = company_with("Acme Mills", "Dana Okafor", "Omar Reyes", "Vera Voter")
    thanked(world, helper, [dana, dana, omar])
    story = make_thread(helper, world.board, "What went wrong", kind=ThreadKind.WAR_STORY)
    vote(viewer_of(vera), opening_of(story).id)
    [part] = statement_of(helper, viewer_of(helper)).companies
    assert (part.kind, part.name) == ("named", "Acme Mills")
    assert [(one.name, one.accepted, round(one.worth, 6)) for one in part.people] == [
        ("Dana Okafor", 2, 2.0),
        ("Omar Reyes", 1, 1.0),
    ]
    assert [[line.who for line in one.lines] for one in part.people] == [["Dana Okafor"] * 2, ["Omar Reyes"]]
    assert [(line.who, line.title) for line in part.lines] == [("", "What went wrong")]


def test_whoever_asked_as_a_role_is_grouped_under_no_name(in_app: Flask) -> None:
    world = make_world(companies=1, people=1)
    [helper] = world.members
    guest = make_prospect("Canary Guestname")
    thread = make_thread(guest, world.board, "How long?", author_shown_as=ShownAs.ROLE)
    accept(viewer_of(guest), thread.id, make_post(helper, thread).id)
    [part] = statement_of(helper).companies
    assert part.people == []
    assert [(line.who, line.title) for line in part.lines] == [("", "How long?")]


def test_a_role_stands_under_no_company_although_a_colleague_gave_by_name(in_app: Flask) -> None:
    world = make_world(companies=1, people=1)
    [helper] = world.members
    bob, alice = company_with("Acme Mills", "Bob Byname", "Alice Asrole")
    thanked(world, helper, [bob])
    thread = make_thread(alice, world.board, "As a role", author_shown_as=ShownAs.ROLE)
    accept(viewer_of(alice), thread.id, make_post(helper, thread).id)
    story = make_thread(helper, world.board, "What went wrong", kind=ThreadKind.WAR_STORY)
    vote(viewer_of(alice), opening_of(story).id)
    told = statement_of(helper, viewer_of(helper))
    acme, roles = sorted(told.companies, key=lambda part: part.kind)
    assert (acme.kind, acme.name, acme.entries, [one.name for one in acme.people]) == (
        "named", "Acme Mills", 1, ["Bob Byname"],
    )  # fmt: skip
    assert [line.title for line in acme.lines] == []
    assert (roles.kind, roles.name, roles.people, roles.entries) == ("roles", "", [], 2)
    assert {line.title for line in roles.lines} == {"As a role", "What went wrong"}
    part, page, _weights = statement.company_of(helper, acme.key, viewer_of(helper))
    assert [line.title for line in page.lines] == [line.title for line in acme.people[0].lines]
    assert part.entries == 1
    _part, page, _weights = statement.company_of(helper, roles.key, viewer_of(helper))
    assert len(page.lines) == 2


def test_what_roles_count_is_what_they_add_under_the_limits_of_their_companies(in_app: Flask) -> None:
    world = make_world(companies=1, people=1)
    [helper] = world.members
    people = company_with("Acme Mills", *(f"Person {n}" for n in range(5)))
    other = company_with("Other Mills", "Otto Other")[0]
    thanked(world, helper, [*people, other])
    for masked in (*people[:3], other):
        thread = make_thread(masked, world.board, "Hidden behind a role", author_shown_as=ShownAs.ROLE)
        accept(viewer_of(masked), thread.id, make_post(helper, thread).id)
    told = statement_of(helper)
    counted = {part.kind: part.counted for part in told.companies}
    assert counted == pytest.approx({"named": 2, "roles": 2}, abs=1e-5)
    assert sum(counted.values()) == pytest.approx(standing_of(helper).thanks, abs=1e-5)


def test_somebody_brought_from_elsewhere_is_named_by_acceptances_alone(in_app: Flask) -> None:
    world = make_world(companies=1, people=1)
    [helper] = world.members
    story = make_thread(helper, world.board, "What went wrong", kind=ThreadKind.WAR_STORY)
    jane = make_customer("Jane Doe")
    vote(viewer_of(jane), opening_of(story).id)
    with unit_of_work():
        for row in db.session.execute(select(Entry).where(Entry.giver_id == jane)).scalars():
            row.giver_company = f"m{jane}"
    [part] = statement_of(helper, viewer_of(helper)).companies
    assert (part.kind, part.name) == ("imported", "")


def test_the_sums_of_the_database_are_those_of_the_ledger_read_row_by_row(in_app: Flask, at) -> None:
    world = make_world(companies=3, people=2)
    helper, *others = world.members
    moment = noon() - timedelta(days=90)
    for day, giver in enumerate([*others * 3, *[make_customer() for _n in range(4)]]):
        at(moment + timedelta(days=4 * day, seconds=day))
        thread = world.ask(giver)
        post = world.answer(helper, thread)
        accept(viewer_of(giver), thread.id, post.id)
        for voter in others[day % 4 : day % 4 + 2]:
            if voter != giver:
                vote(viewer_of(voter), post.id)
    at(moment + timedelta(days=100))
    entry = first_entry_of(helper)
    contesting.correct_entry(viewer_of(make_moderator()), entry, Act.REVERSED, "A mistake.")
    at(now := moment + timedelta(days=101))
    weights = current()
    [(_receiver, rows)] = rows_by_receiver(Entry.receiver_id == helper)
    account = account_of(helper, rows, weights)
    for later in (now, now + groups.MONTH):
        found = groups.groups(book_of(helper, weights), weights, later)
        assert found.counted == pytest.approx(account.value(later).thanks, abs=1e-6)
        assert sum(one.counted for one in found.page) + found.small.points == pytest.approx(found.counted)
    told = statement_of(helper)
    assert sum(part.counted for part in told.companies) == pytest.approx(standing_of(helper).thanks, abs=1e-6)
    assert told.answers_total == pytest.approx(
        weights.answer_points * account.given * weights.decay(now), abs=1e-6
    )
    assert found.counted == pytest.approx(
        groups.groups(book_of(helper, weights), weights, now).then, abs=1e-6
    )


def first_entry_of(member: int) -> int:
    return db.session.execute(
        select(Entry.id).where(Entry.receiver_id == member).order_by(Entry.id).limit(1)
    ).scalar_one()


def test_the_page_says_what_was_limited_and_why(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        world = make_world(companies=1, people=1)
        [helper] = world.members
        thanked(world, helper, [company_with("Lone Works", "Lena Lone")[0]] * 3)
        thanked(world, helper, company_with("Many Works", *(f"Person number {n}" for n in range(4))))
        thanked(world, helper, [company_with("Small Works", "Sam Small")[0]])
    page = words(sign_in(helper).get("/me/score").text)
    assert "worth 3 by themselves; one person never counts for more than 1, however often" in page
    assert "Lena Lone accepted 3 answers; one person counts 1 at most" in page
    assert "Its people together have 4; one company never counts for more than 3." in page
    assert "That would be" not in page
    small = page.split("Small Works", 2)[-1].split("Answering", 1)[0]
    assert "never count" not in small
    with app.app_context():
        thanked(world, helper, company_with("Last Works", *(f"Someone {n}" for n in range(4))))
    page = words(sign_in(helper).get("/me/score").text)
    assert "That would be 6; answering counts 5 at most, whatever the number." in page


def test_what_fades_is_told_by_entry_and_what_fades_most_first(
    app: Flask, sign_in: SignIn, at: Callable[..., None]
) -> None:
    with app.app_context():
        world = make_world(companies=1, people=1)
        [helper] = world.members
        thanked(world, helper, company_with("Above Works", *(f"Above {n}" for n in range(5))))
        thanked(world, helper, company_with("Pair Works", "Paul Pair", "Petra Pair"))
        thanked(world, helper, company_with("Single Works", "Sara Single"))
        at(noon() + timedelta(seconds=1))
        told = statement_of(helper)
        lost = [one.now - one.then for one in told.fading]
        assert lost == sorted(lost, reverse=True)
        assert "Above Works" not in [one.part.name for one in told.fading if one.part]
        single = next(one for one in told.fading if one.part and one.part.name == "Single Works")
        assert (single.now, single.then) == pytest.approx((1, 2**-0.5), abs=1e-5)
        line = next(part for part in told.companies if part.name == "Single Works").people[0].lines[0]
        assert (line.worth, line.then) == pytest.approx((1, 2**-0.5), abs=1e-5)
        with clock.frozen(clock.now() + groups.MONTH):
            assert standing_of(helper).helpfulness == pytest.approx(told.in_a_month, abs=1e-5)
    page = words(sign_in(helper).get("/me/score").text)
    assert "What is fading" in page
    assert "Pair Works 2 1.4 0.6" in page
    assert "in 30 days 0.7" in page


def test_companies_and_entries_are_read_by_the_page(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        world = make_world(companies=groups.ROWS + 2, people=1)
        helper, first, *others = world.members
        thanked(world, helper, [first, first, *others])
        thanked(world, helper, [first] * statement.LINES)
        username = viewer_of(helper).username
        told = statement_of(helper)
        assert len(told.companies) == groups.ROWS
        assert told.has_more
        more = statement_of(helper, page=2)
        assert (len(more.companies), more.has_more) == (1, False)
        keys = [part.key for part in [*told.companies, *more.companies]]
        assert len(set(keys)) == groups.ROWS + 1
        largest = next(part for part in told.companies if part.entries > 1)
        with pytest.raises(NotFound):
            statement.company_of(helper, "0" * 16)
        with pytest.raises(NotFound):
            statement.company_of(others[0], largest.key)
    browser = sign_in(helper)
    page = browser.get("/me/score").text
    assert 'href="/me/score?page=2#thanks"' in page
    assert f'href="/me/score?part={largest.key}"' in page
    assert 'href="/me/score?part=answers"' in page
    for part, count in ((largest.key, largest.entries), ("answers", told.answers_count)):
        seen = set()
        address = f"/me/score?part={part}"
        while address:
            text = browser.get(address).text
            found = {piece.split('"')[0] for piece in text.split("/contest?entry=")[1:]}
            assert not found & seen
            seen |= found
            address = text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
            address = address if 'rel="next"' in text else ""
        assert len(seen) == count
    assert browser.get("/me/score?part=nothing").status_code == 404
    assert browser.get("/me/score?part=answers&after=x").status_code == 404
    moderator = sign_in(_moderator(app))
    text = moderator.get(f"/console/scores/{username}?part={largest.key}").text
    assert "/console/entries/" in text
    assert moderator.get(f"/console/scores/{username}?page=2").status_code == 200


def _moderator(app: Flask) -> int:
    with app.app_context():
        return make_moderator()


def test_whoever_was_thanked_long_ago_is_not_told_that_nobody_did(
    app: Flask, sign_in: SignIn, at: Callable[..., None]
) -> None:
    with app.app_context():
        at(noon() - timedelta(days=500))
        world = make_world(companies=2, people=1)
        helper, giver = world.members
        thanked(world, helper, [giver])
        at(noon())
        told = statement_of(helper)
        assert (told.companies, told.older.companies, told.older.others) == ([], 1, False)
    browser = sign_in(helper)
    page = words(browser.get("/me/score").text)
    assert "Nobody of another company has thanked you yet" not in page
    assert "1 more company thanked you long ago" in page
    assert "has thanked you yet" not in browser.get("/me/score?page=99").text


def test_votes_of_unknown_voters_of_long_ago_are_no_company(
    app: Flask, sign_in: SignIn, at: Callable[..., None]
) -> None:
    with app.app_context():
        at(noon() - timedelta(days=600))
        world = make_world(companies=1, people=1)
        [helper] = world.members
        story = make_thread(helper, world.board, "What went wrong", kind=ThreadKind.WAR_STORY)
        with unit_of_work():
            for _n in range(3):
                db.session.add(Vote(post_id=opening_of(story).id, value=1, created_at=clock.now()))
        rebuilding.rebuild()
        at(noon())
        told = statement_of(helper)
        assert (told.companies, told.older.companies, told.older.others) == ([], 0, True)
    page = words(sign_in(helper).get("/me/score").text)
    assert "thanked you long ago" not in page
    assert "Votes or people that are told under no company thanked long ago" in page
    with app.app_context():
        thanked(world, helper, [make_customer() for _n in range(groups.ROWS + 1)])
    browser = sign_in(helper)
    assert "thanked long ago" not in words(browser.get("/me/score").text)
    assert "thanked long ago" in words(browser.get("/me/score?page=2").text)


def test_a_company_with_more_people_than_are_named_says_so(app: Flask, sign_in: SignIn) -> None:
    people = [f"Person number {n}" for n in range(statement.NAMED + 1)]
    with app.app_context():
        world = make_world(companies=1, people=1)
        [helper] = world.members
        thanked(world, helper, company_with("Many Works", *people[:-1]))
    more = "More of its people, and votes votes are not named"
    assert more not in words(sign_in(helper).get("/me/score").text)
    with app.app_context():
        company = db.session.execute(select(Company.id).where(Company.name == "Many Works")).scalar_one()
        thanked(world, helper, [make_customer(people[-1], company_id=company)])
    assert more in words(sign_in(helper).get("/me/score").text)


def test_what_is_kept_of_a_ledger_follows_whatever_is_entered(in_app: Flask) -> None:
    world = make_world(companies=4, people=2)
    helper, _colleague, giver, voter, *others = world.members
    thanked(world, helper, [giver, voter, *others])
    thread = world.ask(giver)
    post = world.answer(helper, thread)

    def asked_as_a_role() -> None:
        make_thread(giver, world.board, "Hidden behind a role", author_shown_as=ShownAs.ROLE)

    def taken_out() -> None:
        moderator = viewer_of(make_moderator())
        contesting.correct_entry(moderator, first_entry_of(helper), Act.REVERSED, "A mistake.")

    told = statement_of(helper)
    for happens in (
        partial(accept, viewer_of(giver), thread.id, post.id),
        partial(vote, viewer_of(voter), post.id),
        partial(withdraw_vote, viewer_of(voter), post.id),
        partial(rate, voter, helper, useful=True),
        taken_out,
        asked_as_a_role,
    ):
        happens()
        before, told = told, statement_of(helper)
        assert told != before, happens
        page_cache.clear()
        assert told == statement_of(helper), happens


def test_what_is_kept_of_a_ledger_counts_as_of_whenever_it_is_read(
    in_app: Flask, at: Callable[..., None]
) -> None:
    world = make_world(companies=4, people=2)
    helper, *others = world.members
    thanked(world, helper, [*others, *others[:3], *company_with("Many Works", *"abcde")])
    for later in (timedelta(0), timedelta(hours=3), timedelta(hours=11, minutes=59), timedelta(days=70)):
        at(noon() + later)
        told = statement_of(helper)
        page_cache.clear()
        assert told == statement_of(helper)
        assert told.history[-1][1] == pytest.approx(told.standing.helpfulness, abs=1e-9)


def test_the_last_year_is_what_the_ledger_says_of_its_days(in_app: Flask, at: Callable[..., None]) -> None:
    world = make_world(companies=4, people=2)
    helper, giver, *others = world.members
    for day, one in enumerate([*others * 3, giver]):
        at(noon() + timedelta(days=20 * day))
        world.thank(one, helper)
        if day % 4 == 2:
            contesting.correct_entry(
                viewer_of(make_moderator()), last_entry_of(helper), Act.REVERSED, "A mistake."
            )
    *past, (now, number) = statement_of(helper).history
    assert [moment.time() for moment, _number in past] == [time()] * 24
    assert max(number for _moment, number in past) > 1
    for moment, number_then in past:
        assert number_then == pytest.approx(standing_of(helper, moment).helpfulness, rel=1e-9, abs=1e-9)
    assert (now, number) == (clock.now(), pytest.approx(standing_of(helper).helpfulness, rel=1e-9))


def last_entry_of(member: int) -> int:
    last = select(func.max(Entry.id)).where(Entry.receiver_id == member, Entry.rule == Rule.ACCEPTED)
    return db.session.execute(last).scalar_one()


def test_a_longer_ledger_takes_no_more_statements(in_app: Flask, statements: Counting) -> None:
    world = make_world(companies=4, people=2)
    helper, *others = world.members
    thanked(world, helper, others)
    page_cache.clear()
    with statements() as few:
        statement_of(helper, viewer_of(helper))
    for _time in range(3):
        thanked(world, helper, [*others, *[make_customer() for _n in range(6)]])
    page_cache.clear()
    with statements() as many:
        statement_of(helper, viewer_of(helper))
    assert len(many) == len(few), f"{few}\n\n{many}"


def words(page: str) -> str:
    """The text of a page, without tags, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("<main", 1)[1]).split())
