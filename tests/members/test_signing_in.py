"""Signing in and out, sessions, and a new password: what works once works once, and the owner gets in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.kernel.crypto import hash_password
from portal.kernel.db import db
from portal.members.models import LinkPurpose, Member, MemberState, Session
from portal.members.services import credentials, sessions
from tests.conftest import make_customer, noon
from tests.support.people import PASSWORD, fields_of, mail_to, path_in, sent_mails, submit

ADA = "ada@mail.example"
HASH = hash_password(PASSWORD)
NEW = "another calm river"


@pytest.fixture
def ada(app: Flask) -> int:
    with app.app_context():
        return make_customer("Ada Byron", email=ADA, password_hash=HASH, username="ada-byron")


def sign_in_as(browser: FlaskClient, email: str = ADA, password: str = PASSWORD, **more: Any) -> Any:
    options = more.pop("options", {})
    return submit(browser, "/login", {"email": email, "password": password, **more}, "/login", **options)


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/settings/notifications").status_code == 200


def test_signing_in_and_out(app: Flask, client: FlaskClient, ada: int) -> None:
    assert sign_in_as(client, " Ada@MAIL.example ").location == "/"
    assert is_in(client)
    kept = client.get_cookie("candor")
    assert kept is not None
    token = fields_of(client.get("/settings/notifications"), "/logout")
    assert client.post("/logout", data=token).location == "/"
    assert not is_in(client)
    client.set_cookie("candor", kept.value)
    assert not is_in(client), "a cookie kept from before signing out is of no use"


def test_the_session_is_new_at_signing_in(app: Flask, client: FlaskClient, ada: int) -> None:
    client.get("/login")
    with client.session_transaction() as planted:
        planted["_user_id"] = "planted"
        planted["mark"] = "planted"
        before = planted["csrf_token"]
    sign_in_as(client)
    with client.session_transaction() as session:
        assert session["_user_id"] != "planted"
        assert "mark" not in session
        assert session.get("csrf_token") != before


@pytest.mark.parametrize("state", [MemberState.BANNED, MemberState.ERASED])
def test_every_refusal_reads_alike(app: Flask, ada: int, state: MemberState) -> None:
    with app.app_context():
        make_customer("Closed", email="closed@mail.example", password_hash=HASH, state=state)
        make_customer("Imported", email="imported@mail.example")
    answers = [
        sign_in_as(app.test_client(), email, password)
        for email, password in [
            (ADA, "wrong password"),
            ("nobody@mail.example", PASSWORD),
            ("closed@mail.example", PASSWORD),
            ("imported@mail.example", PASSWORD),
            ("ada@mаil.example", PASSWORD),
            ("not an address", PASSWORD),
        ]
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert all("do not go together" in answer.text for answer in answers)


def test_remembered_for_sixty_days_else_for_half_a_day(
    app: Flask, ada: int, at: Callable[[datetime], None]
) -> None:
    at(noon())
    today, remembered = app.test_client(), app.test_client()
    sign_in_as(today)
    sign_in_as(remembered, remember="y")
    cookies = [browser.get_cookie("candor") for browser in (today, remembered)]
    assert [cookie is not None and cookie.expires is not None for cookie in cookies] == [False, True]
    at(noon() + timedelta(hours=13))
    assert not is_in(today)
    assert is_in(remembered)
    at(noon() + timedelta(days=50))
    assert is_in(remembered)
    at(noon() + timedelta(days=109))
    assert is_in(remembered), "being used, it lasts"


def test_a_session_in_use_is_noted_every_few_minutes(
    app: Flask, ada: int, at: Callable[[datetime], None], client: FlaskClient, statements: Any
) -> None:
    at(noon())
    sign_in_as(client)
    is_in(client)
    with statements() as quick:
        is_in(client)
    at(noon() + timedelta(minutes=6))
    with statements() as later:
        is_in(client)
    writes = [len(seen.writes) for seen in (quick, later)]
    assert writes == [0, 2]


class FromAddress:
    """A browser at another address, as the web server tells it."""

    def __init__(self, app: Flask, address: str) -> None:
        self.browser = app.test_client()
        self.browser.environ_base["REMOTE_ADDR"] = address


def test_a_thousand_wrong_passwords_do_not_keep_the_owner_out(
    app: Flask, ada: int, at: Callable[[datetime], None]
) -> None:
    at(noon())
    own = app.test_client()
    sign_in_as(own)
    tokens = fields_of(own.get("/settings/notifications"), "/logout")
    own.post("/logout", data=tokens)

    stranger = app.test_client()
    hidden = fields_of(stranger.get("/login"), "/login")
    statuses = []
    for number in range(60):
        stranger.environ_base["REMOTE_ADDR"] = f"198.51.{number // 250}.{number % 250}"
        answer = stranger.post("/login", data={**hidden, "email": ADA, "password": f"guess number {number}"})
        statuses.append(answer.status_code)
    assert statuses == [422] * 20 + [429] * 40
    assert int(answer.headers["Retry-After"]) in range(1, 902)
    assert "set a new password" in answer.text
    assert ADA in answer.text, "what was typed is kept"

    assert sign_in_as(own).status_code == 303, "the browser that knows the account"

    fresh = app.test_client()
    fresh.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert sign_in_as(fresh).status_code == 429
    submit(fresh, "/password", {"email": ADA}, "/password")
    link = path_in(mail_to(app, ADA), "/password/")
    assert submit(fresh, link, {"password": NEW}).location == "/login"
    assert sign_in_as(fresh, password=NEW).status_code == 303, "the mailbox of the account"


def test_one_address_that_tries_many_accounts_is_slowed_down(app: Flask, ada: int) -> None:
    stranger = app.test_client()
    hidden = fields_of(stranger.get("/login"), "/login")
    for number in range(60):
        stranger.post("/login", data={**hidden, "email": f"p{number}@mail.example", "password": "a guess"})
    assert sign_in_as(stranger).status_code == 429
    assert sign_in_as(FromAddress(app, "203.0.113.9").browser).status_code == 303


def test_a_made_up_forwarding_address_has_no_effect(app: Flask, ada: int) -> None:
    stranger = app.test_client()
    hidden = fields_of(stranger.get("/login"), "/login")
    for number in range(61):
        stranger.post(
            "/login",
            data={**hidden, "email": f"p{number}@mail.example", "password": "a guess"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert sign_in_as(stranger, options={"headers": {"X-Forwarded-For": "203.0.113.200"}}).status_code == 429
    with app.app_context():
        assert db.session.execute(select(Session.address)).scalars().all() == []


def test_a_new_password_by_mail(app: Flask, client: FlaskClient, ada: int) -> None:
    sign_in_as(client)
    other = app.test_client()
    answer = submit(other, "/password", {"email": "ADA@mail.example"}, "/password")
    assert answer.location == "/password/sent"
    link = path_in(mail_to(app, ADA), "/password/")
    for _ in range(3):
        assert app.test_client().get(link).status_code == 200
    assert submit(other, link, {"password": "short"}).status_code == 422
    hidden = fields_of(other.get(link))
    assert other.post(link, data={**hidden, "password": NEW}).location == "/login"
    assert other.post(link, data={**hidden, "password": NEW}).status_code in (400, 404), "it works once"
    assert other.get(link).status_code == 404
    assert not is_in(client), "every session ended"
    assert sign_in_as(other).status_code == 422
    assert sign_in_as(other, password=NEW).status_code == 303
    assert "was changed" in str(mail_to(app, ADA)["Subject"])


def test_known_and_unknown_addresses_are_answered_alike(app: Flask, ada: int) -> None:
    pages = []
    for address in (ADA, "nobody@mail.example"):
        browser = app.test_client()
        answer = submit(browser, "/password", {"email": address}, "/password")
        page = browser.get(answer.location)
        assert f"If <strong>{address}</strong> has an account here" in page.text
        pages.append((answer.status_code, page.status_code, page.text.replace(address, "X")))
    assert pages[0] == pages[1]
    assert [str(mail["To"]) for mail in sent_mails(app)] == [ADA]


def test_reloading_what_follows_sends_nothing(app: Flask, ada: int) -> None:
    browser = app.test_client()
    assert browser.get("/password/sent").location == "/password", "nothing was asked for"
    submit(browser, "/password", {"email": ADA}, "/password")
    assert [browser.get("/password/sent").status_code for _ in range(3)] == [200] * 3
    assert len(sent_mails(app)) == 1


def test_links_end_with_a_newer_one_a_new_password_or_a_new_address(
    app: Flask, ada: int, at: Callable[[datetime], None]
) -> None:
    at(noon())
    browser = app.test_client()

    def new_link() -> str:
        submit(browser, "/password", {"email": ADA}, "/password")
        return path_in(mail_to(app, ADA), "/password/")

    first = new_link()
    second = new_link()
    assert first != second
    assert browser.get(first).status_code == 404
    assert browser.get(second).status_code == 200
    with app.app_context():
        credentials.change_password(ada, current=PASSWORD, new=NEW, session_id=None)
    assert browser.get(second).status_code == 404
    at(noon() + timedelta(hours=2))
    third = new_link()
    with app.app_context():
        credentials.ask_for_new_email(ada, password=NEW, email="ada@castellan.example")
        token = path_in(mail_to(app, "ada@castellan.example"), "/settings/account/email/").rsplit("/", 1)[1]
        credentials.change_email_by_link(token)
    assert browser.get(third).status_code == 404
    at(noon() + timedelta(hours=5))
    submit(browser, "/password", {"email": "ada@castellan.example"}, "/password")
    fourth = path_in(mail_to(app, "ada@castellan.example"), "/password/")
    at(noon() + timedelta(hours=7, minutes=1))
    assert browser.get(fourth).status_code == 404


def test_a_link_for_one_purpose_works_for_no_other(app: Flask, ada: int) -> None:
    with app.app_context():
        credentials.ask_for_new_email(ada, password=PASSWORD, email="new@castellan.example")
    token = path_in(mail_to(app, "new@castellan.example"), "/settings/").rsplit("/", 1)[1]
    assert app.test_client().get(f"/password/{token}").status_code == 404
    with app.app_context():
        assert credentials.find_link(token, LinkPurpose.EMAIL).member_id == ada


def test_a_person_is_mailed_three_links_an_hour_at_most(app: Flask, ada: int) -> None:
    for number in range(6):
        browser = FromAddress(app, f"203.0.113.{number}").browser
        assert submit(browser, "/password", {"email": ADA}, "/password").status_code == 303
    assert len(sent_mails(app)) == 3


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_a_forged_host_never_stands_in_a_mail(app: Flask, ada: int, header: str) -> None:
    browser = app.test_client()
    hidden = fields_of(browser.get("/password"), "/password")
    answer = browser.post("/password", data={**hidden, "email": ADA}, headers={header: "evil.example"})
    mails = sent_mails(app)
    assert answer.status_code == 400 or path_in(mails[-1], "/password/")
    assert "evil.example" not in answer.text
    assert not any("evil.example" in str(mail) for mail in mails)


def test_new_passwords_end_the_other_sessions_and_keep_this_one(app: Flask, ada: int) -> None:
    with app.app_context():
        here, there = (sessions.start_session(ada) for _ in range(2))
        ids = db.session.execute(select(Session.id).order_by(Session.id)).scalars().all()
        credentials.change_password(ada, current=PASSWORD, new=NEW, session_id=ids[0])
        assert db.session.execute(select(Session.id)).scalars().all() == [ids[0]]
        assert here != there


def test_a_password_is_never_in_the_page_or_the_database(app: Flask, client: FlaskClient, ada: int) -> None:
    answer = sign_in_as(client, password="a wrong CANARY")
    assert "CANARY" not in answer.text
    with app.app_context():
        stored = db.session.execute(select(Member.password_hash).where(Member.id == ada)).scalar_one()
    assert stored is not None
    assert stored.startswith("$argon2id$")
