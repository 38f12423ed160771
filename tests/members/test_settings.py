"""One's own settings: what is typed is kept, what cannot be taken is said, others see what was chosen."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from portal.discussions.models import Thread, ThreadKind
from portal.discussions.services.posting import open_thread
from portal.kernel.crypto import hash_password
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberProduct, Product, RoleLevel, Session
from portal.members.services import sessions
from tests.conftest import make_board, make_company, make_customer, make_prospect, viewer_of
from tests.support.people import PASSWORD, fields_of, mail_to, path_in, sent_mails, submit

ADA = "ada@mail.example"


@pytest.fixture
def ada(app: Flask) -> int:
    with app.app_context():
        with unit_of_work():
            db.session.add_all(
                [Product(id=1, name="Flow, self-hosted"), Product(id=2, name="Lanes", retired=True)]
            )
        return make_prospect(
            "Ada Byron", email=ADA, password_hash=hash_password(PASSWORD), username="ada-byron"
        )


@pytest.fixture
def browser(ada: int, sign_in: Callable[[int], FlaskClient]) -> FlaskClient:
    return sign_in(ada)


def stored(app: Flask, member_id: int) -> Member:
    with app.app_context():
        return db.session.get_one(Member, member_id)


PROFILE = {
    "name": "Ada King",
    "title": "Head of IT",
    "role_level": "manager",
    "region": "GB",
    "time_zone": "Europe/London",
    "languages": ["en", "fr"],
    "company": "Analytical Engines",
    "product_1": "y",
    "since_1": "2021-03",
    "use_cases": "EDI, e-invoicing , EDI",
    "replaced": "A spreadsheet",
    "topics": "lanes",
    "about": "I count **things**.<script>alert(1)</script>",
}


def test_a_profile_is_stored_as_typed(app: Flask, ada: int, browser: FlaskClient) -> None:
    assert submit(browser, "/settings/profile", PROFILE, "/settings/profile").location == "/settings/profile"
    member = stored(app, ada)
    assert (member.name, member.title, member.role_level) == ("Ada King", "Head of IT", RoleLevel.MANAGER)
    assert (member.region, member.time_zone, member.languages) == ("GB", "Europe/London", ["en", "fr"])
    assert (member.use_cases, member.topics, member.company_claim) == (
        ["EDI", "e-invoicing"],
        ["lanes"],
        "Analytical Engines",
    )
    assert "<strong>things</strong>" in member.about_html
    assert "<script" not in member.about_html
    with app.app_context():
        used = db.session.execute(select(MemberProduct.product_id, MemberProduct.since)).all()
    assert [tuple(row) for row in used] == [(1, "2021-03")]
    page = browser.get("/settings/profile").text
    assert 'value="Ada King"' in page
    assert 'value="2021-03"' in page
    assert "Lanes" not in page, "a retired product is not offered anew"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Write your name"),
        ({"name": "see www.evil.example"}, "cannot contain an address"),
        ({"since_1": "long ago"}, "Write a year"),
        ({"since_1": "2999"}, "Write a year"),
        ({"region": "XX"}, "Not a valid choice"),
        ({"time_zone": "Mars/Olympus"}, "Not a valid choice"),
        ({"languages": ["xx"]}, "Choose from the list"),
        ({"topics": ", ".join(f"topic {n}" for n in range(20))}, "At most 12"),
        ({"about": "x" * 4001}, "at most 4,000"),
        ({"about": "[" * 3900}, None),
        ({"title": "x" * 101}, "at most 100"),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(
    app: Flask, ada: int, browser: FlaskClient, fields: dict[str, Any], said: str | None
) -> None:
    answer = submit(browser, "/settings/profile", {**PROFILE, **fields}, "/settings/profile")
    if said is None:
        assert answer.status_code in (303, 422)
        return
    assert answer.status_code == 422
    assert said in answer.text
    assert "data-error-summary" in answer.text
    assert "A spreadsheet" in answer.text
    assert stored(app, ada).title == ""


def test_a_stale_form_overwrites_nothing_and_says_what_differs(
    app: Flask, ada: int, browser: FlaskClient
) -> None:
    first = fields_of(browser.get("/settings/profile"), "/settings/profile")
    second = fields_of(browser.get("/settings/profile"), "/settings/profile")
    browser.post("/settings/profile", data={**first, **PROFILE})
    answer = browser.post("/settings/profile", data={**second, **PROFILE, "title": "Countess"})
    assert answer.status_code == 409
    assert "Head of IT" in answer.text
    assert 'value="Countess"' in answer.text
    assert stored(app, ada).title == "Head of IT"
    again = fields_of(answer, "/settings/profile")
    assert (
        browser.post("/settings/profile", data={**again, **PROFILE, "title": "Countess"}).status_code == 303
    )
    assert stored(app, ada).title == "Countess"


def test_nobody_sets_what_is_not_theirs_to_set(app: Flask, ada: int, browser: FlaskClient) -> None:
    extra = {
        "status": "vendor",
        "duties": "admin",
        "company_id": "1",
        "verified_by": "mail",
        "email": "x@y.example",
    }
    submit(browser, "/settings/profile", {**PROFILE, **extra, "product_2": "y"}, "/settings/profile")
    member = stored(app, ada)
    assert (member.status.value, member.duties, member.company_id, member.email) == (
        "prospect",
        [],
        None,
        ADA,
    )
    with app.app_context():
        assert db.session.execute(select(MemberProduct.product_id)).scalars().all() == [1]


def test_a_verified_company_stays(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        member = make_customer(company_id=make_company("Castellan Foods"))
    browser = sign_in(member)
    assert "Castellan Foods" in browser.get("/settings/profile").text
    data = {**PROFILE, "company": "Another"}
    data.pop("product_1")
    submit(browser, "/settings/profile", data, "/settings/profile")
    assert stored(app, member).company_claim == ""


def test_a_change_makes_kept_threads_anew(app: Flask, ada: int, browser: FlaskClient) -> None:
    with app.app_context():
        thread = open_thread(
            viewer_of(ada), make_board(), kind=ThreadKind.DISCUSSION, title="Lanes in practice", body="Who?"
        ).id
        before = db.session.get_one(Thread, thread).content_version
    submit(browser, "/settings/profile", PROFILE, "/settings/profile")
    with app.app_context():
        assert db.session.get_one(Thread, thread).content_version > before


def picture(kind: str = "JPEG") -> dict[str, Any]:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "CANARY"
    Image.new("RGB", (600, 400), "teal").save(out, kind, exif=exif)
    out.seek(0)
    return {"picture": (out, "../../evil\u202egpj.exe")}


def test_a_picture_is_encoded_anew_and_the_former_one_goes(
    app: Flask, ada: int, browser: FlaskClient, tmp_path: Path
) -> None:
    for _ in range(2):
        answer = submit(browser, "/settings/profile", picture(), "/settings/picture")
        assert answer.status_code == 303
    files = list((tmp_path / "uploads").iterdir())
    assert [file.name for file in files] == [stored(app, ada).picture]
    assert b"CANARY" not in files[0].read_bytes()
    shown = app.test_client().get(f"/uploads/{files[0].name}")
    assert (shown.status_code, shown.mimetype) == (200, "image/webp")
    assert Image.open(io.BytesIO(shown.data)).size == (256, 256)
    assert "immutable" in shown.headers["Cache-Control"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in shown.headers
    token = fields_of(browser.get("/settings/profile"), "/settings/picture?_method=DELETE")
    assert browser.post("/settings/picture?_method=DELETE", data=token).status_code == 303
    assert list((tmp_path / "uploads").iterdir()) == []
    assert app.test_client().get(f"/uploads/{files[0].name}").status_code == 404


def test_a_file_that_is_no_picture_is_refused_in_words(app: Flask, browser: FlaskClient) -> None:
    svg = {"picture": (io.BytesIO(b"<svg onload='alert(1)'/>"), "a.png")}
    answer = submit(browser, "/settings/profile", svg, "/settings/picture")
    assert answer.status_code == 422
    assert "Use a JPEG, PNG, WebP or GIF" in answer.text
    assert submit(browser, "/settings/profile", {}, "/settings/picture").status_code == 422


@pytest.mark.parametrize(
    ("choice", "seen"),
    [("everyone", (200, 200, 200)), ("members", (404, 200, 200)), ("nobody", (404, 404, 200))],
)
def test_a_picture_is_for_those_who_may_see_it(
    app: Flask,
    ada: int,
    browser: FlaskClient,
    sign_in: Callable[[int], FlaskClient],
    choice: str,
    seen: tuple[int, int, int],
) -> None:
    submit(browser, "/settings/profile", picture(), "/settings/picture")
    assert (
        submit(browser, "/settings/visibility", {"picture": choice}, "/settings/visibility").status_code
        == 303
    )
    with app.app_context():
        other = make_customer()
    path = f"/uploads/{stored(app, ada).picture}"
    answers = [app.test_client().get(path), sign_in(other).get(path), browser.get(path)]
    assert tuple(answer.status_code for answer in answers) == seen
    kept = "public, max-age=86400, immutable" if choice == "everyone" else "private, no-store"
    assert answers[2].headers["Cache-Control"] == kept


def test_only_the_offered_choices_count(app: Flask, ada: int, browser: FlaskClient) -> None:
    assert (
        submit(browser, "/settings/visibility", {"about": "friends"}, "/settings/visibility").status_code
        == 422
    )
    assert submit(browser, "/settings/display", {"theme": "pink"}, "/settings/display").status_code == 422
    assert submit(browser, "/settings/display", {"theme": "dark"}, "/settings/display").status_code == 303
    assert 'data-bs-theme="dark"' in browser.get("/settings/display").text


def test_a_new_address_takes_a_link_and_the_old_one_is_told(
    app: Flask, ada: int, browser: FlaskClient
) -> None:
    with app.app_context():
        make_company("Castellan Foods", domain="castellan.example")
    form = {"email-email": "Ada@Castellan.example", "email-password": "a wrong password"}
    refused = submit(browser, "/settings/account", form, "/settings/account/email")
    assert refused.status_code == 422
    assert "not your password" in refused.text
    form["email-password"] = PASSWORD
    assert submit(browser, "/settings/account", form, "/settings/account/email").status_code == 303
    assert stored(app, ada).email == ADA
    link = path_in(mail_to(app, "ada@castellan.example"), "/settings/account/email/")
    assert app.test_client().get(link).status_code == 200
    assert stored(app, ada).email == ADA, "looking at the link uses nothing up"
    assert submit(browser, link, {}).status_code == 303
    member = stored(app, ada)
    assert (member.email, member.status.value) == ("ada@castellan.example", "customer")
    assert "address" in str(mail_to(app, ADA)["Subject"])
    assert app.test_client().get(link).status_code == 404


def test_an_address_of_somebody_else_is_answered_alike(app: Flask, ada: int, browser: FlaskClient) -> None:
    with app.app_context():
        make_customer(email="bob@mail.example")
    for address in ("bob@mail.example", "free@mail.example"):
        form = {"email-email": address, "email-password": PASSWORD}
        answer = submit(browser, "/settings/account", form, "/settings/account/email")
        assert (answer.status_code, answer.location) == (303, "/settings/account")
    assert "already have an account" in str(mail_to(app, "bob@mail.example")["Subject"])


def test_new_addresses_are_mailed_three_times_an_hour_at_most(
    app: Flask, ada: int, browser: FlaskClient
) -> None:
    with app.app_context():
        make_customer(email="bob@mail.example")
    for address in ["free@mail.example"] * 3 + ["bob@mail.example", "free@mail.example"]:
        form = {"email-email": address, "email-password": PASSWORD}
        answer = submit(browser, "/settings/account", form, "/settings/account/email")
        assert (answer.status_code, answer.location) == (303, "/settings/account")
    mails = sent_mails(app)
    assert [mail["To"] for mail in mails] == ["free@mail.example"] * 3
    link = path_in(mails[-1], "/settings/account/email/")
    assert app.test_client().get(link).status_code == 200, "the last link that was mailed works"


def test_a_new_password_ends_the_other_sessions(app: Flask, ada: int, browser: FlaskClient) -> None:
    with app.app_context():
        sessions.start_session(ada)
    form = {"password-current": PASSWORD, "password-new": "another calm river"}
    assert submit(browser, "/settings/account", form, "/settings/account/password").status_code == 303
    with app.app_context():
        assert len(db.session.execute(select(Session.id)).all()) == 1
    assert browser.get("/settings/account").status_code == 200


def test_sessions_are_listed_and_ended(app: Flask, ada: int, browser: FlaskClient) -> None:
    with app.app_context():
        sessions.start_session(ada, device="Firefox on Linux", address="203.0.113.7")
        sessions.start_session(ada, device="Safari on iPhone")
        strangers = make_customer()
        sessions.start_session(strangers, device="CANARY")
        of_stranger = db.session.execute(
            select(Session.id).where(Session.member_id == strangers)
        ).scalar_one()
    page = browser.get("/settings/sessions")
    assert "Firefox on Linux" in page.text
    assert "203.0.113.7" in page.text
    assert "CANARY" not in page.text
    token = fields_of(page, "/settings/sessions?_method=DELETE")
    browser.post(f"/settings/sessions/{of_stranger}?_method=DELETE", data=token)
    with app.app_context():
        assert db.session.get(Session, of_stranger) is not None
        first = db.session.execute(
            select(Session.id).where(Session.device == "Safari on iPhone")
        ).scalar_one()
    browser.post(f"/settings/sessions/{first}?_method=DELETE", data=token)
    assert "Safari" not in browser.get("/settings/sessions").text
    browser.post("/settings/sessions?_method=DELETE", data={"csrf_token": token["csrf_token"]})
    assert "Firefox on Linux" not in browser.get("/settings/sessions").text
    browser.post("/settings/sessions?_method=DELETE", data={"csrf_token": token["csrf_token"], "here": "too"})
    assert browser.get("/settings/sessions").status_code == 303
