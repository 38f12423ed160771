"""Patterns that look like agreement beforehand, listed for moderators. Evidence, never a verdict.

Nothing here changes a score: the limits of the score bound what any of it can gain.
"""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import case, false, func, or_, select, true

from portal.advocacy.models import Act, Entry, Rule, ScoreChoice
from portal.discussions.models import ShownAs, Thread
from portal.kernel import clock
from portal.kernel.access import Status
from portal.kernel.db import db, rows_of
from portal.kernel.page_cache import Dear
from portal.members.models import Company, Member, MemberState, Session
from portal.members.names import sort_key

WINDOW = timedelta(days=90)
BURST = timedelta(hours=24)
TOGETHER = timedelta(minutes=10)
LEAST_EACH_WAY = 2
LEAST_BURST = 5
LEAST_TOGETHER = 3  # times that the same two voted within minutes of each other
MOST_IN_RANGE = 200
MOST_ROWS = 20_000  # thanks looked at, newest first
SHOWN = 30
KINDS = ("pairs", "bursts", "ranges", "together")
SORTS = ("often", "latest")  # beside what stands out most


@dataclass(frozen=True)
class Wanted:
    """What the page is narrowed to: a kind, a member's or company's name; and its order and page."""

    kind: str = ""
    words: str = ""
    sort: str = ""  # one of SORTS; "" is what stands out most first
    page: int = 1


@dataclass(frozen=True, slots=True)
class Person:
    member_id: int
    name: str
    username: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two who thank each other: how often each way, and what share of all thanks they gave."""

    one: Person
    other: Person
    there: int
    back: int
    share: float
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Burst:
    """Many thanks to one member within a day, from so many people."""

    member: Person
    count: int
    people: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Range:
    """Accounts used from one range of addresses within the window. The range itself is not shown."""

    people: tuple[Person, ...]
    thanks_between: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Together:
    """Two who voted for the same posts within minutes of each other."""

    one: Person
    other: Person
    times: int
    last_at: datetime


Pattern = TypeVar("Pattern")


@dataclass(frozen=True)
class Listed(Generic[Pattern]):
    """A page of one kind; `all` is how many fit."""

    rows: list[Pattern]
    all: int


@dataclass(frozen=True)
class Patterns:
    """All kinds, since `since`."""

    since: datetime
    pairs: Listed[Pair]
    bursts: Listed[Burst]
    ranges: Listed[Range]
    together: Listed[Together]

    @property
    def is_empty(self) -> bool:
        return not (self.pairs.all or self.bursts.all or self.ranges.all or self.together.all)


class _Found(NamedTuple):
    """One pattern before its people have names; `standing` orders by what stands out, the least first."""

    members: tuple[int, ...]
    standing: tuple[float, ...]
    often: int
    last_at: datetime
    made: Callable[[dict[int, Person]], Any]


def patterns(wanted: Wanted, most: int = SHOWN) -> Patterns:
    """What the last 90 days show, a page of each kind. Private conversations are never part of it.

    Nor is what members received who chose to be left out: it counts in no list, and nobody else reads it.
    Where there is much to look through, what was found may be some minutes old.
    """
    since = clock.now() - WINDOW
    by_kind = {
        kind: found if wanted.kind in ("", kind) else []
        for kind, found in _kept.get("all", lambda: _found(since)).items()
    }
    left_out = set(db.session.execute(_left_out()).scalars())
    for kind in ("pairs", "bursts"):  # of which all members are receivers
        by_kind[kind] = [one for one in by_kind[kind] if left_out.isdisjoint(one.members)]
    if wanted.words:
        named = _named(wanted.words)
        by_kind = {
            kind: [one for one in found if named.intersection(one.members)] for kind, found in by_kind.items()
        }
    begin = (wanted.page - 1) * most
    pages = {
        kind: sorted(found, key=_order(wanted.sort))[begin : begin + most] for kind, found in by_kind.items()
    }
    people = _people({member for page in pages.values() for one in page for member in one.members})
    listed = {
        kind: Listed([one.made(people) for one in page], len(by_kind[kind])) for kind, page in pages.items()
    }
    return Patterns(since, listed["pairs"], listed["bursts"], listed["ranges"], listed["together"])


def _found(since: datetime) -> dict[str, list[_Found]]:
    rows = _thanks(since)
    given, last = _given(rows)
    return {
        "pairs": _pairs(given, last),
        "bursts": _bursts(rows),
        "ranges": _ranges(given, last, since),
        "together": _together(rows),
    }


def keep_ready() -> None:
    """Have them found before somebody looks."""
    _kept.renew("all", lambda: _found(clock.now() - WINDOW))


_kept: Dear[dict[str, list[_Found]]] = Dear(most=1)


def _order(sort: str) -> Callable[[_Found], Any]:
    if sort == "often":
        return lambda one: (-one.often, *one.standing, one.members)
    if sort == "latest":
        return lambda one: (-one.last_at.timestamp(), *one.standing, one.members)
    return lambda one: (*one.standing, one.members)


def _named(words: str) -> set[int]:
    """Members whose name, or whose company's, has these words in it."""
    query = select(Member.id).outerjoin(Company, Company.id == Member.company_id)
    return set(
        db.session.execute(
            query.where(
                or_(
                    Member.sort_name.contains(sort_key(words)[:60], autoescape=True),
                    func.lower(Company.name).contains(words.lower()[:60], autoescape=True),
                )
            )
        ).scalars()
    )


def _thanks(since: datetime) -> Sequence[Any]:
    """The thanks since then whose givers may be known, newest first."""
    return rows_of(
        select(Entry.giver_id, Entry.receiver_id, Entry.post_id, Entry.rule, Entry.occurred_at)
        .outerjoin(Thread, Thread.id == Entry.thread_id)
        .where(
            Entry.at >= since,
            Entry.act == Act.MADE,
            Entry.giver_id.is_not(None),
            Entry.receiver_id.not_in(_left_out()),
            # Who asks as a role is not to be found by what they accept. As a case, since SQLite would read
            # every vote there ever was for an "or", instead of the newest.
            case(
                (Entry.rule == Rule.VOTE, true()),
                (Entry.rule == Rule.ACCEPTED, Thread.author_shown_as == ShownAs.NAME),
                else_=false(),
            ),
        )
        .order_by(Entry.at.desc(), Entry.id.desc())
        .limit(MOST_ROWS)
    ).all()


def _given(rows: Iterable[Any]) -> tuple[Counter[tuple[int, int]], dict[tuple[int, int], datetime]]:
    """How often each thanked each, and when last."""
    given: Counter[tuple[int, int]] = Counter()
    last: dict[tuple[int, int], datetime] = {}
    for row in rows:
        pair = row.giver_id, row.receiver_id
        given[pair] += 1
        last[pair] = max(row.occurred_at, last.get(pair, row.occurred_at))
    return given, last


def _left_out() -> Any:
    return select(ScoreChoice.member_id).where(ScoreChoice.not_scored.is_(True))


def _pairs(given: Counter[tuple[int, int]], last: dict[tuple[int, int], datetime]) -> list[_Found]:
    total: Counter[int] = Counter()
    for (giver, _receiver), count in given.items():
        total[giver] += count
    found = []
    for (a, b), there in given.items():
        back = given.get((b, a), 0)
        if a < b and min(there, back) >= LEAST_EACH_WAY:
            share, last_at = (there + back) / (total[a] + total[b]), max(last[a, b], last[b, a])
            found.append(
                _Found(
                    (a, b), (-share, -min(there, back)), there + back, last_at,
                    partial(_pair, a, b, there, back, share, last_at),
                )
            )  # fmt: skip
    return found


def _pair(
    a: int, b: int, there: int, back: int, share: float, last_at: datetime, people: dict[int, Person]
) -> Pair:
    return Pair(people[a], people[b], there, back, share, last_at)


def _bursts(rows: Sequence[Any]) -> list[_Found]:
    """Of each member the day with most thanks, where it is far above what is usual for them."""
    by_member: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_member[row.receiver_id].append(row)
    found = []
    for member_id, events in by_member.items():
        if len(events) < LEAST_BURST:
            continue
        events.sort(key=lambda row: row.occurred_at)
        usual = len(events) / WINDOW.days
        moments = [row.occurred_at for row in events]
        count, where, start = 0, (0, 0), 0
        for end, moment in enumerate(moments):
            while moment - moments[start] > BURST:
                start += 1
            if end - start + 1 > count:
                count, where = end - start + 1, (start, end)
        if count >= max(LEAST_BURST, 5 * usual):
            begin, until = (moments[place] for place in where)
            by = len({row.giver_id for row in events[where[0] : where[1] + 1]})
            best = count, by, begin, until
            found.append(
                _Found((member_id,), (by - count, -count), count, until, partial(_burst, member_id, best))
            )
    return found


def _burst(member_id: int, best: tuple[int, int, datetime, datetime], people: dict[int, Person]) -> Burst:
    return Burst(people[member_id], *best)


def _ranges(
    given: Counter[tuple[int, int]], last: dict[tuple[int, int], datetime], since: datetime
) -> list[_Found]:
    """Groups of members that share a network and thank one another."""
    involved = {one for pair in given for one in pair}
    by_range: dict[str, set[int]] = defaultdict(set)
    sessions = db.session.execute(
        select(Session.member_id, Session.address).where(Session.last_seen_at >= since, Session.address != "")
    )
    for member_id, address in sessions:
        if member_id in involved and (network := _network(address)):
            by_range[network].add(member_id)
    found = []
    for members in by_range.values():
        if not 2 <= len(members) <= MOST_IN_RANGE:
            continue
        pairs = [(a, b) for a in members for b in members if (a, b) in given]
        if pairs:
            group, between = tuple(sorted(members)), sum(given[pair] for pair in pairs)
            last_at = max(last[pair] for pair in pairs)
            found.append(
                _Found(group, (-between,), between, last_at, partial(_range, group, between, last_at))
            )
    return found


def _range(group: tuple[int, ...], between: int, last_at: datetime, people: dict[int, Person]) -> Range:
    return Range(tuple(people[one] for one in group), between, last_at)


def _network(address: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) that an address is in; "" for one of this machine or unreadable."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if ip.is_loopback:
        return ""
    return str(ipaddress.ip_network(f"{address}/{24 if ip.version == 4 else 48}", strict=False))


def _together(rows: Sequence[Any]) -> list[_Found]:
    by_post: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for row in rows:
        by_day = row.occurred_at.time() == time.max  # an imported vote without a time
        if row.rule is Rule.VOTE and row.post_id and not by_day:
            by_post[row.post_id].append((row.occurred_at, row.giver_id))
    times: Counter[tuple[int, int]] = Counter()
    last: dict[tuple[int, int], datetime] = {}
    for votes in by_post.values():
        votes.sort()
        for place, (earlier, a) in enumerate(votes):
            for later, b in votes[place + 1 : place + 6]:
                if later - earlier > TOGETHER:
                    break
                if a != b:
                    pair = (min(a, b), max(a, b))
                    times[pair] += 1
                    last[pair] = max(later, last.get(pair, later))
    return [
        _Found(pair, (-count,), count, last[pair], partial(_two, *pair, count, last[pair]))
        for pair, count in times.items()
        if count >= LEAST_TOGETHER
    ]


def _two(a: int, b: int, times: int, last_at: datetime, people: dict[int, Person]) -> Together:
    return Together(people[a], people[b], times, last_at)


def _people(ids: set[int]) -> dict[int, Person]:
    found: dict[int, Person] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        for row in db.session.execute(
            select(Member.id, Member.name, Member.username, Member.status, Member.state).where(
                Member.id.in_(some)
            )
        ):
            gone = row.state is MemberState.ERASED or row.status is Status.VISITOR
            found[row.id] = Person(row.id, row.name, "" if gone else row.username)
    return found
