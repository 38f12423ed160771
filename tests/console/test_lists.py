"""Lists of the console have an order, can be narrowed, and are exported as they stand in the address."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.formula import Weights
from portal.advocacy.services import candidates, contesting, weighing
from portal.consents import services as consents
from portal.consents.models import Activity
from portal.console.rota import SHOWN
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Availability
from portal.members.models import Company
from portal.moderation.models import Rule, Shift
from portal.moderation.queries import rota
from portal.moderation.services.rules import ensure_rules
from portal.relations.models import Health
from tests.conftest import make_admin, make_company, make_customer, make_moderator, viewer_of
from tests.relations.scenes import health, held, sales, service

SignIn = Callable[[int], FlaskClient]
DAY = timedelta(days=1)


def column(browser: FlaskClient, address: str, name: str) -> list[str]:
    """A column of the file at this address."""
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    return [row[name] for row in csv.DictReader(io.StringIO(answer.text.removeprefix("\N{BYTE ORDER MARK}")))]


def in_order(page: str, *texts: str) -> bool:
    """Whether these stand in the content one after the other."""
    content = page.partition("<tbody>")[2]
    places = [content.find(text) for text in texts]
    return -1 not in places and places == sorted(places)


@pytest.fixture
def moderator(app: Flask, sign_in: SignIn) -> FlaskClient:
    with app.app_context():
        return sign_in(make_moderator("Ruth", username="ruth"))


@pytest.fixture
def admin(app: Flask, sign_in: SignIn) -> FlaskClient:
    with app.app_context():
        return sign_in(make_admin("Teo"))


def test_contested_entries_have_an_order_that_the_file_keeps(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        mill, bank = make_company("Mill"), make_company("Banque")
        for name, company in (("Ana", mill), ("Cy", bank), ("Bo", mill), ("Di", None)):
            member = make_customer(name, **({"company_id": company} if company else {}))
            contesting.contest(viewer_of(member), None, f"Words of {name}.")
    for sort, names in (
        ("", ["Ana", "Cy", "Bo", "Di"]),
        ("oldest", ["Ana", "Cy", "Bo", "Di"]),
        ("newest", ["Di", "Bo", "Cy", "Ana"]),
        ("name", ["Ana", "Bo", "Cy", "Di"]),
        ("sideways", ["Ana", "Cy", "Bo", "Di"]),
    ):
        assert column(moderator, f"/console/contests.csv?sort={sort}", "member") == names
        page = moderator.get(f"/console/contests?sort={sort}").text
        assert in_order(page, *(f"Words of {name}." for name in names))
    by_company = column(moderator, "/console/contests.csv?sort=company&show=all", "member")
    assert [name for name in by_company if name != "Di"] == ["Cy", "Ana", "Bo"]
    page = moderator.get("/console/contests?sort=name&show=all").text
    assert 'href="/console/contests.csv?show=all&amp;sort=name"' in page
    assert '<input type="hidden" name="sort" value="name">' in page


def test_agreements_are_narrowed_ordered_and_exported_as_they_stand(
    app: Flask, moderator: FlaskClient
) -> None:
    with app.app_context():
        company, ruth = make_company("Mill"), make_moderator()
        base = f"/console/companies/{db.session.get_one(Company, company).slug}/agreements"
        today = clock.now().date()
        for activity, given, until in (
            (Activity.PRESS, 30, 40),
            (Activity.LOGO, 10, 200),
            (Activity.CALL, 20, 9),
        ):
            consents.record_company_consent(
                viewer_of(ruth),
                company,
                activity,
                given_by="Ms Okafor, contract 17",
                limits="",
                given_on=today - given * DAY,
                expires_on=today + until * DAY,
            )
    for sort, order in (
        ("", ["Calls", "The logo", "Press"]),
        ("until", ["Calls", "Press", "The logo"]),
        ("given", ["The logo", "Calls", "Press"]),
        ("activity", ["The logo", "Press", "Calls"]),
    ):
        assert column(moderator, f"{base}.csv?sort={sort}", "for") == order, sort
        assert in_order(moderator.get(f"{base}?sort={sort}").text, *(f">{name}</th>" for name in order))
    assert column(moderator, f"{base}.csv?for=press", "for") == ["Press"]
    page = moderator.get(f"{base}?for=press&sort=until").text
    assert ">The logo</th>" not in page
    assert f'href="{base}.csv?for=press&amp;sort=until"' in page
    assert "Nothing for that." in moderator.get(f"{base}?for=speaking").text
    assert column(moderator, f"{base}.csv?for=dancing&sort=sideways", "for") == ["Calls", "The logo", "Press"]


def test_decisions_about_the_numbers_are_read_from_either_end(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        teo = make_admin()
        for days in (50, 70):
            weighing.decide(viewer_of(teo), Weights(half_life_days=days), f"A half-life of {days} days.")
    for sort, order in (("", ["70", "50"]), ("oldest", ["50", "70"])):
        assert column(admin, f"/console/weights.csv?sort={sort}", "half life days") == order
        page = admin.get(f"/console/weights?sort={sort}").text
        assert in_order(page, *(f"A half-life of {days} days." for days in order))
    assert 'href="/console/weights.csv?sort=oldest"' in page


def test_rules_are_narrowed_ordered_and_exported_as_they_stand(app: Flask, admin: FlaskClient) -> None:
    with app.app_context(), unit_of_work():
        ensure_rules()
        db.session.flush()
        db.session.query(Rule).filter_by(number=2).one().active = False
    everything = column(admin, "/console/rules.csv", "number")
    assert everything == sorted(everything, key=int)
    assert column(admin, "/console/rules.csv?show=retired", "number") == ["2"]
    assert "2" not in column(admin, "/console/rules.csv?show=active", "number")
    titles = column(admin, "/console/rules.csv?sort=title", "title")
    assert titles == sorted(titles, key=str.lower)
    assert in_order(admin.get("/console/rules?sort=title").text, *titles[:3])
    hours = [int(one) for one in column(admin, "/console/rules.csv?sort=soonest", "looked at within hours")]
    assert hours == sorted(hours)
    assert hours[0] < hours[-1]
    page = admin.get("/console/rules?show=retired&sort=soonest").text
    assert 'href="/console/rules.csv?show=retired&amp;sort=soonest"' in page
    assert page.count("data-row-do") == 1
    assert column(admin, "/console/rules.csv?show=x&sort=y", "number") == everything


def test_the_file_of_shifts_holds_all_of_them_and_whose_are_wanted(
    app: Flask, moderator: FlaskClient
) -> None:
    with app.app_context():
        tom, ann = make_moderator("Tom", username="tom"), make_moderator("Ann", username="ann")
        with unit_of_work():
            for day in range(SHOWN + 5):
                on = rota.today() + day * DAY
                who = ann if day == 3 else tom
                db.session.add(Shift(member_id=who, first_day=on, last_day=on))
    assert len(column(moderator, "/console/rota/shifts.csv", "who")) == SHOWN + 5
    assert "the export holds all" in moderator.get("/console/rota").text
    assert column(moderator, "/console/rota/shifts.csv?who=ann", "who") == ["Ann"]
    assert column(moderator, "/console/rota/shifts.csv?sort=name", "who")[:2] == ["Ann", "Tom"]
    page = moderator.get("/console/rota?who=ann").text
    assert page.count("out of the plan?") == 1
    assert 'href="/console/rota/shifts.csv?who=ann"' in page
    assert "None of this member." in moderator.get("/console/rota?who=nobody").text
    assert f'value="{rota_day(app, 9)}"' in moderator.get(f"/console/rota?from={rota_day(app, 9)}").text
    assert moderator.get("/console/rota?from=soon").status_code == 200


def rota_day(app: Flask, ahead: int) -> str:
    with app.app_context():
        return (rota.today() + ahead * DAY).isoformat()


@pytest.fixture
def agreed(app: Flask) -> None:
    """Ana agreed to calls and Bo to a quote, Cy took that back; each is in a company of another health."""
    with app.app_context():
        ruth = viewer_of(make_moderator())
        nurse, seller = service(), sales()
        for name, activity, value, of in (
            ("Ana", Activity.CALL, "peers", Health.RED),
            ("Bo", Activity.QUOTE, "voice", Health.GREEN),
            ("Cy", Activity.CALL, "peers", None),
        ):
            company = make_company(f"Company of {name}")
            member = make_customer(name, username=name.lower(), company_id=company)
            candidates.spot(ruth, member)
            consents.give(viewer_of(member), [activity])
            with unit_of_work():
                db.session.add(Availability(member_id=member, values=[value, "speaking"]))
            if of:
                health(company, of, nurse)
            else:
                held(company, seller)
                consents.withdraw(viewer_of(member), activity)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ["Ana", "Bo", "Cy"]),
        ("agreed=call", ["Ana"]),
        ("agreed=quote", ["Bo"]),
        ("agreed=press", []),
        ("agreed=dancing", ["Ana", "Bo", "Cy"]),
        ("value=peers", ["Ana", "Cy"]),
        ("value=speaking&agreed=quote", ["Bo"]),
        ("relation=red", ["Ana"]),
        ("relation=green", ["Bo"]),
        ("relation=held", ["Cy"]),
        ("relation=free", ["Bo"]),
        ("relation=unknown", ["Cy"]),
        ("relation=escalated", []),
    ],
)
def test_members_are_found_by_what_they_agreed_to_value_and_how_their_company_is(
    agreed: None, moderator: FlaskClient, words: str, names: list[str]
) -> None:
    """The page and its file; facets count under these words too."""
    found = column(moderator, f"/console/members.csv?status=customer&sort=name&{words}", "name")
    assert found == names
    page = moderator.get(f"/console/members?status=customer&sort=name&{words}").text
    assert [name for name in ("Ana", "Bo", "Cy") if f">{name}</a>" in page] == names
    if names:
        assert f"customers ({len(names)})" in page


@pytest.mark.parametrize(
    ("words", "names"),
    [("agreed=call", ["Ana"]), ("agreed=quote", ["Bo"]), ("agreed=nothing", ["Cy"]), ("agreed=press", [])],
)
def test_candidates_are_found_by_what_they_agreed_to(
    agreed: None, moderator: FlaskClient, words: str, names: list[str]
) -> None:
    assert column(moderator, f"/console/candidates.csv?sort=name&{words}", "name") == names
    for view in ("", "&view=table"):
        page = moderator.get(f"/console/candidates?{words}{view}").text
        assert [name for name in ("Ana", "Bo", "Cy") if f">{name}</a>" in page] == names
    assert f'name="agreed" value="{words.partition("=")[2]}"' in page
