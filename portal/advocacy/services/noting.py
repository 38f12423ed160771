"""What happened just now, brought to the ledger and the sums in the transaction of the event."""

from collections.abc import Collection, Iterable
from itertools import chain

from sqlalchemy import ColumnElement, and_, bindparam, or_, select

from portal.advocacy import keys
from portal.advocacy.models import Engagement, Entry, Rule
from portal.advocacy.queries import deeds
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.deeds import Delays, People
from portal.advocacy.services.recording import bring_to, last_rows, last_votes, standing
from portal.advocacy.services.sums import fold, lock
from portal.conversations.models import Rating
from portal.discussions.models import Post, PostKind, PostState, Thread
from portal.kernel.db import db, flushed_rows
from portal.moderation.models import Flag

_ONCE = 400
_POST = select(Post.kind, Post.thread_id, Post.author_id, Post.votes_count, Post.score).where(
    Post.id == bindparam("post")
)
_FIRST_ANSWER = (
    select(Post.id)
    .where(
        Post.thread_id == bindparam("thread"),
        Post.author_id == bindparam("author"),
        Post.kind == PostKind.ANSWER,
        Post.state == PostState.VISIBLE,
    )
    .order_by(Post.created_at, Post.id)
    .limit(1)
)
_AUTHORS = select(Post.author_id).where(Post.id.in_(bindparam("posts", expanding=True)))


def note_votes(post_ids: Collection[int], author_ids: Collection[int] | None = None) -> None:
    """The votes on these posts are what they are now. Inside a unit of work.

    Whose posts they are is looked up where it is not given.
    """
    people = People()
    for some in _chunks(post_ids):
        lock(author_ids or [row.author_id for row in flushed_rows(_AUTHORS, {"posts": some})])
        weights = weights_queries.current()
        last = last_votes(some)
        fold(bring_to(deeds.votes(some, people, standing(last), weights), last), weights)


def note_acceptance(thread_id: int) -> None:
    """The accepted answer of this thread, or none, is what it is now. Inside a unit of work."""
    _lock_authors(thread_id)
    last = last_rows((Entry.rule == Rule.ACCEPTED) & (Entry.thread_id == thread_id))
    wanted = deeds.acceptances(Thread.id == thread_id, People(), standing(last), Delays())
    fold(bring_to(wanted, last))


def note_post(post_id: int) -> None:
    """A post came, went or returned. Inside a unit of work."""
    post = flushed_rows(_POST, {"post": post_id}).one_or_none()
    if post is None or post.kind is PostKind.COMMENT:
        return
    if post.kind is PostKind.OPENING:
        note_thread(post.thread_id)
        return
    if post.kind is PostKind.ANSWER:
        source = f"{post.thread_id}:{post.author_id}"
        lock([post.author_id])
        last = last_rows((Entry.rule == Rule.FIRST_ANSWER) & (Entry.source == source))
        # Of somebody's many answers to one question no more than the first is read.
        first = _FIRST_ANSWER.params(thread=post.thread_id, author=post.author_id).scalar_subquery()
        of_author = and_(Thread.id == post.thread_id, Post.id == first)
        fold(bring_to(deeds.first_answers(of_author, People(), standing(last)), last))
    if post.votes_count or post.score:
        note_votes([post_id], [post.author_id])


def note_thread(thread_id: int) -> None:
    """A whole thread came, went, was split or merged. Inside a unit of work."""
    people, delays = People(), Delays()
    _lock_authors(thread_id)
    last = last_rows(Entry.rule.in_([Rule.ACCEPTED, Rule.FIRST_ANSWER]) & (Entry.thread_id == thread_id))
    known, here = standing(last), Thread.id == thread_id
    wanted = chain(deeds.acceptances(here, people, known, delays), deeds.first_answers(here, people, known))
    fold(bring_to(wanted, last))
    voted = db.session.execute(
        select(Post.id).where(
            Post.thread_id == thread_id,
            Post.kind != PostKind.COMMENT,
            or_(Post.votes_count > 0, Post.score != 0),
        )
    ).scalars()
    note_votes(list(voted))


def note_rating(conversation_id: str, by_id: int, about_id: int) -> None:
    """What one side says of a conversation is what it is now. Inside a unit of work."""
    lock([about_id])
    source = keys.hidden_source(f"{conversation_id}:{by_id}")
    last = last_rows((Entry.rule == Rule.CONVERSATION) & (Entry.source == source))
    about = and_(Rating.conversation_id == conversation_id, Rating.by_id == by_id)
    fold(bring_to(deeds.ratings(about, People(), standing(last)), last))


def note_flags(case_id: int) -> None:
    """The reports of a case were decided, or the decision was undone. Inside a unit of work."""
    posts = list(db.session.execute(select(Flag.post_id).where(Flag.case_id == case_id)).scalars())
    if posts:
        last = last_rows((Entry.rule == Rule.FLAG_UPHELD) & Entry.post_id.in_(posts))
        fold(bring_to(deeds.upheld_flags(Flag.post_id.in_(posts), People()), last))


def note_engagements(member_id: int, engagement_ids: Collection[int]) -> None:
    """These engagements of a member were recorded, taken back or removed. Inside a unit of work."""
    lock([member_id])
    for some in _chunks(engagement_ids):
        sources = [str(one) for one in some]
        last = last_rows((Entry.rule == Rule.ENGAGEMENT) & Entry.source.in_(sources))
        fold(bring_to(deeds.engagements(Engagement.id.in_(some)), last))


def note_company(member_id: int) -> None:
    """Somebody's company became known or was taken back: what was uncertain in the ledger follows.

    Entries under a confirmed company stay under it, wherever the person works later. In a unit of work.
    """
    company = People()(member_id).company
    for column, of in (
        (Entry.giver_company, Entry.giver_id == member_id),
        (Entry.receiver_company, Entry.receiver_id == member_id),
    ):
        _follow_company(of & column.in_([keys.FREE, keys.person(member_id)]) & (column != company))


def _follow_company(where: ColumnElement[bool]) -> None:
    rows = db.session.execute(
        select(Entry.rule, Entry.post_id, Entry.thread_id).where(where).distinct()
    ).all()
    note_votes(sorted({row.post_id for row in rows if row.rule is Rule.VOTE and row.post_id}))
    threads = {row.thread_id for row in rows if row.rule in (Rule.ACCEPTED, Rule.FIRST_ANSWER)}
    for thread_id in sorted(one for one in threads if one):
        note_thread(thread_id)


def _lock_authors(thread_id: int) -> None:
    lock(
        db.session.execute(
            select(Post.author_id).where(Post.thread_id == thread_id, Post.kind == PostKind.ANSWER).distinct()
        ).scalars()
    )


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    found = list(ids)
    for start in range(0, len(found), _ONCE):
        yield found[start : start + _ONCE]
