"""The sums by product and tag follow the ledger: an event only marks them, a job counts them again.

So one event stays cheap however much its receiver has done, and a row that is marked is worked out from the
ledger wherever somebody reads it before the job comes by.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.advocacy.formula import Weights
from portal.advocacy.models import Counts, Entry, ScopeScore
from portal.advocacy.queries import scopes
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.scopes import Threads
from portal.advocacy.queries.tallies import SUMS, Item, items_of, sums_of
from portal.discussions.models import Post, ThreadTag
from portal.kernel import clock, jobs
from portal.kernel.bulk import insert_rows
from portal.kernel.db import db, flushed_rows
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work

RENEW_JOB = "renew scores by product and tag"
COLUMNS = ("scope", "receiver_id", *SUMS)


def marks(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """What marks whom these rows of the ledger are about, for `or_mark`; the job is woken for them."""
    about = (
        row.receiver_id
        for row in rows
        if row.post_id is not None and (row.counts is not Counts.NONE or row.turn)
    )
    return _marks(about)


def note_thread(thread_id: int) -> None:
    """A thread is filed under other tags, or has other posts: whoever helped in it is counted again."""
    mark(scopes.receivers_in(thread_id))


def note_products(product_ids: Collection[int]) -> None:
    """Other tags belong to these products now. Inside a unit of work."""
    for product_id in sorted(product_ids):
        scope = scopes.product_scope(product_id)
        before = select(ScopeScore.receiver_id).where(ScopeScore.scope == scope)
        now = select(Entry.receiver_id).where(scopes.entries_in(scope), Entry.counts != Counts.NONE)
        mark(db.session.execute(before.union(now)).scalars())


def mark(receiver_ids: Iterable[int]) -> None:
    """Have the scopes of these members counted again. Inside a unit of work."""
    if rows := _marks(receiver_ids):
        flushed_rows(_marking(db.engine.dialect.name), rows)


def _marks(receiver_ids: Iterable[int]) -> list[dict[str, Any]]:
    now = clock.now()
    zero = {"fixed": 0.0, "falling": 0.0, "unknown": 0.0, "given": 0.0, "changes_at": now, "recent": []}
    rows = [{"scope": scopes.MARK, "receiver_id": one, **zero} for one in sorted(set(receiver_ids))]
    if rows:
        jobs.wake(RENEW_JOB)
    return rows


@cache
def _marking(dialect_name: str) -> Any:
    dialect: Any = postgresql if dialect_name == "postgresql" else sqlite
    return or_mark(dialect.insert(ScopeScore.__table__))


def or_mark(insert: Any) -> Any:
    """The insert of a mark; where there is one already it is marked anew.

    An update and not nothing: it waits for a job that is about to take the mark away.
    """
    table: Any = ScopeScore.__table__
    return insert.on_conflict_do_update(
        index_elements=[table.c.scope, table.c.receiver_id],
        set_={"changes_at": insert.excluded.changes_at},
    )


def renew_due(most: int = 200) -> int:
    """Count again whoever is marked, or has a limit that ceased to bind; gives how many members.

    Nobody while other numbers wait to be applied, as with the other sums.
    """
    if weights_queries.waiting():
        return 0
    due = list(
        db.session.execute(
            select(ScopeScore.receiver_id)
            .where(ScopeScore.changes_at <= clock.now())
            .group_by(ScopeScore.receiver_id)
            .order_by(func.min(ScopeScore.changes_at), ScopeScore.receiver_id)
            .limit(most)
        ).scalars()
    )
    for receiver_id in due:
        with unit_of_work():
            one_at_a_time(f"score:{receiver_id}")
            _renew(receiver_id)
    if len(due) == most:
        jobs.wake(RENEW_JOB)
    return len(due)


def is_missing() -> bool:
    """Whether there are entries in tagged threads and no sum by scope: a ledger from before them."""
    tagged = select(Entry.id).join(Post, Post.id == Entry.post_id)
    tagged = tagged.join(ThreadTag, ThreadTag.thread_id == Post.thread_id).limit(1)
    return (
        db.session.execute(select(ScopeScore.scope).limit(1)).first() is None
        and db.session.execute(tagged).first() is not None
    )


def made_of(
    receiver_id: int, items: Iterable[Item], threads: Threads, weights: Weights, now: datetime
) -> list[tuple[Any, ...]]:
    """The rows of a member's scopes, in the order of `COLUMNS`."""
    return [
        (scope, receiver_id, *sums_of(some, weights, now))
        for scope, some in scopes.rows_by_scope(items, threads).items()
    ]


def _renew(receiver_id: int) -> None:
    weights, now = weights_queries.current(), clock.now()
    threads = Threads()
    found: list[tuple[Any, ...]] = []
    for _receiver, items in items_of([receiver_id], weights):
        threads.load(item.thread_id for item in items)
        found = made_of(receiver_id, items, threads, weights, now)
    db.session.execute(delete(ScopeScore).where(ScopeScore.receiver_id == receiver_id))
    table: Any = ScopeScore.__table__
    insert_rows(table, COLUMNS, found)
