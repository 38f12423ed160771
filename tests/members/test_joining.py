"""Joining: a link to the address, used by a button; who one is follows from the address."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.kernel import jobs
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.members import names
from portal.members.models import CompanyKind, JoinRequest, Member, VerifiedBy
from tests.conftest import make_company, make_customer, noon
from tests.support.people import PASSWORD, fields_of, mail_to, path_in, sent_mails, submit

INES = {"name": "Ines Okafor", "email": "ines@castellan.example", "password": PASSWORD}


def place_after(location: str) -> str:
    """Where a customer goes on to from the first minute."""
    path, _mark, query = location.partition("?")
    assert path == "/welcome/first-minute"
    return parse_qs(query)["next"][0]


def ask(browser: FlaskClient, page: str = "/join", **fields: str) -> TestResponse:
    return submit(browser, page, {**INES, **fields}, action="/join")


def confirm(app: Flask, browser: FlaskClient, address: str = INES["email"], **fields: str) -> TestResponse:
    return submit(browser, path_in(mail_to(app, address), "/join/confirm"), fields)


def member(app: Flask, email: str = INES["email"]) -> Member | None:
    with app.app_context():
        return db.session.execute(select(Member).where(Member.email == email)).scalar_one_or_none()


def test_a_person_joins_by_the_link_and_is_back_where_they_were(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_company("Castellan Foods", domain="castellan.example")
    answer = ask(client, "/join?next=/threads/7/lanes%23p3")
    assert answer.location == "/join/sent"
    assert "ines@castellan.example" in client.get("/join/sent").text
    assert member(app) is None
    answer = confirm(app, client)
    assert place_after(answer.location) == "/threads/7/lanes#p3"
    joined = member(app)
    assert joined is not None
    assert (joined.username, joined.name, joined.status) == ("ines-okafor", "Ines Okafor", Status.CUSTOMER)
    assert joined.verified_by is VerifiedBy.MAIL
    assert client.get("/settings/notifications").status_code == 200


def test_a_scanner_that_opens_the_link_uses_nothing_up(app: Flask, client: FlaskClient) -> None:
    ask(client)
    path = path_in(mail_to(app, INES["email"]), "/join/confirm")
    for _ in range(3):
        assert app.test_client().get(path).status_code == 200
        assert app.test_client().head(path).status_code == 200
    assert member(app) is None
    assert confirm(app, client).status_code == 303


def test_the_link_works_once_and_for_three_days(
    app: Flask, client: FlaskClient, at: Callable[[datetime], None]
) -> None:
    at(noon())
    ask(client)
    path = path_in(mail_to(app, INES["email"]), "/join/confirm")
    hidden = fields_of(client.get(path))
    at(noon() + timedelta(days=3, minutes=1))
    assert client.post(path, data=hidden).status_code == 404
    at(noon() + timedelta(days=2))
    assert client.post(path, data=hidden).status_code == 303
    assert app.test_client().get(path).status_code == 404


def test_another_browser_is_asked_for_the_password(app: Flask, client: FlaskClient) -> None:
    ask(client)
    elsewhere = app.test_client()
    refused = confirm(app, elsewhere, password="a guess of somebody else")
    assert refused.status_code == 422
    assert "not the password" in refused.text
    assert member(app) is None
    assert confirm(app, elsewhere, password=PASSWORD).status_code == 303


def test_an_address_with_an_account_answers_alike_and_its_owner_is_told(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        make_customer("Ines", email=INES["email"])
    other = app.test_client()
    known, unknown = ask(client), ask(other, email="new@castellan.example")
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    seen = client.get("/join/sent").text.replace(INES["email"], "X")
    new = other.get("/join/sent").text.replace("new@castellan.example", "X")
    assert _without_tokens(seen) == _without_tokens(new)
    assert "already have an account" in str(mail_to(app, INES["email"])["Subject"])
    assert "Confirm your address" in str(mail_to(app, "new@castellan.example")["Subject"])
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(JoinRequest)) == 2


def _without_tokens(html: str) -> str:
    return "\n".join(
        line for line in html.splitlines() if "csrf_token" not in line and "form_key" not in line
    )


def test_the_link_can_be_sent_again_but_nobody_is_flooded(app: Flask, client: FlaskClient) -> None:
    ask(client)
    first = path_in(mail_to(app, INES["email"]), "/join/confirm")
    for _ in range(5):
        assert submit(client, "/join/sent", {}).status_code == 303
    assert len(sent_mails(app)) == 3
    assert path_in(mail_to(app, INES["email"]), "/join/confirm") != first
    assert confirm(app, client).status_code == 303


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "nonsense"}, "whole mail address"),
        ({"email": "ines@exa mple.com"}, "whole mail address"),
        ({"email": "іnes@castellan.example"}, "whole mail address"),
        ({"password": "short"}, "at least 10"),
        ({"password": "password123"}, "first that would be guessed"),
        ({"password": "ines@castellan.example"}, "first that would be guessed"),
        ({"name": "I"}, "2 to 80"),
        ({"name": "Win a prize at evil.example"}, "cannot contain an address"),
        ({"name": "Inеs Okafor"}, "one alphabet"),
        ({"name": "Moderator"}, "an office"),
        ({"name": "Adm\u200bin"}, "an office"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field_and_the_rest_is_kept(
    app: Flask, client: FlaskClient, fields: dict[str, str], said: str
) -> None:
    answer = ask(client, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert PASSWORD not in answer.text
    if "name" not in fields:
        assert 'value="Ines Okafor"' in answer.text
    assert sent_mails(app) == []


@pytest.mark.parametrize(
    ("address", "company_kind", "status"),
    [
        ("a@acme.example", CompanyKind.CUSTOMER, Status.CUSTOMER),
        ("a@eu.acme.example", CompanyKind.CUSTOMER, Status.CUSTOMER),
        ("a@acme.example", CompanyKind.FORMER, Status.FORMER),
        ("a@acme.example", CompanyKind.PROSPECT, Status.PROSPECT),
        ("a@notacme.example", CompanyKind.CUSTOMER, Status.PROSPECT),
        ("a@northwind.example", CompanyKind.CUSTOMER, Status.VENDOR),
        ("a@mail.northwind.example", CompanyKind.CUSTOMER, Status.VENDOR),
        ("a@gmail.com", CompanyKind.CUSTOMER, Status.PROSPECT),
    ],
)
def test_who_one_is_follows_from_the_address(
    app: Flask, client: FlaskClient, address: str, company_kind: CompanyKind, status: Status
) -> None:
    with app.app_context():
        make_company("Acme", kind=company_kind, domain="acme.example")
        make_company("Mistaken", kind=CompanyKind.CUSTOMER, domain="northwind.example")
        make_company("Also mistaken", kind=CompanyKind.CUSTOMER, domain="gmail.com")
    ask(client, email=address)
    answer = confirm(app, client, address)
    joined = member(app, address)
    assert joined is not None
    assert joined.status is status
    asked = {Status.CUSTOMER: "/welcome/first-minute?", Status.FORMER: "/welcome/first-minute?"}
    if joined.company_id is None:
        assert answer.location.startswith("/welcome?")
    else:
        assert answer.location.startswith(asked.get(status, "/"))
        assert answer.location.startswith("/welcome") == (status in asked)


def test_who_has_no_company_is_asked_and_may_skip(app: Flask, client: FlaskClient) -> None:
    ask(client, "/join?next=/boards/lanes", email="ines@gmail.com")
    answer = confirm(app, client, "ines@gmail.com")
    assert answer.location == "/welcome?next=/boards/lanes"
    page = client.get(answer.location)
    assert 'href="/boards/lanes"' in page.text
    answer = client.post(
        answer.location, data={**fields_of(page, ""), "company": " Castellan  Foods ", "title": "Head of IT"}
    )
    assert answer.location == "/boards/lanes"
    joined = member(app, "ines@gmail.com")
    assert joined is not None
    assert (joined.company_claim, joined.title, joined.status) == (
        "Castellan Foods",
        "Head of IT",
        Status.PROSPECT,
    )


@pytest.mark.parametrize(
    "next_place",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/%2F/evil.example",
     "/%5Cevil.example", "/\t/evil.example", "%2F%2Fevil.example", "/%09/evil.example", "\\\\evil.example"],
)  # fmt: skip
def test_one_lands_only_on_this_site(app: Flask, client: FlaskClient, next_place: str) -> None:
    with app.app_context():
        make_company(domain="castellan.example")
    page = client.get("/join", query_string={"next": next_place})
    data = {**fields_of(page, "/join"), **INES, "next": next_place}
    assert client.post("/join", data=data).status_code == 303
    assert place_after(confirm(app, client).location) == "/"
    assert client.get("/login", query_string={"next": next_place}).location == "/"


def test_two_people_of_one_name_have_two_user_names(app: Flask) -> None:
    for number, name in enumerate(["Ines Okafor", "Ines Okafor", "Ines Okaf0r", "İnes  Okafor", "李明"]):
        browser = app.test_client()
        ask(browser, name=name, email=f"p{number}@castellan.example")
        confirm(app, browser, f"p{number}@castellan.example")
    with app.app_context():
        found = db.session.execute(select(Member.username).order_by(Member.id)).scalars().all()
    assert found == ["ines-okafor", "ines-okafor-2", "ines-okaf0r-3", "ines-okafor-4", "member-2"]


def test_reserved_names_and_foreign_letters() -> None:
    assert next(names.candidates("Login")) == "login-member"
    assert next(names.candidates("Tomasz Wiśniewski-Łoś")) == "tomasz-wisniewski-los"
    assert names.clean_name("  Zoë\u200b  d’Arc ") == "Zoë d’Arc"
    assert names.clean_name("J.R. Ó Briain") == "J.R. Ó Briain"
    assert names.clean_name("Иван Петров") == "Иван Петров"


def test_a_join_request_too_old_is_forgotten(
    app: Flask, client: FlaskClient, at: Callable[[datetime], None]
) -> None:
    at(noon())
    ask(client)
    at(noon() + timedelta(days=4))
    with app.app_context():
        jobs.registered()["forget requests to join"].run()
        assert db.session.execute(select(JoinRequest)).first() is None


def test_demo_addresses_refuse_to_exist_in_production(app: Flask, client: FlaskClient) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], SITE_ENV="production")
    assert ask(client, email="new@demo.example").status_code == 422
    assert sent_mails(app) == []
