"""`portal score rebuild`: the ledger from posts, votes, acceptances and ratings, the sums from the ledger.

In batches, each a transaction of its own: an interrupted run is simply run again, and beside a site that is
in use nothing is lost, since each batch compares and writes under the same lock as an event does.
"""

from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import func, select

from portal.advocacy.formula import Weights
from portal.advocacy.models import Entry, Rule
from portal.advocacy.queries import deeds
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.services import sums
from portal.advocacy.services.recording import bring_to, last_rows, last_votes, standing
from portal.conversations.models import Rating
from portal.discussions.models import Post, PostKind, Thread
from portal.kernel.db import db
from portal.kernel.progress import Progress, silent
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work
from portal.moderation.models import Flag

_POSTS = 20_000  # numbers of posts in a batch; comments have some too
_THREADS = 5_000
_ONCE = 200
_OF_THREADS = (Rule.ACCEPTED, Rule.FIRST_ANSWER)


@dataclass
class Rebuilt:
    """What a rebuild did: rows added to the ledger, rows in it, members with entries."""

    added: int = 0
    entries: int = 0
    members: int = 0


def rebuild(progress: Progress = silent, *, weights: Weights | None = None) -> Rebuilt:
    """Bring ledger and sums to what is here. Twice changes nothing the second time."""
    people = deeds.People()
    people.load_all()
    delays = deeds.Delays(anew=True)
    weights = weights or weights_queries.current()
    report = Rebuilt()
    last_post = _highest(Post.id, Entry.post_id)
    for start in range(0, last_post + 1, _POSTS):
        end = start + _POSTS
        with unit_of_work():
            _alone()
            last = last_rows((Entry.rule == Rule.VOTE) & (Entry.post_id >= start) & (Entry.post_id < end))
            wanted = deeds.votes((Post.id >= start) & (Post.id < end), people, standing(last), weights)
            report.added += len(bring_to(wanted, last))
        progress("votes", min(end, last_post), last_post)
    last_thread = _highest(Thread.id, Entry.thread_id)
    for start in range(0, last_thread + 1, _THREADS):
        end = start + _THREADS
        with unit_of_work():
            _alone()
            last = last_rows(
                Entry.rule.in_(_OF_THREADS) & (Entry.thread_id >= start) & (Entry.thread_id < end)
            )
            part = (Thread.id >= start) & (Thread.id < end)
            known = standing(last)
            wanted = chain(
                deeds.acceptances(part, people, known, delays), deeds.first_answers(part, people, known)
            )
            report.added += len(bring_to(wanted, last))
        progress("threads", min(end, last_thread), last_thread)
    with unit_of_work():
        _alone()
        last = last_rows(Entry.rule == Rule.CONVERSATION)
        wanted = deeds.ratings(Rating.useful.is_(True), people, standing(last))
        report.added += len(bring_to(wanted, last, reverse_others=False))
        last = last_rows(Entry.rule == Rule.FLAG_UPHELD)
        report.added += len(bring_to(deeds.upheld_flags(Flag.id > 0, people), last))
    report.members = sums.rebuild(lambda done, of: progress("members", done, of), weights=weights)
    report.entries = db.session.execute(select(func.count()).select_from(Entry)).scalar_one()
    return report


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


def _alone() -> None:
    one_at_a_time("score:rebuild")


def _highest(*columns: Any) -> int:
    return max(db.session.execute(select(func.max(column))).scalar() or 0 for column in columns)
