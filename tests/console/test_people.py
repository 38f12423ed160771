"""Companies, confirmations by hand, duties: what follows for people, and what never can."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.kernel import audit
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, CompanyKind, Member, VerifiedBy
from portal.members.queries.console import ROWS
from tests.conftest import (
    make_admin,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
)
from tests.support.people import PASSWORD, fields_of, mail_to, path_in, sent_mails, submit

SignIn = Callable[[int], FlaskClient]


@pytest.fixture
def admin(app: Flask, sign_in: SignIn) -> FlaskClient:
    with app.app_context():
        return sign_in(make_admin("Anneke", email="anneke@northwind.example"))


@pytest.fixture
def moderator(app: Flask, sign_in: SignIn) -> FlaskClient:
    with app.app_context():
        return sign_in(make_moderator("Ruth", email="ruth@northwind.example"))


def member(app: Flask, number: int) -> Member:
    with app.app_context():
        return db.session.get_one(Member, number)


def actions(app: Flask) -> list[str]:
    with app.app_context():
        return list(
            db.session.execute(select(audit.AuditEntry.action).order_by(audit.AuditEntry.number)).scalars()
        )


COMPANY = {
    "name": "Castellan Foods",
    "kind": "customer",
    "domains": "castellan.example\nhttps://www.castellan-foods.example/",
    "industry": "31-33",
    "size_band": "500-999",
    "region": "GB",
    "website": "castellan.example",
    "about": "Chilled food.",
}


def test_a_new_customer_company_makes_its_people_customers(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        waiting = make_prospect("Ines", email="ines@castellan.example")
        far = make_prospect("Far", email="far@othercastellan.example")
    answer = submit(moderator, "/console/companies/new", COMPANY, "/console/companies")
    assert answer.location == "/console/companies/castellan-foods"
    ines = member(app, waiting)
    assert (ines.status, ines.verified_by) == (Status.CUSTOMER, VerifiedBy.MAIL)
    assert member(app, far).status is Status.PROSPECT
    page = moderator.get("/console/companies/castellan-foods").text
    assert "castellan-foods.example" in page
    assert "1 person" in page
    assert actions(app) == ["add company"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("former", Status.FORMER), ("prospect", Status.PROSPECT), ("customer", Status.CUSTOMER)],
)
def test_status_follows_the_kind_of_the_company(
    app: Flask, moderator: FlaskClient, kind: str, status: Status
) -> None:
    with app.app_context():
        company = make_company("Castellan Foods", domain="castellan.example")
        worker = make_customer(company_id=company, email="a@castellan.example")
        slug = db.session.get_one(Company, company).slug
    path = f"/console/companies/{slug}"
    assert (
        submit(moderator, path, {**COMPANY, "kind": kind, "domains": "castellan.example"}, path).location
        == path
    )
    assert member(app, worker).status is status


def test_a_domain_taken_away_takes_the_status_but_not_the_voice(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        company = make_company("Castellan Foods", domain="castellan.example")
        worker = make_customer(company_id=company, email="a@castellan.example")
        by_hand = make_customer(
            company_id=company, email="b@castellan.example", verified_by=VerifiedBy.MODERATOR
        )
        slug = db.session.get_one(Company, company).slug
    path = f"/console/companies/{slug}"
    submit(moderator, path, {**COMPANY, "domains": ""}, path)
    assert (member(app, worker).status, member(app, worker).company_id) == (Status.FORMER, None)
    assert (member(app, by_hand).status, member(app, by_hand).company_id) == (Status.CUSTOMER, company)
    with app.app_context():
        assert db.session.get_one(Company, company).members_count == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"domains": "gmail.com"}, "shows no company"),
        ({"domains": "northwind.example"}, "can never be customers"),
        ({"domains": "eu.northwind.example"}, "can never be customers"),
        ({"domains": "taken.example"}, "belongs to Other"),
        ({"domains": "nonsense"}, "is not a domain"),
        ({"name": "x"}, "2 to 120"),
        ({"website": "javascript:alert(1)"}, "Write an address"),
        ({"named_in_public": "y", "named_until": "2020-01-01"}, "This day is over"),
        ({"region": "XX"}, "Not a valid choice"),
    ],
)
def test_what_cannot_be_is_said_and_kept(
    app: Flask, moderator: FlaskClient, fields: dict[str, str], said: str
) -> None:
    with app.app_context():
        make_company("Other", domain="taken.example")
    answer = submit(moderator, "/console/companies/new", {**COMPANY, **fields}, "/console/companies")
    assert answer.status_code == 422
    assert said in answer.text
    assert "Chilled food." in answer.text
    assert actions(app) == []


def test_a_stale_company_form_overwrites_nothing_and_says_what_differs(
    app: Flask, moderator: FlaskClient
) -> None:
    submit(moderator, "/console/companies/new", COMPANY, "/console/companies")
    path = "/console/companies/castellan-foods"
    stale = fields_of(moderator.get(path), path)
    submit(moderator, path, {**COMPANY, "about": "First."}, path)
    as_stored = {
        "domains": "castellan-foods.example\r\ncastellan.example",
        "website": "https://castellan.example",
    }
    answer = moderator.post(path, data={**stale, **COMPANY, **as_stored, "about": "Second."})
    assert answer.status_code == 409
    assert "Second." in answer.text
    assert "<li><strong>About</strong>: First.</li>" in answer.text
    assert answer.text.count("<li><strong>") == 1, "nothing else differs"
    with app.app_context():
        assert db.session.execute(select(Company.about)).scalar_one() == "First."
    again = {**fields_of(answer, path), **COMPANY, "about": "Second."}
    assert moderator.post(path, data=again).status_code == 303
    with app.app_context():
        assert db.session.execute(select(Company.about)).scalar_one() == "Second."


def test_being_named_is_recorded_and_opens_the_page(app: Flask, moderator: FlaskClient) -> None:
    submit(moderator, "/console/companies/new", COMPANY, "/console/companies")
    visitor = app.test_client()
    assert visitor.get("/companies/castellan-foods").status_code == 404
    path = "/console/companies/castellan-foods"
    submit(moderator, path, {**COMPANY, "named_in_public": "y", "named_until": "2999-01-01"}, path)
    assert visitor.get("/companies/castellan-foods").status_code == 200
    submit(moderator, path, COMPANY, path)
    assert visitor.get("/companies/castellan-foods").status_code == 404
    assert [one for one in actions(app) if "naming" in one or "name" in one] == [
        "name company in public",
        "stop naming company in public",
    ]


def test_a_moderator_confirms_a_company_by_hand(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        company = make_company("Castellan Foods")
        ines = make_prospect("Ines", username="ines", company_claim="Castellan", email="ines@gmail.com")
    assert "says: Castellan" in moderator.get("/console/members?show=claims").text
    path = "/console/members/ines"
    assert submit(moderator, path, {"company": "0"}, f"{path}/company").status_code == 422
    submit(moderator, path, {"company": str(company)}, f"{path}/company")
    found = member(app, ines)
    assert (found.status, found.verified_by, found.company_claim) == (
        Status.CUSTOMER,
        VerifiedBy.MODERATOR,
        "",
    )
    assert "confirmed" in str(mail_to(app, "ines@gmail.com")["Subject"])
    assert "by a moderator" in app.test_client().get("/members/ines").text
    token = fields_of(moderator.get(path), f"{path}/company?_method=DELETE")
    moderator.post(f"{path}/company?_method=DELETE", data=token)
    assert (member(app, ines).status, member(app, ines).company_id) == (Status.FORMER, None)
    submit(moderator, path, {"company": str(company)}, f"{path}/company")
    moderator.post(f"{path}/company?_method=DELETE", data={**token, "by_mistake": "yes"})
    assert member(app, ines).status is Status.PROSPECT
    assert actions(app) == [
        "confirm company",
        "left company",
        "confirm company",
        "company by mistake",
    ]


def test_an_account_of_the_vendor_never_becomes_a_customer(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        company = make_company("Castellan Foods")
        staff = make_member(status=Status.VENDOR, username="staff", email="x@sub.northwind.example")
        make_company("Shadow", kind=CompanyKind.CUSTOMER, domain="sub.northwind.example")
    path = "/console/members/staff"
    token = fields_of(moderator.get("/console/members/staff"), "/logout")
    answer = moderator.post(f"{path}/company", data={**token, "company": str(company)})
    assert answer.status_code == 422
    assert member(app, staff).status is Status.VENDOR


def duties(admin: FlaskClient, username: str, *chosen: str) -> Any:
    path = f"/console/members/{username}"
    return submit(admin, path, {"duties": list(chosen)}, f"{path}/duties")


def test_duties_are_given_told_and_in_force_at_once(app: Flask, admin: FlaskClient, sign_in: SignIn) -> None:
    with app.app_context():
        staff = make_member(status=Status.VENDOR, username="staff", email="staff@northwind.example")
    browser = sign_in(staff)
    assert browser.get("/console/members").status_code == 403
    assert duties(admin, "staff", "moderator").status_code == 303
    assert browser.get("/console/members").status_code == 200
    assert "moderator" in str(mail_to(app, "staff@northwind.example").get_body(("plain",)))
    assert duties(admin, "staff").status_code == 303
    assert browser.get("/console/members").status_code == 403, "an open session loses its powers at once"
    assert actions(app) == ["set duties", "set duties"]


@pytest.mark.parametrize(
    ("status", "chosen", "said"),
    [
        (Status.VENDOR, ["sales", "moderator"], "cannot be combined"),
        (Status.VENDOR, ["service", "admin"], "cannot be combined"),
        (Status.CUSTOMER, ["admin"], "Only accounts of the vendor"),
        (Status.CUSTOMER, ["sales"], "Only accounts of the vendor"),
        (Status.PROSPECT, ["moderator"], "A peer moderator is a customer"),
        (Status.VENDOR, ["owner"], "not a valid choice"),
    ],
)
def test_duties_that_cannot_be(
    app: Flask, admin: FlaskClient, status: Status, chosen: list[str], said: str
) -> None:
    with app.app_context():
        number = make_member(status=status, username="somebody")
    answer = duties(admin, "somebody", *chosen)
    assert answer.status_code == 422
    assert said in answer.text
    assert member(app, number).duties == []


def test_a_customer_can_be_a_peer_moderator_until_they_are_none(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        company = make_company("Castellan Foods", domain="castellan.example")
        peer = make_customer(username="peer", company_id=company, email="p@castellan.example")
        slug = db.session.get_one(Company, company).slug
    assert duties(admin, "peer", "moderator").status_code == 303
    assert member(app, peer).duties == ["moderator"]
    path = f"/console/companies/{slug}"
    submit(admin, path, {**COMPANY, "kind": "prospect", "domains": "castellan.example"}, path)
    assert member(app, peer).duties == []


def test_the_last_admin_stays(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        own = db.session.execute(select(Member.username).where(Member.name == "Anneke")).scalar_one()
    answer = duties(admin, own)
    assert answer.status_code == 422
    assert "no admin left" in answer.text


def test_peer_moderators_and_sales_confirm_nobody(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        people = [
            make_customer(duties=(Duty.MODERATOR,)),
            make_member(status=Status.VENDOR, duties=(Duty.SALES,)),
        ]
    for person in people:
        for path in ("/console/members", "/console/companies", "/console/settings"):
            assert sign_in(person).get(path).status_code == 403


def test_an_imported_account_is_handed_over(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        old = make_member(
            "Imported Ines", status=Status.PROSPECT, confirmed=False, email=None, username="imported-ines",
            import_source="stackexchange:beer", external_id="7",
        )  # fmt: skip
        make_customer(email="taken@mail.example")
        make_company("Castellan Foods", domain="castellan.example")
    path = "/console/members/imported-ines"
    assert (
        "another account"
        in submit(moderator, path, {"email": "taken@mail.example"}, f"{path}/hand-over").text.lower()
    )
    submit(moderator, path, {"email": "Ines@castellan.example"}, f"{path}/hand-over")
    browser = app.test_client()
    link = path_in(mail_to(app, "ines@castellan.example"), "/password/")
    assert submit(browser, link, {"password": PASSWORD}).location == "/login"
    signed_in = submit(browser, "/login", {"email": "ines@castellan.example", "password": PASSWORD}, "/login")
    assert signed_in.status_code == 303
    found = member(app, old)
    assert (found.status, found.verified_by) == (Status.CUSTOMER, VerifiedBy.MAIL)
    assert (
        "has a confirmed address"
        in moderator.post(
            f"{path}/hand-over", data={**fields_of(moderator.get(path), "/logout"), "email": "x@y.example"}
        ).text
    )


def test_nothing_privileged_is_done_where_it_cannot_be_recorded(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        staff = make_member(status=Status.VENDOR, username="staff")
        with unit_of_work():
            db.session.connection().exec_driver_sql(
                "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entries "
                "BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
    assert duties(admin, "staff", "moderator").status_code == 503
    assert submit(admin, "/console/companies/new", COMPANY, "/console/companies").status_code == 503
    assert member(app, staff).duties == []
    with app.app_context():
        assert db.session.execute(select(Company)).first() is None
    assert sent_mails(app) == []


def test_members_are_found_by_name_address_company_and_claim(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        make_customer("Ínes Okafor", username="ines", company_id=make_company("Castellan Foods"))
        make_prospect("Bo", username="bo", email="bo@special.example", company_claim="Acme")
    for words, found in (("INES", "ines"), ("castellan", "ines"), ("special.ex", "bo"), ("acme", "bo")):
        page = moderator.get(f"/console/members?q={words}").text
        assert [name for name in ("ines", "bo") if f'"/console/members/{name}"' in page] == [found]
    assert "Nobody fits" in moderator.get("/console/members?q=%25%25").text


def test_companies_are_sorted_paged_and_exported_as_the_address_says(
    app: Flask, moderator: FlaskClient
) -> None:
    with app.app_context():
        for number in range(ROWS):
            make_company(f"Company {number:02}")
        biggest, second = make_company("Zimmer"), make_company("Yonder")
        for company, people in ((biggest, 3), (second, 2)):
            with unit_of_work():
                db.session.get_one(Company, company).members_count = people

    def order(address: str) -> list[str]:
        return re.findall(r"data-row-open[^>]*>([^<]+)</a>", moderator.get(address).text)

    assert "Zimmer" not in order("/console/companies")
    page = moderator.get("/console/companies?sort=people").text
    assert order("/console/companies?sort=people")[:2] == ["Zimmer", "Yonder"]
    more = re.search(r'href="(/console/companies\?[^"]*after=[^"]*)"', page)
    assert more is not None
    assert "sort=people" in more[1]
    rest = order(more[1].replace("&amp;", "&"))
    assert len(rest) == 2
    assert not set(rest) & set(order("/console/companies?sort=people"))
    rows = moderator.get("/console/companies.csv?sort=people").text.splitlines()
    assert len(rows) == ROWS + 3
    assert rows[1].startswith("Zimmer,")
    assert len(moderator.get("/console/companies.csv?q=yonder").text.splitlines()) == 2
