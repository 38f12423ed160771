"""What one member's ledger adds up to: read row by row once, and kept until something is added to it.

Sums are as of the epoch of the formula, so what is kept is right at any later moment. Private conversations
are counted by month alone, and never stand beside a company. Whoever appears as a role stands in one group
of all such people, whatever their companies, so that no company is told by it.
"""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.advocacy import keys
from portal.advocacy.formula import Weights
from portal.advocacy.models import Act, Counts, Entry, Rule
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import COLUMNS, Settled, history_of, in_order
from portal.discussions.models import Post, ShownAs, Thread
from portal.kernel import clock
from portal.kernel.db import flushed_rows
from portal.kernel.page_cache import Dear, Recent

ROLES = "roles"  # stands for the companies of all who appear as a role
HISTORY_STEPS = 24
HISTORY_STEP = timedelta(days=15)
_KEPT_FOR = 3600.0  # seconds; nothing that is kept ever becomes wrong, but memory is not for ever
_ONCE = 500
_books: "Recent[Book]" = Recent(most=8, seconds=_KEPT_FOR)
_roles: Dear[frozenset[int]] = Dear(most=1, least=0.02, sure=0.02)


class Entries:
    """Entries, the newest first: their ids, and who accepted, as far as they are known; 0 for all others."""

    __slots__ = ("_at", "by", "ids")

    def __init__(self, rows: Iterable[Any]) -> None:
        ordered = sorted(rows, key=lambda row: (row.occurred_at, row.id), reverse=True)
        self.ids = array("q", (row.id for row in ordered))
        self._at = array("q", (_micro(row.occurred_at) for row in ordered))
        self.by = array("q", (_accepted_by(row) for row in ordered))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.ids, self.by, strict=True)

    def place_after(self, at: datetime, entry_id: int) -> int:
        """Where what is older than this entry begins."""
        wanted = (-_micro(at), -entry_id)
        places = range(len(self.ids))
        return bisect_left(places, True, key=lambda n: (-self._at[n], -self.ids[n]) > wanted)


@dataclass(frozen=True, slots=True)
class Company:
    """What stands under one company: the sums of its people, who of them accepted how often, its entries."""

    total: float
    most: float  # the largest sum of a person
    totals: "array[float]"
    accepted: list[tuple[int, int, float]]  # member, how often, worth; the highest first
    others: "array[int]"  # members who only voted
    entries: Entries


@dataclass(frozen=True, slots=True)
class Book:
    """All of it. `roles`: by company for which they count, the sums of those who appear as a role."""

    companies: dict[str, Company]
    roles: "dict[str, array[float]]"
    conversations: list[tuple[datetime, int]]  # how many in which month, the latest first
    given: float  # first answers
    answers: Entries
    not_counted: list[tuple[datetime, int, bool]]  # moment, id, whether it is told whatever its age
    past: list[tuple[datetime, float]]  # helpfulness at the first moments of days, the oldest first
    settled: Settled


def book_of(member_id: int, weights: Weights) -> Book:
    """The member's book as of now: kept under what was entered last, so an entry is never missed."""
    today = datetime.combine(clock.now().date(), time(), UTC)
    last = select(func.count().label("entries"), func.max(Entry.id).label("id"))
    mine = last.where(Entry.receiver_id == member_id).subquery()
    newest_thread = select(func.max(Thread.id)).scalar_subquery()
    *stamp, newest = flushed_rows(
        select(mine, Entry.recorded_at, newest_thread).outerjoin_from(mine, Entry, Entry.id == mine.c.id)
    ).one()
    masked = _of_roles(newest)
    key = (member_id, tuple(stamp), masked, weights, today)
    return _books.get(key, lambda: _read(member_id, weights, today, masked))


def _read(member_id: int, weights: Weights, today: datetime, masked: frozenset[int]) -> Book:
    columns = (*COLUMNS, Entry.giver_id, Entry.post_id, Entry.by_id)
    rows = in_order(flushed_rows(select(*columns).where(Entry.receiver_id == member_id)).all())
    moments = [today - HISTORY_STEP * step for step in range(HISTORY_STEPS, 0, -1)]
    values, account = history_of(member_id, rows, moments, weights_queries.in_force(), weights)
    counted = list(account.in_force)
    openly = [row for row in counted if row.counts is Counts.THANKS and row.rule is not Rule.CONVERSATION]
    answers = [row for row in counted if row.counts is Counts.PARTICIPATION]
    companies, roles = _by_company(openly, weights, masked)
    return Book(
        companies,
        roles,
        _by_month(counted),
        sum(weights.frozen(row.occurred_at) for row in answers),
        Entries(answers),
        _not_counted(rows),
        [(moment, value.helpfulness) for moment, value in zip(moments, values, strict=True)] if rows else [],
        account.settled(),
    )


@dataclass(slots=True)
class _Person:
    """One person's open thanks."""

    first: tuple[datetime, int, str]  # moment, id, company: whoever moves counts where they first thanked
    is_role: bool = False
    member_id: int | None = None
    total: float = 0.0
    accepted: int = 0
    accepted_worth: float = 0.0
    rows: list[Any] = field(default_factory=list)


def _by_company(
    rows: Sequence[Any], weights: Weights, masked: frozenset[int]
) -> "tuple[dict[str, Company], dict[str, array[float]]]":
    gone = _gone_roles(rows)
    people: dict[str, _Person] = {}
    for row in rows:
        stands = (row.occurred_at, row.id, row.giver_company)
        person = people.get(row.giver_key)
        if person is None:
            person = people[row.giver_key] = _Person(stands)
        elif stands < person.first:
            person.first = stands
        worth = weights.frozen(row.occurred_at)
        person.total += worth
        person.rows.append(row)
        if row.giver_id is not None:
            person.member_id = row.giver_id
            person.is_role = person.is_role or row.giver_id in masked
        elif row.id in gone:
            person.is_role = True
        if row.rule is Rule.ACCEPTED:
            person.accepted += 1
            person.accepted_worth += worth
    by_company: dict[str, list[_Person]] = defaultdict(list)
    roles: dict[str, array[float]] = defaultdict(lambda: array("d"))
    for key, person in people.items():
        if keys.is_unknown(key):
            by_company[keys.UNKNOWN].append(person)
        elif person.is_role:
            by_company[ROLES].append(person)
            roles[person.first[2]].append(person.total)
        else:
            by_company[person.first[2]].append(person)
    return {name: _company(of) for name, of in by_company.items()}, dict(roles)


def _company(people: Sequence[_Person]) -> Company:
    totals = array("d", (one.total for one in people))
    known = [one for one in people if one.member_id is not None]
    accepted = [
        (one.member_id or 0, one.accepted, one.accepted_worth) for one in known if one.accepted_worth > 0
    ]
    return Company(
        sum(totals),
        max(totals),
        totals,
        sorted(accepted, key=lambda one: (-one[2], one[0])),
        array("q", sorted(one.member_id or 0 for one in known if not one.accepted)),
        Entries(row for one in people for row in one.rows),
    )


def _of_roles(newest_thread: int | None) -> frozenset[int]:
    """Everybody who appears as a role in some thread: as somebody does from the beginning of a thread on."""

    def find() -> frozenset[int]:
        query = select(Thread.author_id).where(Thread.author_shown_as == ShownAs.ROLE).distinct()
        return frozenset(row[0] for row in flushed_rows(query))

    return _roles.get(newest_thread, find)


def _gone_roles(rows: Sequence[Any]) -> set[int]:
    """Which of these entries are for threads asked as a role by somebody who is gone."""
    posts = {row.post_id: row.id for row in rows if row.giver_id is None and row.rule is Rule.ACCEPTED}
    found: set[int] = set()
    ids = sorted(one for one in posts if one is not None)
    for start in range(0, len(ids), _ONCE):
        asked = select(Post.id).join(Thread, Thread.id == Post.thread_id)
        some = asked.where(Post.id.in_(ids[start : start + _ONCE]), Thread.author_shown_as == ShownAs.ROLE)
        found.update(posts[row.id] for row in flushed_rows(some))
    return found


def _not_counted(rows: Sequence[Any]) -> list[tuple[datetime, int, bool]]:
    """What is damped or shown only; told for ever what members did for the vendor, and what a moderator took
    out. The newest first.
    """
    follows = {(row.rule, row.source, row.turn) for row in rows if row.turn}
    found = []
    for row in rows:
        if row.counts is not Counts.NONE and row.act is not Act.REVERSED:
            continue
        if (row.rule, row.source, row.turn + 1) in follows:
            continue
        taken_out = row.act is Act.REVERSED
        stands_apart = row.by_id is not None if taken_out else row.counts is Counts.NONE
        if stands_apart and row.rule is not Rule.CONVERSATION:
            found.append((row.occurred_at, row.id, taken_out or row.rule is Rule.ENGAGEMENT))
    return sorted(found, reverse=True)


def _by_month(rows: Iterable[Any]) -> list[tuple[datetime, int]]:
    months = Counter(
        row.occurred_at for row in rows if row.rule is Rule.CONVERSATION and row.counts is Counts.THANKS
    )
    return sorted(months.items(), reverse=True)


def _accepted_by(row: Any) -> int:
    return (row.giver_id or 0) if row.rule is Rule.ACCEPTED else 0


def _micro(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
