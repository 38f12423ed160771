"""The six numbers in force, now and at any time before."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select

from portal.advocacy.formula import Weights
from portal.advocacy.models import WeightsDecision
from portal.kernel.db import db, flushed_rows

DEFAULT = Weights()
_NEWEST = (
    select(
        WeightsDecision.id,
        WeightsDecision.half_life_days,
        WeightsDecision.person_limit,
        WeightsDecision.company_limit,
        WeightsDecision.votes_per_post,
        WeightsDecision.answer_points,
        WeightsDecision.answer_limit,
        WeightsDecision.companies_to_rank,
    )
    .where(WeightsDecision.applied_at.is_not(None))
    .order_by(WeightsDecision.id.desc())
    .limit(1)
)


def decisions() -> Sequence[WeightsDecision]:
    """Every decision about the numbers, newest first."""
    return db.session.execute(select(WeightsDecision).order_by(WeightsDecision.id.desc())).scalars().all()


def waiting() -> list[WeightsDecision]:
    """Decisions that ledger and sums do not follow yet, newest first."""
    query = select(WeightsDecision).where(WeightsDecision.applied_at.is_(None))
    return list(db.session.execute(query.order_by(WeightsDecision.id.desc())).scalars())


@dataclass(frozen=True, slots=True)
class Change:
    """One decision as its readers are told: which numbers it changed, from what to what, since when."""

    version: int
    decided_at: datetime
    applied_at: datetime | None
    reason: str
    numbers: list[tuple[str, float, float]]  # name of the number, before, after


def changes() -> list[Change]:
    """Every decision beside the one before it, newest first."""
    before, found = asdict(DEFAULT), []
    for one in reversed(decisions()):
        after = asdict(weights_of(one))
        numbers = [
            (name, before[name], after[name])
            for name in after
            if name != "version" and before[name] != after[name]
        ]
        found.append(Change(one.id, one.decided_at, one.applied_at, one.reason, numbers))
        before = after
    return found[::-1]


def weights_of(decision: WeightsDecision) -> Weights:
    return Weights(
        decision.id,
        decision.half_life_days,
        decision.person_limit,
        decision.company_limit,
        decision.votes_per_post,
        decision.answer_points,
        decision.answer_limit,
        decision.companies_to_rank,
    )


def current() -> Weights:
    """The numbers in force: of the newest decision that the sums follow."""
    newest = flushed_rows(_NEWEST).first()
    return Weights(*newest) if newest else DEFAULT


def in_force() -> Callable[[datetime], Weights]:
    """The numbers that were in force at a moment, looked up once."""
    found = [(one.applied_at, weights_of(one)) for one in decisions() if one.applied_at is not None]

    def at(moment: datetime) -> Weights:
        return next((weights for since, weights in found if since <= moment), DEFAULT)

    return at
