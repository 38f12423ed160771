"""Patterns that look like agreement beforehand, listed for moderators. Evidence, never a verdict.

Nothing here changes a score: the limits of the score bound what any of it can gain.
"""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, or_, select

from portal.advocacy.models import Act, Entry, Rule, ScoreChoice
from portal.discussions.models import ShownAs, Thread
from portal.kernel import clock
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.members.models import Member, MemberState, Session

WINDOW = timedelta(days=90)
BURST = timedelta(hours=24)
TOGETHER = timedelta(minutes=10)
LEAST_EACH_WAY = 2
LEAST_BURST = 5
LEAST_TOGETHER = 3  # times that the same two voted within minutes of each other
MOST_ROWS = 20_000  # thanks looked at, newest first
SHOWN = 30


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


@dataclass(frozen=True, slots=True)
class Together:
    """Two who voted for the same posts within minutes of each other."""

    one: Person
    other: Person
    times: int
    last_at: datetime


@dataclass(frozen=True)
class Patterns:
    """All of them, since `since`."""

    since: datetime
    pairs: list[Pair]
    bursts: list[Burst]
    ranges: list[Range]
    together: list[Together]

    @property
    def is_empty(self) -> bool:
        return not (self.pairs or self.bursts or self.ranges or self.together)


def patterns(most: int = SHOWN) -> Patterns:
    """What the last 90 days show. Private conversations are never part of it.

    Nor is what members received who chose to be left out: it counts in no list, and nobody else reads it.
    """
    since = clock.now() - WINDOW
    rows = db.session.execute(
        select(Entry.giver_id, Entry.receiver_id, Entry.post_id, Entry.rule, Entry.occurred_at)
        .outerjoin(Thread, Thread.id == Entry.thread_id)
        .where(
            Entry.at >= since,
            Entry.act == Act.MADE,
            Entry.giver_id.is_not(None),
            Entry.receiver_id.not_in(_left_out()),
            # Who asks as a role is not to be found by what they accept.
            or_(
                Entry.rule == Rule.VOTE,
                and_(Entry.rule == Rule.ACCEPTED, Thread.author_shown_as == ShownAs.NAME),
            ),
        )
        .order_by(Entry.at.desc(), Entry.id.desc())
        .limit(MOST_ROWS)
    ).all()
    given = Counter((row.giver_id, row.receiver_id) for row in rows)
    pairs = _pairs(given)[:most]
    bursts = _bursts(rows)[:most]
    ranges = _ranges(given, since)[:most]
    together = _together(rows)[:most]
    wanted = {one for pair in pairs for one in pair[:2]} | {burst[0] for burst in bursts}
    wanted |= {one for group in ranges for one in group[0]} | {one for pair in together for one in pair[:2]}
    people = _people(wanted)
    return Patterns(
        since,
        [Pair(people[a], people[b], there, back, share) for a, b, there, back, share in pairs],
        [Burst(people[one], count, by, begin, end) for one, count, by, begin, end in bursts],
        [Range(tuple(people[one] for one in group), count) for group, count in ranges],
        [Together(people[a], people[b], times, last_at) for a, b, times, last_at in together],
    )


def _left_out() -> Any:
    return select(ScoreChoice.member_id).where(ScoreChoice.not_scored.is_(True))


def _pairs(given: Counter[tuple[int, int]]) -> list[tuple[int, int, int, int, float]]:
    total: Counter[int] = Counter()
    for (giver, _receiver), count in given.items():
        total[giver] += count
    found = []
    for (a, b), there in given.items():
        back = given.get((b, a), 0)
        if a < b and min(there, back) >= LEAST_EACH_WAY:
            found.append((a, b, there, back, (there + back) / (total[a] + total[b])))
    return sorted(found, key=lambda row: (-row[4], -min(row[2], row[3])))


def _bursts(rows: Sequence[Any]) -> list[tuple[int, int, int, datetime, datetime]]:
    by_member: dict[int, list[Any]] = defaultdict(list)
    for row in reversed(rows):
        by_member[row.receiver_id].append(row)
    found = []
    for member_id, events in by_member.items():
        usual = len(events) / WINDOW.days
        best: tuple[int, int, int, datetime, datetime] | None = None
        start = 0
        for end, row in enumerate(events):
            while row.occurred_at - events[start].occurred_at > BURST:
                start += 1
            count = end - start + 1
            if count >= max(LEAST_BURST, 5 * usual) and (best is None or count > best[1]):
                givers = {one.giver_id for one in events[start : end + 1]}
                best = (member_id, count, len(givers), events[start].occurred_at, row.occurred_at)
        if best is not None:
            found.append(best)
    return sorted(found, key=lambda row: (row[2] - row[1], -row[1]))


def _ranges(given: Counter[tuple[int, int]], since: datetime) -> list[tuple[list[int], int]]:
    """Groups of members that share a network and thank one another."""
    involved = {one for pair in given for one in pair}
    by_range: dict[str, set[int]] = defaultdict(set)
    rows = db.session.execute(
        select(Session.member_id, Session.address).where(Session.last_seen_at >= since, Session.address != "")
    )
    for member_id, address in rows:
        if member_id in involved and (network := _network(address)):
            by_range[network].add(member_id)
    found = []
    for members in by_range.values():
        between = sum(given.get((a, b), 0) for a in members for b in members if a != b)
        if len(members) >= 2 and between and len(members) <= 200:
            found.append((sorted(members), between))
    return sorted(found, key=lambda row: -row[1])


def _network(address: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) that an address is in; "" for one of this machine or unreadable."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if ip.is_loopback:
        return ""
    return str(ipaddress.ip_network(f"{address}/{24 if ip.version == 4 else 48}", strict=False))


def _together(rows: Sequence[Any]) -> list[tuple[int, int, int, datetime]]:
    by_post: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_day = row.occurred_at.time() == time.max  # an imported vote without a time
        if row.rule is Rule.VOTE and row.post_id and not by_day:
            by_post[row.post_id].append(row)
    times: Counter[tuple[int, int]] = Counter()
    last: dict[tuple[int, int], datetime] = {}
    for votes in by_post.values():
        for place, a in enumerate(votes):
            for b in votes[place + 1 : place + 6]:
                if abs(a.occurred_at - b.occurred_at) <= TOGETHER and a.giver_id != b.giver_id:
                    pair = (min(a.giver_id, b.giver_id), max(a.giver_id, b.giver_id))
                    times[pair] += 1
                    last[pair] = max(a.occurred_at, last.get(pair, a.occurred_at))
    found = [(a, b, count, last[a, b]) for (a, b), count in times.items() if count >= LEAST_TOGETHER]
    return sorted(found, key=lambda row: -row[2])


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
