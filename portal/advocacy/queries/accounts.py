"""Scores worked out from the ledger itself, as of any moment: for the past, a rebuild, explanations."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
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
        companies: dict[str, list[float]] = {}
        latest: dict[str, datetime] = {}
        for pair in self.pairs.values():
            total, company, last_at = pair.sums
            if company in companies:
                companies[company].append(total)
                latest[company] = max(last_at, latest[company])
            else:
                companies[company], latest[company] = [total], last_at
        thanks = sum(weights.as_of_company(totals, decay) for totals in companies.values())
        recent = sum(moment > since for moment in latest.values())
        recent += len(self.unknown_at) - bisect_left(self.unknown_at, since)
        return Value(thanks + self.unknown * decay, weights.participation(self.given, decay), recent)

    def recent(self) -> list[datetime]:
        """When the latest companies last thanked, newest first, those of unknown voters included."""
        latest: dict[str, datetime] = {}
        for pair in self.pairs.values():
            latest[pair.company] = max(pair.last_at, latest.get(pair.company, pair.last_at))
        return sorted([*latest.values(), *self.unknown_at[-KEPT_RECENT:]], reverse=True)[:KEPT_RECENT]

    def _add(self, row: Any) -> None:
        worth = self.weights.frozen(row.occurred_at)
        if row.counts is Counts.PARTICIPATION:
            self.given += worth
        elif keys.is_unknown(row.giver_key):
            self.unknown += worth
            insort(self.unknown_at, row.occurred_at)
        else:
            person, company = self._names(row)
            pair = self.pairs.setdefault(person, _Pair())
            pair.put((row.rule, row.source), worth, row.occurred_at, row.id, company)

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
            pair.drop((row.rule, row.source))
            if not pair.of:
                del self.pairs[person]

    def _names(self, row: Any) -> tuple[str, str]:
        if not self.hashed or row.rule is Rule.CONVERSATION:
            return row.giver_key, row.giver_company
        return keys.hidden(self.receiver_id, row.giver_key), keys.hidden(self.receiver_id, row.giver_company)


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
        yield receiver_id, sorted(rows, key=_order)


def rows_of_pair(receiver_id: int, *giver_keys: str) -> list[Any]:
    """The rows of one person towards one member, under at most two keys, in the same order."""
    first, second = (*giver_keys, giver_keys[0])[:2]
    rows = flushed_rows(_OF_PAIR, {"receiver": receiver_id, "first": first, "second": second})
    return sorted(rows, key=_order)


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
    return values


def _account(receiver_id: int, rows: Sequence[Any], weights: Weights, hashed: bool) -> Account:
    secret = any(row.rule is Rule.CONVERSATION for row in rows)
    return Account(receiver_id, weights, hashed=hashed or secret)


def _order(row: Any) -> tuple[datetime, int, int]:
    return row.at, row.turn, row.id
