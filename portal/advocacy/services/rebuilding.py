"""`portal score rebuild`: the ledger from posts, votes, acceptances, ratings and engagements, then the sums.

In batches, each a transaction of its own: an interrupted run is simply run again, and beside a site that is
in use nothing is lost, since no event writes to the ledger while a batch is compared and written. What is
missing is worked out piece by piece, of a large community in further processes, and written by this one.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from itertools import chain
from typing import Any

from sqlalchemy import func, select

from portal.advocacy.formula import Weights
from portal.advocacy.models import Engagement, Entry, Rule
from portal.advocacy.queries import deeds
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.scopes import Threads
from portal.advocacy.services import sums
from portal.advocacy.services.recording import (
    Source,
    bring_to,
    last_rows,
    last_votes,
    missing,
    standing,
    store,
)
from portal.conversations.models import Rating
from portal.discussions.models import Post, PostKind, Thread
from portal.kernel import clock
from portal.kernel.cores import Run, readers
from portal.kernel.db import db
from portal.kernel.progress import Progress, silent
from portal.kernel.site import SiteSetting
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work
from portal.moderation.models import Flag

_POSTS = 10_000  # numbers of posts in a batch; comments have some too
_THREADS = 5_000
_MEMBERS = 400
_PIECES = 20  # of a batch: while one is written, the next is worked out
_MANY = 100_000  # numbers of posts from which further processes are worth their start
_ONCE = 200

Rows = list[tuple[Any, ...]]  # of the ledger, as the driver takes them


@dataclass
class Rebuilt:
    """What a rebuild did: rows added to the ledger, rows in it, members with entries."""

    added: int = 0
    entries: int = 0
    members: int = 0


def rebuild(progress: Progress = silent, *, weights: Weights | None = None) -> Rebuilt:
    """Bring ledger and sums to what is here. Twice changes nothing the second time.

    Raises concurrent.futures.BrokenExecutor when a process that took part was ended from outside.
    """
    report = Rebuilt()
    _keep_delays()
    with _readers(weights) as run:
        posts = range(_highest(Post.id, Entry.post_id) + 1)
        report.added += _bring(run, _votes, posts, _POSTS, partial(progress, "votes"))
        threads = range(_highest(Thread.id, Entry.thread_id) + 1)
        report.added += _bring(run, _answers, threads, _THREADS, partial(progress, "threads"))
        report.added += _bring(run, _others, range(1), 1)
        report.members = _add_up(run, progress)
    report.entries = db.session.execute(select(func.count()).select_from(Entry)).scalar_one()
    return report


def add_up(progress: Progress = silent) -> int:
    """Make every sum anew from the ledger as it is; gives how many members have entries."""
    with _readers(None) as run:
        return _add_up(run, progress)


def _keep_delays() -> None:
    """Of sites that were imported since the last time: how long acceptances without a date took there."""
    with unit_of_work():
        one_at_a_time(deeds.DELAYS)
        kept, delays = deeds.kept_delays(), deeds.Delays()
        found = {one: delays.worked_out(one) for one in delays.sources() if one not in kept}
        if new := {source: seconds for source, seconds in found.items() if seconds is not None}:
            db.session.merge(SiteSetting(name=deeds.DELAYS, value=kept | new))


def _bring(run: Run, work: Any, whole: range, size: int, told: Any = lambda _done, _of: None) -> int:
    added = 0
    for batch in _parts(whole, size):
        with unit_of_work():
            one_at_a_time(sums.NUMBERS)  # events wait until this batch is stored, and then see it
            added += sum(map(store, run(work, _pieces(batch))))
        told(batch.stop, whole.stop)
    return added


def _add_up(run: Run, progress: Progress) -> int:
    query = select(Entry.receiver_id).distinct().order_by(Entry.receiver_id)
    ids = list(db.session.execute(query).scalars())
    with unit_of_work():
        sums.clear_others()
    for batch in _parts(range(len(ids)), _MEMBERS):
        some = ids[batch.start : batch.stop]
        with unit_of_work():
            sums.lock(some)
            sums.clear(some)
            now = clock.now()
            for made in run(_sums, [(ids[one.start : one.stop], now) for one in _pieces(batch)]):
                sums.store(made)
        progress("members", batch.stop, len(ids))
    return len(ids)


def _readers(weights: Weights | None) -> AbstractContextManager[Run]:
    make = partial(_Known, weights or weights_queries.current())
    return readers(make, beside=_highest(Post.id) >= _MANY)


class _Known:
    """What all of a rebuild needs to know, read once in each process that takes part."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.delays = deeds.Delays(anew=True)

    @cached_property
    def people(self) -> deeds.People:
        people = deeds.People()
        people.load_all()
        return people

    @cached_property
    def threads(self) -> Threads:
        threads = Threads()
        threads.load_all()
        return threads


# What stands in the ledger is looked at and what is missing there worked out; each reads only.


def _votes(known: _Known, posts: range) -> Rows:
    last = _last(Entry.post_id, posts, Rule.VOTE)
    here = (Post.id >= posts.start) & (Post.id < posts.stop)
    return missing(deeds.votes(here, known.people, standing(last), known.weights), last)


def _answers(known: _Known, threads: range) -> Rows:
    last = _last(Entry.thread_id, threads, Rule.ACCEPTED, Rule.FIRST_ANSWER)
    here = (Thread.id >= threads.start) & (Thread.id < threads.stop)
    before = standing(last)
    accepted = deeds.acceptances(here, known.people, before, known.delays)
    return missing(chain(accepted, deeds.first_answers(here, known.people, before)), last)


def _last(column: Any, part: range, *rules: Rule) -> dict[Source, Any]:
    """The rows that rule. Asked for by rule as well, SQLite would read all of the rule for each part."""
    rows = last_rows((column >= part.start) & (column < part.stop))
    return {source: row for source, row in rows.items() if row.rule in rules}


def _others(known: _Known, _all: range) -> Rows:
    last = last_rows(Entry.rule == Rule.CONVERSATION)
    wanted = deeds.ratings(Rating.useful.is_(True), known.people, standing(last))
    ratings = missing(wanted, last, reverse_others=False)
    last = last_rows(Entry.rule == Rule.FLAG_UPHELD)
    flags = missing(deeds.upheld_flags(Flag.id > 0, known.people), last)
    last = last_rows(Entry.rule == Rule.ENGAGEMENT)
    return ratings + flags + missing(deeds.engagements(Engagement.id > 0), last)


def _sums(known: _Known, piece: tuple[Sequence[int], datetime]) -> sums.Made:
    ids, now = piece
    return sums.made_of(ids, known.weights, known.threads, now)


def follow(last: int, weights: Weights) -> None:
    """Bring what came into the ledger after this row to these numbers, votes and sums. In a unit of work."""
    query = select(Entry.rule, Entry.post_id, Entry.receiver_id).where(Entry.id > last)
    rows = db.session.execute(query).all()
    sums.lock(row.receiver_id for row in rows)
    voted = sorted({row.post_id for row in rows if row.rule is Rule.VOTE and row.post_id})
    for start in range(0, len(voted), _ONCE):
        some = voted[start : start + _ONCE]
        before = last_votes(some)
        bring_to(deeds.votes(some, deeds.People(), standing(before), weights), before)
    receivers = sorted({row.receiver_id for row in rows})
    for start in range(0, len(receivers), _ONCE):
        sums.renew(receivers[start : start + _ONCE], weights)


def is_missing() -> bool:
    """Whether there are answers and no ledger at all: a site from before there was one."""
    answered = select(Post.id).where(Post.kind == PostKind.ANSWER).limit(1)
    return (
        db.session.execute(select(Entry.id).limit(1)).first() is None
        and db.session.execute(answered).first() is not None
    )


def _parts(whole: range, size: int) -> Iterator[range]:
    for start in range(whole.start, whole.stop, size):
        yield range(start, min(start + size, whole.stop))


def _pieces(batch: range) -> Iterator[range]:
    return _parts(batch, max(1, len(batch) // _PIECES))


def _highest(*columns: Any) -> int:
    return max(db.session.execute(select(func.max(column))).scalar() or 0 for column in columns)
