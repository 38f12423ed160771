"""The pages of holds and of customers’ companies: who may what, and what is said where it is refused."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.members.models import Company, CompanyKind
from portal.relations import queries
from portal.relations.models import Escalation, Health, Hold, Measure, Satisfaction
from tests.conftest import make_admin, make_company, make_member, make_moderator, noon, viewer_of
from tests.console.test_queue import token_of
from tests.relations.scenes import escalated, health, held, surveyed

SignIn = Callable[[int], FlaskClient]
WHY = "Their lawyers asked that nobody else from us writes."


class Office:
    """A company of each kind, and a browser for each who looks after customers."""

    def __init__(self, app: Flask, sign_in: SignIn) -> None:
        with app.app_context():
            self.acme = make_company("Acme Foods")
            self.prospect = make_company("Hidden Prospect", kind=CompanyKind.PROSPECT)
            self.slug = db.session.get_one(Company, self.acme).slug
            self.prospect_slug = db.session.get_one(Company, self.prospect).slug
            ids = {
                "sales": make_member("Sally", status=Status.VENDOR, duties=(Duty.SALES,)),
                "service": make_member("Serge", status=Status.VENDOR, duties=(Duty.SERVICE,)),
                "moderator": make_moderator(),
                "admin": make_admin(),
                "peer": make_member("Peer", status=Status.CUSTOMER, duties=(Duty.MODERATOR,)),
            }
            self.people = {name: viewer_of(member_id) for name, member_id in ids.items()}
        self.browser = {name: sign_in(member_id) for name, member_id in ids.items()}

    @property
    def page(self) -> str:
        return f"/console/relations/{self.slug}"

    def send(self, who: str, page: str, action: str, **fields: str):
        browser = self.browser[who]
        token = token_of(browser.get(page).text)
        return browser.post(action, data={"csrf_token": token, **fields})


@pytest.fixture
def office(app: Flask, sign_in: SignIn, at: Callable[[datetime], None]) -> Office:
    at(noon())
    return Office(app, sign_in)


def test_sales_places_a_hold_and_everybody_who_may_reads_it(app: Flask, office: Office):
    until = (noon() + timedelta(days=20)).date().isoformat()
    answer = office.send(
        "sales", "/console/holds", "/console/holds", company=office.slug, reason=WHY, until=until
    )
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/console/holds#hold-")
    for who in ("sales", "service", "moderator", "admin"):
        shown = office.browser[who].get("/console/holds").text
        assert "Acme Foods" in shown
        assert WHY in shown
        assert "They never keep a prospect’s question from a customer." in shown
        assert ("Place the hold" in shown) == (who in ("sales", "service"))
        assert ("End it" in shown) == (who in ("sales", "admin"))
        page = office.browser[who].get(office.page).text
        assert ">22 March 2026<" in page
        assert ("Set the health" in page) == (who == "service")
    for address in ("/console/holds", "/console/relations", office.page, "/console/holds.csv"):
        assert office.browser["peer"].get(address).status_code == 403
    file = office.browser["moderator"].get("/console/holds.csv").text
    assert f"Acme Foods,{WHY},Sally,sales" in file


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"company": "", "reason": WHY}, "Choose a company of the list."),
        ({"reason": " "}, "Say why"),
        ({"reason": WHY, "until": "2027-03-02"}, "at most 90 days"),
        ({"reason": WHY, "until": ""}, "Choose a day."),
        ({"reason": WHY, "company": "prospect"}, "Not a valid choice"),
    ],
)
def test_a_hold_that_cannot_be_placed_keeps_what_was_typed(
    app: Flask, office: Office, fields: dict[str, str], said: str
):
    values = {"company": office.slug, "until": "2026-03-20", **fields}
    if values["company"] == "prospect":
        values["company"] = office.prospect_slug
    answer = office.send("sales", "/console/holds", "/console/holds", **values)
    assert answer.status_code == 422
    assert said in answer.text
    assert values["reason"].strip() in answer.text
    with app.app_context():
        assert db.session.scalars(select(Hold.id)).all() == []


def test_no_prospects_company_is_in_any_list_or_choice_of_sales_and_service(office: Office):
    for who in ("sales", "service"):
        for address in ("/console/holds", "/console/relations", "/console/relations.csv"):
            assert "Hidden Prospect" not in office.browser[who].get(address).text
        assert office.browser[who].get(f"/console/relations/{office.prospect_slug}").status_code == 404
        assert "Acme Foods" in office.browser[who].get("/console/relations").text


def test_a_hold_is_ended_with_a_reason_by_who_may(app: Flask, office: Office):
    with app.app_context():
        hold = held(office.acme, office.people["sales"])
    address = f"/console/holds/{hold.id}/ending"
    for who in ("service", "moderator"):
        assert office.browser[who].get(address).status_code == 404
    assert office.send("sales", address, address, because="", version="1").status_code == 422
    assert office.send("sales", address, address, because="Signed.", version="9").status_code == 409
    assert office.send("admin", address, address, because="Signed.", version="1").status_code == 303
    assert "Signed." in office.browser["sales"].get("/console/holds?show=ended").text
    assert office.browser["sales"].get(address).status_code == 404, "it has ended"
    again = office.send("admin", "/console/holds", address, because="Signed twice.", version="2")
    assert again.status_code == 409
    assert "It has ended already: Member " in again.text
    assert "Signed." in again.text
    assert "Signed twice." in again.text


def test_service_keeps_health_escalations_and_satisfaction(app: Flask, office: Office):
    page = office.page
    assert office.send("service", page, f"{page}/health", health="red", reason=WHY).status_code == 303
    assert office.send("service", page, f"{page}/escalations", what="Orders twice.").status_code == 303
    survey = {
        "measure": "nps",
        "value": "-20",
        "sample": "4",
        "surveyed_on": "2026-03-01",
        "source": "Autumn",
    }
    assert office.send("service", page, f"{page}/satisfaction", **survey).status_code == 303
    shown = office.browser["sales"].get(page).text
    for words in ("health is red", "an escalation is open", "Orders twice.", "−20", "Autumn", "Serge"):
        assert words in shown
    with app.app_context():
        one = db.session.scalars(select(Escalation.id)).one()
        entered = db.session.scalars(select(Satisfaction.id)).one()
    closing = f"{page}/escalations/{one}/closing"
    empty = office.send("service", page, closing, outcome="", version="1")
    assert empty.status_code == 422
    assert all(part in empty.text for part in ('for="outcome"', 'id="outcome"', 'href="#outcome"'))
    stale = office.send("service", page, closing, outcome="A patch.", version="7")
    assert stale.status_code == 409
    assert 'value="A patch."' in stale.text
    version = re.search(r'name="version" value="(\d+)"', stale.text)
    assert version is not None
    assert office.send("service", page, closing, outcome="A patch.", version=version[1]).status_code == 303
    late = office.send("service", page, closing, outcome="Money back.", version="1")
    assert late.status_code == 409
    for words in ("This escalation is closed already.", "What came of it: A patch.", "Money back."):
        assert words in late.text
    gone = office.send("service", page, f"{page}/satisfaction/{entered}?_method=DELETE")
    assert gone.status_code == 303
    shown = office.browser["service"].get(page).text
    assert "What came of it: A patch." in shown
    assert "No survey so far." in shown
    for refused, fields in (
        ("health", {"health": "blue", "reason": WHY}),
        ("health", {"health": "red", "reason": ""}),
        ("escalations", {"what": ""}),
        ("satisfaction", {**survey, "measure": ""}),
        ("satisfaction", {**survey, "value": "300"}),
        ("satisfaction", {**survey, "surveyed_on": "2026-03-03"}),
    ):
        assert office.send("service", page, f"{page}/{refused}", **fields).status_code == 422, fields
    for who in ("sales", "moderator", "admin"):
        assert office.send(who, page, f"{page}/health", health="green", reason=WHY).status_code == 403
    with app.app_context():
        assert queries.relations_of_company(office.acme).is_red


def test_the_list_of_companies_says_what_is_known_and_is_narrowed(app: Flask, office: Office):
    with app.app_context():
        held(office.acme, office.people["sales"])
        health(office.acme, Health.AMBER, office.people["service"])
        escalated(office.acme, office.people["service"])
        surveyed(office.acme, Measure.CSAT, 61, days_ago=100, sample=8, by=office.people["service"])
        make_company("Quiet Mills")
    shown = office.browser["service"].get("/console/relations").text
    for words in (
        "amber",
        ">1 April 2026<",
        "1 open",
        "61 %",
        ">22 November 2025<",
        "not said",
    ):
        assert words in shown, words
    assert "Quiet Mills" not in office.browser["sales"].get("/console/relations?show=held").text
    assert "No company fits" in office.browser["sales"].get("/console/relations?show=red").text
    narrowed = office.browser["sales"].get("/console/relations.csv?show=free").text
    assert "Quiet Mills" in narrowed
    assert "Acme Foods" not in narrowed


def test_sales_and_service_begin_with_their_companies_and_moderators_with_today(office: Office):
    for who in ("sales", "service"):
        answer = office.browser[who].get("/console/")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/console/relations")
        assert 'href="/console/relations"' in office.browser[who].get("/").text
    assert office.browser["moderator"].get("/console/").status_code == 200
    company = office.browser["moderator"].get(f"/console/companies/{office.slug}").text
    assert f'href="{office.page}"' in company


def test_an_empty_site_says_what_will_stand_there(office: Office):
    assert "No company is on hold" in office.browser["moderator"].get("/console/holds").text
    assert "No hold fits" in office.browser["moderator"].get("/console/holds?show=ended").text
    page = office.browser["moderator"].get(office.page).text
    for words in ("Nobody has said yet", "None so far.", "No survey so far.", "Never on hold."):
        assert words in page
