"""The honest numbers of the last 90 days: of all asks, the unanswered ones included."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.asks import policy
from portal.asks.models import Ask, AskMode, AskState
from portal.kernel import clock
from portal.kernel.db import db


@dataclass(frozen=True)
class Figures:
    """All asks that were published in the last 90 days; `asked` is the sum of the others but `in_time`.

    `median` is in elapsed seconds, weekends included: half of all that are over had their answer by then,
    those without one counted as waiting for ever; None when more than half have none, or for under ten asks.
    """

    asked: int = 0
    answered: int = 0
    in_time: int = 0
    none: int = 0
    waiting: int = 0  # neither answered nor due yet
    median: float | None = None
    promise: int | None = None  # hours that all of them were promised; None when they were promised others

    @property
    def has_shares(self) -> bool:
        return self.asked >= policy.FEWEST_FOR_SHARES

    @property
    def over(self) -> int:
        """Those of which the outcome is known: what shares are of."""
        return self.asked - self.waiting


def last_90_days(now: datetime | None = None) -> Figures:
    """The numbers as they are now."""
    now = now or clock.now()
    rows = db.session.execute(
        select(Ask.asked_at, Ask.answered_at, Ask.due_at, Ask.in_time, Ask.state, Ask.promise_hours).where(
            Ask.mode == AskMode.OPEN, Ask.asked_at > now - policy.FIGURES
        )
    ).all()
    return of(rows, now)


def of(rows: list[Any] | Any, now: datetime) -> Figures:
    """The numbers of these asks."""
    waits: list[float] = []
    answered = in_time = none = waiting = 0
    for row in rows:
        if row.answered_at is not None:
            answered += 1
            in_time += bool(row.in_time)
            waits.append((row.answered_at - row.asked_at).total_seconds())
        elif row.state is AskState.RUNNING and row.due_at is not None and row.due_at > now:
            waiting += 1
        else:
            none += 1
    promises = {row.promise_hours for row in rows}
    promise = promises.pop() if len(promises) == 1 else None
    figures = Figures(len(rows), answered, in_time, none, waiting, promise=promise)
    if not figures.has_shares:
        return figures
    return replace(figures, median=_median(sorted(waits), figures.over))


def _median(waits: list[float], of_all: int) -> float | None:
    """The middle one of all, when those without an answer stand at the end."""
    if not of_all:
        return None
    lower, upper = (of_all - 1) // 2, of_all // 2
    if upper >= len(waits):
        return None
    return (waits[lower] + waits[upper]) / 2
