"""Helpfulness within one product or one tag: the same formula over the threads that are about it.

A thread is about a product when it has one of the product's tags, or when its ask considers
the product. A thread may be about several, so scopes do not add up to the whole; and each keeps the bounds of
the whole by itself: one per person, three per company, five for answering. Conversations belong to no thread
and count in the whole only. Scopes are written `p<product>` and `t<tag>`.
"""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, func, or_, select

from portal.advocacy.formula import Weights
from portal.advocacy.models import Entry, ScopeScore
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import YEAR, Value, rows_by_receiver, values_at
from portal.advocacy.queries.standing import companies_since, number_now, shown_members
from portal.asks.models import Ask
from portal.discussions.models import Post, Tag, Thread, ThreadTag
from portal.kernel import clock
from portal.kernel.db import db, rows_of
from portal.kernel.page_cache import Dear
from portal.members.models import Member, Product

PRODUCT, TAG = "p", "t"
MARK = ""  # the scope of a row that says: count this member's scopes again
SMALLEST = 0.05  # points; a scope with less is not listed
MOST_TAGS = 30
AFTER = timedelta(microseconds=1)  # what happened at this moment counts now
_ONCE = 500


def product_scope(product_id: int) -> str:
    return f"{PRODUCT}{product_id}"


def tag_scope(tag_id: int) -> str:
    return f"{TAG}{tag_id}"


def number_of(scope: str) -> int:
    """The id of the product or tag; 0 for what is no scope."""
    return int(scope[1:]) if scope[:1] in (PRODUCT, TAG) and scope[1:].isdecimal() and len(scope) < 11 else 0


def find_product(name: str) -> str:
    """The scope of the product of this name, "" where there is none."""
    number = db.session.execute(select(Product.id).where(func.lower(Product.name) == name.lower())).scalar()
    return product_scope(number) if number else ""


def find_tag(name: str) -> str:
    """The scope of this tag, "" where there is none."""
    number = db.session.execute(select(Tag.id).where(Tag.name == name.lower())).scalar()
    return tag_scope(number) if number else ""


@dataclass(frozen=True, slots=True)
class Part:
    """What a member has within one scope. `place` among `of` members with a score there, where looked up."""

    scope: str
    name: str
    value: Value
    place: int = 0
    of: int = 0

    @property
    def is_product(self) -> bool:
        return self.scope.startswith(PRODUCT)


class Threads:
    """Which scopes threads belong to, as they are filed now; looked up when first needed."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # of the scopes that were come across
        self._scopes: dict[int, tuple[str, ...]] = {}
        self._by_tag: dict[str, list[int]] | None = None

    def load(self, thread_ids: Iterable[int | None]) -> None:
        """Three statements for each 500 threads that are not known yet."""
        missing = sorted({one for one in thread_ids if one is not None} - self._scopes.keys())
        for start in range(0, len(missing), _ONCE):
            some = missing[start : start + _ONCE]
            self._keep(some, ThreadTag.thread_id.in_(some), Ask.thread_id.in_(some))

    def load_of(self, receiver_id: int) -> None:
        """Three statements for all that one member has entries in, however many."""
        places = select(func.coalesce(Post.thread_id, Entry.thread_id)).select_from(Entry)
        mine = places.outerjoin(Post, Post.id == Entry.post_id).where(Entry.receiver_id == receiver_id)
        self._keep([], ThreadTag.thread_id.in_(mine), Ask.thread_id.in_(mine))

    def load_all(self) -> None:
        """Every thread, for a rebuild."""
        self._keep([], ThreadTag.thread_id.is_not(None), Ask.thread_id.is_not(None))

    def __call__(self, thread_id: int | None) -> tuple[str, ...]:
        return self._scopes.get(thread_id, ()) if thread_id is not None else ()

    def _keep(self, ids: Sequence[int], tagged: ColumnElement[bool], asked: ColumnElement[bool]) -> None:
        if self._by_tag is None:
            self._by_tag = defaultdict(list)
            for product in db.session.execute(select(Product)).scalars():
                self.names[product_scope(product.id)] = product.name
                for name in product.tag_names:
                    self._by_tag[name].append(product.id)
        found: dict[int, set[str]] = defaultdict(set)
        tags = select(ThreadTag.thread_id, Tag.id, Tag.name).join(Tag, Tag.id == ThreadTag.tag_id)
        for thread_id, tag_id, name in db.session.execute(tags.where(tagged)):
            found[thread_id].add(tag_scope(tag_id))
            self.names[tag_scope(tag_id)] = name
            found[thread_id].update(product_scope(one) for one in self._by_tag.get(name, ()))
        for asked_in, products in db.session.execute(select(Ask.thread_id, Ask.product_ids).where(asked)):
            found[asked_in or 0].update(product_scope(one) for one in products)
        self._scopes |= dict.fromkeys(ids, ()) | {one: tuple(sorted(of)) for one, of in found.items()}


def thread_ids_in(scope: str) -> Any:
    """SQL: the ids of the threads that are about it."""
    number = number_of(scope)
    if scope.startswith(TAG):
        return select(ThreadTag.thread_id).where(ThreadTag.tag_id == number)
    product = db.session.get(Product, number)
    names = product.tag_names if product is not None else []
    tagged = select(ThreadTag.thread_id).join(Tag, Tag.id == ThreadTag.tag_id).where(Tag.name.in_(names))
    plain = func.replace(func.replace(cast(Ask.product_ids, String), " ", ""), "[", ",")
    listed = func.replace(plain, "]", ",").contains(f",{number},", autoescape=True)
    return tagged.union(select(Ask.thread_id).where(Ask.thread_id.is_not(None), listed))


def entries_in(scope: str) -> ColumnElement[bool]:
    """SQL about Entry: its post stands in a thread that is about this."""
    return Entry.post_id.in_(select(Post.id).where(Post.thread_id.in_(thread_ids_in(scope))))


def in_scope(scope: str, member_ids: Collection[int] | None, at: datetime | None = None) -> dict[int, Value]:
    """Helpfulness within a scope as of a moment, from the ledger alone; of these members, or of everybody."""
    where = entries_in(scope)
    if member_ids is not None:
        where &= Entry.receiver_id.in_(sorted(member_ids))
    moment = at or clock.now() + AFTER
    weights_at = weights_queries.in_force()
    found = {}
    for receiver_id, rows in rows_by_receiver(where, before=moment):
        value = values_at(receiver_id, rows, [moment], weights_at)[0]
        if value.helpfulness > 0:
            found[receiver_id] = value
    return found


def rows_by_scope(rows: Iterable[Any], threads: Threads) -> dict[str, list[Any]]:
    """A member's rows, read with their places, for each scope that they fall into."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        for scope in threads(row.thread_id):
            found[scope].append(row)
    return found


def parts_of(member_id: int, at: datetime | None = None) -> list[Part]:
    """What one member has within each product and tag: products, then tags, the highest first; exact."""
    moment = at or clock.now() + AFTER
    weights = weights_queries.in_force()(moment)
    threads = Threads()
    threads.load_of(member_id)
    for _receiver, rows in rows_by_receiver(Entry.receiver_id == member_id, before=moment, places=True):
        values = {
            scope: values_at(member_id, some, [moment], lambda _at: weights)[0]
            for scope, some in rows_by_scope(rows, threads).items()
        }
        named = [scope for scope in _listed(values) if scope in threads.names]
        return [Part(scope, threads.names[scope], values[scope]) for scope in named[:MOST_TAGS]]
    return []


def parts_now(member_id: int) -> list[Part]:
    """The same now, from the sums; from the ledger only where something happened since they were counted."""
    now, weights = clock.now(), weights_queries.current()
    rows = db.session.execute(select(ScopeScore).where(ScopeScore.receiver_id == member_id)).scalars().all()
    if any(row.changes_at is not None and row.changes_at <= now for row in rows):
        return parts_of(member_id)
    values = {row.scope: _value(row, weights, now) for row in rows}
    listed = _listed(values)
    names = names_of(listed)
    return [Part(one, names[one], values[one]) for one in listed if one in names][:MOST_TAGS]


def _listed(values: dict[str, Value]) -> list[str]:
    """Products, then tags, the highest first."""
    listed = [scope for scope, value in values.items() if value.helpfulness >= SMALLEST]
    return sorted(listed, key=lambda one: (one[0] != PRODUCT, -values[one].helpfulness, number_of(one)))


def highest_of(member_id: int, most: int) -> list[Part]:
    """Where one member helps most, for a line of facts: from the sums, without who opted out."""
    now = clock.now()
    weights = weights_queries.current()
    number = number_now(weights, now, of=ScopeScore)
    rows = (
        db.session.execute(
            select(ScopeScore)
            .join(Member, Member.id == ScopeScore.receiver_id)
            .where(
                ScopeScore.receiver_id == member_id,
                ScopeScore.scope != MARK,
                number >= SMALLEST,
                shown_members(),
            )
            .order_by(number.desc(), ScopeScore.scope)
            .limit(most)
        )
        .scalars()
        .all()
    )
    names = names_of([row.scope for row in rows])
    return [
        Part(row.scope, names[row.scope], _value(row, weights, now)) for row in rows if row.scope in names
    ]


def with_places(member_id: int, parts: Sequence[Part]) -> list[Part]:
    """The same with the member's place among those with a score in each scope.

    Where there are many to count, the others' numbers hold for some seconds; the member's own never.
    """
    now, weights = clock.now(), weights_queries.current()
    wanted = [part.scope for part in parts]
    products = tuple(one for one in wanted if one.startswith(PRODUCT))
    tags = tuple(one for one in wanted if not one.startswith(PRODUCT))
    found: dict[str, _Others] = {}
    for some in filter(None, (products, tags)):
        made_at, others = _others.get((some, weights), partial(_count, some, weights, now))
        since = weights.decay(now) / weights.decay(made_at)
        found |= {scope: replace(one, since=since) for scope, one in others.items()}
    return [
        Part(part.scope, part.name, part.value, *found.get(part.scope, _NOBODY).place(member_id, part.value))
        for part in parts
    ]


@dataclass(frozen=True, slots=True)
class _Others:
    """Everybody with a score within one scope, the lowest first, and by how much all of it faded since."""

    ids: "array[int]"
    numbers: "array[float]"
    since: float = 1.0

    def place(self, member_id: int, value: Value) -> tuple[int, int]:
        """The member's place, and among how many."""
        least = (value.helpfulness + 1e-9) / self.since
        above, everybody = len(self.ids) - bisect_right(self.numbers, least), len(self.ids)
        if member_id in self.ids:  # as they were counted then
            above -= self.numbers[self.ids.index(member_id)] > least
            everybody -= 1
        return 1 + above, 1 + everybody


_NOBODY = _Others(array("q"), array("d"))
_others: Dear[tuple[datetime, dict[str, _Others]]] = Dear(most=16, least=0.1)


def _count(scopes: Collection[str], weights: Weights, now: datetime) -> tuple[datetime, dict[str, _Others]]:
    number = number_now(weights, now, of=ScopeScore)
    # Few are not shown, so that the others need not be looked up one by one.
    not_shown = select(Member.id).where(case((shown_members(), 0), else_=1) == 1)
    rows = rows_of(
        select(ScopeScore.scope, ScopeScore.receiver_id, number)
        .where(ScopeScore.scope.in_(scopes), number > 0, ScopeScore.receiver_id.not_in(not_shown))
        .order_by(number)
    )
    found: dict[str, _Others] = defaultdict(lambda: _Others(array("q"), array("d")))
    for scope, receiver_id, value in rows:
        one = found[scope]
        one.ids.append(receiver_id)
        one.numbers.append(value)
    return now, dict(found)


def names_of(scopes: Iterable[str]) -> dict[str, str]:
    """What products and tags are called; those that are gone are left out."""
    wanted = list(scopes)
    found: dict[str, str] = {}
    for kind, model in ((PRODUCT, Product), (TAG, Tag)):
        ids = [number_of(one) for one in wanted if one.startswith(kind)]
        if ids:
            plain: Any = model
            rows = db.session.execute(select(plain.id, plain.name).where(plain.id.in_(ids)))
            found |= {f"{kind}{row.id}": row.name for row in rows}
    return found


def frequent_tags() -> list[tuple[str, str]]:
    """Scope and name of the tags with most threads."""
    rows = db.session.execute(
        select(Tag.id, Tag.name)
        .where(Tag.threads_count > 0)
        .order_by(Tag.threads_count.desc(), Tag.id)
        .limit(MOST_TAGS)
    )
    return [(tag_scope(row.id), row.name) for row in rows]


def values_now(scope: str, member_ids: Collection[int]) -> dict[int, Value]:
    """Of these members within a scope, from the sums; where something happened since, from the ledger."""
    now = clock.now()
    weights = weights_queries.current()
    found: dict[int, Value] = {}
    due: list[int] = []
    ids = sorted(set(member_ids))
    for start in range(0, len(ids), _ONCE):
        some = ids[start : start + _ONCE]
        of_scope = or_(ScopeScore.scope == scope, ScopeScore.scope == MARK)
        for row in db.session.execute(
            select(ScopeScore).where(of_scope, ScopeScore.receiver_id.in_(some))
        ).scalars():
            if row.scope == MARK or (row.changes_at is not None and row.changes_at <= now):
                due.append(row.receiver_id)
            else:
                found[row.receiver_id] = _value(row, weights, now)
    for start in range(0, len(due), _ONCE):
        found |= in_scope(scope, due[start : start + _ONCE])
    return {one: value for one, value in found.items() if value.helpfulness > 0}


def _value(row: ScopeScore, weights: Weights, now: datetime) -> Value:
    decay = weights.decay(now)
    companies = companies_since(row.recent, now - YEAR)
    thanks = row.fixed + (row.falling + row.unknown) * decay
    return Value(thanks, weights.participation(row.given, decay), companies)


def receivers_in(thread_id: int) -> list[int]:
    """Who has entries for posts that stand in this thread."""
    posts = select(Post.id).join(Thread, Thread.id == Post.thread_id).where(Thread.id == thread_id)
    rows = db.session.execute(select(Entry.receiver_id).where(Entry.post_id.in_(posts)).distinct())
    return list(rows.scalars())
