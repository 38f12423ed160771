"""What the worker would have done for the demo's asks, each thing when it was due: waves, and deliveries."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from portal.asks import policy
from portal.asks.models import (
    AnswerRequest,
    Ask,
    AskStage,
    Outcome,
    StageKind,
)
from portal.asks.services import (
    fitting,
    stages,
    waves,
)
from portal.kernel import clock
from portal.kernel.db import db
from portal.matching import services as matching
from portal.matching.queries import Gate, Match
from portal.members.models import Member


def work_until(moment: datetime) -> None:
    """What the worker would have done by then, each thing when it was due."""
    before = None
    while (due := _next_due(moment)) is not None and due != before:
        with clock.frozen(due):
            ask_customers(due)
            waves.move_on()
            waves.deliver()
        before = due


def _next_due(until: datetime) -> datetime | None:
    stage = select(func.min(AskStage.planned_at)).where(AskStage.at.is_(None))
    told = select(func.min(AnswerRequest.deliver_at)).where(
        AnswerRequest.sent_at.is_(None), AnswerRequest.outcome == Outcome.PENDING
    )
    found = [db.session.execute(query).scalar() for query in (stage, told)]
    return min((moment for moment in found if moment is not None and moment <= until), default=None)


def ask_customers(moment: datetime, first: Sequence[int] = ()) -> None:
    """Waves that are due, to people who were here by then; those of `first` before others."""
    here = Gate("here by then", Member.created_at <= moment)
    due = db.session.execute(
        select(AskStage)
        .where(AskStage.kind == StageKind.WAVE, AskStage.at.is_(None), AskStage.planned_at <= moment)
        .order_by(AskStage.planned_at, AskStage.id)
    ).scalars()
    for stage in list(due):
        ask = db.session.get_one(Ask, stage.ask_id)
        chosen: list[Match] = []
        for member_id in first:
            chosen += _choose(ask, [here, Gate("this one", Member.id == member_id)], 1)
        left = policy.WAVE - len(chosen)
        chosen += _choose(ask, [here, Gate("others", Member.id.not_in(first))], left)
        stages.claim(stage.id)
        db.session.refresh(stage)
        waves.bring(ask, stage, chosen)
        stages.refresh(ask)


def _choose(ask: Ask, gates: list[Gate], count: int) -> list[Match]:
    return matching.choose_for_wave(
        ask.asker_id,
        fitting.criteria_of(ask),
        purpose=fitting.purpose_of(ask),
        gates=gates,
        exclude=fitting.asked_already(ask),
        count=count,
        at=clock.now(),
    )
