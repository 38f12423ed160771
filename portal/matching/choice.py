"""Who of those that can be asked is chosen. Plain data, no database: the benchmarks run it for a year."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from portal.matching.criteria import WANTED_FIT

NEVER = datetime(1, 1, 1, tzinfo=UTC)
PROPOSALS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who can be asked: how well they fit, what of their limit is taken, when they were last asked.

    For answer requests `load` counts those of the quarter and `limit` is a month's. `shown` counts proposals.
    """

    member_id: int
    fit: float
    load: int
    limit: int
    last_at: datetime | None = None
    shown: int = 0


Key = Callable[[Candidate], tuple[float, ...]]


def in_turn(candidates: Sequence[Candidate], draw: Random) -> list[Candidate]:
    """All of them in the order of choice: least load ÷ limit, then fit, then longest idle, then a draw."""
    return sorted(candidates, key=_turn(candidates, draw))


def propose(
    candidates: Sequence[Candidate], draw: Random, *, wanted: int = PROPOSALS
) -> list[tuple[Candidate, str]]:
    """Up to `wanted` different ones, each with how it came: "chosen", "least shown", "random".

    Of those that fit; where these are fewer than `wanted`, of the nearest.
    """
    turn = _turn(candidates, draw)
    rest = sorted(_pool(candidates, turn, wanted), key=turn)
    found: list[tuple[Candidate, str]] = []
    if rest and wanted > 0:
        found.append((rest.pop(0), "chosen"))
    if rest and wanted > 1:
        least = min(rest, key=lambda candidate: candidate.shown)  # the first in turn of those
        rest.remove(least)
        found.append((least, "least shown"))
    while rest and len(found) < wanted:
        found.append((rest.pop(draw.randrange(len(rest))), "random"))
    return found


def wave(candidates: Sequence[Candidate], draw: Random, *, count: int) -> list[Candidate]:
    """Who an ask is brought to, `count` at most.

    With load ÷ limit first, nobody gets a second one while somebody who also fits had none.
    """
    turn = _turn(candidates, draw)
    return sorted(_pool(candidates, turn, min(count, PROPOSALS)), key=turn)[:count]


def that_fit(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those with a fit of 0.60 and more."""
    return [candidate for candidate in candidates if candidate.fit >= WANTED_FIT]


def _pool(candidates: Sequence[Candidate], turn: Key, wanted: int) -> list[Candidate]:
    fitting = that_fit(candidates)
    if len(fitting) >= wanted:
        return fitting
    return sorted(candidates, key=lambda candidate: (-candidate.fit, *turn(candidate)))[:wanted]


def _turn(candidates: Sequence[Candidate], draw: Random) -> Key:
    numbers = sorted(candidate.member_id for candidate in candidates)
    lots = {number: draw.random() for number in numbers}

    def key(candidate: Candidate) -> tuple[float, ...]:
        idle_since = ((candidate.last_at or NEVER) - NEVER).total_seconds()
        return (candidate.load / candidate.limit, -candidate.fit, idle_since, lots[candidate.member_id])

    return key
