"""How fairly being asked is shared: who was idle, who is at their limit, how even the load is.

For the vendor's moderators, and for whoever they show it to. So every figure is as of a Monday at 00:00 UTC,
the moment as of which they read each member's load; numbers of people leave this module in fives (0: fewer
than five, nobody included), the Gini in twentieths, and nothing at all is told of fewer than five people.
Nothing tells an outstanding conversation from one that was held, or a declined request from a proposal that
came to nothing.

What members chose (kinds of contact, limits, pauses) is known as it stands now, for past weeks too: the past
of those who can be asked today. Four statements, whatever the number of members and weeks.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    union,
    union_all,
)

from portal.kernel import clock, page_cache
from portal.kernel.db import db
from portal.matching.evenness import FEWEST, gini, in_fives, in_steps, least_gini
from portal.matching.models import ANSWER_REQUESTS_PER_MONTH, Availability, Exposure, Reservation, Shown
from portal.matching.queries.eligible import not_paused, verified_customer
from portal.matching.queries.loads import (
    MOMENT,
    MONTH,
    QUARTER,
    Load,
    counted_at,
    limit_in_force,
    week_began,
)
from portal.members.models import Member


@dataclass(frozen=True)
class Week:
    """How it stood on a Monday at 00:00 UTC. Numbers of people in fives, each by itself: parts need not add
    up. None where the whole is fewer than five.
    """

    monday: datetime
    people: int | None  # can be asked: for a conversation, by an answer request, or both
    asked: int | None  # of these: somebody asked or proposed them within 90 days, or they hold something
    idle: int | None  # the others
    talkers: int | None  # of these: take conversations
    holding: int | None  # of the talkers: have a conversation that counts towards their limit
    full: int | None  # of the talkers: are at their limit
    gini: float | None  # of the talkers' loads; None where fewer than five hold any
    least_gini: float | None  # what so few conversations among so many allow

    @property
    def idle_share(self) -> int | None:
        """In percent of those who can be asked."""
        return _percent(self.idle, self.people)

    @property
    def full_share(self) -> int | None:
        """In percent of those who take conversations."""
        return _percent(self.full, self.talkers)


@dataclass(frozen=True)
class Requests:
    """Those who take answer requests, by what they got in the 30 days before Monday. In fives."""

    people: int
    none: int
    some: int  # fewer than they take in a month
    full: int


@dataclass(frozen=True)
class Choices:
    """What customers, those who cannot be asked too, have switched off. In fives."""

    customers: int
    no_talks: int
    no_requests: int
    paused: int


@dataclass(frozen=True)
class Sharing:
    """All of it; the last week is the one as of which `busiest`, `requests` and `choices` are."""

    weeks: list[Week]
    is_empty: bool  # there is nobody to ask
    busiest: Load | None  # who has most; None where fewer than five hold any
    someone_over: bool | None  # a limit was lowered below what its member has; None as for `busiest`
    requests: Requests | None
    choices: Choices | None

    @property
    def now(self) -> Week:
        return self.weeks[-1]


_kept: page_cache.Dear[Sharing] = page_cache.Dear(4, least=0.1)


def sharing(weeks: int) -> Sharing:
    """The figures as of the last so many Mondays, the latest included."""
    latest = week_began(clock.now())
    return _kept.get((weeks, latest), lambda: _sharing(latest, weeks))


def _sharing(latest: datetime, weeks: int) -> Sharing:
    now = clock.now()
    mondays = [latest - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]
    times = _times(mondays)
    standing = _standing(now, mondays)
    loads = _loads(now, times)
    touched = _touched(now, times)
    customers, _people, talkers, takers = standing[-1][:4]
    last = loads.get(weeks - 1, Counter())
    return Sharing(
        weeks=[
            _week(monday, standing[number], loads.get(number, Counter()), touched.get(number, 0))
            for number, monday in enumerate(mondays)
        ],
        is_empty=not customers,
        busiest=_busiest(last) if _may_tell(talkers, last) else None,
        someone_over=any(load.taken > load.limit for load in last) if _may_tell(talkers, last) else None,
        requests=_requests(now, latest, takers) if takers >= FEWEST else None,
        choices=Choices(*(in_fives(number) for number in (customers, *standing[-1][4:])))
        if customers >= FEWEST
        else None,
    )


def _week(monday: datetime, standing: tuple[int, ...], loads: "Counter[Load]", touched: int) -> Week:
    _customers, people, talkers = standing[:3]
    told, of_talkers = people >= FEWEST, talkers >= FEWEST
    holding = loads.total()
    full = sum(count for load, count in loads.items() if load.taken >= load.limit)
    carried: Counter[int] = Counter({0: talkers - holding})
    for load, count in loads.items():
        carried[load.taken] += count
    total = sum(taken * count for taken, count in carried.items())
    even = _may_tell(talkers, loads)
    return Week(
        monday=monday,
        people=in_fives(people) if told else None,
        asked=in_fives(touched) if told else None,
        idle=in_fives(people - touched) if told else None,
        talkers=in_fives(talkers) if of_talkers else None,
        holding=in_fives(holding) if of_talkers else None,
        full=in_fives(full) if of_talkers else None,
        gini=in_steps(gini(carried)) if even else None,
        least_gini=in_steps(least_gini(total, carried.total())) if even else None,
    )


def _percent(part: int | None, whole: int | None) -> int | None:
    return min(100, round(100 * part / whole)) if part is not None and whole else None


def _may_tell(talkers: int, loads: "Counter[Load]") -> bool:
    """Whether so many have a conversation that what is said of all of them is said of none."""
    return talkers >= FEWEST and loads.total() >= FEWEST


def _busiest(loads: Iterable[Load]) -> Load:
    """Who has most; of these whose limit is nearest."""
    return max(loads, key=lambda load: (load.taken, -load.limit))


def _requests(now: datetime, monday: datetime, takers: int) -> Requests:
    got = (
        select(Exposure.member_id, func.count().label("had"))
        .where(
            Exposure.kind == Shown.ANSWER_REQUEST,
            Exposure.at > monday - MONTH,
            Exposure.at < monday,
        )
        .group_by(Exposure.member_id)
        .subquery("got")
    )
    is_full = (got.c.had >= _requests_per_month()).label("is_full")
    rows = db.session.execute(
        _who_can_be_asked(select(is_full, func.count()), now)
        .join(got, got.c.member_id == Member.id)
        .where(_takes_requests(), _here_since() < monday)
        .group_by(is_full)
    )
    by_full = {bool(row[0]): int(row[1]) for row in rows}
    return Requests(
        people=in_fives(takers),
        none=in_fives(takers - sum(by_full.values())),
        some=in_fives(by_full.get(False, 0)),
        full=in_fives(by_full.get(True, 0)),
    )


def _standing(now: datetime, mondays: list[datetime]) -> list[tuple[int, ...]]:
    """For each Monday: customers, who can be asked, who takes conversations, who takes requests; and of the
    customers who has conversations off, requests off, a pause.
    """
    on = not_paused(now)
    counted = (
        true(),
        and_(on, or_(_takes_talks(), _takes_requests())),
        and_(on, _takes_talks()),
        and_(on, _takes_requests()),
        ~_takes_talks(),
        ~_takes_requests(),
        ~on,
    )
    first = case(
        *((_here_since() < monday, number) for number, monday in enumerate(mondays)), else_=len(mondays)
    ).label("first")
    rows = db.session.execute(
        _customers(select(first, *(func.sum(case((one, 1), else_=0)) for one in counted)), now).group_by(
            first
        )
    )
    by_first = {row[0]: tuple(int(value) for value in row[1:]) for row in rows}
    nobody = (0,) * len(counted)
    return list(accumulate((by_first.get(number, nobody) for number in range(len(mondays))), _added))


def _added(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _loads(now: datetime, times: Subquery) -> "dict[int, Counter[Load]]":
    """By week: how many of those who take conversations have which load, of those who have any."""
    places = (
        select(times.c.week, times.c.monday, Reservation.member_id, func.count().label("taken"))
        .join(Reservation, counted_at(times.c.monday, times.c.since))
        .group_by(times.c.week, times.c.monday, Reservation.member_id)
        .subquery("places")
    )
    limit = limit_in_force().label("limit")
    rows = db.session.execute(
        _who_can_be_asked(select(places.c.week, places.c.taken, limit, func.count()), now)
        .join(places, places.c.member_id == Member.id)
        .where(_takes_talks(), _here_since() < places.c.monday)
        .group_by(places.c.week, places.c.taken, limit)
    )
    found: dict[int, Counter[Load]] = {}
    for week, taken, most, people in rows:
        found.setdefault(week, Counter())[Load(int(taken), int(most))] += int(people)
    return found


def _touched(now: datetime, times: Subquery) -> dict[int, int]:
    """By week: how many who can be asked were asked or proposed in its quarter, or hold something."""
    shown = select(times.c.week, times.c.monday, Exposure.member_id).join(
        Exposure, and_(Exposure.at > times.c.since, Exposure.at < times.c.monday)
    )
    reserved = select(times.c.week, times.c.monday, Reservation.member_id).join(
        Reservation,
        or_(
            and_(Reservation.reserved_at > times.c.since, Reservation.reserved_at < times.c.monday),
            counted_at(times.c.monday, times.c.since),
        ),
    )
    anyhow = union(shown, reserved).subquery("anyhow")
    rows = db.session.execute(
        _who_can_be_asked(select(anyhow.c.week, func.count()), now)
        .join(anyhow, anyhow.c.member_id == Member.id)
        .where(or_(_takes_talks(), _takes_requests()), _here_since() < anyhow.c.monday)
        .group_by(anyhow.c.week)
    )
    return {row[0]: int(row[1]) for row in rows}


def _times(mondays: list[datetime]) -> Subquery:
    """SQL: week, monday, since; the quarter before each Monday."""
    rows = [
        select(
            literal(number).label("week"),
            literal(monday, MOMENT).label("monday"),
            literal(monday - QUARTER, MOMENT).label("since"),
        )
        for number, monday in enumerate(mondays)
    ]
    return union_all(*rows).subquery("times")


def _customers(query: Select[*tuple[Any, ...]], at: datetime) -> Select[*tuple[Any, ...]]:
    return (
        query.select_from(Member)
        .outerjoin(Availability, Availability.member_id == Member.id)
        .where(*verified_customer(at))
    )


def _who_can_be_asked(query: Select[*tuple[Any, ...]], at: datetime) -> Select[*tuple[Any, ...]]:
    return _customers(query, at).where(not_paused(at))


def _takes_talks() -> ColumnElement[bool]:
    return and_(func.coalesce(Availability.conversations_open, true()), limit_in_force() > 0)


def _takes_requests() -> ColumnElement[bool]:
    return and_(func.coalesce(Availability.answer_requests_open, true()), _requests_per_month() > 0)


def _requests_per_month() -> ColumnElement[int]:
    return func.coalesce(Availability.answer_requests_per_month, ANSWER_REQUESTS_PER_MONTH)


def _here_since() -> ColumnElement[datetime]:
    """SQL: since when somebody could be asked. Imported people from when they claimed their account."""
    return case((Member.import_source.is_not(None), Member.email_confirmed_at), else_=Member.created_at)
