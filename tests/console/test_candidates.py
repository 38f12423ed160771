"""The pages of candidates, and the page on which a member answers: the whole way, by forms alone."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.models import Stage
from portal.advocacy.queries import candidates as queries
from portal.advocacy.services import candidates, choosing
from portal.consents import queries as consents
from portal.consents.models import Activity, Consent
from portal.discussions.models import ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import clock
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.relations.models import Health, Measure
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
from tests.relations.scenes import health, held, sales, service, surveyed
from tests.support.people import fields_of, get, submit
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]
LABELS = re.compile(r"\b(reference|candidate|advocate|nominat|supporter|ambassador)", re.IGNORECASE)


@pytest.fixture
def moderator(app: Flask, sign_in: SignIn) -> FlaskClient:
    with app.app_context():
        return sign_in(make_moderator("Ruth", username="ruth"))


@pytest.fixture
def tomasz(app: Flask) -> int:
    with app.app_context():
        return make_customer("Tomasz", username="tomasz")


def answers(helper: int, count: int) -> list[int]:
    board, posts = make_board(), []
    for number in range(count):
        asker = viewer_of(make_customer())
        thread = open_thread(
            asker, board, kind=ThreadKind.QUESTION, title=f"Question number {number}", body="Well?"
        )
        posts.append(post_reply(viewer_of(helper), thread.id, f"Because of {number}.").id)
        accept(asker, thread.id, posts[-1])
    return posts


def stage_of(app: Flask, member_id: int) -> Stage:
    with app.app_context():
        line = queries.line_of(member_id)
        assert line is not None
        return line.stage


def test_from_the_evidence_to_the_answer_by_forms_alone(
    app: Flask, moderator: FlaskClient, tomasz: int, sign_in: SignIn
) -> None:
    with app.app_context():
        posts = answers(tomasz, 2)
    page = "/console/candidates/tomasz"
    shown = moderator.get(page).text
    assert "Could be asked as a proven helper" in shown
    assert "not yet, 2" in shown
    data = {"note": "Answers at length.", "evidence": [str(post) for post in posts]}
    assert submit(moderator, page, data, f"{page}/nominations").status_code == 303
    assert stage_of(app, tomasz) is Stage.NOMINATED
    words = {"words": "Tomasz, would you take a call?", "activities": ["call", "quote"]}
    refused = submit(moderator, page, words, f"{page}/askings")
    assert refused.status_code == 422
    assert "Say why you ask all the same" in refused.text
    assert "Tomasz, would you take a call?" in refused.text
    assert (
        submit(moderator, page, {**words, "reason": "He offered it."}, f"{page}/askings").status_code == 303
    )
    browser = sign_in(tomasz)
    assert "asks you something" in browser.get("/notifications").text
    own = browser.get("/me/consents")
    assert "“Tomasz, would you take a call?”" in own.text
    form = re.search(r'action="(/me/askings/\d+)"', own.text)
    assert form is not None
    sent = submit(browser, "/me/consents", {"activity": ["call"], "months": "6"}, form[1])
    assert sent.location == "/me/consents"
    assert stage_of(app, tomasz) is Stage.CONSENTED
    with app.app_context():
        consent = db.session.query(Consent).one()
        assert consent.activity is Activity.CALL
        assert timedelta(days=180) < consent.expires_at - consent.given_at < timedelta(days=184)
        assert "nobody from Northwind Flow is on the call" in consent.text
    gone = browser.post(
        "/me/consents/call?_method=DELETE", data=fields_of(browser.get("/me/consents"), "/logout")
    )
    assert gone.status_code == 303
    with app.app_context():
        assert consents.in_force([tomasz]) == {}
    assert stage_of(app, tomasz) is Stage.RESTING
    assert "took the last consent back" in moderator.get(page).text


def test_no_page_of_a_member_says_a_label(app: Flask, tomasz: int, sign_in: SignIn) -> None:
    with app.app_context():
        ruth = viewer_of(make_moderator())
        candidates.nominate(ruth, tomasz, "Helps others.")
        candidates.ask(ruth, tomasz, "Would you?", list(Activity), reason="Offered")
        peer = make_customer()
    browser = sign_in(tomasz)
    pages = ["/me/consents", "/me/recognition", "/members/tomasz", "/notifications", "/me/data", "/"]
    texts = {page: browser.get(page).text for page in pages}
    texts["suggestion"] = sign_in(peer).get("/members/tomasz/suggestion").text
    for page, text in texts.items():
        visible = re.sub(r"<[^>]+>", " ", text)
        assert LABELS.search(visible) is None, f"{page}: {LABELS.search(visible)}"


def test_a_menu_moves_and_says_what_is_missing(app: Flask, moderator: FlaskClient, tomasz: int) -> None:
    with app.app_context():
        candidates.spot(viewer_of(make_moderator()), tomasz)
    board = moderator.get("/console/candidates")
    assert "Move to" in board.text
    path = "/console/candidates/tomasz/stage"
    token = fields_of(board, path)
    moved = moderator.post(path, data={**token, "stage": "nominated", "back": "/console/candidates"})
    assert moved.location == "/console/candidates"
    assert stage_of(app, tomasz) is Stage.NOMINATED
    stale = moderator.post(path, data={**token, "stage": "spotted"})
    assert stale.status_code == 409
    refused = submit(moderator, "/console/candidates/tomasz", {"stage": "active"}, path)
    assert refused.status_code == 422
    assert "not agreed to anything" in refused.text
    assert moderator.post(path, data={**token, "stage": "asked"}).status_code == 409
    retired = submit(moderator, "/console/candidates/tomasz", {"stage": "retired", "reason": "Left."}, path)
    assert retired.status_code == 303
    assert stage_of(app, tomasz) is Stage.RETIRED
    table = moderator.get("/console/candidates?stage=retired").text
    assert "Left." in table
    assert "Tomasz" in moderator.get("/console/candidates.csv?stage=retired").get_data(as_text=True)
    assert "Nobody fits" in moderator.get("/console/candidates?stage=asked").text


def test_thanks_of_one_company_are_said_in_the_singular(app: Flask, moderator: FlaskClient) -> None:
    with app.app_context():
        helper = make_customer("Ines", username="ines", company_id=make_company("Castellan"))
        asker = viewer_of(make_customer("Dana", company_id=make_company("Tidewater")))
        thread = open_thread(
            asker, make_board(), kind=ThreadKind.QUESTION, title="How is it done?", body="So?"
        )
        accept(asker, thread.id, post_reply(viewer_of(helper), thread.id, "Like this.").id)
        candidates.spot(viewer_of(make_moderator()), helper)
    board = moderator.get("/console/candidates").text
    assert "rising, thanked by 1 company" in board
    assert "1 companies" not in board


def test_what_the_menu_chose_is_chosen_in_the_form(app: Flask, moderator: FlaskClient, tomasz: int) -> None:
    with app.app_context():
        candidates.spot(viewer_of(make_moderator()), tomasz)
    for view in ("", "?view=table"):
        listed = moderator.get(f"/console/candidates{view}").text
        assert 'href="/console/candidates/tomasz?to=resting#move"' in listed, view
    for stage in ("resting", "retired", "active"):
        page = moderator.get(f"/console/candidates/tomasz?to={stage}").text.split('name="stage"', 1)[1]
        page = page.split("</select>", 1)[0]
        assert re.findall(r'<option selected value="(\w+)"', page) == [stage]
    assert moderator.get("/console/candidates/tomasz?to=asked&to=x").status_code == 200


def test_the_ways_to_suggest_somebody_stand_on_their_page(app: Flask, tomasz: int, sign_in: SignIn) -> None:
    with app.app_context():
        readers = {
            "peer": make_customer(),
            "sales": make_member(status=Status.VENDOR, duties=(Duty.SALES,)),
            "service": make_member(status=Status.VENDOR, duties=(Duty.SERVICE,)),
            "prospect": make_prospect(),
            "colleague": make_member(status=Status.VENDOR),
            "moderator": make_moderator(),
            "oneself": tomasz,
        }
    seen = {name: sign_in(number).get("/members/tomasz").text for name, number in readers.items()}
    seen["visitor"] = app.test_client().get("/members/tomasz").text
    offered = {name for name, page in seen.items() if 'href="/members/tomasz/suggestion"' in page}
    assert offered == {"peer", "sales", "service"}
    of_members = ("/console/members/", "/console/candidates/")
    assert {name for name, page in seen.items() if any(one in page for one in of_members)} == {"moderator"}
    assert 'href="/console/candidates/tomasz"' in seen["moderator"]


def test_what_made_a_score_is_a_step_away_for_vendor_moderators(
    app: Flask, moderator: FlaskClient, tomasz: int, sign_in: SignIn
) -> None:
    with app.app_context():
        answers(tomasz, 2)
        peer = sign_in(make_customer(duties=(Duty.MODERATOR,)))
        admin = sign_in(make_admin())
    link = 'href="/console/scores/tomasz"'
    pages = ("/console/members/tomasz", "/console/candidates/tomasz", "/console/rising", "/console/members")
    for path in pages:
        assert link in moderator.get(path).text, path
        assert link in admin.get(path).text, path
        assert link not in peer.get(path).text, path


def test_peers_and_account_owners_suggest_and_see_nothing_else(
    app: Flask, tomasz: int, sign_in: SignIn, moderator: FlaskClient
) -> None:
    with app.app_context():
        peer = make_customer("Petra")
        sales = make_member("Gareth", status=Status.VENDOR, duties=(Duty.SALES,))
    for who in (peer, sales):
        browser = sign_in(who)
        sent = submit(browser, "/members/tomasz/suggestion", {"note": "Worth hearing."})
        assert sent.location == "/members/tomasz"
        assert browser.get("/console/candidates/tomasz").status_code == 403
    page = moderator.get("/console/candidates/tomasz").text
    assert "Petra, by a peer" in page
    assert "Gareth, by sales or service" in page
    assert "Nominated by a peer" in moderator.get("/console/").text
    nomination = re.search(r'action="(/console/candidates/tomasz/nominations/\d+/reading)"', page)
    assert nomination is not None
    assert submit(moderator, "/console/candidates/tomasz", {}, nomination[1]).status_code == 303


def test_the_board_takes_the_same_statements_however_many_there_are(
    app: Flask, moderator: FlaskClient, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    with app.app_context():
        ruth = viewer_of(make_moderator())
        candidates.nominate(ruth, make_customer(), "Helps.")
    for address in ("/console/candidates", "/console/candidates?view=table", "/console/rising"):
        moderator.get(address)
        counts = []
        for more in (0, 9):
            with app.app_context():
                for _ in range(more):
                    candidates.nominate(ruth, make_customer(), "Helps.")
            with statements() as seen:
                assert moderator.get(address).status_code == 200
            counts.append(len(seen))
        assert counts[0] == counts[1] <= 17, (address, seen)


def test_what_is_over_is_kept_and_shown(app: Flask, tomasz: int, sign_in: SignIn) -> None:
    browser = sign_in(tomasz)
    form = fields_of(browser.get("/me/consents"), "/me/consents")
    given = browser.post("/me/consents", data={**form, "activity": "speaking"})
    assert given.status_code == 303
    assert browser.post("/me/consents", data={**form, "activity": "dancing"}).status_code == 404
    with app.app_context():
        held = consents.in_force([tomasz])[tomasz][0]
        assert held.expires_at <= clock.now() + timedelta(days=366)
    text = browser.get("/me/consents").text
    assert "Take it back" in text
    token = fields_of(browser.get("/me/consents"), "/logout")
    browser.post("/me/consents/speaking?_method=DELETE", data=token)
    assert "you took it back" in browser.get("/me/consents").text


def test_another_moderator_is_named_to_look_after_somebody_and_nobody_again(
    app: Flask, moderator: FlaskClient, tomasz: int
) -> None:
    with app.app_context():
        candidates.spot(viewer_of(make_moderator()), tomasz)
        make_moderator("Bea Other", username="bea")
        make_customer("Petra Peer", username="petra", duties=(Duty.MODERATOR,))
    page, action = "/console/candidates/tomasz", "/console/candidates/tomasz/care"
    shown = moderator.get(page).text
    assert '<option value="bea">Bea Other</option>' in shown
    assert "Petra Peer" not in shown
    assert submit(moderator, page, {"whose": "bea"}, action).status_code == 303
    assert '<option selected value="bea">Bea Other</option>' in moderator.get(page).text
    assert "Tomasz" in moderator.get("/console/candidates?view=table&whose=bea").text
    assert submit(moderator, page, {"whose": "petra"}, action).status_code == 422
    assert submit(moderator, page, {"whose": ""}, action).status_code == 303
    assert "Tomasz" in moderator.get("/console/candidates?view=table&whose=nobody").text
    with app.app_context():
        petra, ruth = queries.member_by_name("petra").id, viewer_of(make_moderator())
        with pytest.raises(Invalid):
            candidates.look_after(ruth, tomasz, whose=petra)


def test_whoever_does_not_want_to_be_approached_is_proposed_nowhere(
    app: Flask, moderator: FlaskClient, tomasz: int
) -> None:
    with app.app_context():
        answers(tomasz, 2)
        candidates.spot(viewer_of(make_moderator()), tomasz)
    assert "Tomasz" in moderator.get("/console/rising").text
    assert "Tomasz" in moderator.get("/console/").text.split('id="rising"')[1]
    with app.app_context():
        choosing.choose(viewer_of(tomasz), not_scored=False, not_approached=True)
    assert "Tomasz" not in moderator.get("/console/rising").text
    assert "Tomasz" not in moderator.get("/console/rising.csv").text
    assert "Tomasz" not in moderator.get("/console/").text.split('id="rising"')[1]
    for path in ("/console/members", "/console/candidates", "/console/candidates?view=table"):
        assert "does not want to be approached" in moderator.get(path).text, path
    assert "nothing is asked of them" in moderator.get("/console/members/tomasz").text


def test_what_somebody_said_no_to_is_not_offered_to_be_asked_again(
    app: Flask, moderator: FlaskClient, tomasz: int
) -> None:
    with app.app_context():
        both = [Activity.CALL, Activity.QUOTE]
        asked = candidates.ask(viewer_of(make_moderator()), tomasz, "Would you?", both, reason="Offered")
        candidates.answer(viewer_of(tomasz), asked.id, [Activity.CALL])
    page = moderator.get("/console/candidates/tomasz").text
    assert "They said no to these, and each no stands: a quote until" in page
    offered = page.partition('action="/console/candidates/tomasz/askings"')[2]
    assert 'value="speaking"' in offered
    assert 'value="quote"' not in offered
    data = {"words": "A quote?", "activities": ["quote"], "reason": "Again"}
    path = "/console/candidates/tomasz"
    refused = submit(moderator, path, data, f"{path}/askings")
    assert refused.status_code == 422


def test_the_table_is_sorted_searched_and_exported_as_the_address_says(
    app: Flask, moderator: FlaskClient, tomasz: int
) -> None:
    with app.app_context():
        ruth = viewer_of(make_moderator())
        answers(tomasz, 2)
        for one in (tomasz, make_customer("Anneke", username="anneke")):
            candidates.spot(ruth, one)

    def order(address: str) -> list[str]:
        return re.findall(r"data-row-open data-row-do>(\w+)", moderator.get(address).text)

    assert order("/console/candidates?view=table") == ["Anneke", "Tomasz"]
    assert order("/console/candidates?sort=longest") == ["Tomasz", "Anneke"]
    assert order("/console/candidates?sort=helpful") == ["Tomasz", "Anneke"]
    assert order("/console/candidates?sort=name") == ["Anneke", "Tomasz"]
    assert order("/console/candidates?sort=name&q=tom") == ["Tomasz"]
    assert order("/console/candidates?sort=x&q=tom") == ["Tomasz"]
    assert 'name="q" value="tom"' in moderator.get("/console/candidates?q=tom").text
    rows = moderator.get("/console/candidates.csv?sort=helpful").text.splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["tomasz", "anneke"]


def test_satisfaction_health_and_holds_stand_beside_the_score(
    app: Flask, moderator: FlaskClient, sign_in: SignIn
) -> None:
    with app.app_context():
        company = make_company("Castellan")
        tomasz = make_customer("Tomasz", username="tomasz", company_id=company)
        candidates.spot(viewer_of(make_moderator()), tomasz)
        pages = ("/console/members/tomasz", "/console/candidates/tomasz")
        nothing = {page: get(moderator, page).text for page in pages}
        surveyed(company, Measure.CSAT, 84, days_ago=20, sample=12, by=service("Serge"))
        surveyed(company, Measure.NPS, -7, days_ago=91, source="Phone calls")
        health(company, Health.AMBER, service("Selma"), "Two tickets are late.")
        held(company, sales("Sally"))
        peer = sign_in(make_customer(duties=(Duty.MODERATOR,)))
    for page in pages:
        assert "have entered nothing about this company" in nothing[page]
        text = " ".join(re.sub(r"<[^>]+>", " ", moderator.get(page).text).split())
        assert "84 %, 12 people" in text, page
        assert "Yearly survey, entered by Serge" in text, page
        assert re.search(r"−7, 12 people, [^,]+, older than 90 days Phone calls", text), page
        assert "amber: Two tickets are late. Selma" in text, page
        assert "held until" in text, page
        assert "Sally" in text, page
    for text in (peer.get("/console/members/tomasz").text, sign_in(tomasz).get("/members/tomasz").text):
        assert "Two tickets" not in text
        assert "84 %" not in text
    assert peer.get("/console/candidates/tomasz").status_code == 403
    table = re.sub(r"<[^>]+>", " ", moderator.get("/console/candidates?view=table").text)
    assert "CSAT 84 %" in table
    assert "company held until" in table
    row = moderator.get("/console/candidates.csv").get_data(as_text=True).splitlines()[1]
    assert ",amber,0,84,12," in row


def test_a_hold_that_came_while_the_words_were_written_is_read_before_they_are_sent(
    app: Flask, moderator: FlaskClient
) -> None:
    with app.app_context():
        company = make_company("Castellan")
        make_customer("Tomasz", username="tomasz", company_id=company)
    page, action = "/console/candidates/tomasz", "/console/candidates/tomasz/askings"
    words = {"words": "Tomasz, would you take a call?", "activities": ["call"], "reason": "He offered it."}
    written = {**fields_of(moderator.get(page), action), **words}
    with app.app_context():
        held(company, reason="They renew in May.")
    refused = moderator.post(action, data=written)
    assert refused.status_code == 422
    assert "Look at their company first" in refused.text
    assert "They renew in May." in refused.text
    assert "Tomasz, would you take a call?" in refused.text
    again = {**fields_of(refused, action), **words}
    assert moderator.post(action, data=again).status_code == 303
    assert "(the company was to be left alone)" in moderator.get(page).text
