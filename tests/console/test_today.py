"""Today: every kind of thing that waits, in order, for those who may see it; and the mail of the morning."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.models import Stage
from portal.advocacy.services import candidates
from portal.consents import services as consents
from portal.consents.models import Activity
from portal.console import mornings
from portal.discussions.models import Audience, ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import site
from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.notifications.models import Mail, Notice
from portal.notifications.services import preferences
from tests.conftest import (
    make_admin,
    make_board,
    make_company,
    make_customer,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.moderation.conftest import answered, flagged
from tests.support.people import fields_of
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]
At = Callable[[datetime], None]
MORNING = datetime(2026, 3, 18, 9, tzinfo=UTC)


def a_busy_morning(at: At) -> None:
    """A flag, a question of two days ago, a nomination, a consent that ends, a claim."""
    at(MORNING - timedelta(days=360))
    ending = make_customer("Olumide")
    consents.give(viewer_of(ending), [Activity.QUOTE], months=12)
    at(MORNING - timedelta(days=2))
    board = make_board("Integrations", slug="integrations")
    asker = viewer_of(make_customer("Dana"))
    open_thread(asker, board, kind=ThreadKind.QUESTION, title="Who signs with a module?", body="Anyone?")
    at(MORNING - timedelta(hours=5))
    post = answered(viewer_of(make_customer("Ines")), viewer_of(make_customer("Tamsin")), board)
    flagged(post, viewer_of(make_customer("Lars")))
    candidates.nominate(viewer_of(make_customer("Petra")), make_customer("Marguerite"), "Helped me twice.")
    make_prospect("Nadia", company_claim="Castellan Foods")
    at(MORNING)


def titles(page: str) -> list[str]:
    return re.findall(r"data-row-open>([^<]+)</a>", page)


def test_everything_that_waits_stands_on_one_page_most_urgent_first(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        a_busy_morning(at)
        browser = sign_in(make_moderator())
    page = browser.get("/console/").text
    assert titles(page) == [
        "#2 in Who do you call when support is closed?",
        "Nadia says they work for Castellan Foods",
        "Marguerite, by Petra",
        "Olumide: a quote",
        "Who signs with a module?",
    ]
    for why in ("1 flag, rule 4", "Customer to confirm", "Nominated by a peer", "Consent ends in 5 days"):
        assert why in page
    assert "No answer for 2 days" in page
    assert titles(browser.get("/console/?what=questions").text) == ["Who signs with a module?"]
    assert titles(browser.get("/console/?board=integrations").text)[0].startswith("#2 in")
    rows = browser.get("/console/today.csv?what=people").get_data(as_text=True).splitlines()
    assert len(rows) == 4
    assert "Nominated by a peer" in rows[2]


def test_a_rest_that_is_over_and_consents_that_ended_are_looked_at_again(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=100))
        ruth, rested, agreed = viewer_of(make_moderator()), make_customer("Bram"), make_customer("Olumide")
        for one in (rested, agreed):
            candidates.spot(ruth, one)
        candidates.move(ruth, rested, Stage.RESTING)
        consents.give(viewer_of(agreed), [Activity.QUOTE], months=3)
        candidates.move(ruth, agreed, Stage.ACTIVE, reason="Spoke before")
        at(MORNING)
        browser = sign_in(make_moderator())
    page = browser.get("/console/").text
    assert titles(page) == ["Bram", "Olumide"]
    assert "Nothing agreed to holds any more" in page
    assert "Rest is over" in page


def test_a_peer_moderator_sees_cases_alone(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        a_busy_morning(at)
        browser = sign_in(make_customer(duties=(Duty.MODERATOR,), company_id=make_company()))
    page = browser.get("/console/").text
    assert titles(page) == ["#2 in Who do you call when support is closed?"]
    for word in ("Marguerite", "Olumide", "Nadia", "Rising", "Helped yesterday", "Candidates"):
        assert word not in page
    for path in ("/console/candidates", "/console/rising", "/console/health", "/console/members"):
        assert browser.get(path).status_code == 403


def test_an_empty_desk_says_what_went_well(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=1))
        board, asker, helper = make_board(), viewer_of(make_customer()), viewer_of(make_customer("Bram"))
        thread = open_thread(asker, board, kind=ThreadKind.QUESTION, title="Which port is it?", body="Well?")
        accept(asker, thread.id, post_reply(helper, thread.id, "Port 22.").id)
        at(MORNING)
        browser = sign_in(make_moderator())
    page = browser.get("/console/").text
    assert "Nothing waits" in page
    assert "The one answer came from a customer." in page
    assert "First accepted answer ever by Bram." in page
    assert "1 company, 1 answer accepted, answered 1 question" in page


def test_who_helped_is_thanked_once(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=1))
        board, asker, bram = make_board(), viewer_of(make_customer()), make_customer("Bram", username="bram")
        thread = open_thread(asker, board, kind=ThreadKind.QUESTION, title="Which port is it?", body="Well?")
        accept(asker, thread.id, post_reply(viewer_of(bram), thread.id, "Port 22.").id)
        at(MORNING)
        browser = sign_in(make_moderator("Ruth"))
    token = fields_of(browser.get("/console/"), "/console/thanks")["csrf_token"]
    for _twice in range(2):
        assert (
            browser.post("/console/thanks", data={"csrf_token": token, "member": "bram"}).status_code == 303
        )
    with app.app_context():
        assert db.session.query(Notice).filter_by(member_id=bram, kind="thanked").count() == 1
    assert "thanked</span>" in browser.get("/console/").text
    with app.app_context():
        token_of_bram = sign_in(bram).get("/notifications").text
    assert "Ruth thanks you" in token_of_bram


def test_the_mail_goes_out_at_eight_in_the_moderators_zone_once_and_can_be_stopped(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        a_busy_morning(at)
        lisbon = make_moderator(time_zone="Europe/Lisbon")
        tokyo = make_moderator(time_zone="Asia/Tokyo")
        off = make_moderator(time_zone="Europe/Lisbon")
        peer = make_customer(duties=(Duty.MODERATOR,), time_zone="Europe/Lisbon")
        preferences.choose(off, mornings.MORNING, in_app=False, by_mail=False)
        at(MORNING.replace(hour=7, minute=55))
        assert mornings.send_due() == 0
        at(MORNING.replace(hour=8, minute=5))
        assert mornings.send_due() == 1
        assert mornings.send_due() == 0
        told = [row.member_id for row in db.session.query(Notice).filter_by(kind=mornings.MORNING)]
        assert told == [lisbon]
        assert tokyo not in told
        assert peer not in told
        mail = db.session.query(Mail).filter_by(kind=mornings.MORNING).one()
        notice = db.session.get_one(Notice, mail.notice_id)
        line = mornings.resolve(viewer_of(lisbon), [notice])[notice.id]
        assert line.sentence == "5 things wait"
        assert line.sections[0]["title"].startswith("1 flag, rule 4")
        at(MORNING + timedelta(days=1))
        assert mornings.send_due() == 1


def test_the_mail_says_what_today_says_also_where_nothing_waits(in_app: Flask, at: At) -> None:
    at(MORNING - timedelta(days=1))
    board, asker, helper = make_board(), viewer_of(make_customer()), viewer_of(make_customer("Bram"))
    lisbon = make_moderator(time_zone="Europe/Lisbon")
    thread = open_thread(asker, board, kind=ThreadKind.QUESTION, title="Which port is it?", body="Well?")
    accept(asker, thread.id, post_reply(helper, thread.id, "Port 22.").id)
    at(MORNING.replace(hour=8, minute=5))
    assert mornings.send_due() == 1
    notice = db.session.query(Notice).filter_by(kind=mornings.MORNING).one()
    line = mornings.resolve(viewer_of(lisbon), [notice])[notice.id]
    assert line.sentence == "Nothing waits"
    told = {section["title"]: section["facts"] for section in line.sections}
    assert told["Helped yesterday: Bram"].startswith("thanked by 1 company, 1 answer accepted")
    assert "Which port is it?" in told["Rising: Bram"]
    assert "First accepted answer ever by Bram." in told["What went well yesterday"]
    at(MORNING.replace(hour=8, minute=5) + timedelta(days=1))
    assert mornings.send_due() == 0  # nothing waits, and nothing happened


def test_the_number_of_statements_does_not_grow_with_rows(
    app: Flask, sign_in: SignIn, at: At, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    with app.app_context():
        a_busy_morning(at)
        browser = sign_in(make_moderator())
    browser.get("/console/")
    counts = []
    for more in (0, 4):
        with app.app_context():
            board = make_board()
            for number in range(more):
                asker = viewer_of(make_customer())
                at(MORNING - timedelta(days=3))
                open_thread(
                    asker, board, kind=ThreadKind.QUESTION, title=f"Waits number {number}", body="Anyone?"
                )
                at(MORNING)
                candidates.nominate(viewer_of(make_customer()), make_customer(), f"Helped {number}.")
                make_prospect(company_claim=f"Company of {number}")
        with statements() as seen:
            assert browser.get("/console/").status_code == 200
        counts.append(len(seen))
    assert counts[1] <= counts[0] <= 34, seen


def test_a_new_site_tells_its_admin_what_makes_it_ready_until_it_is(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        admin = sign_in(make_admin("Ada"))
    home = admin.get("/").text
    assert 'href="/console/"' in home  # where the steps stand
    page = admin.get("/console/").text
    steps = page.partition('id="steps"')[2].partition("</ol>")[0]
    assert "0 of 6 done" in page
    addresses = re.findall(r'href="([^"]+)"', steps)
    assert len(addresses) == 6
    for address in addresses:
        assert admin.get(address).status_code == 200, address
    with app.app_context():
        make_board("Questions", slug="questions")
        make_board("Before you buy", slug="before", audience=Audience.PROSPECTS)
        make_company("Acme Foods", domain="acme.example")
        moderator = make_moderator("Ruth")
    assert "4 of 6 done" in admin.get("/console/").text
    assert 'id="steps"' not in sign_in(moderator).get("/console/").text
    with app.app_context(), unit_of_work():
        site.change(vendor_name="Northwind", ask_responsible="ruth")
    assert 'id="steps"' not in admin.get("/console/").text
