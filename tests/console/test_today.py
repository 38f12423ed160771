"""Today: every kind of thing that waits, in order, for those who may see it; and the mail of the morning."""

import csv
import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.models import Stage
from portal.advocacy.services import candidates, choosing
from portal.consents import services as consents
from portal.consents.models import Activity
from portal.console import desk, gladly, mornings
from portal.discussions.models import Audience, ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import site
from portal.kernel.access import Duty, Status, Viewer
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member
from portal.notifications.models import Mail, Notice
from portal.notifications.services import preferences
from tests.asks.scenes import Situation
from tests.asks.scenes import ask as ask_openly
from tests.asks.scenes import board as board_for_asks
from tests.conftest import (
    make_admin,
    make_board,
    make_company,
    make_customer,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.discussions.factories import make_post, make_thread
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


def addresses(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'<a href="([^"]+)" data-row-open>', page)]


def counted(viewer: Viewer) -> list[desk.Row]:
    """All that waits, of which a smaller page counts as much."""
    rows = desk.everything(viewer)
    small = desk.waiting(viewer, size=1)
    assert (small.total, small.fits, sum(small.counts.values())) == (len(rows),) * 3
    assert small.rows == rows[:1]
    return rows


def test_everything_that_waits_stands_on_one_page_most_urgent_first(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        a_busy_morning(at)
        browser = sign_in(make_moderator())
        assert len(counted(viewer_of(make_moderator()))) == 5
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


def test_of_more_than_fit_the_oldest_stand_on_the_page(in_app: Flask, at: At) -> None:
    at(MORNING - timedelta(days=9))
    make_prospect("First of all", company_claim="Castellan Foods")
    board = make_board()
    make_thread(make_customer(), board, "Asked first of all")
    at(MORNING - timedelta(days=2))
    for number in range(desk.PAGE // 2):
        make_prospect(f"Later {number}", company_claim="Castellan Foods")
        make_thread(make_customer(), board, f"Asked later, number {number}")
    at(MORNING)
    told = [row.title for row in desk.waiting(viewer_of(make_moderator())).rows]
    assert "First of all says they work for Castellan Foods" in told
    assert "Asked first of all" in told


def a_crowded_morning(at: At) -> None:
    """More of several kinds than stand on one page, and one question on a board that nobody else uses."""
    at(MORNING - timedelta(days=3))
    crowded, quiet = make_board("Crowded", slug="crowded"), make_board("Quiet", slug="quiet")
    asker = make_customer("Asker")
    for number in range(CROWD):
        make_prospect(f"Prospect {number:03}", company_claim="Castellan Foods")
        make_thread(asker, crowded, f"Question {number:03}")
    at(MORNING - timedelta(days=2))
    make_thread(asker, quiet, "The one on the quiet board")
    make_prospect("The last of all", company_claim="Castellan Foods")
    author = viewer_of(make_customer("Author"))
    for _time in range(FLAGS):
        flagged(answered(viewer_of(asker), author, quiet), viewer_of(make_customer()))
    at(MORNING)


CROWD, FLAGS = 120, 45  # more than a page of Today, and than one of the queue
CROWDED = FLAGS + 2 * (CROWD + 1)


def test_counts_and_filters_and_the_file_are_of_all_that_waits(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        a_crowded_morning(at)
        browser = sign_in(make_moderator())
    page = browser.get("/console/").text
    assert f"{CROWDED} of {CROWDED}" in page
    for kind in (f"flags, held posts and appeals ({FLAGS})", f"unanswered questions ({CROWD + 1})"):
        assert kind in page
    narrowed = browser.get("/console/?what=questions&board=quiet").text
    assert titles(narrowed) == ["The one on the quiet board"]
    assert f"1 of {CROWDED}" in narrowed
    assert len(titles(browser.get("/console/?what=cases").text)) == FLAGS
    assert len(titles(browser.get("/console/?what=cases&board=quiet").text)) == FLAGS
    assert titles(browser.get("/console/?what=cases&board=crowded").text) == []
    assert browser.get("/console/today.csv").get_data(as_text=True).count("\n") == CROWDED + 1
    rows = browser.get("/console/today.csv?what=people").get_data(as_text=True).splitlines()
    assert len(rows) == CROWD + 2
    assert "The last of all" in rows[-1]


@pytest.mark.parametrize("words", ["", "&sort=oldest", "&what=people"])
def test_what_does_not_fit_on_a_page_stands_on_the_next_once(
    app: Flask, sign_in: SignIn, at: At, words: str
) -> None:
    with app.app_context():
        a_crowded_morning(at)
        browser = sign_in(make_moderator())
    address, seen, more = f"/console/?whose=anyone{words}", [], []
    while address:
        page = browser.get(address).text
        assert len(titles(page)) <= desk.PAGE
        seen += addresses(page)
        following = re.search(r'href="([^"]+)" rel="next">\s*(\d+) more', page)
        address = html.unescape(following[1]) if following else ""
        more += [int(following[2])] if following else []
    everything = list(csv.reader(browser.get(f"/console/today.csv?whose=anyone{words}").text.splitlines()))
    assert seen == [row[5] for row in everything[1:]]
    assert len(set(seen)) == len(seen)
    assert more == list(range(len(seen) - desk.PAGE, 0, -desk.PAGE))
    assert len(titles(browser.get(f"/console/?page=77&whose=anyone{words}").text)) == len(seen) % desk.PAGE


def test_questions_without_an_answer_for_more_than_two_weeks_are_counted_and_listed(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=400))
        board, asker = make_board("Crowded", slug="crowded"), make_customer("Asker")
        make_thread(asker, board, "Asked a year ago")
        for days in (15, 14, 13):
            at(MORNING - timedelta(days=days))
            make_thread(asker, board, f"Asked {days} days ago")
        with_answer = make_thread(asker, board, "Answered since")
        make_post(make_customer(), with_answer)
        at(MORNING)
        browser = sign_in(make_moderator())
        peer = sign_in(make_customer(duties=(Duty.MODERATOR,), company_id=make_company()))
    page = browser.get("/console/").text
    assert titles(page) == ["Asked 13 days ago"]
    line = re.search(r'<a href="([^"]+)">3 older questions have no answer</a>', page)
    assert line
    shown = browser.get(html.unescape(line[1])).text
    older = ["Asked a year ago", "Asked 15 days ago", "Asked 14 days ago"]
    assert titles(shown) == older
    assert "older questions have no answer" not in shown
    rows = list(csv.reader(browser.get("/console/today.csv?what=older").text.splitlines()))
    assert [row[1] for row in rows[1:]] == older
    assert titles(browser.get("/console/?what=older&board=elsewhere").text) == []
    assert "older question" not in peer.get("/console/").text
    assert titles(peer.get("/console/?what=older").text) == []


def test_an_agreement_of_a_company_that_ends_soon_waits_with_the_consents(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=300))
        ruth, acme = viewer_of(make_moderator()), make_company("Acme")
        today = MORNING.date()
        ends = (
            (Activity.LOGO, today + timedelta(days=14)),
            (Activity.QUOTE, today),
            (Activity.PRESS, today + timedelta(days=15)),  # later
            (Activity.CALL, today - timedelta(days=1)),  # over
            (Activity.SPEAKING, today + timedelta(days=2)),  # renewed below
        )
        for activity, last_day in ends:
            consents.record_company_consent(
                ruth, acme, activity, given_by="Legal, by mail", given_on=today - timedelta(days=330),
                expires_on=last_day,
            )  # fmt: skip
        at(MORNING)
        consents.record_company_consent(
            ruth, acme, Activity.SPEAKING, given_by="Legal, again", given_on=today,
            expires_on=today + timedelta(days=300),
        )  # fmt: skip
        assert len(counted(ruth)) == 2
        slug = db.session.get_one(Company, acme).slug
        browser = sign_in(ruth.member_id or 0)
    page = browser.get("/console/?what=people").text
    assert titles(page) == ["Acme: a quote", "Acme: the logo"]
    assert addresses(page) == [f"/console/companies/{slug}/agreements"] * 2
    assert "Agreement ends today" in page
    assert "Agreement ends in 14 days" in page
    assert "Legal, by mail" in page


def test_the_mail_of_the_morning_says_how_much_it_does_not_show(in_app: Flask, at: At) -> None:
    a_crowded_morning(at)
    ruth = make_moderator(time_zone="Europe/Lisbon")
    at(MORNING.replace(hour=8, minute=5))
    assert mornings.send_due() == 1
    notice = db.session.query(Notice).filter_by(kind=mornings.MORNING).one()
    line = mornings.resolve(viewer_of(ruth), [notice])[notice.id]
    assert line.sentence == f"{CROWDED} things wait"
    rest = line.sections[mornings.SHOWN]
    assert rest["title"] == f"{CROWDED - mornings.SHOWN} more things wait"
    assert rest["url"] == "/console/?whose=anyone"


def test_nobody_who_is_no_customer_any_more_waits_on_a_page_that_is_not_there(in_app: Flask, at: At) -> None:
    at(MORNING - timedelta(days=400))
    moderator, peer = viewer_of(make_moderator()), viewer_of(make_customer("Petra"))
    people = [make_customer(name) for name in ("Nominated", "Rested", "Lapsed", "Agreed")]
    nominated, rested, lapsed, agreed = people
    candidates.nominate(peer, nominated, "Helped me twice.")
    for member in (rested, lapsed):
        candidates.spot(moderator, member)
    candidates.move(moderator, rested, Stage.RESTING)
    consents.give(viewer_of(lapsed), [Activity.QUOTE], months=3)
    candidates.move(moderator, lapsed, Stage.ACTIVE, reason="Spoke before")
    at(MORNING - timedelta(days=1))
    asked = candidates.ask(moderator, agreed, "Would you?", [Activity.CALL], reason="Offered")
    candidates.answer(viewer_of(agreed), asked.id, [Activity.CALL])
    at(MORNING)

    def named() -> str:
        return " ".join(row.title for row in counted(moderator))

    assert all(name in named() for name in ("Nominated", "Rested", "Lapsed", "Agreed"))
    with unit_of_work():
        for member in people:
            db.session.get_one(Member, member).status = Status.PROSPECT
    assert named() == ""


def test_a_consent_about_to_end_leads_to_a_page_that_is_there_for_a_customer_no_more_too(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=360))
        people = [make_customer("Olumide", username="olumide"), make_customer("Bram", username="bram")]
        for member in people:
            consents.give(viewer_of(member), [Activity.QUOTE], months=12)
        with unit_of_work():
            db.session.get_one(Member, people[1]).status = Status.PROSPECT
        at(MORNING)
        browser = sign_in(make_moderator())
    page = browser.get("/console/?what=people").text
    assert sorted(addresses(page)) == ["/console/candidates/olumide", "/console/members/bram"]
    assert [browser.get(address).status_code for address in addresses(page)] == [200, 200]
    assert "No customer any more" in page


def test_a_candidate_due_for_review_waits_with_what_to_do(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=366))
        ruth, quiet, fallen = viewer_of(make_moderator()), make_customer("Bram"), make_customer("Olumide")
        candidates.nominate(ruth, quiet, "Spoke well.")
        at(MORNING - timedelta(days=70))
        asker = make_customer("Asker")
        thread = make_thread(asker, make_board())
        accept(viewer_of(asker), thread.id, make_post(fallen, thread).id)
        candidates.nominate(ruth, fallen, "Helps.")
        resting = make_customer("Rita")
        candidates.spot(ruth, resting)
        at(MORNING)
        browser = sign_in(make_moderator())
        assert len(counted(ruth)) == 2
    page = browser.get("/console/").text
    assert titles(page) == ["Bram", "Olumide"]
    assert "A year since the last look" in page
    assert "Helpfulness fell under half" in page
    with app.app_context():
        candidates.review(ruth, quiet)
        candidates.review(ruth, fallen)
    assert titles(browser.get("/console/").text) == []


def test_a_question_that_is_not_answered_for_weeks_comes_back(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=14, minutes=1))
        ruth, silent = viewer_of(make_moderator()), make_customer("Bram", username="bram")
        candidates.ask(ruth, silent, "Would you?", [Activity.CALL], reason="Offered")
        at(MORNING - timedelta(days=13))
        candidates.ask(ruth, make_customer("Olumide"), "Would you?", [Activity.CALL], reason="Offered")
        at(MORNING)
        browser = sign_in(make_moderator())
        assert len(counted(ruth)) == 1
    page = browser.get("/console/").text
    assert titles(page) == ["Bram"]
    assert "Asked 14 days ago, not even seen" in page
    with app.app_context():
        candidates.see(viewer_of(silent))
    assert "Asked 14 days ago, seen and not answered" in browser.get("/console/").text
    shown = browser.get("/console/candidates/bram")
    assert "Take the question back" in shown.text
    data = {"csrf_token": fields_of(shown, "/console/candidates/bram/review")["csrf_token"]}
    assert browser.post("/console/candidates/bram/review", data=data).status_code == 303
    assert titles(browser.get("/console/").text) == []
    assert "Looked at, wait on" not in browser.get("/console/candidates/bram").text
    with app.app_context():
        at(MORNING + timedelta(days=14))
        browser = sign_in(make_moderator())
    assert titles(browser.get("/console/").text) == ["Olumide", "Bram"]


def test_the_gap_is_where_asks_come_from_and_nobody_agreed_with_who_may_fill_it(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=20))
        board_for_asks()
        for _time in range(3):
            ask_openly(make_prospect(), situation=Situation(industry="52"))
        ask_openly(make_prospect(), situation=Situation(industry="31-33"))
        bank, mill = make_company(industry="52"), make_company(industry="31-33")
        helper = make_customer("Helpful Hanna", company_id=bank)
        quiet = make_customer("Quiet Quentin", company_id=bank)
        agreed = make_customer("Agreed Ada", company_id=bank)
        declined = make_customer("Declined Dora", company_id=bank)
        alone = make_customer("Alone Alva", company_id=bank)
        mila = make_customer("Mill Mila", company_id=mill)
        board = make_board()
        for _time in range(2):
            asker = viewer_of(make_customer())
            accept(asker, (thread := make_thread(asker, board)).id, make_post(helper, thread).id)
        for one in (agreed, mila):
            consents.give(viewer_of(one), [Activity.CALL], months=12)
        ruth = viewer_of(make_moderator())
        asked = candidates.ask(ruth, declined, "Would you?", [Activity.CALL], reason="Offered")
        candidates.answer(viewer_of(declined), asked.id, [])
        choosing.choose(viewer_of(alone), not_scored=False, not_approached=True)
        at(MORNING)
        gap = gladly.of_yesterday(ruth).gap
        assert gap is not None
        assert (gap.asks, gap.agreed, gap.customers) == (3, 1, 5)
        assert [name for name, *_rest in gap.fillers] == ["Helpful Hanna", "Quiet Quentin"]
        browser = sign_in(make_moderator())
    page = browser.get("/console/").text.partition('id="gap"')[2].partition("</section>")[0]
    assert "3 asks, 1 customer has agreed to calls." in page
    assert "Helpful Hanna" in page
    assert "Mill Mila" not in page
    with app.app_context():
        consents.give(viewer_of(quiet), [Activity.CALL], months=12)
        gap = gladly.of_yesterday(ruth).gap
        assert gap is not None
        assert (gap.asks, gap.agreed) == (3, 2)
        assert [name for name, *_rest in gap.fillers] == ["Helpful Hanna"]


def test_who_rises_stands_there_with_the_proof(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=3))
        board, helper = make_board(), make_customer("Bram", username="bram")
        for title in ("Which port is it?", "How many lanes?"):
            asker = viewer_of(make_customer())
            thread = make_thread(asker, board, title)
            accept(asker, thread.id, make_post(helper, thread).id)
        at(MORNING)
        browser = sign_in(make_moderator())
    shown = browser.get("/console/").text.partition('id="rising"')[2].partition("</section>")[0]
    assert 'href="/console/candidates/bram"' in shown
    assert "2 companies thanked them in 30 days." in shown
    assert "Which port is it?" in shown
    assert "How many lanes?" in shown


def test_where_staff_write_most_nobody_is_said_to_rise(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=1))
        board, ruth, bram = make_board(), make_moderator("Ruth"), make_customer("Bram")
        asker = viewer_of(make_customer())
        thread = make_thread(asker, board)
        accept(asker, thread.id, make_post(bram, thread).id)
        for _time in range(3):
            make_post(ruth, make_thread(make_customer(), board))
        at(MORNING)
        glad = gladly.of_yesterday(viewer_of(ruth))
        assert glad.riser is None
        assert [one.name for one in glad.helped] == ["Bram"]
        assert not any(section["title"].startswith("Rising") for section in gladly.as_sections(glad))
    shown = sign_in(ruth).get("/console/").text.partition('id="rising"')[2].partition("</section>")[0]
    assert "Your own people wrote 75% of the answers" in shown
    assert "Bram" not in shown


def test_a_peer_moderator_sees_cases_alone(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        a_busy_morning(at)
        browser = sign_in(make_customer(duties=(Duty.MODERATOR,), company_id=make_company()))
    page = browser.get("/console/").text
    assert titles(page) == ["#2 in Who do you call when support is closed?"]
    for word in ("Marguerite", "Olumide", "Nadia", "Rising", "Helped yesterday", "Candidates"):
        assert word not in page
    assert "You get this by mail at 08:00 of your time when something waits." in page
    token = fields_of(browser.get("/console/"), "/console/morning")["csrf_token"]
    stopped = browser.post("/console/morning", data={"csrf_token": token, "on": "no"})
    assert stopped.status_code == 303
    assert "The same by mail at 08:00 of your time?" in browser.get("/console/").text
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
    assert "That day: thanked by 1 company, 1 answer accepted, answered 1 question" in token_of_bram


def test_thanks_are_said_in_a_moderators_own_words_which_are_refused_beside_their_field(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=1))
        board, bram = make_board(), make_customer("Bram", username="bram")
        cleo = make_customer("Cleo", username="cleo")
        for helper in (bram, cleo):
            thread = make_thread(make_customer(), board, f"Question for {helper}")
            post_reply(viewer_of(helper), thread.id, "Port 22.")
        at(MORNING)
        browser = sign_in(make_moderator("Ruth"))
    shown = browser.get("/console/")
    assert 'value="That day: answered 1 question"' in shown.text, "what is read unless somebody changes it"
    sent = {"csrf_token": fields_of(shown, "/console/thanks")["csrf_token"], "member": "bram"}

    for words, why in ((" \x00 ", "Write a few words."), ("a" * 601, "At most 600 characters fit.")):
        refused = browser.post("/console/thanks", data={**sent, "words": words})
        assert refused.status_code == 422
        assert re.search(rf'id="words-bram-error">.*?{why}', refused.text)
        assert refused.text.count("field--error") == 1, "beside the field of Bram alone"
        assert words.strip(" \x00") in refused.text, "nothing typed is lost"
    with app.app_context():
        assert db.session.query(Notice).filter_by(kind="thanked").count() == 0

    told = browser.post("/console/thanks", data={**sent, "words": " Port 22 <saved>\n my  day. "})
    assert told.status_code == 303
    late = browser.post("/console/thanks", data={**sent, "words": "And from me."})
    assert late.status_code == 422
    assert "A colleague thanked them meanwhile" in late.text
    assert 'value="And from me."' in late.text
    fixed = {**sent, "member": "cleo", "words": "That day: answered 1 question"}
    assert browser.post("/console/thanks", data=fixed).status_code == 303
    assert "Port 22 &lt;saved&gt; my day." in sign_in(bram).get("/notifications").text
    assert "That day: answered 1 question" in sign_in(cleo).get("/notifications").text
    with app.app_context():
        [notice] = db.session.query(Notice).filter_by(member_id=cleo, kind="thanked")
        assert "words" not in notice.data, "unchanged words stay those of their reader's language"


def test_thanks_for_answers_alone_say_nothing_of_companies(app: Flask, sign_in: SignIn, at: At) -> None:
    with app.app_context():
        at(MORNING - timedelta(days=1))
        board, bram = make_board(), make_customer("Bram", username="bram")
        for number in range(3):
            thread = make_thread(make_customer(), board, f"Question number {number}")
            post_reply(viewer_of(bram), thread.id, "Port 22.")
        at(MORNING)
        gladly.thank(viewer_of(make_moderator("Ruth")), "bram")
    told = sign_in(bram).get("/notifications").text
    assert "That day: answered 3 questions" in told
    assert "company" not in told.split("Ruth thanks you", 1)[1].split("</li>", 1)[0]


def test_the_mail_goes_out_at_eight_in_the_moderators_zone_once_and_can_be_stopped(
    app: Flask, sign_in: SignIn, at: At
) -> None:
    with app.app_context():
        a_busy_morning(at)
        lisbon = make_moderator(time_zone="Europe/Lisbon")
        tokyo = make_moderator(time_zone="Asia/Tokyo")
        off = make_moderator(time_zone="Europe/Lisbon")
        peer = make_customer(duties=(Duty.MODERATOR,), time_zone="Europe/Lisbon")
        peer_without_mail = make_customer(duties=(Duty.MODERATOR,), time_zone="Europe/Lisbon")
        preferences.choose(peer_without_mail, mornings.MORNING, in_app=False, by_mail=False)
        preferences.choose(off, mornings.MORNING, in_app=False, by_mail=False)
        at(MORNING.replace(hour=7, minute=55))
        assert mornings.send_due() == 0
        at(MORNING.replace(hour=8, minute=5))
        assert mornings.send_due() == 2
        assert mornings.send_due() == 0
        told = [row.member_id for row in db.session.query(Notice).filter_by(kind=mornings.MORNING)]
        assert told == [lisbon, peer]
        assert tokyo not in told
        lines = {}
        for mail in db.session.query(Mail).filter_by(kind=mornings.MORNING):
            notice = db.session.get_one(Notice, mail.notice_id)
            lines[notice.member_id] = mornings.resolve(viewer_of(notice.member_id), [notice])[notice.id]
        assert sorted(lines) == [lisbon, peer]
        assert lines[lisbon].sentence == "5 things wait"
        assert lines[peer].sentence == "1 thing waits"  # cases alone, as on their page
        assert lines[lisbon].sections[0]["title"].startswith("1 flag, rule 4")
        assert [one["title"] for one in lines[peer].sections] == [lines[lisbon].sections[0]["title"]]
        at(MORNING + timedelta(days=1))
        assert mornings.send_due() == 2


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
    assert counts[1] <= counts[0] <= 37, seen


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
