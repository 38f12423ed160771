"""The clock of an ask: set going, stopped by a customer's answer, going on where an answer was none.

Everything here runs inside the caller's unit of work, on an ask that is locked.
"""

from datetime import datetime

from sqlalchemy import select, update

from portal.asks import policy
from portal.asks.models import AnswerRequest, Ask, AskState, Outcome, StageKind
from portal.asks.services import stages
from portal.discussions.models import Post, PostKind, PostState
from portal.kernel import clock, working_time
from portal.kernel.db import db
from portal.members.models import Member
from portal.moderation.services.opening import withdraw_case


def case_key(ask: Ask) -> str:
    """The key of the moderators' case about an ask."""
    return f"ask:{ask.id}"


def connected_by(ask: Ask) -> datetime:
    """When a moderator would have connected an asker who asked in the open now."""
    hours = float(ask.promise_hours + policy.CONNECT_HOURS)
    return working_time.add_hours(clock.now(), hours, working_time.calendar())


def begin(ask: Ask) -> None:
    """The thread is there for all to read: the clock runs, the first customers are asked at once."""
    now = clock.now()
    ask.state, ask.asked_at = AskState.RUNNING, now
    stages.done(ask, StageKind.ASKED)
    stages.plan(ask, StageKind.WAVE, 1, now)
    _set_going(ask, float(ask.promise_hours))


def stop(ask: Ask, post_id: int, author_id: int, at: datetime | None = None) -> None:
    """A customer answered: the clock stands still, and nobody else is disturbed.

    `at`: when the answer was written, where that was before. An answer that stopped the clock once and is
    back has the moment and the verdict of then.
    """
    before = stages.find(ask.id, StageKind.ANSWERED, post_id)
    moment = at or clock.now()
    in_time = ask.due_at is not None and moment <= ask.due_at
    if before is not None and before.at is not None:
        moment, in_time = before.at, before.details.get("in_time", in_time)
    ask.hours_left = _left(ask, clock.now())
    ask.state, ask.answered_at, ask.answer_post_id = AskState.ANSWERED, moment, post_id
    ask.in_time = in_time
    stages.cancel(ask)
    stages.plan(ask, StageKind.SETTLED, ask.rounds, clock.now() + policy.SILENCE)
    stages.done(ask, StageKind.ANSWERED, post_id, at=moment, in_time=in_time)
    close_request_of(ask, author_id)
    end_unsent_requests(ask)
    withdraw_case(case_key(ask))


def go_on(ask: Ask) -> None:
    """The answer was none, or is no longer there: the clock runs on with the time that was left."""
    left = ask.hours_left if ask.hours_left is not None else float(ask.promise_hours)
    ask.state, ask.answered_at, ask.answer_post_id, ask.in_time = AskState.RUNNING, None, None, False
    ask.settled_at, ask.settled_by = None, ""
    ask.rounds += 1
    stages.cancel(ask)
    _set_going(ask, left)


def stand_still(ask: Ask, state: AskState) -> None:
    """Settled, or gone: nothing happens by itself any more."""
    if ask.state is AskState.RUNNING:
        ask.hours_left = _left(ask, clock.now())
    ask.state = state
    stages.cancel(ask)
    end_unsent_requests(ask)
    withdraw_case(case_key(ask))


def answer_in_force(ask: Ask, *, after_post_id: int = 0) -> tuple[int, int, datetime] | None:
    """(post, author, when) of the first customer's answer that stands in the thread; none before
    `after_post_id` counts."""
    asker_company = db.session.execute(
        select(Member.company_id).where(Member.id == ask.asker_id)
    ).scalar_one()
    rows = db.session.execute(
        select(Post.id, Post.author_id, Post.created_at, Post.by_vendor, Member.status, Member.company_id)
        .join(Member, Member.id == Post.author_id)
        .where(
            Post.thread_id == ask.thread_id,
            Post.kind == PostKind.ANSWER,
            Post.state == PostState.VISIBLE,
            Post.id > after_post_id,
        )
        .order_by(Post.id)
    ).all()
    for row in rows:
        if policy.stops_the_clock(
            author_status=row.status,
            by_vendor=row.by_vendor,
            author_id=row.author_id,
            author_company_id=row.company_id,
            asker_id=ask.asker_id,
            asker_company_id=asker_company,
        ):
            return row.id, row.author_id, row.created_at
    return None


def close_request_of(ask: Ask, member_id: int) -> None:
    """Whoever answered has nothing to do here any more."""
    db.session.execute(
        update(AnswerRequest)
        .where(
            AnswerRequest.ask_id == ask.id,
            AnswerRequest.member_id == member_id,
            AnswerRequest.outcome != Outcome.ANSWERED,
        )
        .values(outcome=Outcome.ANSWERED, outcome_at=clock.now())
    )


def end_unsent_requests(ask: Ask) -> None:
    """What waits for the end of quiet hours is not sent at all."""
    db.session.execute(
        update(AnswerRequest)
        .where(
            AnswerRequest.ask_id == ask.id,
            AnswerRequest.outcome == Outcome.PENDING,
            AnswerRequest.sent_at.is_(None),
        )
        .values(outcome=Outcome.OVER, outcome_at=clock.now())
    )


def _set_going(ask: Ask, hours: float) -> None:
    now, calendar = clock.now(), working_time.calendar()
    ask.hours_left = None
    ask.due_at = working_time.add_hours(now, hours, calendar)
    stages.plan(ask, StageKind.DUE, ask.rounds, ask.due_at)
    if not stages.is_done(ask.id, StageKind.WAVE, 2):
        passed = ask.promise_hours - hours
        wait = max(0.0, policy.HALF * ask.promise_hours - passed)
        # One that found nobody is done under its number: looked for again, it is a wave of its own.
        found_nobody = stages.is_done(ask.id, StageKind.NOBODY, 2)
        number = stages.next_wave(ask) if found_nobody else 2
        stages.plan(ask, StageKind.WAVE, number, working_time.add_hours(now, wait, calendar))


def _left(ask: Ask, moment: datetime) -> float:
    if ask.due_at is None:
        return float(ask.promise_hours)
    return working_time.hours_between(moment, ask.due_at, working_time.calendar())
