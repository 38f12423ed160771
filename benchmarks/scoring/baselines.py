"""Rankings to compare with, computed from the files alone."""

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping

from benchmarks.scoring.reading import Community

Baseline = Callable[[Community, int], dict[str, float]]


def at_random(community: Community, day: int) -> dict[str, float]:
    """A draw for each member and day, the same in each run."""
    drawn = {}
    for answer in community.answers:
        word = f"{day}:{answer.author}".encode()
        drawn[answer.author] = int.from_bytes(hashlib.sha256(word).digest()[:6], "big") / 2**48
    return drawn


def answers(community: Community, day: int) -> dict[str, float]:
    """How many answers to others' questions, ever."""
    return _sum(community, day, lambda _age: 1.0)


def answers_decayed(half_life: float) -> Baseline:
    """The same, each halving in so many days."""
    return lambda community, day: _sum(community, day, lambda age: 2.0 ** (-age / half_life))


def accepted(community: Community, day: int) -> dict[str, float]:
    """How many accepted answers, ever."""
    found: dict[str, float] = defaultdict(float)
    for answer in community.answers:
        if answer.accepted_at is not None and answer.accepted_at < day:
            found[answer.author] += 1
    return found


def pagerank(community: Community, day: int) -> dict[str, float]:
    """PageRank of the graph from askers to those who answered them, damping 0.85, 50 rounds."""
    links: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    people: set[str] = set()
    for answer in community.answers:
        if answer.at >= day:
            break
        links[answer.asker][answer.author] += 1
        people |= {answer.asker, answer.author}
    if not people:
        return {}
    rank = dict.fromkeys(people, 1 / len(people))
    weights = {asker: (sum(of.values()), list(of.items())) for asker, of in links.items()}
    for _round in range(50):
        loose = sum(value for one, value in rank.items() if one not in weights)
        fresh = dict.fromkeys(people, 0.15 / len(people) + 0.85 * loose / len(people))
        for asker, (total, of) in weights.items():
            for author, weight in of:
                fresh[author] += 0.85 * rank[asker] * weight / total
        rank = fresh
    return rank


ALL: Mapping[str, Baseline] = {
    "random": at_random,
    "answers, all time": answers,
    "answer count, half-life 30": answers_decayed(30),
    "answer count, half-life 60": answers_decayed(60),
    "accepted, all time": accepted,
    "PageRank": pagerank,
}


def _sum(community: Community, day: int, worth: Callable[[float], float]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    times = [answer.at for answer in community.answers]
    for answer in community.answers[: bisect_left(times, day)]:
        found[answer.author] += worth(day - answer.at)
    return found
