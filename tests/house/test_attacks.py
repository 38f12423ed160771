"""Attacks of no single package: what is asked for oddly, too much at once, or in somebody else's name.

attacks.toml lists every attack that was thought of, with the tests that show what happens.
"""

import io
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.conversations.models import Participant
from portal.discussions.models import Audience, Thread
from portal.discussions.services.tools import close_thread
from portal.kernel.access import Duty, Status
from portal.kernel.crypto import hash_password
from portal.kernel.db import db
from portal.members.models import Member
from portal.moderation.models import Case, MemberMeasure, PostMeasure
from portal.moderation.services.deciding import Verdict, decide
from portal.moderation.services.flags import flag_post
from portal.search import services as search
from tests.conftest import (
    make_admin,
    make_board,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.conversations.conftest import talking
from tests.discussions.browsing import send, token
from tests.discussions.factories import make_post, make_thread
from tests.support.people import PASSWORD, sent_mails, submit

SignIn = Callable[[int], FlaskClient]
TESTS = Path(__file__).parents[1]


def test_every_attack_in_the_list_has_its_tests() -> None:
    listed = tomllib.loads((TESTS / "house" / "attacks.toml").read_text(encoding="utf-8"))
    cases = listed.pop("cases")
    missing = []
    for attacks in listed.values():
        for what, shown_by in attacks.items():
            if isinstance(shown_by, str):
                assert shown_by.startswith("none, because "), what
                continue
            for place in shown_by:
                path, _, name = place.partition("::")
                source = (TESTS / path).read_text(encoding="utf-8") if (TESTS / path).is_file() else ""
                if not re.search(rf"def test_{name}\(", source):
                    missing.append((what, place))
    assert missing == []
    named = {what for attacks in listed.values() for what in attacks}
    assert set(cases.values()) <= named
    assert sorted(map(int, cases)) == list(range(1, 77)), "each numbered case has its attack"


@pytest.mark.parametrize(
    "twin",
    [
        "аda@mail.example",  # a Cyrillic letter
        "ada@mаil.example",
        "ａda@mail.example",  # full width
        "ada@mail.example\u200b",
        "ada@MAIL.example.",
        "ada@mail.example\r\nBcc: eve@evil.example",
        "ada@mail.example, eve@evil.example",
    ],
)
def test_a_twin_of_an_address_gets_no_mail(app: Flask, twin: str) -> None:
    with app.app_context():
        make_customer("Ada", email="ada@mail.example", password_hash=hash_password(PASSWORD))
    answer = submit(app.test_client(), "/password", {"email": twin}, "/password")
    assert answer.status_code in (303, 422)
    assert {str(mail["To"]) for mail in sent_mails(app)} <= {"ada@mail.example"}
    assert not any("evil" in str(mail) for mail in sent_mails(app))


def test_members_are_ordered_and_narrowed_by_what_they_show_alone(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        acme, other = (
            make_company(name, industry=code) for name, code in (("Acme", "31-33"), ("Zeta", "52"))
        )
        make_customer("Ada", company_id=other, email="zzz@mail.example", visibility={"company": "nobody"})
        make_customer("Zoe", company_id=acme, email="aaa@mail.example")
        reader = sign_in(make_customer("Reader"))
    plain = reader.get("/members").text
    assert plain.index(">Ada<") < plain.index(">Zoe<")
    for query in (
        "sort=email",
        "order=password_hash",
        "sort=-created_at",
        "order_by=last_seen_at",
        "email=zzz",
    ):
        page = reader.get(f"/members?{query}").text
        assert page.index(">Ada<") < page.index(">Zoe<"), query
    assert ">Ada<" not in reader.get("/members?industry=52").text, "a hidden company narrows nothing"
    assert ">Ada<" not in reader.get("/members?q=zzz@mail.example").text


@pytest.mark.parametrize("value", ["1", "yes", "true", "on", "TRUE", "0"])
def test_fields_of_staff_in_a_members_form_change_nothing(app: Flask, sign_in: SignIn, value: str) -> None:
    with app.app_context():
        board = make_board(slug="odd")
        member = make_customer("Ines")
    extra = {
        name: [value, value]
        for name in ("is_staff", "pinned", "pinned_at", "by_vendor", "accepted", "held", "closed_at")
    }
    extra |= {
        "author_id": "1",
        "score": "999",
        "created_at": "2001-01-01",
        "state": "hidden",
        "duties": "admin",
    }
    form = {"board": "odd", "kind": "question", "title": "Which port is it?", "body": "Mine is blocked."}
    answer = send(sign_in(member), "/threads/new", {**extra, **form})
    assert answer.status_code == 303, answer.text
    with app.app_context():
        thread = db.session.scalars(db.select(Thread).where(Thread.board_id == board)).one()
        assert (thread.author_id, thread.score, thread.pinned_at, thread.closed_at) == (member, 0, None, None)
        assert thread.created_at.year > 2001
        assert thread.vendor_replied is False
        assert db.session.get_one(Member, member).duties == []


TOO_MUCH: dict[str, tuple[str, dict[str, str] | None]] = {
    "a page beyond all": ("/threads/1?page=1000000000", None),
    "a page that is no number": ("/threads/1?page=1e9", None),
    "a cursor of nonsense": ("/boards/odd?after=" + "A" * 4000, None),
    "a very long search": ("/search?q=" + "a" * 60_000, None),
    "very many filters": ("/search?" + "&".join(f"tag=t{number}" for number in range(4000)), None),
    "a number beyond the database": (f"/posts/{10**12}/vote", {}),
    "many fields": ("/threads/new", {f"field{number}": "x" for number in range(5000)}),
    "a huge field": ("/threads/new", {"body": "x" * 3_000_000}),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_too_much_is_a_plain_answer(app: Flask, sign_in: SignIn, what: str) -> None:
    with app.app_context():
        make_thread(make_customer(), make_board(slug="odd"))
        browser = sign_in(make_customer())
    path, form = TOO_MUCH[what]
    if form is None:
        answer = browser.get(path, follow_redirects=True)
    else:
        answer = browser.post(path, data=form, headers={"X-CSRFToken": token(browser)})
    assert answer.status_code in (200, 400, 404, 413, 414, 422), what
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"fields":' * 50_000,
        json.dumps({"sequence": 10**400, "fields": {"body": "x"}}),
        '{"fields": 1e999}',
    ],
)
def test_json_without_an_end_is_no_error(app: Flask, sign_in: SignIn, body: str) -> None:
    with app.app_context():
        make_board(slug="odd")
        browser = sign_in(make_customer())
    headers = {"X-CSRFToken": token(browser), "Accept": "application/json"}
    answer = browser.put("/drafts/new:odd", data=body, headers=headers, content_type="application/json")
    assert answer.status_code < 500


def test_a_body_of_many_megabytes_is_refused(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        browser = sign_in(make_customer())
    picture = (io.BytesIO(b"x" * (13 * 2**20)), "large.png")
    answer = browser.post("/uploads", data={"picture": picture}, headers={"X-CSRFToken": token(browser)})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/.git/config", "/.env", "/console", "/debug", "/static/../wsgi.py", "/server-status"]
)
def test_what_is_not_published_is_not_there(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)
    assert answer.status_code in (302, 303, 308, 404)
    assert "SECRET_KEY" not in answer.text


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "TRACK"])
def test_other_methods_are_refused(app: Flask, method: str) -> None:
    answer = app.test_client().open("/", method=method, headers={"X-Secret": "echo me"})
    assert answer.status_code in (400, 404, 405, 501)
    assert "echo me" not in answer.text


def test_no_duty_sets_the_password_or_address_of_somebody_who_signed_in(app: Flask, sign_in: SignIn) -> None:
    """Who could, could sign in as that person and read what they wrote in private."""
    with app.app_context():
        member = make_customer("Ines", username="ines", email="ines@mail.example", password_hash="kept")
        staff = [make_admin(), make_moderator(), make_member(status=Status.VENDOR, duties=(Duty.SERVICE,))]
    for person in staff:
        browser = sign_in(person)
        writes = [
            rule
            for rule in app.url_map.iter_rules()
            if "username" in rule.arguments or "member_id" in rule.arguments
        ]
        for rule in writes:
            values = {"username": "ines", "member_id": member}
            arguments = {name: values.get(name, "1") for name in rule.arguments}
            address = app.url_map.bind("localhost").build(rule.endpoint, arguments, force_external=False)
            for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
                fields = {"email": "eve@evil.example", "password": "a new pass phrase", "name": "Ines"}
                send(browser, address, fields, method=method)
    with app.app_context():
        row = db.session.get_one(Member, member)
        assert (row.email, row.password_hash) == ("ines@mail.example", "kept")


def test_what_stands_on_a_post_cannot_be_done_on_one_out_of_sight(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        staff_room = make_board(audience=Audience.STAFF)
        author = make_moderator()
        thread = make_thread(author, staff_room)
        post = make_post(author, thread)
        browser = sign_in(make_customer())
    tried = 0
    for rule in app.url_map.iter_rules():
        names = rule.arguments
        if not names or not names <= {"post_id", "thread_id"}:
            continue
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            there, nowhere = (
                send(
                    browser,
                    app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(names, number)),
                    {"body": "Some words.", "reason": "4"},
                    method=method,
                )
                for number in ((post.id if "post_id" in names else thread.id), 2**31 - 2)
            )
            assert there.status_code == nowhere.status_code, rule
            assert there.status_code in (403, 404, 422), rule
            tried += 1
    assert tried > 10


def test_a_private_address_in_a_public_post_is_a_bare_link(app: Flask, sign_in: SignIn) -> None:
    """Nothing of what stands there is fetched, shown or told, whoever pastes it and whoever reads it."""
    with app.app_context():
        jonas, hanneke = make_prospect("Jonas"), make_customer("Hanneke")
        talk = talking(jonas, hanneke, "canaryfirst", "canarysecond")
        address = f"{app.config['SETTINGS'].PUBLIC_URL}/conversations/{talk.id}"
        body = f"Look at {address} and [there]({address}/export.json).\n\n> [#1](/conversations/{talk.id})"
        thread_id = make_thread(hanneke, make_board(), "Where is it written?", body).id
        talk_id = talk.id
        readers = [app.test_client(), *map(sign_in, (jonas, make_customer(), make_moderator(), make_admin()))]
        search.drain()
    for reader in readers:
        for page in (f"/threads/{thread_id}", "/search?q=written", "/feeds/latest.atom"):
            text = reader.get(page, follow_redirects=True).text
            assert "canary" not in text
    page = app.test_client().get(f"/threads/{thread_id}", follow_redirects=True).text
    assert f'href="/conversations/{talk_id}"' in page or f'href="{address}"' in page


def test_nobody_enters_a_conversation_by_a_field_that_is_in_no_form(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        jonas, hanneke, eve = make_prospect("Jonas"), make_customer("Hanneke"), make_customer("Eve")
        talk = talking(jonas, hanneke, "hello").id
        eves_name = viewer_of(eve).username
        hannekes_name = viewer_of(hanneke).username
    more = {
        "participants": eve,
        "participant": eve,
        "member_id": eve,
        "asker_id": eve,
        "conversation_id": talk,
        "agreed_by": eve,
        "part": "active",
        "from_number": "1",
        "to": hannekes_name,
    }
    browsers = (sign_in(eve), sign_in(jonas))
    for browser in browsers:
        for path, fields in (
            (f"/conversations/{talk}/messages", {"body": "More of it"}),
            (f"/conversations/{talk}/people", {"username": eves_name} if browser is browsers[0] else {}),
            (f"/conversations/{talk}/people/{eve}/consent", {}),
            (f"/conversations/{talk}/part", {}),
            ("/conversations", {"note": "Something quite else"}),
        ):
            send(browser, path, {**more, **fields})
    with app.app_context():
        part = db.select(Participant.member_id).where(Participant.conversation_id == talk)
        assert set(db.session.scalars(part)) == {jonas, hanneke}
    assert sign_in(eve).get(f"/conversations/{talk}").status_code == 404


def test_reasons_and_comments_are_escaped_on_pages_and_in_mails(app: Flask, sign_in: SignIn) -> None:
    evil = "<img src=x onerror=alert(1)> so it is"
    with app.app_context():
        author, helper = make_customer("Author"), make_customer("Helper")
        moderator = viewer_of(make_moderator())
        thread = make_thread(author, make_board(), f"Is this {evil}", f"Yes {evil}")
        post = make_post(author, thread, "It gave a number.")
        case_id = flag_post(viewer_of(helper), post.id, rule_number=4, comment=evil).case_id
        verdict = Verdict(
            post=PostMeasure.HIDE,
            member=MemberMeasure.NONE,
            rule_number=4,
            reason=evil,
            note=evil,
            version=db.session.get_one(Case, case_id).version,
        )
        decided = decide(moderator, case_id, verdict).id
        thread_id = thread.id
        close_thread(moderator, thread_id, evil)
    browsers = {number: sign_in(number) for number in (author, helper, moderator.member_id)}
    shown = 0
    for number, page in (
        (author, f"/decisions/{decided}"),
        (author, f"/appeals/new?decision={decided}"),
        (author, "/notifications"),
        (helper, "/notifications"),
        (helper, f"/threads/{thread_id}"),
        (helper, "/transparency"),
        (helper, f"/transparency/log/{case_id}"),
        (moderator.member_id, f"/console/cases/{case_id}"),
        (moderator.member_id, "/console/queue?state=decided"),
        (moderator.member_id, "/console/log"),
    ):
        text = browsers[number].get(page, follow_redirects=True).text
        assert "<img src=x" not in text, page
        shown += "&lt;img src=x" in text
    assert shown > 5
    mails = sent_mails(app)
    assert mails
    for mail in mails:
        html = mail.get_body(("html",)).get_content()
        assert "<img src=x" not in html
    assert any("&lt;img src=x" in mail.get_body(("html",)).get_content() for mail in mails)
