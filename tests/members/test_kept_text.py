"""An expired session or an old token loses no text, and nothing is ever sent by itself."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.kernel.crypto import hash_password
from portal.kernel.db import db
from portal.members.models import KeptForm, Member
from tests.conftest import make_customer
from tests.support.people import PASSWORD, fields_of, submit

ADA = "ada@mail.example"
TEXT = 'Eight hours, "typed" <b>by hand</b>.\r\n\r\nSecond paragraph & more.'


@pytest.fixture
def ada(app: Flask) -> int:
    with app.app_context():
        return make_customer("Ada", email=ADA, password_hash=hash_password(PASSWORD))


def post_signed_out(browser: FlaskClient, **options: Any) -> Any:
    """Some form of the site, sent after the session had ended."""
    data = {"csrf_token": "of the old session", "form_key": "once-1", "company": TEXT, "title": "Head of IT"}
    return browser.post("/welcome?next=/boards/a", data=data, **options)


def test_text_typed_before_the_session_ended_is_there_after_signing_in(
    app: Flask, client: FlaskClient, ada: int
) -> None:
    answer = post_signed_out(client)
    assert answer.status_code == 401
    assert "You are signed out" in answer.text
    assert "Eight hours" in answer.text
    hidden = fields_of(answer, "/login")
    wrong = client.post("/login", data={**hidden, "email": ADA, "password": "a wrong one"})
    hidden = fields_of(wrong, "/login")
    signed_in = client.post("/login", data={**hidden, "email": ADA, "password": PASSWORD})
    assert signed_in.location.startswith("/send-again/")
    page = client.get(signed_in.location)
    assert 'action="/welcome?next=/boards/a"' in page.text
    assert TEXT.replace("\r\n", "\n") in unescape(page.text).replace("\r\n", "\n")
    with app.app_context():
        assert db.session.get_one(Member, ada).company_claim == "", "nothing was sent by itself"
    again = fields_of(page, "/welcome?next=/boards/a")
    assert again["form_key"] == "once-1"
    sent = client.post("/welcome?next=/boards/a", data={**again, "company": TEXT[:30], "title": "Head"})
    assert sent.location == "/boards/a"
    assert len(again["csrf_token"]) > 20


def test_an_old_token_keeps_the_text_and_asks_to_send_once_more(
    app: Flask, ada: int, sign_in: Callable[[int], FlaskClient]
) -> None:
    browser = sign_in(ada)
    answer = post_signed_out(browser)
    assert answer.status_code == 400
    assert "Send it once more" in answer.text
    again = fields_of(answer, "/welcome?next=/boards/a")
    sent = browser.post("/welcome?next=/boards/a", data={**again, "company": "Acme", "title": "Head"})
    assert sent.location == "/boards/a"


def test_only_what_was_typed_is_shown_under_the_words_of_its_form(
    app: Flask, ada: int, sign_in: Callable[[int], FlaskClient]
) -> None:
    browser = sign_in(ada)
    story = {"title": "Gone at night", "body": "", "happened": "It was gone.", "cost": "", "tags": "night"}
    page = browser.post("/threads/new", data={"csrf_token": "old", **story})
    assert page.status_code == 400
    labels = re.findall(r'<label class="form-label" for="again-\d+">([^<]+)</label>', page.text)
    assert labels == ["Title", "What happened", "Tags"]
    again = fields_of(page, "/threads/new")
    assert again["body"] == again["cost"] == "", "and what was empty goes along"


def test_a_form_of_another_site_is_not_offered_again(
    app: Flask, client: FlaskClient, ada: int, sign_in: Callable[[int], FlaskClient]
) -> None:
    foreign = {"headers": {"Sec-Fetch-Site": "cross-site"}}
    for browser, status in ((client, 401), (sign_in(ada), 400)):
        answer = post_signed_out(browser, **foreign)
        assert answer.status_code == status
        assert 'action="/welcome' not in answer.text
        if status == 401:
            assert fields_of(answer, "/login")["kept"] == ""


def test_only_the_owner_sees_a_kept_form_and_for_a_day(
    app: Flask, client: FlaskClient, ada: int, sign_in: Callable[[int], FlaskClient]
) -> None:
    hidden = fields_of(post_signed_out(client), "/login")
    place = client.post("/login", data={**hidden, "email": ADA, "password": PASSWORD}).location
    with app.app_context():
        other = sign_in(make_customer("Bob"))
    assert other.get(place).status_code == 404
    assert client.get(place).status_code == 200


@pytest.mark.parametrize(
    "action", ["//evil.example/x", "https://evil.example", "javascript:alert(1)", "/\\evil"]
)
def test_a_kept_form_leads_nowhere_else(app: Flask, client: FlaskClient, ada: int, action: str) -> None:
    packed = json.dumps({"action": action, "fields": [["body", "text"]]})
    answer = submit(client, "/login", {"email": ADA, "password": PASSWORD, "kept": packed}, "/login")
    assert answer.location == "/"


@pytest.mark.parametrize(
    "packed", ["{", "[]", '{"action": 3}', '{"action": "/x", "fields": 3}', "x" * 300_000]
)
def test_a_damaged_kept_form_is_left_out(app: Flask, client: FlaskClient, ada: int, packed: str) -> None:
    answer = submit(client, "/login", {"email": ADA, "password": PASSWORD, "kept": packed}, "/login")
    assert answer.location == "/"
    with app.app_context():
        assert db.session.execute(select(KeptForm)).first() is None


def test_a_whole_post_survives(app: Flask, client: FlaskClient, ada: int) -> None:
    body = "word " * 13_000
    answer = client.post("/welcome", data={"body": body})
    hidden = fields_of(answer, "/login")
    place = client.post("/login", data={**hidden, "email": ADA, "password": PASSWORD}).location
    assert body.strip() in client.get(place).text


def test_secrets_are_never_kept(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/welcome", data={"body": "text", "password": "CANARY", "csrf_token": "CANARY"})
    assert "CANARY" not in answer.text


def test_a_script_is_told_in_json(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/welcome", data={"body": "text"}, headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json == {"error": "401", "status": 401, "request": answer.headers["X-Request-Id"]}
