"""Origins, who is ranked, what is right, and how near a ranking comes to it."""

import math
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.scoring.reading import Community

YEAR, STEP, WAIT, FIRST = 365, 90, 120, 180
FEWEST = 20
Scores = Mapping[str, float]


@dataclass(frozen=True)
class Origin:
    """A day at which members are ranked: who could be, and how many each of them helped afterwards."""

    day: int  # since 1970, 00:00 UTC
    population: tuple[str, ...]  # by id
    helped: Mapping[str, int]
    second_half: bool


def origins(community: Community) -> list[Origin]:
    """Every origin of the protocol that is not skipped; halves are of all, before skipping."""
    times = [answer.at for answer in community.answers]
    first = math.ceil(community.first_answer + FIRST)
    days = []
    while first + STEP * len(days) + STEP <= community.last_post:
        days.append(first + STEP * len(days))
    later = days[len(days) - math.ceil(len(days) / 2) :]
    found = []
    for day in days:
        past = community.answers[bisect_left(times, day - YEAR) : bisect_left(times, day)]
        population = tuple(sorted({answer.author for answer in past}))
        helped: dict[str, set[str]] = defaultdict(set)
        for answer in community.answers[bisect_left(times, day) :]:
            if answer.at > day + STEP:
                break
            if answer.at > day and answer.helped_by(day + WAIT):
                helped[answer.author].add(answer.asker)
        counts = {one: len(helped[one]) for one in population if one in helped}
        if len(population) >= FEWEST and counts:
            found.append(Origin(day, population, counts, day in later))
    return found


def ranking(origin: Origin, scores: Scores) -> list[str]:
    """The population, highest first; ties by id."""
    return sorted(origin.population, key=lambda one: (-scores.get(one, 0.0), one))


def _gain(helped: int) -> float:
    return math.log2(1 + helped)


def ndcg(origin: Origin, ranked: Sequence[str], top: int = 20) -> float:
    found = sum(_gain(origin.helped.get(one, 0)) / math.log2(2 + n) for n, one in enumerate(ranked[:top]))
    best = sorted(origin.helped.values(), reverse=True)[:top]
    return found / sum(_gain(one) / math.log2(2 + n) for n, one in enumerate(best))


def precision(origin: Origin, ranked: Sequence[str], top: int = 10) -> float:
    return sum(one in origin.helped for one in ranked[:top]) / top


def recall(origin: Origin, ranked: Sequence[str], top: int = 50) -> float:
    return sum(one in origin.helped for one in ranked[:top]) / len(origin.helped)


def stability(rankings: Sequence[Sequence[str]], top: int = 20) -> float:
    """Mean share of a top 20 that stands in the next one too."""
    pairs = list(pairwise(rankings))
    if not pairs:
        return math.nan
    return sum(len(set(a[:top]) & set(b[:top])) / top for a, b in pairs) / len(pairs)


@dataclass(frozen=True)
class Measures:
    ndcg: float
    precision: float
    recall: float
    stability: float


def measure(found: Sequence[Origin], scores: Sequence[Scores]) -> Measures:
    """Means over the origins."""
    rankings = [ranking(origin, of) for origin, of in zip(found, scores, strict=True)]
    pairs = list(zip(found, rankings, strict=True))
    return Measures(
        sum(ndcg(origin, ranked) for origin, ranked in pairs) / len(pairs),
        sum(precision(origin, ranked) for origin, ranked in pairs) / len(pairs),
        sum(recall(origin, ranked) for origin, ranked in pairs) / len(pairs),
        stability(rankings),
    )


def bootstrap(
    found: Sequence[Origin], one: Sequence[Scores], other: Sequence[Scores], *, rounds: int, seed: int = 1
) -> tuple[tuple[float, float], tuple[float, float]]:
    """95 % intervals of the NDCG@20 of `one`, and of its difference to `other`: members drawn anew.

    Paired: both rankings are of the same draw. A member drawn twice stands there twice.
    """
    draw = random.Random(seed)
    people = sorted({member for origin in found for member in origin.population})
    orders = [(ranking(o, a), ranking(o, b)) for o, a, b in zip(found, one, other, strict=True)]
    values, differences = [], []
    for _round in range(rounds):
        weight = Counter(draw.choices(people, k=len(people)))
        sums, count = [0.0, 0.0], 0
        for origin, pair in zip(found, orders, strict=True):
            best = _drawn_gains(origin, sorted(origin.helped, key=lambda m: -origin.helped[m]), weight)
            if not best:
                continue
            count += 1
            for n, ranked in enumerate(pair):
                sums[n] += _drawn_gains(origin, ranked, weight) / best
        if count:
            values.append(sums[0] / count)
            differences.append((sums[0] - sums[1]) / count)
    return _interval(values), _interval(differences)


def _drawn_gains(origin: Origin, ranked: Sequence[str], weight: Mapping[str, int], top: int = 20) -> float:
    total, place = 0.0, 0
    for member in ranked:
        for _time in range(weight.get(member, 0)):
            if place == top:
                return total
            total += _gain(origin.helped.get(member, 0)) / math.log2(2 + place)
            place += 1
    return total


def _interval(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[int(0.025 * len(ordered))], ordered[min(int(0.975 * len(ordered)), len(ordered) - 1)]
