"""The clock: what sets it going, what stops it, what does not, and what follows when nobody answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from portal.asks import wording
from portal.asks.models import AnswerRequest, Ask, AskState, StageKind
from portal.asks.queries import figures
from portal.asks.queries.timelines import seen_of, steps_of
from portal.asks.services import asking, connecting, requests, settling, waves
from portal.discussions.services import acceptance, removal
from portal.discussions.services.posting import post_comment
from portal.kernel import site
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, Repeated, TooMany
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import Availability
from portal.moderation.models import Case, CaseKind, CaseState
from portal.search import services as search
from tests.asks.scenes import (
    HOUR,
    TUESDAY,
    answer,
    ask,
    asked,
    board,
    change_member,
    fresh,
    happened,
    mailed,
    make_company,
    make_customers,
    make_prospect,
    planned,
    request_of,
    told,
    work,
)
from tests.conftest import make_customer, make_member, make_moderator, viewer_of

Clock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def on_tuesday(at: Clock) -> None:
    at(TUESDAY)


def open_cases() -> list[Case]:
    return list(
        db.session.execute(
            select(Case).where(Case.kind == CaseKind.CONNECT, Case.state == CaseState.OPEN)
        ).scalars()
    )


def said(app: Flask, one: Ask) -> str:
    """The timeline as everybody reads it."""
    ask = fresh(one)
    with app.test_request_context():
        steps = steps_of(ask, own=False)
        rows = wording.timeline(ask, steps, seen_of(ask.id), own=False, responsible="A moderator")
    return " ".join(row["text"] for row in rows)


class TestGoing:
    def test_it_is_due_after_the_promised_hours_and_five_customers_are_asked_at_once(self, in_app: Flask):
        board()
        customers = make_customers(7)
        one = ask(make_prospect())
        assert one.state is AskState.RUNNING
        assert one.due_at == TUESDAY + 24 * HOUR
        assert planned(one, StageKind.DUE) == TUESDAY + 24 * HOUR
        work()
        assert len(asked(one)) == 5
        assert set(asked(one)) <= set(customers)
        assert happened(one) == ["asked", "wave"]
        assert planned(one, StageKind.WAVE) == TUESDAY + 12 * HOUR
        assert told("answer_request") == asked(one)
        assert mailed("answer_request") == 5

    def test_whoever_answered_questions_like_it_is_told_so(self, in_app: Flask, at: Clock):
        board()
        [customer] = make_customers(1)
        for number in range(2):
            earlier = ask(make_prospect(), title=f"How long did moving {number} partners take?")
            answer(customer, earlier, f"It took {number + 7} months.")
        search.rebuild()
        at(TUESDAY + timedelta(days=40))
        one = ask(make_prospect())
        work()
        [request] = db.session.execute(select(AnswerRequest).where(AnswerRequest.ask_id == one.id)).scalars()
        assert (request.member_id, request.answered_alike) == (customer, 2)

    def test_weekends_and_holidays_do_not_count(self, in_app: Flask, at: Clock):
        board()
        site.change(calendar_zone="Europe/Berlin", days_off=["2026-03-09"])
        friday = datetime(2026, 3, 6, 16, 0, tzinfo=ZoneInfo("Europe/Berlin"))
        at(friday)
        one = ask(make_prospect())
        assert one.due_at == datetime(2026, 3, 10, 16, 0, tzinfo=ZoneInfo("Europe/Berlin"))

    def test_a_held_ask_has_no_clock_until_it_is_released(self, in_app: Flask, at: Clock):
        board()
        make_customers(3)
        body = "See http://a.example and http://b.example and http://c.example and http://d.example now"
        one = ask(make_prospect(created_at=TUESDAY), body=body)
        assert one.state is AskState.HELD
        assert one.due_at is None
        work()
        assert asked(one) == []
        at(TUESDAY + 3 * HOUR)
        opening = db.session.execute(
            db.text("SELECT id FROM posts WHERE thread_id = :t AND number = 1"), {"t": one.thread_id}
        ).scalar_one()
        removal.release_post(opening)
        one = fresh(one)
        assert one.state is AskState.RUNNING
        assert one.due_at == TUESDAY + 27 * HOUR

    def test_the_vendor_asks_nothing_and_nobody_more_than_five_a_day(self, in_app: Flask):
        board()
        with pytest.raises(Forbidden):
            ask(make_moderator())
        asker = make_prospect()
        for number in range(5):
            ask(
                asker, title=f"Question {number} about the move of partners", body=f"Number {number}, please."
            )
        with pytest.raises(TooMany):
            ask(asker)

    def test_the_same_form_is_taken_once(self, in_app: Flask):
        board()
        asker = make_prospect()
        ask(asker, form_key="k" * 20)
        with pytest.raises(Repeated):
            ask(asker, form_key="k" * 20)

    def test_a_day_that_is_past_is_refused(self, in_app: Flask):
        board()
        with pytest.raises(Invalid) as refused:
            ask(make_prospect(), situation=asking.Situation(needed_by=TUESDAY.date() - timedelta(days=1)))
        assert refused.value.field == "needed_by"


class TestStopping:
    def test_a_customers_answer_stops_it(self, in_app: Flask, at: Clock):
        board()
        customers = make_customers(6)
        one = ask(make_prospect())
        work()
        at(TUESDAY + 3 * HOUR)
        answer(customers[0], one)
        one = fresh(one)
        assert one.state is AskState.ANSWERED
        assert one.answered_at == TUESDAY + 3 * HOUR
        assert one.in_time
        assert planned(one, StageKind.DUE) is None
        at(TUESDAY + 30 * HOUR)
        work()
        assert happened(one) == ["asked", "wave", "answered"]
        assert len(asked(one)) == 5
        assert open_cases() == []

    @pytest.mark.parametrize("who", ["vendor", "prospect", "colleague", "asker", "comment"])
    def test_nobody_elses_word_stops_it(self, in_app: Flask, at: Clock, who: str):
        board()
        company = make_company()
        asker = make_customer(company_id=company) if who == "colleague" else make_prospect()
        one = ask(asker)
        opening = db.session.execute(
            db.text("SELECT id FROM posts WHERE thread_id = :t AND number = 1"), {"t": one.thread_id}
        ).scalar_one()
        if who == "vendor":
            answer(make_member(status=Status.VENDOR), one)
        elif who == "prospect":
            answer(make_prospect(), one)
        elif who == "colleague":
            answer(make_customer(company_id=company), one)
        elif who == "asker":
            answer(asker, one)
        else:
            post_comment(viewer_of(make_customer()), opening, "Which edition have you?")
        assert fresh(one).state is AskState.RUNNING
        assert ("vendor" in happened(one)) == (who == "vendor")

    def test_a_former_customers_answer_stops_it(self, in_app: Flask):
        board()
        one = ask(make_prospect())
        answer(make_member(status=Status.FORMER), one)
        assert fresh(one).state is AskState.ANSWERED

    def test_a_held_answer_stops_nothing_until_it_is_released(self, in_app: Flask, at: Clock):
        board()
        one = ask(make_prospect())
        text = "See http://a.example and http://b.example and http://c.example and http://d.example now"
        post = answer(make_customer(created_at=TUESDAY), one, text)
        assert post.state.value == "held"
        assert fresh(one).state is AskState.RUNNING
        at(TUESDAY + 5 * HOUR)
        removal.release_post(post.id)
        one = fresh(one)
        assert one.state is AskState.ANSWERED
        assert one.answered_at == TUESDAY + 5 * HOUR

    def test_a_removed_answer_sets_it_going_with_the_time_that_was_left(self, in_app: Flask, at: Clock):
        board()
        one = ask(make_prospect())
        at(TUESDAY + 4 * HOUR)
        post = answer(make_customer(), one)
        at(TUESDAY + 10 * HOUR)
        removal.hide_post(post.id, rule="Rule 1", reason="Names a person.", case_id=1, by_id=1)
        one = fresh(one)
        assert one.state is AskState.RUNNING
        assert one.due_at == TUESDAY + 30 * HOUR  # 20 of 24 hours were left
        assert "taken_back" in happened(one)
        at(TUESDAY + 11 * HOUR)
        removal.restore_post(post.id)
        assert fresh(one).state is AskState.ANSWERED

    def test_when_one_answer_is_removed_another_customers_counts(self, in_app: Flask, at: Clock):
        board()
        one = ask(make_prospect())
        first = answer(make_customer(), one)
        at(TUESDAY + 2 * HOUR)
        second = answer(make_customer(), one)
        removal.hide_post(first.id, rule="Rule 1", reason="Names a person.", case_id=1, by_id=1)
        one = fresh(one)
        assert one.state is AskState.ANSWERED
        assert (one.answer_post_id, one.answered_at) == (second.id, TUESDAY + 2 * HOUR)

    def test_this_does_not_answer_me_lets_it_run_on_once(self, in_app: Flask, at: Clock):
        board()
        asker = make_prospect()
        one = ask(asker)
        at(TUESDAY + 6 * HOUR)
        answer(make_customer(), one)
        at(TUESDAY + 8 * HOUR)
        with pytest.raises(Forbidden):
            settling.doubt(viewer_of(make_prospect()), one.id)
        settling.doubt(viewer_of(asker), one.id)
        one = fresh(one)
        assert one.state is AskState.RUNNING
        assert one.due_at == TUESDAY + 26 * HOUR
        answer(make_customer(), one)
        assert fresh(one).state is AskState.ANSWERED
        with pytest.raises(Invalid):
            settling.doubt(viewer_of(asker), one.id)

    def test_a_removed_ask_has_no_clock_and_gets_it_back_with_an_appeal(self, in_app: Flask, at: Clock):
        board()
        one = ask(make_prospect())
        opening = db.session.execute(
            db.text("SELECT id FROM posts WHERE thread_id = :t AND number = 1"), {"t": one.thread_id}
        ).scalar_one()
        at(TUESDAY + 4 * HOUR)
        removal.hide_post(opening, rule="Rule 1", reason="Names a person.", case_id=1, by_id=1)
        assert fresh(one).state is AskState.GONE
        at(TUESDAY + 48 * HOUR)
        work()
        assert "due" not in happened(one)
        removal.restore_post(opening)
        one = fresh(one)
        assert one.state is AskState.RUNNING
        assert one.due_at == TUESDAY + 68 * HOUR

    def test_accepting_settles_it_and_taking_that_back_opens_it_again(self, in_app: Flask):
        board()
        asker = make_prospect()
        one = ask(asker)
        post = answer(make_customer(), one)
        acceptance.accept(viewer_of(asker), one.thread_id or 0, post.id)
        one = fresh(one)
        assert (one.state, one.settled_by) == (AskState.SETTLED, "asker")
        acceptance.withdraw_acceptance(viewer_of(asker), one.thread_id or 0)
        assert fresh(one).state is AskState.ANSWERED

    @pytest.mark.parametrize("how", ["accepted", "removed"])
    def test_an_answer_that_is_back_has_the_moment_and_the_verdict_of_then(
        self, in_app: Flask, at: Clock, how: str
    ):
        board()
        asker = make_prospect()
        one = ask(asker)
        at(TUESDAY + 3 * HOUR)
        post = answer(make_customer(), one)
        at(TUESDAY + timedelta(days=6))
        if how == "accepted":
            acceptance.accept(viewer_of(asker), one.thread_id or 0, post.id)
            acceptance.withdraw_acceptance(viewer_of(asker), one.thread_id or 0)
        else:
            removal.hide_post(post.id, rule="Rule 1", reason="Names a person.", case_id=1, by_id=1)
            assert fresh(one).state is AskState.RUNNING
            at(TUESDAY + timedelta(days=9))
            removal.restore_post(post.id)
        one = fresh(one)
        assert one.state is AskState.ANSWERED
        assert one.answered_at == TUESDAY + 3 * HOUR
        assert one.in_time
        work()
        assert fresh(one).state is AskState.ANSWERED, "it is silent since now, not since then"

    def test_two_weeks_of_silence_after_an_answer_settle_it(self, in_app: Flask, at: Clock):
        board()
        one = ask(make_prospect())
        answer(make_customer(), one)
        at(TUESDAY + timedelta(days=14))
        work()
        one = fresh(one)
        assert (one.state, one.settled_by) == (AskState.SETTLED, "time")


class TestNobodyAnswers:
    def test_a_clock_that_runs_on_looks_again_where_half_time_found_nobody(self, in_app: Flask, at: Clock):
        board()
        make_customers(1)
        asker = make_prospect()
        one = ask(asker)
        at(TUESDAY + 12 * HOUR)
        work()
        assert happened(one) == ["asked", "wave", "nobody"]
        for number in range(2):
            helper = make_customer()
            with unit_of_work():
                db.session.add(Availability(member_id=helper, answer_requests_open=False))
            post = answer(helper, one, f"It depends, number {number}.")
            if number == 0:
                settling.doubt(viewer_of(asker), one.id)
            else:
                removal.hide_post(post.id, rule="Rule 1", reason="Names a person.", case_id=1, by_id=1)
                make_customer("Somebody new")
            at(TUESDAY + (13 + number) * HOUR)
            assert waves.move_on() == 1
            assert planned(one, StageKind.WAVE) is None, "done, and not put off after a failure"
        waves.deliver()
        assert happened(one).count("nobody") == 2
        assert len(asked(one)) == 2

    def test_a_second_due_time_is_told_too(self, in_app: Flask, at: Clock):
        board()
        make_customers(1)
        asker = make_prospect()
        one = ask(asker)
        at(TUESDAY + 24 * HOUR)
        work()
        assert told("ask").count(asker) == 1
        answer(make_customer(), one, "It depends.")
        settling.doubt(viewer_of(asker), one.id)
        at(TUESDAY + 72 * HOUR)
        work()
        assert told("ask").count(asker) == 2

    def test_five_more_are_asked_at_half_time_and_a_moderator_gets_it_when_it_is_due(
        self, in_app: Flask, at: Clock
    ):
        board()
        make_customers(12)
        asker = make_prospect()
        one = ask(asker)
        work()
        first = set(asked(one))
        at(TUESDAY + 12 * HOUR)
        work()
        assert len(asked(one)) == 10
        assert first < set(asked(one))
        at(TUESDAY + 24 * HOUR)
        work()
        assert happened(one) == ["asked", "wave", "wave", "due"]
        [case] = open_cases()
        assert case.link == f"/console/asks/{one.id}"
        assert case.due_at == TUESDAY + 48 * HOUR
        assert told("ask") == [asker]
        assert fresh(one).state is AskState.RUNNING

    def test_a_late_answer_closes_the_case_and_is_not_counted_as_in_time(self, in_app: Flask, at: Clock):
        board()
        one = ask(make_prospect())
        at(TUESDAY + 25 * HOUR)
        work()
        assert len(open_cases()) == 1
        answer(make_customer(), one)
        assert open_cases() == []
        assert not fresh(one).in_time

    def test_a_worker_that_was_down_for_a_day_catches_up_in_order_and_tells_nobody_twice(
        self, in_app: Flask, at: Clock
    ):
        board()
        make_customers(12)
        asker = make_prospect()
        one = ask(asker)
        at(TUESDAY + 30 * HOUR)
        for _ in range(3):
            work()
        assert happened(one) == ["asked", "wave", "wave", "due"]
        assert len(asked(one)) == 10
        assert told("answer_request") == asked(one)
        assert told("ask") == [asker]
        assert len(open_cases()) == 1

    def test_a_clock_that_jumps_back_or_ahead_repeats_nothing(self, in_app: Flask, at: Clock):
        board()
        make_customers(12)
        asker = make_prospect()
        one = ask(asker)
        at(TUESDAY + 12 * HOUR)
        work()
        at(TUESDAY + 11 * HOUR)
        work()
        at(TUESDAY + 36 * HOUR)
        work()
        at(TUESDAY + 12 * HOUR)
        work()
        assert sorted(happened(one)) == ["asked", "due", "wave", "wave"]
        assert len(told("answer_request")) == len(set(told("answer_request"))) == 10
        assert told("ask") == [asker]

    def test_what_happened_in_one_moment_stands_in_its_logical_order(self, in_app: Flask, at: Clock):
        board()
        customers = make_customers(12)
        one = ask(asker := make_prospect())
        at(TUESDAY + 30 * HOUR)
        work()  # both waves and the end at once: the worker was down
        requests.note_seen(viewer_of(asked(one)[0]), request_of(one, asked(one)[0]))
        connecting.connect_now(viewer_of(asker), one.id, may_connect=False)
        answer(customers[0], one)
        settling.settle(viewer_of(asker), one.id)
        ask_now = fresh(one)
        with in_app.test_request_context():
            items = wording.timeline(
                ask_now, steps_of(ask_now, own=True), seen_of(one.id), own=True, responsible="Ruth"
            )
        same_moment = [str(item["text"]) for item in items if item["at"] == TUESDAY + 30 * HOUR]
        words = (
            "5 customers were asked",
            "5 further customers were asked",
            "seen it",
            "had answered in time",
            "You wanted to be connected",
            "A customer answered",
            "You settled it",
        )
        assert [next(n for n, word in enumerate(words) if word in text) for text in same_moment] == [
            *range(len(words))
        ]

    def test_two_workers_at_once_do_each_stage_once(self, in_app: Flask, at: Clock):
        board()
        make_customers(12)
        one = ask(make_prospect())
        at(TUESDAY + 25 * HOUR)
        due = (
            db.session.execute(db.text("SELECT id FROM ask_stages WHERE at IS NULL ORDER BY planned_at, id"))
            .scalars()
            .all()
        )
        db.session.rollback()
        # Both workers have read the same rows as due before either does anything.
        done = [waves._carry_out(stage, one.id) for stage in [*due, *due]]
        assert sum(done) == len(due) == 3
        waves.deliver()
        assert len(told("answer_request")) == 10
        assert len(open_cases()) == 1

    def test_nobody_there_is_said_at_once_and_a_moderator_is_told(self, in_app: Flask):
        board()
        person = make_moderator("Ruth Adeyemi", username="ruth")
        site.change(ask_responsible="ruth")
        one = ask(make_prospect())
        work()
        assert happened(one) == ["asked", "nobody"]
        [case] = open_cases()
        assert "no customer to ask" in case.why
        assert told("ask_waits") == [person]

    def test_whoever_was_asked_twice_this_month_is_left_in_peace(self, in_app: Flask):
        board()
        [customer] = make_customers(1)
        asker = make_prospect()
        asks = [ask(asker, title=f"Question {n} about the move", body=f"Number {n}.") for n in range(3)]
        work()
        assert [asked(one) for one in asks] == [[customer], [customer], []]

    @pytest.mark.parametrize("how", ["paused", "switched off", "suspended"])
    def test_who_changed_their_mind_in_the_night_is_not_told_in_the_morning(
        self, in_app: Flask, at: Clock, how: str
    ):
        board()
        [customer] = make_customers(1)
        with unit_of_work():
            db.session.add(Availability(member_id=customer, quiet_from=20, quiet_to=8))
        at(TUESDAY + 13 * HOUR)
        one = ask(make_prospect())
        work()
        assert asked(one) == []
        at(TUESDAY + 14 * HOUR)
        if how == "suspended":
            change_member(customer, suspended_until=TUESDAY + 100 * HOUR)
        else:
            with unit_of_work():
                row = db.session.get_one(Availability, customer)
                if how == "paused":
                    row.paused_until = TUESDAY + 100 * HOUR
                else:
                    row.answer_requests_open = False
        assert "One customer was asked" in said(in_app, one)
        assert "One of them is told once it is day where they are." in said(in_app, one)
        at(TUESDAY + 24 * HOUR)
        work()
        assert (asked(one), told("answer_request")) == ([], [])
        assert "One customer was asked" not in said(in_app, one)
        assert "Nobody of those who were chosen could be asked any more." in said(in_app, one)
        kinds = db.session.execute(select(Case.kind).where(Case.state == CaseState.OPEN)).scalars().all()
        assert kinds == [CaseKind.CONNECT], "a moderator looks"

    def test_quiet_hours_hold_a_request_until_they_are_over(self, in_app: Flask, at: Clock):
        board()
        [customer] = make_customers(1, time_zone="UTC")
        with unit_of_work():
            db.session.add(Availability(member_id=customer, quiet_from=8, quiet_to=14))
        one = ask(make_prospect())
        work()
        assert asked(one) == []
        at(TUESDAY + 5 * HOUR)
        work()
        assert asked(one) == [customer]

    def test_a_worker_that_comes_in_the_next_night_waits_for_the_next_morning(self, in_app: Flask, at: Clock):
        board()
        [customer] = make_customers(1, time_zone="UTC")
        with unit_of_work():
            db.session.add(Availability(member_id=customer, quiet_from=8, quiet_to=14))
        one = ask(make_prospect())
        waves.move_on()
        at(TUESDAY + 24 * HOUR)
        work()
        assert asked(one) == []
        at(TUESDAY + 29 * HOUR)
        work()
        assert asked(one) == [customer]

    def test_a_request_that_waits_for_the_morning_is_dropped_when_somebody_answers(
        self, in_app: Flask, at: Clock
    ):
        board()
        [customer] = make_customers(1, time_zone="UTC")
        with unit_of_work():
            db.session.add(Availability(member_id=customer, quiet_from=8, quiet_to=14))
        one = ask(make_prospect())
        work()
        answer(make_customer(), one)
        at(TUESDAY + 6 * HOUR)
        work()
        assert told("answer_request") == []


class TestFigures:
    def test_all_asks_count_the_unanswered_ones_too(self, in_app: Flask, at: Clock):
        board()
        customers = make_customers(3)
        asks = []
        for number in range(12):
            at(TUESDAY + number * HOUR)
            asker = make_prospect()
            asks.append(ask(asker, title=f"Question {number} about moving", body=f"Number {number}."))
        for number in range(7):  # answered after 20 to 26 hours … within and beyond the promise
            at(TUESDAY + (number + 20 + number) * HOUR)
            answer(customers[0], asks[number], f"Answer number {number}.")
        at(TUESDAY + timedelta(days=3))
        numbers = figures.last_90_days()
        assert (numbers.asked, numbers.answered, numbers.in_time, numbers.none) == (12, 7, 5, 5)
        assert numbers.median == 25.5 * 3600
        assert numbers.has_shares
        at(TUESDAY + timedelta(days=95))
        assert figures.last_90_days().asked == 0

    def test_under_ten_there_are_no_shares(self, in_app: Flask):
        board()
        one = ask(make_prospect())
        answer(make_customer(), one)
        numbers = figures.last_90_days()
        assert (numbers.asked, numbers.in_time, numbers.median, numbers.has_shares) == (1, 1, None, False)

    def test_those_still_within_their_time_are_neither_answered_nor_not(self, in_app: Flask, at: Clock):
        board()
        ask(make_prospect())
        numbers = figures.last_90_days()
        assert (numbers.waiting, numbers.none, numbers.over) == (1, 0, 0)
        at(TUESDAY + 25 * HOUR)
        assert figures.last_90_days().none == 1
