"""Signing in by a link in a mail: works once, without a password, and tells nobody who is here."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState, Session
from portal.members.services import credentials
from tests.conftest import make_customer, noon
from tests.support.people import fields_of, mail_to, path_in, sent_mails, submit

ADA = "ada@mail.example"


@pytest.fixture
def ada(app: Flask) -> int:
    """A customer who has no password at all."""
    with app.app_context():
        return make_customer("Ada Byron", email=ADA, username="ada-byron")


def ask_for_link(browser: FlaskClient, email: str = ADA, place: str = "/") -> None:
    """As on the sign-in page: the address, then the second button."""
    hidden = fields_of(browser.get(f"/login?next={place}"), "/login")
    answer = browser.post("/login/link", data={**hidden, "email": email, "password": ""})
    assert answer.location == "/login/link/sent"


def link_to(app: Flask, email: str = ADA) -> str:
    return path_in(mail_to(app, email), "/login/link/")


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/settings/notifications").status_code == 200


def test_a_member_without_a_password_signs_in_by_the_link(app: Flask, client: FlaskClient, ada: int) -> None:
    ask_for_link(client, " Ada@MAIL.example ", place="/settings/sessions")
    mail = mail_to(app, ADA)
    html = mail.get_body(("html",))
    assert html is not None
    link = path_in(mail, "/login/link/")
    assert link in html.get_content()
    page = client.get(link)
    assert ADA in page.text
    assert not is_in(client), "looking at it signs nobody in"
    answer = submit(client, link, {})
    assert answer.location == "/settings/sessions"
    assert is_in(client)
    assert "this browser" in client.get("/settings/sessions").text.lower()


def test_it_works_on_another_device_and_stays_there_when_wished(app: Flask, ada: int) -> None:
    ask_for_link(app.test_client())
    telephone = app.test_client()
    assert submit(telephone, link_to(app), {"remember": "y"}).status_code == 303
    with app.app_context():
        row = db.session.execute(select(Session)).scalar_one()
        assert (row.member_id, row.remembered) == (ada, True)


def test_a_scanner_that_opens_it_uses_nothing_up_and_the_button_works_once(app: Flask, ada: int) -> None:
    ask_for_link(app.test_client())
    link = link_to(app)
    scanner, first, second = (app.test_client() for _ in range(3))
    for _ in range(3):
        assert scanner.get(link).status_code == 200
        assert scanner.head(link).status_code == 200
    assert scanner.post(link).status_code == 400, "a post of another site carries no token of ours"
    hidden = fields_of(second.get(link))
    assert submit(first, link, {}).status_code == 303
    assert second.post(link, data=hidden).status_code == 404
    assert not is_in(second)
    assert scanner.get(link).status_code == 404


def test_it_lasts_twenty_minutes(app: Flask, ada: int, at: Callable[[datetime], None]) -> None:
    at(noon())
    browser = app.test_client()
    ask_for_link(browser)
    link = link_to(app)
    at(noon() + timedelta(minutes=19))
    assert browser.get(link).status_code == 200
    at(noon() + timedelta(minutes=21))
    assert browser.get(link).status_code == 404
    assert submit(browser, "/login/link", {"email": ADA}, "/login/link").status_code == 303


def test_a_newer_link_a_new_password_or_a_new_address_ends_it(app: Flask, ada: int) -> None:
    browser = app.test_client()
    ask_for_link(browser)
    first = link_to(app)
    ask_for_link(browser)
    second = link_to(app)
    assert (browser.get(first).status_code, browser.get(second).status_code) == (404, 200)
    submit(browser, "/password", {"email": ADA}, "/password")
    new_password = path_in(mail_to(app, ADA), "/password/")
    assert browser.get(second.replace("/login/link/", "/password/")).status_code == 404, "for nothing else"
    submit(browser, new_password, {"password": "another calm river"})
    assert browser.get(second).status_code == 404


def test_known_and_unknown_addresses_are_answered_alike(app: Flask, ada: int) -> None:
    with app.app_context():
        make_customer("Closed", email="closed@mail.example", state=MemberState.BANNED)
    pages = []
    for address in (ADA, "nobody@mail.example", "closed@mail.example", "not an address"):
        browser = app.test_client()
        answer = submit(browser, "/login/link", {"email": address}, "/login/link")
        page = browser.get(answer.location)
        assert f"If <strong>{address}</strong> has an account here" in page.text
        pages.append((answer.status_code, page.status_code, page.text.replace(address, "X")))
    assert len(set(pages)) == 1
    assert [str(mail["To"]) for mail in sent_mails(app)] == [ADA]


def test_reloading_what_follows_sends_nothing(app: Flask, ada: int) -> None:
    browser = app.test_client()
    assert browser.get("/login/link/sent").location == "/login/link", "nothing was asked for"
    ask_for_link(browser, place="/me/bookmarks")
    pages = {browser.get("/login/link/sent").text for _ in range(3)}
    assert len(pages) == 1
    assert 'href="/login/link?next=/me/bookmarks"' in pages.pop()
    assert len(sent_mails(app)) == 1


def test_links_of_every_kind_count_together_three_an_hour(app: Flask, ada: int) -> None:
    for number in range(4):
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
        ask_for_link(browser)
        submit(browser, "/password", {"email": ADA}, "/password")
    assert len(sent_mails(app)) == 3


def test_one_place_asks_for_twenty_an_hour(app: Flask, ada: int) -> None:
    browser = app.test_client()
    hidden = fields_of(browser.get("/login/link"), "/login/link")
    statuses = [
        browser.post("/login/link", data={**hidden, "email": f"person{number}@mail.example"}).status_code
        for number in range(22)
    ]
    assert statuses[:20] == [303] * 20
    assert set(statuses[20:]) == {429}


def test_who_was_banned_meanwhile_stays_out(app: Flask, ada: int) -> None:
    browser = app.test_client()
    ask_for_link(browser)
    link = link_to(app)
    with app.app_context(), unit_of_work():
        db.session.get_one(Member, ada).state = MemberState.BANNED
    hidden = fields_of(browser.get(link))
    assert browser.post(link, data=hidden).status_code == 404
    assert not is_in(browser)


def test_what_was_being_sent_comes_back_in_that_browser_and_in_no_other(app: Flask, ada: int) -> None:
    """Else anybody could have somebody else send what they wrote."""
    kept = '{"action": "/threads/new", "fields": [["body", "a text that was not lost"]]}'
    for same in (True, False):
        here = app.test_client()
        hidden = {**fields_of(here.get("/login"), "/login"), "kept": kept}
        here.post("/login/link", data={**hidden, "email": ADA})
        link = link_to(app)
        browser = here if same else app.test_client()
        answer = submit(browser, link, {})
        page = browser.get(answer.location)
        assert ("a text that was not lost" in page.text) is same


def test_a_link_proves_the_address(app: Flask) -> None:
    with app.app_context():
        waiting = make_customer("Waiting", email="waiting@mail.example", email_confirmed_at=None)
        credentials.ask_for_sign_in_link("waiting@mail.example")
        token = link_to(app, "waiting@mail.example").rsplit("/", 1)[1]
        assert credentials.use_sign_in_link(token)[0] == waiting
        assert db.session.get_one(Member, waiting, populate_existing=True).email_confirmed_at is not None
        with pytest.raises(NotFound):
            credentials.use_sign_in_link(token)


@pytest.mark.parametrize("place", ["//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_it_leads_to_no_other_site(app: Flask, ada: int, place: str) -> None:
    browser = app.test_client()
    hidden = {**fields_of(browser.get("/login"), "/login"), "next": place}
    browser.post("/login/link", data={**hidden, "email": ADA})
    assert submit(browser, link_to(app), {}).location == "/"


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_a_forged_host_never_stands_in_the_mail(app: Flask, ada: int, header: str) -> None:
    browser = app.test_client()
    hidden = fields_of(browser.get("/login/link"), "/login/link")
    browser.post("/login/link", data={**hidden, "email": ADA}, headers={header: "evil.example"})
    assert not any("evil.example" in str(mail) for mail in sent_mails(app))
