"""What happened to an ask, and what will happen by itself: rows for its page."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select

from portal.asks.models import AnswerRequest, Ask, AskStage, AskState, StageKind
from portal.kernel.db import db

# Of what happened in the same moment: what set the clock going, then who was asked, then what came of it.
ORDER = (
    StageKind.ASKED,
    StageKind.BACK,
    StageKind.TAKEN_BACK,
    StageKind.DOUBTED,
    StageKind.WAVE,
    StageKind.NOBODY,
    StageKind.DUE,
    StageKind.CONNECT,
    StageKind.INTRODUCED,
    StageKind.VENDOR,
    StageKind.TALK,
    StageKind.ANSWERED,
    StageKind.SETTLED,
    StageKind.SUMMARY,
    StageKind.GONE,
)
SEEN = ORDER.index(StageKind.NOBODY)  # somebody looks after being asked, and before answering


@dataclass(frozen=True)
class Step:
    """One row of the timeline: done at a moment, or planned for one."""

    kind: StageKind
    number: int
    at: datetime | None
    planned_at: datetime | None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return self.at is not None

    @property
    def when(self) -> datetime | None:
        return self.at or self.planned_at

    @property
    def rank(self) -> int:
        """Its place among what happened in the same moment."""
        return ORDER.index(self.kind)


@dataclass(frozen=True)
class Seen:
    """How many customers were asked, and how many of them have looked; never who."""

    asked: int = 0
    waiting: int = 0  # until their quiet hours are over
    seen: int = 0
    last_seen_at: datetime | None = None


def steps_of(ask: Ask, *, own: bool) -> list[Step]:
    """The steps of an ask in order; the private ones for its asker alone, the planned ones while it runs."""
    rows = db.session.execute(
        select(
            AskStage.kind,
            AskStage.number,
            AskStage.at,
            AskStage.planned_at,
            AskStage.details,
            AskStage.private,
        ).where(AskStage.ask_id == ask.id)
    ).all()
    steps = [
        Step(row.kind, row.number, row.at, row.planned_at, dict(row.details))
        for row in rows
        if (own or not row.private)
        and (row.at is not None or (ask.state is AskState.RUNNING and row.kind is not StageKind.SETTLED))
    ]
    return sorted(
        steps, key=lambda step: (not step.is_done, step.when or ask.created_at, step.rank, step.number)
    )


def seen_of(ask_id: int) -> Seen:
    """Counts of the answer requests of an ask."""
    row = db.session.execute(
        select(
            func.count(AnswerRequest.sent_at),
            func.sum(
                db.case(
                    (and_(AnswerRequest.sent_at.is_(None), AnswerRequest.outcome == "pending"), 1), else_=0
                )
            ),
            func.count(AnswerRequest.seen_at),
            func.max(AnswerRequest.seen_at),
        ).where(AnswerRequest.ask_id == ask_id)
    ).one()
    return Seen(row[0] or 0, int(row[1] or 0), row[2] or 0, row[3])
