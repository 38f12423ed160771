"""What a member did, on their page in the console and wherever it is read: by forms, as people send them."""

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.advocacy.models import Engagement, Entry, Rule
from portal.advocacy.services import candidates, choosing, engagements
from portal.consents import services as consents
from portal.consents.models import Activity
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from tests.conftest import make_customer, make_member, make_moderator, make_prospect, noon, viewer_of
from tests.support.people import fields_of, get, submit
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]
PAGE = "/console/candidates/tomasz"
WORDS = "At the autumn meeting in Ghent, for 40 customers."


@pytest.fixture(autouse=True)
def _in_november(at: Callable[[datetime], None]) -> None:
    at(noon("2026-11-20"))


@pytest.fixture
def ruth(app: Flask) -> int:
    with app.app_context():
        return make_moderator("Ruth", username="ruth")


@pytest.fixture
def moderator(ruth: int, sign_in: SignIn) -> FlaskClient:
    return sign_in(ruth)


@pytest.fixture
def tomasz(app: Flask) -> int:
    with app.app_context():
        return make_customer("Tomasz", username="tomasz")


def words(page: str) -> str:
    """What a page says, in one line."""
    return (
        " ".join(re.sub(r"<[^>]+>", " ", page).split())
        .replace(" .", ".")
        .replace(" ,", ",")
        .replace(" :", ":")
    )


def recorded(app: Flask, ruth: int, member: int, **given: object) -> int:
    with app.app_context():
        row = engagements.record(
            viewer_of(ruth),
            member,
            given.get("activity", Activity.SPEAKING),  # type: ignore[arg-type]
            given.get("day", date(2026, 10, 12)),  # type: ignore[arg-type]
            str(given.get("words", WORDS)),
        )
        return row.id


def test_it_is_written_down_read_and_taken_back_by_forms_alone(
    app: Flask, moderator: FlaskClient, tomasz: int, sign_in: SignIn
) -> None:
    with app.app_context():
        consents.give(viewer_of(tomasz), [Activity.SPEAKING], months=6)
    empty = words(moderator.get(PAGE).text)
    assert "Nothing is written down yet" in empty
    assert "Choose Speaking (agreed to) Calls A quote" in empty
    data = {"done-activity": "speaking", "done-done_on": "2026-11-20", "done-words": WORDS}
    assert submit(moderator, PAGE, data, f"{PAGE}/engagements").location == f"{PAGE}#engagements"
    shown = words(moderator.get(PAGE).text)
    assert f"Speaking, 20 November 2026: {WORDS} agreed to then · written down by Ruth, just now" in shown
    assert "What they did 1, the last on 20 November 2026" in shown
    own = sign_in(tomasz)
    assert "You took part: speaking, 20 November 2026" in words(own.get("/notifications").text)
    counted = words(own.get("/me/score").text).partition("What does not count, and why")[2]
    assert f"20 November 2026 Speaking: {WORDS} It is shown, and never counts. Not right?" in counted
    assert f"Speaking: {WORDS}" in words(moderator.get("/console/scores/tomasz").text)
    facts = words(moderator.get("/console/members/tomasz").text)
    assert "Engagements 1, the last on 20 November 2026" in facts
    with app.app_context():
        number = db.session.execute(select(Engagement.id)).scalar_one()
    back = f"{PAGE}/engagements/{number}/withdrawal"
    refused = submit(moderator, PAGE, {f"back{number}-reason": " "}, back)
    assert refused.status_code == 422
    assert f'id="back{number}-reason-error"' in refused.text
    gone = submit(moderator, PAGE, {f"back{number}-reason": "It was her colleague."}, back)
    assert gone.location == f"{PAGE}#engagements"
    shown = moderator.get(PAGE).text
    assert re.search(r"<del><strong>Speaking</strong>.*</del>", shown)
    assert "Taken back by Ruth, just now: It was her colleague." in words(shown)
    assert WORDS not in own.get("/me/score").text
    assert "You took part" not in own.get("/notifications").text
    assert "Engagements" not in words(moderator.get("/console/members/tomasz").text)


def test_a_refused_form_says_everything_at_once_and_keeps_what_was_typed(
    moderator: FlaskClient, tomasz: int
) -> None:
    nothing = submit(moderator, PAGE, {"done-done_on": ""}, f"{PAGE}/engagements")
    assert nothing.status_code == 422
    for field in ("activity", "done_on", "words"):
        assert f'id="done-{field}-error"' in nothing.text
    data = {"done-activity": "call", "done-done_on": "2026-11-21", "done-words": WORDS}
    tomorrow = submit(moderator, PAGE, data, f"{PAGE}/engagements")
    assert tomorrow.status_code == 422
    assert "This day has not come yet" in tomorrow.text
    assert WORDS in tomorrow.text
    assert 'value="2026-11-21"' in tomorrow.text
    assert re.search(r'<option selected value="call">', tomorrow.text)


def test_the_day_is_the_one_of_whoever_writes_and_whoever_reads(
    app: Flask, ruth: int, tomasz: int, sign_in: SignIn, at: Callable[[datetime], None]
) -> None:
    with app.app_context(), unit_of_work():
        db.session.get_one(Member, ruth).time_zone = "Pacific/Auckland"
        db.session.get_one(Member, tomasz).time_zone = "America/Los_Angeles"
    at(noon("2026-11-20") + timedelta(hours=8))  # it is the 21st in Auckland
    moderator = sign_in(ruth)
    assert 'max="2026-11-21"' in moderator.get(PAGE).text
    data = {"done-activity": "call", "done-done_on": "2026-11-21", "done-words": WORDS}
    assert submit(moderator, PAGE, data, f"{PAGE}/engagements").status_code == 303
    own = sign_in(tomasz)
    assert f"21 November 2026 Calls: {WORDS}" in words(own.get("/me/score").text)
    with app.app_context():
        entry = db.session.execute(select(Entry.id).where(Entry.rule == Rule.ENGAGEMENT)).scalar_one()
    for page in (f"/me/score/contest?entry={entry}", "/notifications"):
        assert "21 November 2026" in own.get(page).text, page
    assert "21 November 2026: Calls" in words(moderator.get(f"/console/entries/{entry}").text)


def test_two_who_take_it_back_at_once_the_second_reads_so_and_loses_nothing(
    app: Flask, moderator: FlaskClient, ruth: int, tomasz: int
) -> None:
    number = recorded(app, ruth, tomasz)
    form = moderator.get(PAGE)
    with app.app_context():
        engagements.withdraw(viewer_of(make_moderator("Marijke")), number, "It was next year.")
    assert form.status_code == 200
    late = submit_as(moderator, form, {f"back{number}-reason": "It was her colleague."}, number)
    assert late.status_code == 409
    shown = words(late.text)
    assert "Somebody took this back meanwhile." in shown
    assert "Taken back by Marijke, just now: It was next year." in shown
    assert "What you wrote: “It was her colleague.”" in shown


def submit_as(browser: FlaskClient, page: Any, data: dict[str, str], number: int) -> Any:
    """Send the form of a page that was opened before."""
    action = f"{PAGE}/engagements/{number}/withdrawal"
    return browser.post(action, data={**fields_of(page, action), **data})


def test_of_many_the_newest_ten_are_shown_and_all_of_them_on_demand(
    app: Flask, moderator: FlaskClient, ruth: int, tomasz: int
) -> None:
    first = recorded(app, ruth, tomasz, day=date(2026, 1, 1), words="The very first.")
    for day in range(1, 12):
        recorded(app, ruth, tomasz, day=date(2026, 2, day), words=f"Number {day}.")
    shown = moderator.get(PAGE).text
    assert "The very first." not in shown
    assert "Number 2." in shown
    assert f"{PAGE}?all=1#engagements" in shown.replace("&amp;", "&")
    everything = moderator.get(f"{PAGE}?all=1").text
    assert "The very first." in everything
    assert "Show all of it" not in everything
    # Refused, its form is there, however old it is.
    old = f"{PAGE}/engagements/{first}/withdrawal"
    assert f'id="back{first}-reason-error"' in submit(moderator, f"{PAGE}?all=1", {}, old).text


def test_nobody_takes_back_under_the_name_of_somebody_else(
    app: Flask, moderator: FlaskClient, ruth: int, tomasz: int
) -> None:
    with app.app_context():
        other = make_customer(username="other")
    number = recorded(app, ruth, other)
    token = submit_token(moderator)
    answer = moderator.post(f"{PAGE}/engagements/{number}/withdrawal", data=token)
    assert answer.status_code == 404


def submit_token(browser: FlaskClient) -> dict[str, str]:
    return fields_of(browser.get(PAGE), "/logout")


def test_contested_it_says_what_it_is_and_what_the_moderator_decides_stands_on_both_pages(
    app: Flask, moderator: FlaskClient, ruth: int, tomasz: int, sign_in: SignIn
) -> None:
    recorded(app, ruth, tomasz)
    own = sign_in(tomasz)
    with app.app_context():
        entry = db.session.execute(select(Entry.id).where(Entry.rule == Rule.ENGAGEMENT)).scalar_one()
    ask = f"/me/score/contest?entry={entry}"
    assert f"12 October 2026: Speaking: {WORDS}" in words(own.get(ask).text)
    assert submit(own, ask, {"words": "I was ill that day."}, "/me/score/contest").status_code == 303
    assert f"Speaking: {WORDS}" in words(own.get("/me/score").text).partition("If something is wrong")[2]
    listed = moderator.get("/console/contests").text
    assert f"Speaking: {WORDS}" in listed
    assert f"Speaking: {WORDS}" in moderator.get("/console/contests.csv").text
    case = re.search(r'href="(/console/contests/\d+)"', listed)
    assert case is not None
    page = words(moderator.get(case[1]).text)
    assert f"The entry Speaking: {WORDS} Dated 12 October 2026 Stands yes" in page
    assert "take the record itself back" in page
    data = {"correction": "reverse", "answer": "You were, we are told."}
    assert submit(moderator, case[1], data, f"{case[1]}/answer").status_code == 303
    told = words(own.get("/me/score").text)
    assert "A moderator reversed it: You were, we are told." in told
    shown = words(moderator.get(PAGE).text)
    assert "A moderator took its entry out of their score’s page: You were, we are told." in shown
    # Taken back besides, its words are read on no page of the member, nor put in force again.
    with app.app_context():
        number = db.session.execute(select(Engagement.id)).scalar_one()
        engagements.withdraw(viewer_of(ruth), number, "It was her colleague.")
    told = words(own.get("/me/score").text)
    assert WORDS not in told
    assert "Speaking, taken back A moderator reversed it: You were, we are told." in told
    assert WORDS not in own.get(ask).text
    assert "Put it back" not in moderator.get(f"/console/entries/{entry}").text


def test_whoever_left_the_lists_reads_it_and_no_statement_shows_it(
    app: Flask, moderator: FlaskClient, ruth: int, tomasz: int, sign_in: SignIn
) -> None:
    recorded(app, ruth, tomasz)
    with app.app_context():
        choosing.choose(viewer_of(tomasz), not_scored=True, not_approached=False)
        entry = db.session.execute(select(Entry.id).where(Entry.rule == Rule.ENGAGEMENT)).scalar_one()
    assert WORDS in sign_in(tomasz).get("/me/score").text
    assert WORDS not in moderator.get("/console/scores/tomasz").text
    assert moderator.get(f"/console/entries/{entry}").status_code == 404


@pytest.mark.parametrize("who", ["peer", "sales", "service", "customer", "prospect"])
def test_nobody_else_reads_a_word_of_it(
    app: Flask, ruth: int, tomasz: int, sign_in: SignIn, who: str
) -> None:
    recorded(app, ruth, tomasz)
    with app.app_context():
        reader = {
            "peer": lambda: make_member(status=Status.CUSTOMER, duties=(Duty.MODERATOR,)),
            "sales": lambda: make_member(status=Status.VENDOR, duties=(Duty.SALES,)),
            "service": lambda: make_member(status=Status.VENDOR, duties=(Duty.SERVICE,)),
            "customer": make_customer,
            "prospect": make_prospect,
        }[who]()
    browser = sign_in(reader)
    pages = (PAGE, "/console/members/tomasz", "/console/scores/tomasz", "/console/candidates.csv")
    for page in (*pages, "/members/tomasz", "/console/", "/console/contests"):
        answer = browser.get(page)
        assert WORDS not in answer.text, page
        assert page not in pages or answer.status_code in (403, 404), page


def test_the_file_has_how_many_in_a_year_and_the_last(
    app: Flask, moderator: FlaskClient, ruth: int, tomasz: int
) -> None:
    with app.app_context():
        candidates.spot(viewer_of(ruth), tomasz)
        candidates.spot(viewer_of(ruth), make_customer("Idle", username="idle"))
    for day in (date(2026, 10, 12), date(2026, 3, 1), date(2024, 3, 1)):
        recorded(app, ruth, tomasz, day=day)
    rows = list(csv.DictReader(io.StringIO(moderator.get("/console/candidates.csv").text.lstrip("\ufeff"))))
    found = {row["username"]: (row["engagements in a year"], row["last engagement"]) for row in rows}
    assert found == {"tomasz": ("2", "2026-10-12"), "idle": ("0", "")}


def test_a_statement_takes_one_more_look_only_where_something_was_done(
    app: Flask,
    ruth: int,
    tomasz: int,
    sign_in: SignIn,
    statements: Callable[[], AbstractContextManager[Statements]],
) -> None:
    own = sign_in(tomasz)

    def taken() -> int:
        get(own, "/me/score")
        with statements() as seen:
            get(own, "/me/score")
        return len(seen)

    without = taken()
    recorded(app, ruth, tomasz)
    once = taken()
    for day in range(1, 9):
        recorded(app, ruth, tomasz, day=date(2026, 2, day))
    assert taken() == once
    # The entries themselves, and what they are of.
    assert once == without + 2
