"""The pages: asking as a visitor and as a prospect, the timeline, requests, invites, the thread's clock."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.asks.models import Ask, AskMode, AskProposal, KeptAsk, ProposalState
from portal.asks.services import connecting, inviting, settling
from portal.conversations.models import Conversation, ConversationState
from portal.discussions.models import Audience, Board, Thread, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import clock, site
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.services import open_slot
from portal.members.models import Member
from portal.search import services as search
from tests.asks.scenes import answer, ask, board, make_customers, make_prospect, request_of, work
from tests.conftest import make_board, make_company, make_customer, make_member, make_moderator, viewer_of
from tests.conversations.conftest import talking
from tests.support.statements import Statements

TITLE = "How long did moving forty partners really take?"
FORM = {
    "title": TITLE,
    "body": "We are told three months. Our own guess is nine.",
    "industry": "31-33",
    "size": "500-999",
    "region": "DE",
    "mode": "open",
}
SignIn = Callable[[int], FlaskClient]


@pytest.fixture(autouse=True)
def without_tokens(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False  # tests/house looks after those


def newest(app: Flask) -> Ask:
    with app.app_context():
        return db.session.execute(select(Ask).order_by(Ask.id.desc()).limit(1)).scalar_one()


class TestAsking:
    def test_a_prospect_asks_and_sees_the_clock(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            prospect = make_prospect("Jonas Lindqvist")
        browser = sign_in(prospect)
        answer_ = browser.post("/ask", data=FORM)
        assert answer_.status_code == 303
        page = browser.get(answer_.location).get_data(as_text=True)
        assert TITLE in page
        assert "left for a customer’s answer" in page
        assert "Connect me now" in page
        thread = newest(app).thread_id
        assert "A customer’s answer is due by" in browser.get(
            f"/threads/{thread}", follow_redirects=True
        ).get_data(as_text=True)

    def test_bad_input_keeps_every_word(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            prospect = make_prospect()
        data = {**FORM, "title": "Short", "needed_by": "2001-01-01", "replacing": "Brokerline 11"}
        answer_ = sign_in(prospect).post("/ask", data=data)
        page = answer_.get_data(as_text=True)
        assert answer_.status_code == 422
        for kept in ("Short", "Our own guess is nine.", "Brokerline 11", "This day lies in the past"):
            assert kept in page

    def test_a_visitor_writes_first_and_joins_at_the_end(
        self, app: Flask, client: FlaskClient, sign_in: SignIn
    ):
        with app.app_context():
            board()
        answer_ = client.post("/ask", data={**FORM, "replacing": "Brokerline 11"})
        assert answer_.status_code == 303
        assert answer_.location.startswith("/join?next=")
        assert "kept" in client.get(answer_.location).get_data(as_text=True)
        place = client.get(answer_.location).request.args["next"]
        with app.app_context():
            prospect = make_prospect()
        browser = sign_in(prospect)
        page = browser.get(place).get_data(as_text=True)
        assert "Nothing was sent yet" in page
        for kept in (TITLE, "Our own guess is nine.", "Brokerline 11"):
            assert kept in page
        assert re.search(r'<option selected value="31-33"|value="31-33" selected', page)
        token = re.search(r'name="kept"[^>]*value="([^"]+)"', page)
        assert token
        browser.post("/ask", data={**FORM, "kept": token.group(1)})
        with app.app_context():
            assert db.session.execute(select(KeptAsk)).first() is None
        assert newest(app).asker_id == prospect

    def test_what_a_visitor_meant_in_private_comes_back_so_and_is_sealed_meanwhile(
        self, app: Flask, client: FlaskClient, sign_in: SignIn
    ):
        with app.app_context():
            board()
        place = client.get(client.post("/ask", data={**FORM, "mode": "conversation"}).location).request.args[
            "next"
        ]
        with app.app_context():
            stored = json.dumps(db.session.execute(select(KeptAsk.fields)).scalar_one())
            assert TITLE not in stored
            assert "nine" not in stored
            prospect = make_prospect()
        page = sign_in(prospect).get(place).get_data(as_text=True)
        assert TITLE in page
        assert "to be asked in private" in page
        primary = re.search(r'<button class="btn btn-primary"[^>]*name="mode" value="(\w+)"', page)
        assert primary
        assert primary.group(1) == "conversation"
        assert page.count('name="mode" value="conversation"') == 1
        assert 'name="mode" value="open"' in page

    @pytest.mark.parametrize("asks", [3, 10])
    def test_the_numbers_of_90_days_stand_before_the_form(self, app: Flask, client: FlaskClient, asks: int):
        with app.app_context():
            board()
            for number in range(asks):
                made = ask(make_prospect(), title=f"How long did it take, number {number}?")
                if number % 2:
                    answer(make_customer(), made)
        page = client.get("/ask").get_data(as_text=True)
        numbers, _form, _rest = page.partition('action="/ask"')
        assert "had no customer’s answer at all" in numbers
        assert ("Under ten asks we show counts only" in numbers) is (asks < 10)
        assert ("half of them waited less than this" in numbers or "more than half had no" in numbers) is (
            asks >= 10
        )

    def test_a_long_question_in_private_fits_as_a_note(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            make_customers(2)
            prospect = make_prospect()
        browser = sign_in(prospect)
        asked_ = browser.post("/ask", data={**FORM, "body": "word " * 800, "mode": "conversation"})
        page = browser.get(asked_.location).get_data(as_text=True)
        note = re.search(r'<textarea[^>]*name="note"[^>]*>(.*?)</textarea>', page, re.S)
        assert note
        assert 'maxlength="2000"' in note.group(0)
        words = unescape(note.group(1)).strip()
        pick = re.search(r'name="pick"[^>]*value="(\d+)"', page)
        assert pick
        assert browser.post(asked_.location, data={"pick": pick.group(1), "note": words}).status_code == 303
        with app.app_context():
            assert len(db.session.execute(select(Conversation)).scalars().all()) == 1

    def test_with_nobody_left_the_page_says_what_is_so_and_then_that_a_moderator_knows(
        self, app: Flask, sign_in: SignIn
    ):
        with app.app_context():
            board()
            prospect = make_prospect()
            one = ask(prospect)
            number = one.id
        browser = sign_in(prospect)
        before = browser.get(f"/asks/{number}/connect").get_data(as_text=True)
        assert "looks for somebody. It is due" in before
        assert "knows of it" not in before
        browser.post(f"/asks/{number}/proposals")
        assert "knows of it and looks for somebody by" in browser.get(f"/asks/{number}/connect").get_data(
            as_text=True
        )

    def test_whom_one_talks_with_is_shown_as_such_and_not_to_be_asked(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            make_customers(1)
            prospect = make_prospect()
            one = ask(prospect)
            connecting.connect_now(viewer_of(prospect), one.id, may_connect=False)
            row = db.session.execute(select(AskProposal)).scalar_one()
            there = talking(prospect, row.member_id, "hello").id
            with unit_of_work():  # offered to talk in the very moment in which they were asked
                db.session.get_one(AskProposal, row.id).state = ProposalState.OPEN
            number, proposal = one.id, row.id
        browser = sign_in(prospect)
        page = browser.get(f"/asks/{number}/connect").get_data(as_text=True)
        assert "Whom you are in touch with already" in page
        assert f'href="/conversations/{there}"' in page
        assert 'name="pick"' not in page
        answer_ = browser.post(f"/asks/{number}/connect", data={"pick": proposal, "note": "Again."})
        assert answer_.location == f"/conversations/{there}"
        page = unescape(browser.get(answer_.location).get_data(as_text=True))
        assert "no new request was sent" in page
        assert "One customer was asked" not in page

    def test_the_vendor_has_no_form_and_cannot_post_one(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            moderator = make_moderator()
        browser = sign_in(moderator)
        assert 'name="title"' not in browser.get("/ask").get_data(as_text=True)
        assert browser.post("/ask", data=FORM).status_code == 422

    def test_answered_questions_are_shown_and_can_end_it(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            place = board()
            thread = open_thread(
                viewer_of(make_prospect()),
                place,
                kind=ThreadKind.QUESTION,
                title="How long did moving ninety partners take?",
                body="Months?",
            )
            post_reply(viewer_of(make_customer()), thread.id, "Seven and a half months.")
            url = f"/threads/{thread.id}/{thread.slug}"
            prospect = make_prospect()
        browser = sign_in(prospect)
        found = browser.get("/ask/similar?title=How long did moving forty partners take").get_data(
            as_text=True
        )
        assert "moving ninety partners" in found
        without_script = browser.post("/ask", data={**FORM, "similar": "ask"}).get_data(as_text=True)
        assert "This may have been answered" in without_script
        assert "Our own guess is nine." in without_script
        assert "How long did" in browser.post("/ask/form", data=FORM).get_data(as_text=True)
        ended = browser.post("/ask/found", data={**FORM, "found": url})
        assert (ended.status_code, ended.location) == (303, url)
        with app.app_context():
            assert db.session.execute(select(Ask)).first() is None

    @pytest.mark.parametrize("who", ["vendor", "colleague", "customer"])
    def test_ones_own_list_says_which_answers_leave_the_clock_running(
        self, app: Flask, sign_in: SignIn, who: str
    ):
        with app.app_context():
            board()
            company = make_company()
            asker = make_prospect(company_id=company)
            one = ask(asker)
            writers = {
                "vendor": lambda: make_member(status=Status.VENDOR),
                "colleague": lambda: make_customer(company_id=company),
                "customer": make_customer,
            }
            answer(writers[who](), one)
        said = re.sub(r"<[^>]+>|\s+", " ", sign_in(asker).get("/asks").get_data(as_text=True))
        assert ("1 answer, which does not stop the clock" in said) == (who != "customer")
        assert ("Answered by a customer" in said) == (who == "customer")

    def test_in_private_leads_to_three_customers(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            make_customers(4)
            prospect = make_prospect()
        browser = sign_in(prospect)
        answer_ = browser.post("/ask", data={**FORM, "mode": "conversation"})
        assert answer_.location.endswith("/connect")
        page = browser.get(answer_.location).get_data(as_text=True)
        assert page.count('name="pick"') == 3
        assert "nobody else reads it" in page
        assert newest(app).mode is AskMode.CONVERSATION
        picked = re.findall(r'name="pick" value="(\d+)"', page)
        sent = browser.post(answer_.location, data={"pick": picked[:1], "note": "May I ask you?"})
        assert sent.status_code == 303
        assert sent.location.startswith("/conversations/")

    def test_in_private_with_nobody_there_it_says_who_would_look_and_by_when(
        self, app: Flask, sign_in: SignIn
    ):
        with app.app_context():
            board()
            make_moderator("Ruth Adeyemi", username="ruth")
            site.change(ask_responsible="ruth")
            prospect = make_prospect()
        browser = sign_in(prospect)
        place = browser.post("/ask", data={**FORM, "mode": "conversation", "industry": ""}).location
        page = browser.get(place).get_data(as_text=True)
        assert "There is nobody to propose at present" in page
        assert re.search(r"Ruth Adeyemi finds you one by\s+<time", page)
        in_the_open = re.search(r'href="(/ask\?of=\d+)"', page)
        assert in_the_open is not None
        filled = browser.get(in_the_open.group(1)).get_data(as_text=True)
        assert f'value="{TITLE}"' in filled
        assert "Our own guess is nine." in filled
        with app.app_context():
            another = make_prospect()
        assert sign_in(another).get(in_the_open.group(1)).status_code == 404

    def test_from_a_search_and_from_people_one_is_led_to_three_proposals(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            make_customers(4)
            prospect, staff = make_prospect(), make_moderator()
        browser = sign_in(prospect)
        for page, link in (
            ("/search?q=forty+partners", r'href="(/ask\?title=forty[^"]*)"'),
            ("/members?industry=31-33", r'href="(/ask\?industry=31-33[^"]*)"'),
        ):
            shown = re.search(link, browser.get(page).get_data(as_text=True))
            assert shown is not None, page
            form = browser.get(unescape(shown.group(1))).get_data(as_text=True)
            assert 'value="forty partners"' in form or re.search(r'selected value="31-33"', form)
            assert "/ask?" not in sign_in(staff).get(page).get_data(as_text=True)

    def test_a_time_that_a_proposed_customer_opened_is_booked_at_once(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            [customer] = make_customers(1)
            opened = open_slot(customer, clock.now() + timedelta(days=3), 30)
            prospect = make_prospect()
        browser = sign_in(prospect)
        place = browser.post("/ask", data={**FORM, "mode": "conversation"}).location
        page = browser.get(place).get_data(as_text=True)
        [value] = re.findall(r'name="book" value="(\d+:\d+)"', page)
        wrong = browser.post(place, data={"book": f"{value}999", "note": "May I?"})
        assert wrong.status_code == 422
        assert "no longer open" in wrong.get_data(as_text=True)
        sent = browser.post(place, data={"book": value, "note": "May I ask you?"})
        assert sent.location.startswith("/conversations/")
        with app.app_context():
            talk = db.session.execute(select(Conversation)).scalar_one()
            assert (talk.state, talk.agreed_at) == (ConversationState.OPEN, opened.starts_at)
        assert "Book " not in browser.get(place).get_data(as_text=True)

    def test_a_settled_ask_still_leads_to_a_customer(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            make_customers(6)
            prospect = make_prospect()
            one = ask(prospect)
            work()
            settling.settle(viewer_of(prospect), one.id)
        browser = sign_in(prospect)
        assert "Talk to a customer about it" in browser.get(f"/asks/{one.id}").get_data(as_text=True)
        place = browser.post(f"/asks/{one.id}/connect-now").location
        page = browser.get(place).get_data(as_text=True)
        picked = re.findall(r'name="pick" value="(\d+)"', page)
        assert len(picked) == 3
        sent = browser.post(place, data={"pick": picked[:1], "note": "May I ask you?"})
        assert sent.location.startswith("/conversations/")

    def test_an_ask_stays_out_of_what_search_engines_read_unless_its_asker_chooses(
        self, app: Flask, client: FlaskClient, sign_in: SignIn
    ):
        with app.app_context():
            board()
            make_board("Open talk", audience=Audience.PUBLIC, slug="open-talk")
            prospect = make_prospect("Jonas Lindqvist")
        browser = sign_in(prospect)
        browser.post("/ask", data=FORM)
        hidden = newest(app)
        browser.post(
            "/ask",
            data={**FORM, "title": "Who else came from Brokerline?", "body": "Anybody?", "indexable": "y"},
        )
        shown = newest(app)
        for path in ("/sitemap.xml", "/sitemaps/threads-1.xml", "/feeds/latest.atom", "/"):
            assert TITLE not in client.get(path).get_data(as_text=True)
        assert client.get(f"/threads/{hidden.thread_id}").status_code == 404
        assert client.get(f"/asks/{hidden.id}").status_code == 404
        assert "Who else came from Brokerline" in client.get("/feeds/latest.atom").get_data(as_text=True)
        assert client.get(f"/asks/{shown.id}").status_code == 200
        with app.app_context():
            names = dict(
                db.session.execute(
                    select(Thread.id, Board.slug).join(Board, Board.id == Thread.board_id)
                ).all()
            )
            assert names[hidden.thread_id] == "before-you-buy"
            assert names[shown.thread_id] == "open-talk"


class TestWhoAsked:
    @pytest.mark.parametrize("duty", [Duty.SALES, Duty.SERVICE])
    @pytest.mark.parametrize("shown_as", ["name", "role"])
    def test_sales_and_service_never_see_it(self, app: Flask, sign_in: SignIn, duty: Duty, shown_as: str):
        with app.app_context():
            board()
            make_customers(2)
            prospect = make_prospect("Jonasandra Canary", title="IT manager")
            seller = make_member(status=Status.VENDOR, duties=(duty,))
        sign_in(prospect).post("/ask", data={**FORM, "shown_as": shown_as})
        one = newest(app)
        browser = sign_in(seller)
        for path in (f"/asks/{one.id}", f"/threads/{one.thread_id}", "/", "/boards/before-you-buy", "/asks"):
            page = browser.get(path, follow_redirects=True)
            assert page.status_code == 200
            assert "Jonasandra" not in page.get_data(as_text=True), path

    def test_a_customer_who_asks_has_no_name_either(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            customer = make_customer("Danacanary Kowalski")
            seller = make_member(status=Status.VENDOR, duties=(Duty.SALES,))
        sign_in(customer).post("/ask", data={**FORM, "shown_as": "name"})
        one = newest(app)
        for path in (f"/asks/{one.id}", f"/threads/{one.thread_id}"):
            assert "Danacanary" not in sign_in(seller).get(path, follow_redirects=True).get_data(as_text=True)


class TestRequests:
    def scene(self, app: Flask) -> tuple[int, int]:
        with app.app_context():
            board()
            [customer] = make_customers(1)
            one = ask(make_prospect())
            work()
            return customer, request_of(one, customer)

    def test_opening_it_does_nothing_but_being_seen(self, app: Flask, sign_in: SignIn):
        customer, request_id = self.scene(app)
        browser = sign_in(customer)
        page = browser.get(f"/requests/{request_id}").get_data(as_text=True)
        for words in ("Why you: same industry", "I would rather talk", "Not now", "A colleague knows better"):
            assert words in page
        assert "waits for you" in browser.get("/requests").get_data(as_text=True)

    def test_each_choice_is_a_button(self, app: Flask, sign_in: SignIn):
        customer, request_id = self.scene(app)
        browser = sign_in(customer)
        assert browser.post(f"/requests/{request_id}/not-now").status_code == 303
        assert browser.post(f"/requests/{request_id}/talk").status_code == 303
        assert browser.get(f"/requests/{request_id}/talk").status_code == 405
        refused = browser.post(f"/requests/{request_id}/colleague", data={"email": "x@elsewhere.example"})
        assert refused.status_code == 422

    def test_anothers_is_not_there(self, app: Flask, sign_in: SignIn):
        _customer, request_id = self.scene(app)
        with app.app_context():
            others = [make_customer(), make_moderator(), make_prospect()]
        for other in others:
            assert sign_in(other).get(f"/requests/{request_id}").status_code == 404


class TestInvites:
    def test_the_guest_reads_what_is_reported_before_joining(
        self, app: Flask, client: FlaskClient, sign_in: SignIn
    ):
        with app.app_context():
            sales = make_member("Gareth Pryce", status=Status.VENDOR, duties=(Duty.SALES,))
            _invite, token = inviting.invite_guest(viewer_of(sales), "Opportunity 4711")
        page = client.get(f"/invite/{token}").get_data(as_text=True)
        for words in ("Gareth Pryce", "Opportunity 4711", "that you joined", "Report nothing"):
            assert words in page
        joined = client.post(f"/invite/{token}", data={"report": "all"})
        assert joined.location.startswith("/join?next=")
        with app.app_context():
            guest = make_prospect()
        browser = sign_in(guest)
        assert browser.post(f"/invite/{token}", data={"report": "all"}).location == "/ask"
        assert browser.get(f"/invite/{token}").status_code == 404
        assert "reads four things of you" in browser.get("/asks").get_data(as_text=True)
        listed = sign_in(sales).get("/invites").get_data(as_text=True)
        assert "Opportunity 4711" in listed
        assert client.get("/invite/no-such-token").status_code == 404

    def test_a_link_is_made_and_shown_once(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            sales = make_member(status=Status.VENDOR, duties=(Duty.SALES,))
        browser = sign_in(sales)
        page = browser.post("/invites", data={"reference": "4711"}, follow_redirects=True)
        assert "/invite/" in page.get_data(as_text=True)
        assert "/invite/" not in browser.get("/invites").get_data(as_text=True)


class TestThread:
    def test_the_summary_stands_on_the_thread_and_search_prefers_it(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            place = board()
            asker = make_prospect()
            one = ask(asker, title="How long did the move take in the end?", body="Tell me.")
            for number in range(3):
                thread = open_thread(
                    viewer_of(make_prospect()),
                    place,
                    kind=ThreadKind.QUESTION,
                    title=f"How long did the loading take, case number {number}",
                    body="Nine months, and a zeppelin for the archive.",
                )
            assert thread
            settling.settle(viewer_of(asker), one.id)
            settling.write_summary(viewer_of(asker), one.id, "Nine months, and a zeppelin for the archive.")
            search.drain()
            thread_id = one.thread_id
        browser = sign_in(asker)
        assert "Nine months, and a zeppelin" in browser.get(
            f"/threads/{thread_id}", follow_redirects=True
        ).get_data(as_text=True)
        found = browser.get("/search?q=zeppelin archive").get_data(as_text=True)
        titles = re.findall(r"How long did the (?:move|loading) take[^<]*", found)
        assert len(titles) >= 4
        assert titles[0] == "How long did the move take in the end?", "before threads that say the same"

    def test_it_costs_no_statement_once_it_is_known(
        self, app: Flask, sign_in: SignIn, statements: Callable[[], AbstractContextManager[Statements]]
    ):
        with app.app_context():
            place = board()
            asker = make_prospect()
            plain = open_thread(
                viewer_of(asker), place, kind=ThreadKind.DISCUSSION, title="Only talking here", body="Yes."
            )
            one = ask(asker)
            answer(make_customer(), one)
            plain_url = f"/threads/{plain.id}/{plain.slug}"
            url = f"/threads/{one.thread_id}/" + db.session.get_one(Thread, one.thread_id).slug
        browser = sign_in(asker)
        counts = []
        for path in (plain_url, url):
            browser.get(path)
            with statements() as seen:
                browser.get(path)
            counts.append(len(seen))
        assert counts[1] <= counts[0] + 1


class TestConsole:
    def test_a_moderator_connects_from_the_case(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            make_customers(4)
            asker = make_prospect()
            one = ask(asker, may_connect=True)
            connecting.connect_now(viewer_of(asker), one.id, may_connect=True)
            moderator = make_moderator()
        browser = sign_in(moderator)
        page = browser.get(f"/console/asks/{one.id}").get_data(as_text=True)
        picks = re.findall(r'name="pick"[^>]*value="(\d+)"', page)
        assert len(picks) == 3
        done = browser.post(f"/console/asks/{one.id}/introductions", data={"pick": picks[:1]})
        assert done.status_code == 303
        assert "asked one customer to talk" in browser.get(f"/asks/{one.id}").get_data(as_text=True)
        nothing = browser.post(f"/console/asks/{one.id}/introductions", data={})
        assert nothing.status_code == 422

    def test_an_admin_names_the_board_and_who_is_responsible(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            make_moderator("Ruth Adeyemi", username="ruth")
            admin = make_member(status=Status.VENDOR, duties=(Duty.ADMIN,))
        browser = sign_in(admin)
        data = {
            "ask_hours": "12",
            "ask_board": "before-you-buy",
            "ask_responsible": "ruth",
        }
        assert browser.post("/console/settings/asks", data=data).status_code == 303
        page = browser.get("/ask").get_data(as_text=True)
        assert "Ruth Adeyemi connects you" in page
        for wrong in ({"ask_hours": "1"}, {"ask_responsible": "nobody"}):
            assert browser.post("/console/settings/asks", data={**data, **wrong}).status_code == 422
        with app.app_context():
            assert db.session.execute(select(Member.id)).first()
