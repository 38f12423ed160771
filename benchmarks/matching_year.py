"""A year of asks on plain data, chosen by the product's own code and by two ways that are easier.

Assumptions, the same for all three: asks come evenly over 365 days. Each is brought to five customers, and
after 12 hours without an answer to five more; every third asker also wants a private conversation. A person
answers an ask with a probability and a delay of their own; both suffer with each further request within 30
days (a tenth each), which is what wears people out. Whoever is asked for a conversation accepts with the same
probability; after a refusal the next is asked, three in all. A conversation is held a week after that.
Companies come from skewed industries and sizes; a quarter of what is known of a person is missing.
"""

import statistics
from array import array
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from portal.matching import choice
from portal.matching.choice import Candidate
from portal.matching.criteria import WANTED_FIT, Criteria, Traits, fits_of
from portal.matching.evenness import gini
from portal.matching.models import ANSWER_REQUESTS_PER_MONTH, LIMIT_PER_QUARTER
from portal.members.models import RoleLevel

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
QUARTER, MONTH, REST = timedelta(days=90), timedelta(days=30), timedelta(days=21)
WAVE = 5
SECOND_WAVE_HOURS = 12
EVERY_NTH_TALKS = 3
TRIES = 3

INDUSTRIES = ("31-33", "44-45", "48-49", "52", "62", "54", "22", "51")
SIZES = ("1-49", "50-199", "200-499", "500-999", "1000-4999", "5000+")
COUNTRIES = ("DE", "GB", "NL", "FR", "US", "SE")
USES = ("supplier onboarding", "customer invoices", "warehouse orders", "bank files", "carrier tracking")
REPLACED = ("Brokerline", "SeamLink", "scripts", "FileCourier")


@dataclass
class Person:
    """A customer of the simulation; times in ascending order."""

    id: int
    answers: float  # probability
    hours: float  # median delay
    talks: list[datetime] = field(default_factory=list)  # held
    outstanding: int = 0
    last_talk: datetime | None = None
    requests: list[datetime] = field(default_factory=list)

    def within(self, moments: list[datetime], span: timedelta, at: datetime) -> int:
        return len(moments) - bisect_left(moments, at - span)


Wish = tuple[datetime, Sequence[float]]  # an ask, and how well each person fits it


@dataclass(frozen=True)
class Rule:
    """Who may be asked, and who of these is."""

    name: str
    limited: bool
    order: Callable[[Sequence[Candidate], Random, int], list[Candidate]]


def _fair(candidates: Sequence[Candidate], draw: Random, count: int) -> list[Candidate]:
    return choice.wave(candidates, draw, count=count)


def _best_fit_first(candidates: Sequence[Candidate], draw: Random, count: int) -> list[Candidate]:
    lots = {one.member_id: draw.random() for one in candidates}
    return sorted(candidates, key=lambda one: (-one.fit, lots[one.member_id]))[:count]


RULES = (
    Rule("as the product chooses", True, _fair),
    Rule("best fit first, within limits", True, _best_fit_first),
    Rule("best fit first, no limit", False, _best_fit_first),
)


def measure(*, quick: bool) -> dict[str, Any]:
    """For each number of customers and each rule the figures of one year."""
    sizes, asks = ((30, 200), 300) if quick else ((30, 200, 2000), 1500)
    rows = []
    for size in sizes:
        world = Random(size)
        traits = [_traits(world) for _ in range(size)]
        temper = [(world.betavariate(2, 4), world.lognormvariate(1.5, 0.7)) for _ in range(size)]
        moments = sorted(START + YEAR * world.random() for _ in range(asks))
        wishes = [
            (at, array("d", (fit.value for fit in fits_of(_criteria(world), traits)))) for at in moments
        ]
        for rule in RULES:
            people = [Person(number, *temper[number]) for number in range(size)]
            rows.append(
                {"customers": size, "rule": rule.name, **_year(people, wishes, rule, Random(size + 1))}
            )
    return {"asks": asks, "year": rows}


def report(result: dict[str, Any]) -> str:
    """The figures as a table."""
    lines = [
        f"A year, {result['asks']} asks:",
        f"{'customers':>9} {'rule':<31}{'unanswered':>11}{'median h':>9}{'no talk':>9}{'max talks':>10}"
        f"{'max asked':>10}{'Gini':>6}{'idle':>6}{'fit':>6}",
    ]
    lines += [
        f"{row['customers']:>9} {row['rule']:<31}{row['unanswered']:>11.1%}{row['median_hours']:>9.1f}"
        f"{row['talks_unserved']:>9.1%}{row['most_talks']:>10}{row['most_requests']:>10}"
        f"{row['gini']:>6.2f}{row['idle']:>6.1%}{row['fit']:>6.2f}"
        for row in result["year"]
    ]
    lines.append(
        "no talk: of those who wanted one; max talks and max asked: of one person within 90 and 30 days; "
        "Gini of talks (as five) and requests over the year; idle: neither"
    )
    return "\n".join(lines)


def _year(people: list[Person], wishes: list[Wish], rule: Rule, draw: Random) -> dict[str, float]:
    unserved = wanted = unanswered = 0
    hours: list[float] = []
    fits: list[float] = []
    agreed: list[tuple[datetime, int]] = []
    for number, (at, values) in enumerate(wishes):
        while agreed and agreed[0][0] <= at:
            moment, who = agreed.pop(0)
            people[who].outstanding -= 1
            insort(people[who].talks, moment)
        first = _ask_in_the_open(people, values, rule, draw, at, fits)
        unanswered += first is None
        hours += [first] if first is not None else []
        if number % EVERY_NTH_TALKS == 0:
            wanted += 1
            found = _ask_for_a_talk(people, values, rule, draw, at, fits)
            unserved += found is None
            if found is not None:
                people[found].outstanding += 1
                people[found].last_talk = at + timedelta(days=7)
                insort(agreed, (at + timedelta(days=7), found))
    burden = [len(one.requests) + 5 * (len(one.talks) + one.outstanding) for one in people]
    return {
        "unanswered": unanswered / len(wishes),
        "median_hours": statistics.median(hours) if hours else 0.0,
        "talks_unserved": unserved / max(1, wanted),
        "most_talks": max(_most_within(one.talks, QUARTER) for one in people),
        "most_requests": max(_most_within(one.requests, MONTH) for one in people),
        "gini": gini(Counter(burden)),
        "idle": sum(load == 0 for load in burden) / len(people),
        "fit": statistics.fmean(fits) if fits else 0.0,
    }


def _ask_in_the_open(
    people: list[Person], values: Sequence[float], rule: Rule, draw: Random, at: datetime, fits: list[float]
) -> float | None:
    """Hours until the first answer; None without one."""
    answered: list[float] = []
    asked: set[int] = set()
    for after in (0.0, SECOND_WAVE_HOURS):
        if answered and min(answered) <= after:
            break
        now = at + timedelta(hours=after)
        candidates = []
        for one in people:
            month = one.within(one.requests, MONTH, now)
            if one.id in asked or (rule.limited and month >= ANSWER_REQUESTS_PER_MONTH):
                continue
            load = one.within(one.requests, QUARTER, now)
            last = one.requests[-1] if one.requests else None
            candidates.append(Candidate(one.id, values[one.id], load, ANSWER_REQUESTS_PER_MONTH, last))
        for candidate in rule.order(candidates, draw, WAVE):
            one = people[candidate.member_id]
            tired = one.within(one.requests, MONTH, now)
            insort(one.requests, now)  # the second wave of an ask may come after the next ask
            asked.add(one.id)
            fits.append(candidate.fit)
            if draw.random() < one.answers * 0.9**tired * _helps(candidate.fit):
                answered.append(after + draw.lognormvariate(0, 0.8) * one.hours * 1.1**tired)
    return min(answered) if answered else None


def _ask_for_a_talk(
    people: list[Person], values: Sequence[float], rule: Rule, draw: Random, at: datetime, fits: list[float]
) -> int | None:
    """Who agreed; None when nobody did."""
    declined: set[int] = set()
    for _ in range(TRIES):
        candidates = []
        for one in people:
            load = one.outstanding + one.within(one.talks, QUARTER, at)
            rested = one.last_talk is None or at - one.last_talk >= REST
            if one.id in declined or (rule.limited and (load >= LIMIT_PER_QUARTER or not rested)):
                continue
            candidates.append(Candidate(one.id, values[one.id], load, LIMIT_PER_QUARTER, one.last_talk))
        chosen = rule.order(candidates, draw, 1)
        if not chosen:
            return None
        one = people[chosen[0].member_id]
        tired = one.outstanding + one.within(one.talks, QUARTER, at)
        if draw.random() < one.answers * 0.9**tired:
            fits.append(chosen[0].fit)
            return one.id
        declined.add(one.id)
    return None


def _helps(fit: float) -> float:
    """Somebody in another situation has less to say."""
    return 0.5 + 0.5 * min(1.0, fit / WANTED_FIT)


def _traits(world: Random) -> Traits:
    def known(value: Any, nothing: Any) -> Any:
        return value if world.random() < 0.75 else nothing

    return Traits(
        industry=_skewed(INDUSTRIES, world),
        size_band=_skewed(SIZES, world),
        regions=(_skewed(COUNTRIES, world),),
        product_ids=known(frozenset(world.sample(range(1, 7), world.randint(1, 4))), frozenset()),
        use_cases=known((world.choice(USES),), ()),
        role_level=known(world.choice(list(RoleLevel)), None),
        replaced=known(world.choice(REPLACED), ""),
    )


def _criteria(world: Random) -> Criteria:
    def said(value: Any, nothing: Any) -> Any:
        return value if world.random() < 0.6 else nothing

    return Criteria(
        industry=said(_skewed(INDUSTRIES, world), ""),
        size_band=said(_skewed(SIZES, world), ""),
        region=said(_skewed(COUNTRIES, world), ""),
        product_ids=said((world.randint(1, 6),), ()),
        use_case=said(world.choice(USES), ""),
        role_level=said(world.choice(list(RoleLevel)), None),
        replacing=said(world.choice(REPLACED), ""),
    )


def _skewed(values: Sequence[str], world: Random) -> str:
    weights = [1 / (place + 1) for place in range(len(values))]
    return world.choices(values, weights=weights)[0]


def _most_within(moments: list[datetime], span: timedelta) -> int:
    return max((bisect_left(moments, at + span) - n for n, at in enumerate(moments)), default=0)
