"""Scores worked out from the ledger itself, as of any moment: for the past, a rebuild, explanations."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select

from portal.advocacy import keys
from portal.advocacy.formula import KEPT_RECENT, YEAR_DAYS, Weights
from portal.advocacy.models import Act, Counts, Entry, Rule
from portal.discussions.models import Post
from portal.kernel.db import flushed_rows

YEAR = timedelta(days=YEAR_DAYS)
COLUMNS = (
    Entry.id,
    Entry.rule,
    Entry.source,
    Entry.turn,
    Entry.act,
    Entry.counts,
    Entry.receiver_id,
    Entry.giver_key,
    Entry.giver_company,
    Entry.occurred_at,
    Entry.at,
)


_OF_PAIR = select(*COLUMNS).where(
    or_(Entry.counts != Counts.NONE, Entry.turn > 0),
    Entry.receiver_id == bindparam("receiver"),
    Entry.giver_key.in_([bindparam("first"), bindparam("second")]),
)


@dataclass(frozen=True, slots=True)
class Value:
    """What a member had at a moment; `companies` thanked within the 365 days before."""

    thanks: float = 0.0
    participation: float = 0.0
    companies: int = 0

    @property
    def helpfulness(self) -> float:
        return self.thanks + self.participation


@dataclass(slots=True)
class _Pair:
    """One person's standing thanks: frozen worth, moment, id and company of each, by source."""

    of: dict[tuple[Rule, str], tuple[float, datetime, int, str]] = field(default_factory=dict)
    _known: tuple[float, tuple[datetime, int, str], datetime] | None = None

    def put(self, key: tuple[Rule, str], worth: float, at: datetime, id_: int, company: str) -> None:
        self.of[key] = (worth, at, id_, company)
        if self._known is not None:
            total, first, last_at = self._known
            first = min(first, (at, id_, company))
            self._known = total + worth, first, max(last_at, at)

    def drop(self, key: tuple[Rule, str]) -> None:
        del self.of[key]
        self._known = None

    @property
    def sums(self) -> tuple[float, str, datetime]:
        """Total, company and last moment. Whoever moves counts where they first thanked.

        Kept until something is taken back: an account is asked for its value at many moments.
        """
        if self._known is None:
            total = sum(one[0] for one in self.of.values())
            first = min(one[1:] for one in self.of.values())
            self._known = total, first, max(one[1] for one in self.of.values())
        total, (_at, _id, company), last_at = self._known
        return total, company, last_at

    @property
    def total(self) -> float:
        return self.sums[0]

    @property
    def company(self) -> str:
        return self.sums[1]

    @property
    def last_at(self) -> datetime:
        return self.sums[2]


@dataclass(slots=True)
class _Company:
    """What the persons of one company gave: each one's total, and all of it added up while it only grows."""

    totals: dict[str, float] = field(default_factory=dict)
    last_at: dict[str, datetime] = field(default_factory=dict)
    total: float = 0.0
    most: float = 0.0
    latest: datetime | None = None
    _has_shrunk: bool = False

    def put(self, person: str, pair: _Pair, grown: float) -> None:
        total, _company, last_at = pair.sums
        self.totals[person], self.last_at[person] = total, last_at
        if not self._has_shrunk:
            self.total += grown
            self.most = max(self.most, total)
            self.latest = last_at if self.latest is None else max(self.latest, last_at)

    def drop(self, person: str) -> None:
        """Added up anew when it is next asked for, so that no remainder of a subtraction stays."""
        del self.totals[person], self.last_at[person]
        self._has_shrunk = True

    def settle(self) -> None:
        if self._has_shrunk:
            self.total, self.most = sum(self.totals.values()), max(self.totals.values(), default=0.0)
            self.latest = max(self.last_at.values(), default=None)
            self._has_shrunk = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What an account comes to at any later moment if nothing is added: sums as of the epoch, no names."""

    companies: "list[tuple[float, float, array[float]]]"  # of each: the sum, the largest total, every total
    unknown: float
    given: float

    def thanks(self, at: datetime, weights: Weights) -> float:
        decay = weights.decay(at)
        counted = sum(company_worth(weights, decay, *company) for company in self.companies)
        return counted + self.unknown * decay

    def participation(self, at: datetime, weights: Weights) -> float:
        return weights.participation(self.given, weights.decay(at))


def company_worth(
    weights: Weights, decay: float, total: float, most: float, totals: Iterable[float]
) -> float:
    """What the persons of one company count; one by one only where one of them is above their limit."""
    return min(weights.company_limit, persons_worth(weights, decay, total, most, totals))


def persons_worth(
    weights: Weights, decay: float, total: float, most: float, totals: Iterable[float]
) -> float:
    """The same before the limit of the company."""
    if most * decay <= weights.person_limit:
        return total * decay
    return sum(min(weights.person_limit, one * decay) for one in totals)


class Account:
    """One member's entries, taken in their order; asked for values in between.

    Persons and companies stand under keyed hashes as soon as one entry has them so.
    """

    def __init__(self, receiver_id: int, weights: Weights, *, hashed: bool) -> None:
        self.receiver_id, self.weights, self.hashed = receiver_id, weights, hashed
        self.pairs: dict[str, _Pair] = {}
        self.unknown = 0.0
        self.unknown_at: list[datetime] = []
        self.given = 0.0
        self._in_force: dict[tuple[Rule, str], Any] = {}
        self._companies: dict[str, _Company] = {}
        self._hidden: dict[str, str] = {}

    @property
    def in_force(self) -> Iterable[Any]:
        """The rows that count."""
        return self._in_force.values()

    def take(self, row: Any) -> None:
        """The next row: it replaces what its source said before."""
        key = (row.rule, row.source)
        before = self._in_force.pop(key, None)
        if before is not None:
            self._drop(before)
        if row.act is not Act.REVERSED and row.counts is not Counts.NONE:
            self._in_force[key] = row
            self._add(row)

    def value(self, at: datetime, weights: Weights | None = None) -> Value:
        weights = weights or self.weights
        decay, since = weights.decay(at), at - YEAR
        thanks, recent = self.unknown * decay, len(self.unknown_at) - bisect_left(self.unknown_at, since)
        for company in self._settled():
            thanks += company_worth(weights, decay, company.total, company.most, company.totals.values())
            recent += company.latest is not None and company.latest > since
        return Value(thanks, weights.participation(self.given, decay), recent)

    def settled(self) -> Settled:
        companies = [
            (one.total, one.most, array("d", one.totals.values())) for one in self._settled() if one.totals
        ]
        return Settled(companies, self.unknown, self.given)

    def recent(self) -> list[datetime]:
        """When the latest companies last thanked, newest first, those of unknown voters included."""
        latest = [one.latest for one in self._settled() if one.latest is not None]
        return sorted([*latest, *self.unknown_at[-KEPT_RECENT:]], reverse=True)[:KEPT_RECENT]

    def _settled(self) -> Iterator[_Company]:
        for company in self._companies.values():
            company.settle()
            if company.totals:
                yield company

    def _add(self, row: Any) -> None:
        worth = self.weights.frozen(row.occurred_at)
        if row.counts is Counts.PARTICIPATION:
            self.given += worth
        elif keys.is_unknown(row.giver_key):
            self.unknown += worth
            insort(self.unknown_at, row.occurred_at)
        else:
            person, company = self._names(row)
            pair = self.pairs.get(person)
            if pair is None:
                pair, before = self.pairs.setdefault(person, _Pair()), company
            else:
                before = pair.company
            pair.put((row.rule, row.source), worth, row.occurred_at, row.id, company)
            grown = worth
            if pair.company != before:  # it came to light that they thanked from elsewhere before
                self._companies[before].drop(person)
                grown = pair.total
            self._companies.setdefault(pair.company, _Company()).put(person, pair, grown)

    def _drop(self, row: Any) -> None:
        worth = self.weights.frozen(row.occurred_at)
        if row.counts is Counts.PARTICIPATION:
            self.given = max(0.0, self.given - worth)
        elif keys.is_unknown(row.giver_key):
            self.unknown = max(0.0, self.unknown - worth)
            self.unknown_at.remove(row.occurred_at)
        else:
            person, _company = self._names(row)
            pair = self.pairs[person]
            self._companies[pair.company].drop(person)
            pair.drop((row.rule, row.source))
            if pair.of:
                self._companies.setdefault(pair.company, _Company()).put(person, pair, pair.total)
            else:
                del self.pairs[person]

    def _names(self, row: Any) -> tuple[str, str]:
        if not self.hashed or row.rule is Rule.CONVERSATION:
            return row.giver_key, row.giver_company
        return self._hide(row.giver_key), self._hide(row.giver_company)

    def _hide(self, key: str) -> str:
        if key not in self._hidden:
            self._hidden[key] = keys.hidden(self.receiver_id, key)
        return self._hidden[key]


def rows_by_receiver(
    where: ColumnElement[bool] | None = None, *, before: datetime | None = None, places: bool = False
) -> Iterator[tuple[int, list[Any]]]:
    """The rows that can count, member by member, each in the order in which they came into force.

    With `places` each says as `thread_id` in which thread its post stands now; None for conversations.
    """
    query: Any = select(*COLUMNS).where(or_(Entry.counts != Counts.NONE, Entry.turn > 0))
    if places:
        thread = func.coalesce(Post.thread_id, Entry.thread_id).label("thread_id")
        query = query.add_columns(thread).outerjoin(Post, Post.id == Entry.post_id)
    if where is not None:
        query = query.where(where)
    if before is not None:
        query = query.where(Entry.at < before)
    query = query.order_by(Entry.receiver_id).execution_options(yield_per=5000)
    for receiver_id, rows in groupby(flushed_rows(query), key=attrgetter("receiver_id")):
        yield receiver_id, in_order(rows)


def rows_of_pair(receiver_id: int, *giver_keys: str) -> list[Any]:
    """The rows of one person towards one member, under at most two keys, in the same order."""
    first, second = (*giver_keys, giver_keys[0])[:2]
    rows = flushed_rows(_OF_PAIR, {"receiver": receiver_id, "first": first, "second": second})
    return in_order(rows)


def account_of(receiver_id: int, rows: Sequence[Any], weights: Weights, *, hashed: bool = False) -> Account:
    """The member's account after all these rows."""
    account = _account(receiver_id, rows, weights, hashed)
    for row in rows:
        account.take(row)
    return account


def values_at(
    receiver_id: int,
    rows: Sequence[Any],
    moments: Sequence[datetime],
    weights_at: Callable[[datetime], Weights],
) -> list[Value]:
    """Values at each of these moments (ascending), each from nothing but what was in force before it."""
    return _follow(receiver_id, rows, moments, weights_at)[0]


def history_of(
    receiver_id: int,
    rows: Sequence[Any],
    moments: Sequence[datetime],
    weights_at: Callable[[datetime], Weights],
    weights: Weights,
) -> tuple[list[Value], Account]:
    """The same, and the account after all these rows."""
    values, account, taken = _follow(receiver_id, rows, moments, weights_at)
    if account is None or account.weights.half_life_days != weights.half_life_days:
        account, taken = _account(receiver_id, rows, weights, False), 0
    for row in rows[taken:]:
        account.take(row)
    return values, account


def _follow(
    receiver_id: int,
    rows: Sequence[Any],
    moments: Sequence[datetime],
    weights_at: Callable[[datetime], Weights],
) -> tuple[list[Value], Account | None, int]:
    """The values, the account as it was last needed, and how many rows it has taken."""
    values: list[Value] = []
    account: Account | None = None
    taken = 0
    for moment in moments:
        weights = weights_at(moment)
        if account is None or account.weights.half_life_days != weights.half_life_days:
            account, taken = _account(receiver_id, rows, weights, False), 0
        while taken < len(rows) and rows[taken].at < moment:
            account.take(rows[taken])
            taken += 1
        values.append(account.value(moment, weights))
    return values, account, taken


def in_order(rows: Iterable[Any]) -> list[Any]:
    """As they came into force."""
    return sorted(rows, key=_order)


def _account(receiver_id: int, rows: Sequence[Any], weights: Weights, hashed: bool) -> Account:
    secret = any(row.rule is Rule.CONVERSATION for row in rows)
    return Account(receiver_id, weights, hashed=hashed or secret)


def _order(row: Any) -> tuple[datetime, int, int]:
    return row.at, row.turn, row.id
