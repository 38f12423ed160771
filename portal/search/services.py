"""Keeping the index: what changed is queued with the change, drained by the worker, rebuilt when damaged."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.kernel import clock, jobs
from portal.kernel.db import db, end_reading, flushed_rows
from portal.kernel.unit_of_work import unit_of_work
from portal.search import sources
from portal.search.engines.base import Document, Engine, Hits, IndexBusy, IndexUnavailable
from portal.search.models import OutboxEntry, Scope
from portal.search.query import Query

JOB = "search index"
CLAIM = timedelta(minutes=3)
LONGEST_SECONDS = 20.0  # of one drain: where people write without pause the worker has other things to do too
BATCH = 500

_engine: list[Engine] = []


def use(engine: Engine) -> None:
    """Have this engine serve from now on; called by `portal.wiring`."""
    _engine[:] = [engine]


def engine() -> Engine:
    """The engine in use."""
    return _engine[0]


def find(query: Query, fill: bool = False) -> Hits:
    """Ids and ranks for a query, see `engines.base.Engine.search`. Raises IndexUnavailable."""
    return engine().search(query, fill)


def queue_posts(ids: Iterable[int]) -> None:
    """Have the index look at these posts again. Inside the unit of work that changed them."""
    _queue(Scope.POST, ids)


def queue_threads(ids: Iterable[int]) -> None:
    """Have the index look at every post of these threads again. Inside a unit of work."""
    _queue(Scope.THREAD, ids)


def waiting() -> int:
    """How many entries the outbox holds."""
    return db.session.execute(select(func.count()).select_from(OutboxEntry)).scalar_one()


def documents_indexed() -> int:
    """How many posts the index holds, by a quick look. Raises IndexUnavailable with a line that says why."""
    return engine().ready()


def drain() -> int:
    """Bring the index up to date; how many entries were done.

    Safe to repeat and to run twice at once: an entry is worked on by one drain at a time, and a change
    meanwhile keeps it. An index that is missing or damaged is rebuilt first.
    """
    done, end, rebuilt = 0, time.monotonic() + LONGEST_SECONDS, False
    try:
        _make_ready()
        while entries := _claim():
            claim, rows = entries
            try:
                _work_on(rows)
            except IndexUnavailable as error:
                _release(claim)
                if isinstance(error, IndexBusy) or rebuilt:
                    raise  # damaged again at once: the next drain, rather than one without end
                rebuild()  # damaged since it was looked at; the rows are still there
                rebuilt = True
                continue
            except BaseException:
                _release(claim)
                raise
            _finish(claim)
            done += len(rows)
            if time.monotonic() > end:
                jobs.wake(JOB)  # the rest
                break
    except IndexBusy:
        return done  # whoever writes now, or the next drain, does the rest
    return done


def _make_ready() -> None:
    try:
        engine().ready()
    except IndexBusy:
        raise
    except IndexUnavailable:
        rebuild()


def rebuild(progress: Callable[[int, int], None] | None = None) -> int:
    """Make the index anew from the database; how many posts it holds.

    The old one serves until the new one is whole, and what changes meanwhile stays queued. `progress` is
    told how many of how many. Raises IndexUnavailable when another process is writing.
    """
    total = sum(source.count() for source in sources.registered())
    tell = (lambda done: progress(done, max(total, done))) if progress else None
    made = engine().rebuild(_everything(), tell)
    end_reading()
    return made


def _everything() -> Iterator[Document]:
    for source in sources.registered():
        yield from source.everything()


def _queue(scope: Scope, ids: Iterable[int]) -> None:
    now = clock.now()
    rows = [
        {"scope": scope, "target_id": id, "queued_at": now, "again": False, "attempts": 0}
        for id in sorted(set(ids))
    ]
    if not rows:
        return
    flushed_rows(_put[db.engine.dialect.name], rows)
    jobs.wake(JOB)


def _putting(dialect: Any) -> Any:
    entry = dialect.insert(OutboxEntry)
    return entry.on_conflict_do_update(
        index_elements=[OutboxEntry.scope, OutboxEntry.target_id],
        set_={"queued_at": entry.excluded.queued_at, "again": OutboxEntry.claim.is_not(None)},
    )


_put = {dialect.dialect.name: _putting(dialect) for dialect in (postgresql, sqlite)}


def _claim() -> tuple[str, list[tuple[Scope, int]]] | None:
    now = clock.now()
    claim = clock.token(12)
    is_free = or_(OutboxEntry.claimed_until.is_(None), OutboxEntry.claimed_until < now)
    if db.session.execute(select(OutboxEntry.target_id).where(is_free).limit(1)).first() is None:
        return None  # SQLite: writers are not held up to find nothing
    with unit_of_work():
        rows = db.session.execute(
            select(OutboxEntry.scope, OutboxEntry.target_id)
            .where(is_free)
            .order_by(OutboxEntry.queued_at, OutboxEntry.scope, OutboxEntry.target_id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for scope in Scope:
            ids = [row.target_id for row in rows if row.scope is scope]
            if ids:
                db.session.execute(
                    update(OutboxEntry)
                    .where(OutboxEntry.scope == scope, OutboxEntry.target_id.in_(ids))
                    .values(
                        claim=claim,
                        claimed_until=now + CLAIM,
                        again=False,
                        attempts=OutboxEntry.attempts + 1,
                    )
                )
    return (claim, [(row.scope, row.target_id) for row in rows]) if rows else None


def _work_on(rows: list[tuple[Scope, int]]) -> None:
    ids = {target for scope, target in rows if scope is Scope.POST}
    threads = [target for scope, target in rows if scope is Scope.THREAD]
    documents: dict[int, Document] = {}
    for source in sources.registered():
        if threads:
            ids.update(source.posts_of(threads))
        documents |= {document.id: document for document in source.documents(sorted(ids))}
    end_reading()  # no transaction is open while the index is written
    engine().update(documents.values(), ids - documents.keys())


def _finish(claim: str) -> None:
    with unit_of_work():
        db.session.execute(
            delete(OutboxEntry).where(OutboxEntry.claim == claim, OutboxEntry.again.is_(False))
        )
        _release(claim)  # what changed meanwhile


def _release(claim: str) -> None:
    with unit_of_work():
        db.session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.claim == claim)
            .values(claim=None, claimed_until=None, again=False)
        )
