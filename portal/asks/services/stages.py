"""The rows of the timeline: planned, done, taken back. All inside the caller's unit of work."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from portal.asks.models import Ask, AskStage, StageKind
from portal.discussions.models import Board, Thread
from portal.kernel import clock, jobs
from portal.kernel.db import db

CLOCK_JOB = "move asks on"
DELIVERY_JOB = "deliver answer requests"


def done(
    ask: Ask,
    kind: StageKind,
    number: int = 0,
    *,
    private: bool = False,
    at: datetime | None = None,
    **details: Any,
) -> bool:
    """Write down that this happened; False when it stood there already."""
    row = find(ask.id, kind, number)
    if row is not None and row.at is not None:
        return False
    if row is None:
        row = AskStage(ask_id=ask.id, kind=kind, number=number, attempts=0)
        db.session.add(row)
    row.at, row.private, row.details = at or clock.now(), private, details
    db.session.flush()
    refresh(ask)
    return True


def plan(ask: Ask, kind: StageKind, number: int, moment: datetime) -> None:
    """Have the job do this at a moment; one that was done is not done again."""
    row = find(ask.id, kind, number)
    if row is None:
        db.session.add(
            AskStage(ask_id=ask.id, kind=kind, number=number, planned_at=moment, attempts=0, details={})
        )
    elif row.at is None:
        row.planned_at = moment
    db.session.flush()
    if moment <= clock.now():
        jobs.wake(CLOCK_JOB)


def next_wave(ask: Ask) -> int:
    """The number of a further wave; 2 is the one at half time."""
    last = db.session.execute(
        select(func.max(AskStage.number)).where(
            AskStage.ask_id == ask.id, AskStage.kind.in_([StageKind.WAVE, StageKind.NOBODY])
        )
    ).scalar()
    return max(last or 0, 2) + 1


def cancel(ask: Ask) -> None:
    """Nothing of what was planned happens any more."""
    db.session.execute(delete(AskStage).where(AskStage.ask_id == ask.id, AskStage.at.is_(None)))


def is_done(ask_id: int, kind: StageKind, number: int = 0) -> bool:
    """Whether this happened."""
    row = find(ask_id, kind, number)
    return row is not None and row.at is not None


def find(ask_id: int, kind: StageKind, number: int = 0) -> AskStage | None:
    """The row, planned or done."""
    return db.session.execute(
        select(AskStage).where(AskStage.ask_id == ask_id, AskStage.kind == kind, AskStage.number == number)
    ).scalar_one_or_none()


def claim(stage_id: int) -> bool:
    """Take a planned row for this unit of work: of two workers one gets it, and it is done once stored."""
    result = db.session.execute(
        update(AskStage)
        .where(AskStage.id == stage_id, AskStage.at.is_(None))
        .values(at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1  # type: ignore[attr-defined]


def refresh(ask: Ask) -> None:
    """Pages that show the thread or its place in a list are made anew."""
    if ask.thread_id is None:
        return
    board_id = select(Thread.board_id).where(Thread.id == ask.thread_id).scalar_subquery()
    for table, where in ((Thread, Thread.id == ask.thread_id), (Board, Board.id == board_id)):
        db.session.execute(
            update(table)
            .where(where)
            .values(content_version=table.content_version + 1)
            .execution_options(synchronize_session="fetch")
        )


def wake_delivery() -> None:
    """Answer requests were made: whoever has no quiet hours is told now."""
    jobs.wake(DELIVERY_JOB)
