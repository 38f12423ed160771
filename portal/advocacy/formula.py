"""Helpfulness as a formula, on plain numbers; nothing here knows a table. In words: /how-it-works.

With one half-life for everything, what an event is worth at T is its worth at a fixed epoch times one factor
that is the same for all. So sums are kept as of the epoch ("frozen") and never have to be touched because
time passes; only a limit that stops to bind does, and the moment is known in advance.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_EPOCH_STAMP = EPOCH.timestamp()
DAY = 86400.0
YEAR_DAYS = 365
HIGH_CONFIDENCE, MEDIUM_CONFIDENCE = 8, 3  # companies
KEPT_RECENT = 20  # companies whose last thanks are kept for the gate
SHORTEST_HALF_LIFE, LONGEST_HALF_LIFE = 14, 730  # days; below, numbers of ten years would not fit
_AT_LIMIT = 1 + 1e-12  # a moment is kept to the microsecond


@dataclass(frozen=True, slots=True)
class Weights:
    """The six numbers, with the version of the decision."""

    version: int = 0
    half_life_days: int = 60
    person_limit: float = 1.0
    company_limit: float = 3.0
    votes_per_post: int = 5
    answer_points: float = 0.5
    answer_limit: float = 5.0
    companies_to_rank: int = 3

    def frozen(self, moment: datetime) -> float:
        """What one point of that moment is worth at the epoch."""
        return 2.0 ** ((moment.timestamp() - _EPOCH_STAMP) / DAY / self.half_life_days)

    def decay(self, at: datetime) -> float:
        """The factor from the epoch to `at`: `frozen(e) * decay(T)` is 2^(-age/half-life)."""
        return 2.0 ** (-(at.timestamp() - _EPOCH_STAMP) / DAY / self.half_life_days)

    def falls_to(self, total: float, limit: float) -> datetime:
        """When a frozen sum has fallen to `limit`."""
        days = self.half_life_days * math.log2(total / limit)
        return datetime.fromtimestamp(_EPOCH_STAMP + days * DAY, UTC)

    def participation(self, given: float, decay: float) -> float:
        """Points for answering, from the frozen sum of first answers."""
        return min(self.answer_limit, self.answer_points * given * decay)

    def as_of_company(self, totals: Iterable[float], decay: float) -> float:
        """What the persons of one company count together."""
        limit = self.person_limit
        return min(self.company_limit, sum(min(limit, total * decay) for total in totals))


class Piece(NamedTuple):
    """`fixed` + `falling` × decay, right until `changes_at`."""

    fixed: float
    falling: float
    changes_at: datetime | None

    def value(self, decay: float) -> float:
        return self.fixed + self.falling * decay


def company_piece(
    weights: Weights, totals: Sequence[float], at: datetime, decay: float | None = None
) -> Piece:
    """What the persons of one company count from `at` on, as frozen sums; `decay` is that of `at`."""
    if decay is None:
        decay = weights.decay(at)
    limit = weights.person_limit
    if len(totals) == 1 and totals[0] * decay <= limit * _AT_LIMIT:  # as with nearly all
        return Piece(0.0, totals[0], None)
    bound = sorted((total for total in totals if total * decay > limit * _AT_LIMIT), reverse=True)
    falling = sum(total for total in totals if total * decay <= limit * _AT_LIMIT)
    fixed = limit * len(bound)
    if fixed + falling * decay <= weights.company_limit * _AT_LIMIT:
        return Piece(fixed, falling, weights.falls_to(bound[-1], limit) if bound else None)
    # Above the limit of the company until enough persons have come below theirs and fallen.
    while bound:
        release = bound[-1]
        factor = limit / release
        if fixed + falling * factor <= weights.company_limit:
            break
        bound.pop()
        fixed -= limit
        falling += release
    share = (weights.company_limit - fixed) / falling if falling else 0.0
    if share <= 0:  # as many persons at their limit as the company may count: until the next one falls
        return Piece(weights.company_limit, 0.0, weights.falls_to(bound[-1], limit) if bound else None)
    return Piece(weights.company_limit, 0.0, weights.falls_to(1.0, share))
