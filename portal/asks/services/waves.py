"""What the worker does when a stage is due, and answer requests that wait for the end of quiet hours.

Each stage is carried out in one unit of work that also marks it as done: it happens once or not at all, also
with two workers at once, and after a day down everything follows in the order in which it was due.
"""

from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, or_, select

from portal.asks import policy
from portal.asks.models import AnswerRequest, Ask, AskStage, AskState, Outcome, StageKind
from portal.asks.queries.finding import locked, locked_request
from portal.asks.services import connecting, fitting, settling, stages, telling
from portal.discussions.models import Thread
from portal.kernel import clock
from portal.kernel.db import db, end_reading
from portal.kernel.unit_of_work import in_unit_of_work, unit_of_work
from portal.matching import queries as matching_queries
from portal.matching import services as matching

log = structlog.get_logger("candor.asks")

RETRY = timedelta(minutes=5)  # after the first failure, twice as much after each further one
MOST_TRIES = 12


def move_on(limit: int = 500) -> int:
    """Do what is due, oldest first; safe to repeat and by two workers at once. Gives how many stages."""
    moved = 0
    for _ in range(limit):
        due = _next()
        if due is None:
            break
        try:
            moved += _carry_out(due.id, due.ask_id)
        except Exception:
            log.exception("stage failed", stage=due.id, kind=due.kind.value)
            _later(due.id)
    return moved


def deliver(limit: int = 500) -> int:
    """Tell members of requests whose time has come; safe to repeat and by two at once. Gives how many."""
    told = 0
    for _ in range(limit):
        waiting = _next_request()
        if waiting is None:
            break
        told += _tell(*waiting)
    return told


def _next_request() -> tuple[int, int] | None:
    """(request, ask) of the one that waits longest."""
    found = db.session.execute(
        select(AnswerRequest.id, AnswerRequest.ask_id)
        .where(*_waits())
        .order_by(AnswerRequest.deliver_at, AnswerRequest.id)
        .limit(1)
    ).one_or_none()
    if not in_unit_of_work():
        end_reading()  # what was read is only a hint; the unit of work reads again
    return (found.id, found.ask_id) if found is not None else None


def _waits() -> list[ColumnElement[bool]]:
    return [
        AnswerRequest.sent_at.is_(None),
        AnswerRequest.outcome == Outcome.PENDING,
        AnswerRequest.deliver_at <= clock.now(),
    ]


def _tell(request_id: int, ask_id: int) -> int:
    with unit_of_work():
        ask = locked(ask_id)  # before its request: whoever answers holds the ask, and closes requests
        request = locked_request(request_id)
        if ask is None or request is None:
            return 0
        if request.sent_at is not None or request.outcome is not Outcome.PENDING:
            return 0  # somebody else did it, or it is over
        reach = matching_queries.reach([request.member_id])[request.member_id]
        if reach.from_at > clock.now():  # the worker comes late, and it is night again
            request.deliver_at = reach.from_at
            return 0
        if not matching_queries.takes_answer_requests(request.member_id):
            # Paused, switched off or held back since it was made: nobody is told against their choice.
            request.outcome, request.outcome_at = Outcome.OVER, clock.now()
            _one_less(ask, request)
            return 0
        request.sent_at = clock.now()
        db.session.flush()
        telling.tell_of_request(request, by_mail=reach.by_mail)
    return 1


def _one_less(ask: Ask, request: AnswerRequest) -> None:
    """The timeline counts only who is asked; where nobody is left of all, a moderator looks at once."""
    stage = stages.find(ask.id, StageKind.WAVE, request.wave)
    if stage is None:
        return
    stage.details = {**stage.details, "asked": max(int(stage.details.get("asked", 1)) - 1, 0)}
    db.session.flush()
    stages.refresh(ask)
    still = select(AnswerRequest.id).where(
        AnswerRequest.ask_id == ask.id,
        or_(AnswerRequest.sent_at.is_not(None), AnswerRequest.outcome == Outcome.PENDING),
    )
    if ask.state is AskState.RUNNING and db.session.execute(still.limit(1)).first() is None:
        connecting.alert_nobody(ask)


def _next() -> AskStage | None:
    found = db.session.execute(
        select(AskStage)
        .where(AskStage.at.is_(None), AskStage.planned_at <= clock.now())
        .order_by(AskStage.planned_at, AskStage.id)
        .limit(1)
    ).scalar_one_or_none()
    if not in_unit_of_work():
        end_reading()  # what was read is only a hint; the unit of work reads again
    return found


def _carry_out(stage_id: int, ask_id: int) -> int:
    with unit_of_work():
        ask = locked(ask_id)
        if ask is None or not stages.claim(stage_id):
            return 0  # somebody else did it, or it was called off
        stage = db.session.get_one(AskStage, stage_id, populate_existing=True)
        if stage.kind is StageKind.WAVE:
            _ask_customers(ask, stage)
        elif stage.kind is StageKind.DUE:
            connecting.open_case(ask, stage)
        elif stage.kind is StageKind.SETTLED:
            settling.settle_by_time(ask)
        stages.refresh(ask)
    return 1


def _ask_customers(ask: Ask, stage: AskStage) -> None:
    """Bring the ask to the next five; nobody twice."""
    chosen = matching.choose_for_wave(
        ask.asker_id,
        fitting.criteria_of(ask),
        purpose=fitting.purpose_of(ask),
        exclude=fitting.asked_already(ask),
        count=policy.WAVE,
        at=clock.now(),
    )
    bring(ask, stage, chosen)


def bring(ask: Ask, stage: AskStage, chosen: list[matching_queries.Match]) -> None:
    """Requests for those who were chosen, told after their quiet hours; of nobody, too, the timeline tells.

    Inside a unit of work, on a locked ask and a stage that was claimed.
    """
    ids = [match.member_id for match in chosen]
    alike = fitting.answered_alike(fitting.posts_alike(_title(ask)), ids, ask.thread_id)
    now = clock.now()
    reach = matching_queries.reach(ids, now)
    for match in chosen:
        db.session.add(
            AnswerRequest(
                ask_id=ask.id,
                member_id=match.member_id,
                wave=stage.number,
                fit=match.fit,
                same=list(match.same),
                differs=list(match.differs),
                unknown=list(match.unknown),
                answered_alike=alike.get(match.member_id, 0),
                created_at=now,
                deliver_at=reach[match.member_id].from_at,
                outcome=Outcome.PENDING,
            )
        )
    stage.details = {"asked": len(chosen), "same": _common(chosen)}
    if not chosen:
        if stages.find(ask.id, StageKind.NOBODY, stage.number) is not None:
            stage.number = stages.next_wave(ask)  # planned anew under a number that found nobody before
        stage.kind = StageKind.NOBODY
        if not connecting.anybody_asked(ask):
            connecting.alert_nobody(ask)
    db.session.flush()
    stages.wake_delivery()


def _common(chosen: list[matching_queries.Match]) -> list[str]:
    """What at least one of them shares with the asker: for the timeline, naming nobody."""
    found: list[str] = []
    for match in chosen:
        found += [name for name in match.same if name not in found]
    return found[:3]


def _title(ask: Ask) -> str:
    return db.session.execute(select(Thread.title).where(Thread.id == ask.thread_id)).scalar_one()


def _later(stage_id: int) -> None:
    with unit_of_work():
        stage = db.session.get(AskStage, stage_id, populate_existing=True, with_for_update=True)
        if stage is None or stage.at is not None:
            return
        stage.attempts += 1
        wait = RETRY * 2 ** min(stage.attempts - 1, 8)
        stage.planned_at = clock.now() + wait
        if stage.attempts == MOST_TRIES:
            log.error("stage given up for a day", stage=stage_id)
