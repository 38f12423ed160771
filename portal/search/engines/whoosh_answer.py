"""How a query is answered and ranked over the open segments.

Whoosh's own scoring walks postings one Python call at a time (seconds for a common word in 100,000
posts); weights are kept with the postings, and a query adds them up in dictionaries.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

from portal.search import spelling
from portal.search.analysis import stem
from portal.search.engines import base
from portal.search.engines.base import Hit, Hits
from portal.search.engines.whoosh_segment import Opened, Scores, Segment
from portal.search.query import Query, Unit

RERANKED = 200
PHRASE_CANDIDATES = 2_000
NEGLIGIBLE = 0.04
"""Share of a query's weight below which a common word is not worth reading."""
RARE = 3
RARE_SHARE = 2_000
"""A word in so few documents, or in less than one of so many, may be a misspelling itself..."""
DOUBTFUL = 50
"""...if another word close to it is met so many times as often."""

_Found = tuple[float, Segment, int]


@dataclass(frozen=True)
class _Way:
    """One way to meet a unit: all of these terms, each with the factor of its weight."""

    terms: tuple[tuple[str, float], ...]
    guessed: bool = False


@dataclass
class _Plan:
    """A unit with its ways and what it counts for in coverage."""

    unit: Unit
    ways: list[_Way]
    weight: float
    found: int


def answer(opened: Opened, query: Query, fill: bool) -> Hits:
    plans, suggestion = _plan(opened, query)
    pools = [_Pool(segment, plans, len(opened.segments)) for segment in opened.segments]
    complete = _best([(pool.segment, pool.meet_all()) for pool in pools], base.MAX_HITS)
    complete = _prefer_close(complete, query.order)
    others: list[_Found] = []
    if (fill or len(complete) < base.ENOUGH) and len(complete) < base.MAX_HITS and _divisible(plans):
        others = _best([(pool.segment, pool.meet_any()) for pool in pools], base.MAX_HITS - len(complete))
        others = _prefer_close(others, query.order)
    hits = tuple(Hit(segment.posts[number], score) for score, segment, number in complete + others)
    return Hits(hits, len(complete), suggestion)


def _divisible(plans: list[_Plan]) -> bool:
    """Whether there is less than everything to ask for."""
    return len(plans) > 1 or bool(plans[0].unit.phrase) or any(way.guessed for way in plans[0].ways)


def _best(pools: list[tuple[Segment, Scores]], number: int) -> list[_Found]:
    """The best of all segments, best first."""
    found: list[_Found] = []
    for segment, scores in pools:
        if len(scores) > number:
            # The worst score that still counts; a heap with a key takes three times as long.
            least = sorted(scores.values())[-number]
            best = [(score, segment, post) for post, score in scores.items() if score >= least]
        else:
            best = [(score, segment, post) for post, score in scores.items()]
        found += best
    found.sort(key=itemgetter(0), reverse=True)
    return found[:number]


def _plan(opened: Opened, query: Query) -> tuple[list[_Plan], str | None]:
    """Each unit with the ways to meet it, and the query with likelier spellings, if there is one."""
    plans = []
    better: dict[str, str] = {}
    for unit in query.units:
        plan = _plan_unit(opened, unit)
        if unit.spelled and plan.found <= max(RARE, opened.total // RARE_SHARE):
            guesses = _guess(opened, unit.spelled, plan.found)
            for rank, guess in enumerate(guesses):
                term = stem(guess.word)
                factor = base.CORRECTED * 0.8**rank * _rarity(opened, term)
                plan.ways.append(_Way(((term, factor),), guessed=True))
            if guesses:
                better[unit.typed] = guesses[0].word
                if not plan.found:
                    plan.weight = _rarity(opened, stem(guesses[0].word))
        plans.append(plan)
    plans.sort(key=lambda plan: plan.found)
    return plans, base.respell(query.text, better) if better else None


def _plan_unit(opened: Opened, unit: Unit) -> _Plan:
    terms = unit.terms
    found = _found_all(opened, terms)
    ways = []
    if unit.whole and (whole := _found(opened, unit.whole)):
        ways.append(_Way(((unit.whole, base.rarity(whole, opened.total)),)))
        found += whole
    if not found and unit.instead:
        terms = unit.instead
        found = _found_all(opened, terms)
    rarities = [_rarity(opened, term) for term in terms]
    ways.append(_Way(tuple(zip(terms, rarities, strict=True))))
    return _Plan(unit, ways, max(rarities), found)


def _found(opened: Opened, term: str) -> int:
    return sum(segment.found(term) for segment in opened.segments)


def _found_all(opened: Opened, terms: tuple[str, ...]) -> int:
    return min((_found(opened, term) for term in terms), default=0)


def _rarity(opened: Opened, term: str) -> float:
    return base.rarity(_found(opened, term), opened.total)


def _guess(opened: Opened, word: str, found: int) -> list[spelling.Spelling]:
    """Likelier spellings; of a word that does occur only those met far more often."""
    vocabularies = [segment.vocabulary() for segment in opened.segments]
    guesses = spelling.neighbours(word, vocabularies, least=5 * found or 1)
    own = stem(word)
    return [guess for guess in guesses if stem(guess.word) != own and guess.found >= DOUBTFUL * found]


class _Pool:
    """The documents of one segment that meet some or all of a query; postings are read once."""

    def __init__(self, segment: Segment, plans: list[_Plan], segments: int) -> None:
        self.segment = segment
        self._candidates = max(500, PHRASE_CANDIDATES // segments)
        self.plans = plans
        self.exact: Scores | None = None
        self._known: dict[int, Scores] = {}

    def meet_all(self) -> Scores:
        """Documents that meet every unit as it was typed."""
        self.exact = {}
        total: Scores | None = None
        for plan in self.plans:  # rarest first
            scores = self._typed(plan)
            if total is None:
                total = scores
            else:
                both = total.keys() & scores.keys()
                total = {number: total[number] + scores[number] for number in both}
            if not total:
                return {}
        found = total or {}
        phrases = [f" {' '.join(plan.unit.phrase)} " for plan in self.plans if plan.unit.phrase]
        if phrases:
            likely = heapq.nlargest(self._candidates, found.items(), key=itemgetter(1))
            met = ((n, score) for n, score in likely if _has_phrases(self.segment.order(n), phrases))
            found = dict(islice(met, base.MAX_HITS))
        self.exact = found
        return found

    def meet_any(self) -> Scores:
        """Documents that meet at least one unit, likelier spellings allowed, by score and share met.

        Once there are plenty of documents with a rarer unit, common ones only add to these, and those
        that tell next to nothing beside the others are not looked at.
        """
        whole = sum(plan.weight for plan in self.plans)
        scores: Scores = {}
        shares: Scores = {}
        for plan in sorted(self.plans, key=lambda plan: -plan.weight):
            share = plan.weight / whole
            if len(scores) >= base.MAX_HITS:
                if share < NEGLIGIBLE and id(plan) not in self._known:
                    continue
                more = self._any(plan)
                for number in scores.keys() & more.keys():
                    scores[number] += more[number]
                    shares[number] += share
                continue
            for number, score in self._any(plan).items():
                scores[number] = scores.get(number, 0.0) + score
                shares[number] = shares.get(number, 0.0) + share
        met = self.exact or {}
        return {number: score * shares[number] ** 2 for number, score in scores.items() if number not in met}

    def _typed(self, plan: _Plan) -> Scores:
        known = self._known.get(id(plan))
        if known is None:
            known = self._known[id(plan)] = self._scores(way for way in plan.ways if not way.guessed)
        return known

    def _any(self, plan: _Plan) -> Scores:
        guesses = self._scores(way for way in plan.ways if way.guessed)
        typed = self._typed(plan)
        return {**guesses, **typed} if guesses else typed

    def _scores(self, ways: Iterable[_Way]) -> Scores:
        """Documents that meet a unit in one of these ways, by the best of them."""
        best: Scores = {}
        for way in ways:
            scores = self._way(way)
            if not best:
                best = scores
                continue
            for number, score in scores.items():
                if score > best.get(number, 0.0):
                    best[number] = score
        return best

    def _way(self, way: _Way) -> Scores:
        rarest, *rest = sorted(way.terms, key=lambda pair: -pair[1])
        scores = self.segment.weights(*rarest)
        for term, factor in rest:
            if not scores:
                break
            more = self.segment.weights(term, factor)
            scores = {number: scores[number] + more[number] for number in scores.keys() & more.keys()}
        return scores


def _has_phrases(places: str, phrases: list[str]) -> bool:
    return all(phrase in places for phrase in phrases)


def _prefer_close(hits: list[_Found], order: tuple[str, ...]) -> list[_Found]:
    """The first hits anew, those with the query's words side by side raised."""
    if len(order) < 2 or len(hits) < 2:
        return hits
    first = [
        (score * (1 + base.CLOSENESS * base.closeness(segment.order(number), order)), segment, number)
        for score, segment, number in hits[:RERANKED]
    ]
    first.sort(key=lambda hit: -hit[0])
    return first + hits[RERANKED:]
