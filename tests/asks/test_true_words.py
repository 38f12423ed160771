"""What pages of an ask say is so: dates, numbers, who reads a name, what came of pressing a button."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.asks.models import Ask, AskProposal, InviteKind, ProposalState
from portal.asks.models import Invite as InviteRow
from portal.asks.queries import lists
from portal.asks.queries.finding import proposals_of
from portal.asks.services import asking, connecting, inviting, requests
from portal.asks.telling import resolve_responsible
from portal.conversations import services as conversations
from portal.conversations.models import Conversation
from portal.conversations.services.preserving import preserve
from portal.kernel import clock, site
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.preserving import KeptWords
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Availability, Exposure
from portal.members.models import Member
from portal.members.services.erasing import erase_account
from portal.moderation.models import Case
from portal.notifications.models import Notice
from tests.asks.scenes import (
    HOUR,
    TUESDAY,
    answer,
    ask,
    board,
    change_member,
    make_company,
    make_customers,
    make_prospect,
    request_of,
    work,
)
from tests.conftest import make_customer, make_moderator, viewer_of
from tests.conversations.conftest import asked

Clock = Callable[[datetime], None]
SignIn = Callable[[int], FlaskClient]


@pytest.fixture(autouse=True)
def on_tuesday(at: Clock, app: Flask) -> None:
    at(TUESDAY)
    app.config["WTF_CSRF_ENABLED"] = False  # tests/house looks after those


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def proposed(count: int, *, may_connect: bool = False) -> tuple[int, Ask, list[AskProposal]]:
    """(asker, ask, proposals) of an open ask with so many customers there."""
    board()
    make_customers(count)
    asker = make_prospect()
    one = ask(asker)
    connecting.connect_now(viewer_of(asker), one.id, may_connect=may_connect)
    return asker, one, proposals_of(one.id)


class TestTwoChosen:
    """One was sent, the other refused: the asker reads both, and the rest goes on."""

    def waits_for_one(self, asker: int, one: Ask) -> None:
        """Of two at once one place is left."""
        conversations.request(
            viewer_of(asker), make_customer(), origin=f"ask:{one.id}", note="Somebody else first."
        )

    def test_what_was_sent_stands_and_the_refusal_is_said(self, in_app: Flask):
        asker, one, found = proposed(3)
        self.waits_for_one(asker, one)
        result = connecting.approach(
            viewer_of(asker), one.id, [row.id for row in found[:2]], note="May I ask you?"
        )
        assert len(result.conversation_ids) == 1
        assert (result.refused, "at once" in result.refusal) == (1, True)

    def test_whoever_was_gone_is_replaced_all_the_same(self, in_app: Flask):
        asker, one, found = proposed(6)
        self.waits_for_one(asker, one)
        self.waits_for_one(asker, one)
        change_member(found[0].member_id, suspended_until=TUESDAY + 100 * HOUR)
        result = connecting.approach(
            viewer_of(asker), one.id, [row.id for row in found[:2]], note="May I ask you?"
        )
        assert (result.gone, result.refused, result.replaced) == (1, 1, 1)

    def test_nothing_at_all_is_an_error_beside_the_choice(self, in_app: Flask):
        asker, one, found = proposed(3)
        self.waits_for_one(asker, one)
        self.waits_for_one(asker, one)
        with pytest.raises(Invalid):
            connecting.approach(viewer_of(asker), one.id, [row.id for row in found[:2]], note="May I?")

    def test_on_the_page(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            asker, one, found = proposed(3)
            self.waits_for_one(asker, one)
            ids = [row.id for row in found[:2]]
        browser = sign_in(asker)
        place = f"/asks/{one.id}/connect"
        answer_ = browser.post(place, data={"pick": ids, "note": "May I ask you?"})
        assert (answer_.status_code, answer_.location) == (303, place)
        page = words(browser.get(place).get_data(as_text=True))
        assert "One customer was asked." in page
        assert "One of those you chose was not asked. You can approach 2 people at once." in page


class TestDates:
    def test_a_case_before_the_due_time_does_not_say_that_it_was_due(self, in_app: Flask, at: Clock):
        moderator = make_moderator(username="mara")
        with unit_of_work():
            site.change(ask_responsible="mara")
        proposed(3, may_connect=True)
        me = viewer_of(moderator)

        def excerpts() -> list[str]:
            notices = db.session.execute(select(Notice).where(Notice.kind == "ask_waits")).scalars().all()
            return [line.excerpt for line in resolve_responsible(me, notices).values()]

        [early] = excerpts()
        assert "promised an answer by" in early
        at(TUESDAY + 25 * HOUR)
        [late] = excerpts()
        assert "It was due" in late

    def test_with_nobody_there_the_day_is_that_of_the_case_and_over_when_it_is_over(
        self, app: Flask, at: Clock, sign_in: SignIn
    ):
        with app.app_context():
            board()
            asker = make_prospect()
            one = ask(asker).id
            work()
            due = db.session.execute(select(Case.due_at)).scalar_one()
        browser = sign_in(asker)
        assert "looks for one by" in words(browser.get(f"/asks/{one}").get_data(as_text=True))
        at(due + HOUR)
        page = words(sign_in(asker).get(f"/asks/{one}").get_data(as_text=True))
        assert "looks for one by" not in page
        assert "meant to have found one by" in page

    def test_the_hours_stand_with_the_numbers_only_where_all_were_promised_the_same(
        self, app: Flask, at: Clock, client: FlaskClient
    ):
        with app.app_context():
            board()
            ask(make_prospect())
        assert "answer within 24 h" in words(client.get("/ask").get_data(as_text=True))
        with app.app_context():
            with unit_of_work():
                site.change(ask_hours=48)
            ask(make_prospect())
        at(TUESDAY + 2 * HOUR)
        page = words(client.get("/ask").get_data(as_text=True))
        assert "answer within the time they were promised" in page
        assert "answer within 48 h" not in page


class TestWhoReadsTheName:
    """A moderator who asks customers for somebody gives them the name: said wherever it is agreed to."""

    def test_on_the_form_beside_the_tick_and_beside_the_button(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            make_customers(3)
            asker = make_prospect()
            one = ask(asker)
        browser = sign_in(asker)
        form = words(browser.get("/ask").get_data(as_text=True))
        assert "a moderator may ask a customer for me, who then reads my name and company" in form
        assert "Send to up to 5 customers" in form
        page = words(browser.get(f"/asks/{one.id}").get_data(as_text=True))
        assert "a moderator may ask customers for me, who then read my name and company" in page
        assert "If you let the moderator ask them, they read your name and company." in page
        browser.post(f"/asks/{one.id}/consent")
        page = words(browser.get(f"/asks/{one.id}").get_data(as_text=True))
        assert "Whoever is asked reads your name and company." in page


class TestPressedTwice:
    def test_settling_doubting_and_not_now_end_where_the_first_ended(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            [customer] = make_customers(1)
            asker = make_prospect()
            one = ask(asker)
            work()
            request = request_of(one, customer)
            asking_id = one.id
        browser, other = sign_in(asker), sign_in(customer)
        first = other.post(f"/requests/{request}/not-now")
        with app.app_context():
            from_another = make_customer()
            answered(from_another, asking_id)
        doubts = [browser.post(f"/asks/{asking_id}/doubt") for _ in range(2)]
        assert {(one.status_code, one.location) for one in doubts} == {(303, f"/asks/{asking_id}")}
        page = words(browser.get(f"/asks/{asking_id}").get_data(as_text=True))
        assert "This can be said once" not in page, "it was said once, by two clicks"
        settled = [browser.post(f"/asks/{asking_id}/settled") for _ in range(2)]
        assert {(one.status_code, one.location) for one in settled} == {(303, f"/asks/{asking_id}")}
        late = other.post(f"/requests/{request}/not-now")
        assert (late.status_code, late.location) == (303, first.location)
        assert "nothing more is needed" in words(other.get(late.location).get_data(as_text=True))

    def test_a_second_doubt_about_a_later_answer_is_told_on_the_page(self, app: Flask, sign_in: SignIn):
        with app.app_context():
            board()
            asker = make_prospect()
            one = ask(asker).id
            answered(make_customer(), one)
        browser = sign_in(asker)
        browser.post(f"/asks/{one}/doubt")
        with app.app_context():
            answered(make_customer(), one)
        again = browser.post(f"/asks/{one}/doubt")
        assert (again.status_code, again.location) == (303, f"/asks/{one}")
        assert "This can be said once" in words(browser.get(again.location).get_data(as_text=True))


def answered(member: int, ask_id: int) -> None:
    answer(member, db.session.get_one(Ask, ask_id))


class TestKeptAndGone:
    def test_notices_of_the_next_one_name_no_member(self, in_app: Flask):
        asker, one, found = proposed(4)
        [talk] = connecting.approach(
            viewer_of(asker), one.id, [found[0].id], note="May I ask you?"
        ).conversation_ids
        conversations.decline(viewer_of(found[0].member_id), talk)
        told = db.session.execute(select(Notice).where(Notice.kind == "ask")).scalars().all()
        assert [notice.data["what"] for notice in told] == [f"next-{talk}"]
        assert [notice.source_key for notice in told] == [f"ask:{one.id}:next-{talk}"]
        assert talk != str(found[0].member_id)

    def test_an_ask_that_gets_the_number_of_an_erased_one_is_another_ask(self, in_app: Flask):
        customers = make_customers(3)
        former = make_prospect()
        gone = asking.ask_privately(viewer_of(former), title="What it costs", body="In the second year.")
        chosen = proposals_of(gone.id)[0]
        member = chosen.member_id
        [talk] = connecting.approach(
            viewer_of(former), gone.id, [chosen.id], note="May I ask you?"
        ).conversation_ids
        conversations.decline(viewer_of(member), talk)
        former_purpose = f"ask:{gone.id}"
        with unit_of_work():
            erase_account(former, keep_text=False)
        one = asking.ask_privately(
            viewer_of(make_prospect()), title="Who moved", body="And how long it took."
        )
        exposures = db.session.execute(select(Exposure.purpose, Exposure.member_id)).all()
        assert len(exposures) == 2 * len(customers), "shown for the one and for the other"
        if db.engine.name == "sqlite":
            assert f"ask:{one.id}" == former_purpose
        assert [row.member_id for row in exposures if row.purpose == f"ask:{one.id}"]
        lines = lists.talks_of(viewer_of(member))
        assert [line.proposal for line in lines] == [None], "not the proposal of another's ask"
        assert db.session.get_one(Conversation, talk).origin == "ask"

    def test_who_offered_to_talk_is_proposed_on_while_they_rest(self, in_app: Flask):
        board()
        [customer] = make_customers(1)
        asker = make_prospect()
        one = ask(asker)
        work()
        requests.would_talk(viewer_of(customer), request_of(one, customer))
        with unit_of_work():
            db.session.add(
                Availability(member_id=customer, values=[], paused_until=clock.now() + timedelta(days=9))
            )
        connecting.propose_again(viewer_of(asker), one.id)
        assert [row.state for row in proposals_of(one.id)] == [ProposalState.OPEN]

    def test_words_for_one_person_are_looked_through_before_they_go_to_others(
        self, app: Flask, sign_in: SignIn
    ):
        note = "Dear Dana, how did the first winter go?"
        with app.app_context():
            customers = make_customers(4)
            asker = make_prospect()
            talk = asked(asker, customers[0], note, origin="profile").id
            conversations.decline(viewer_of(customers[0]), talk)
            made = asking.ask_others(viewer_of(asker), talk).id
        browser = sign_in(asker)
        page = browser.get(f"/asks/{made}/connect").get_data(as_text=True)
        field = re.search(r"<textarea[^>]*name=\"note\"[^>]*>(.*?)</textarea>", page, re.DOTALL)
        assert field is not None
        assert field.group(1).strip() == note, "without a title that is ours"
        assert "the words that you wrote to somebody else" in page
        openly = browser.get(f"/ask?of={made}").get_data(as_text=True)
        assert "What I would like to talk about" not in openly
        assert note in openly


def test_a_silent_order_shows_by_no_address_of_a_colleague(in_app: Flask, at: Clock):
    company = make_company(domain="tidewater.example")
    dana = make_customer("Dana", username="dana", company_id=company, email="dana@tidewater.example")
    preserve("dana", reason="Court 7", until=clock.now() + timedelta(days=90), silent=True)
    for number in (1, 2):
        inviting.send_to_colleague(viewer_of(dana), f"colleague{number}@tidewater.example")
    assert {line.email for line in lists.invites_of(viewer_of(dana))} == {
        "colleague1@tidewater.example",
        "colleague2@tidewater.example",
    }
    first = db.session.execute(select(InviteRow.id).order_by(InviteRow.id)).scalars().first()
    inviting.withdraw(viewer_of(dana), first or 0)
    [kept] = db.session.query(KeptWords).all()
    assert (kept.member_id, kept.words) == (dana, {"email": "colleague1@tidewater.example"})
    at(TUESDAY + timedelta(days=15))
    assert inviting.forget_addresses() == 0
    assert [line.email for line in lists.invites_of(viewer_of(dana))] == ["", ""]
    assert db.session.query(InviteRow).filter(InviteRow.kind == InviteKind.COLLEAGUE).count() == 2
    assert db.session.query(Member).filter(Member.id == dana).count() == 1
