"""What a member did that can be shown: answers that helped, war stories, when they began."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, tuple_

from portal.discussions.addresses import post_address
from portal.discussions.authors import named_in_post
from portal.discussions.guests import veil_over, with_title
from portal.discussions.models import Board, Post, PostKind, PostState, Thread, ThreadKind
from portal.discussions.policy import text_is_visible
from portal.kernel import paging
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.paging import Page
from portal.members.display import Reader, reader_of

ROWS = 12
MOST_WORDS = 5

_IS_HELP = or_(
    Post.kind == PostKind.ANSWER, and_(Post.kind == PostKind.OPENING, Thread.kind == ThreadKind.WAR_STORY)
)
# What was removed is no deed, also to moderators, who may read it still.
_STANDS = and_(Post.state == PostState.VISIBLE, Thread.state == PostState.VISIBLE)
_AT_ONCE = 20_000  # numbers in one statement


@dataclass(frozen=True, slots=True)
class Deed:
    """A post that others found useful. `accepted_at` where it is the accepted answer."""

    post_id: int
    author_id: int
    title: str
    url: str
    excerpt: str
    board: str
    is_story: bool
    votes: int
    at: datetime
    accepted: bool
    accepted_at: datetime | None


def deeds_of(viewer: Viewer, member_id: int, most: int = 30) -> list[Deed]:
    """Accepted or upvoted answers and war stories of this member that the viewer may read, newest first."""
    return _found(
        viewer,
        most,
        Post.author_id == member_id,
        or_(Thread.accepted_post_id == Post.id, Post.votes_count > 0),
    )


def latest_deeds(viewer: Viewer, member_ids: list[int], each: int) -> dict[int, list[Deed]]:
    """The latest few of each of these members, in two statements however many they are."""
    place = func.row_number().over(
        partition_by=Post.author_id, order_by=(Post.created_at.desc(), Post.id.desc())
    )
    numbered = (
        select(Post.id, place.label("place"))
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Post.author_id.in_(member_ids),
            text_is_visible(viewer),
            named_in_post(),  # whoever wrote without a name is not found by it
            _STANDS,
            _IS_HELP,
            or_(Thread.accepted_post_id == Post.id, Post.votes_count > 0),
        )
        .subquery()
    )
    ids = list(db.session.execute(select(numbered.c.id).where(numbered.c.place <= each)).scalars())
    found: dict[int, list[Deed]] = {}
    for deed in deeds(viewer, ids):
        found.setdefault(deed.author_id, []).append(deed)
    return found


def may_find(viewer: Viewer) -> bool:
    """Whether this viewer may look for words: not sales and service, to whom they would tell of prospects."""
    return reader_of(viewer) is not Reader.SELLER


def deeds_by(viewer: Viewer, member_id: int, *, words: str = "", after: str = "") -> Page:
    """A page of what this member did, newest first: accepted or upvoted answers, and war stories.

    With `words`, any answer or war story that has all of them in its title or first lines.
    """
    where: list[Any] = [Post.author_id == member_id, text_is_visible(viewer)]
    wanted = words.lower().split()[:MOST_WORDS] if may_find(viewer) else []
    for word in wanted:
        found = (func.lower(text).contains(word, autoescape=True) for text in (Thread.title, Post.excerpt))
        where.append(or_(*found))
    if not wanted:
        is_story = Post.kind == PostKind.OPENING
        where.append(or_(Thread.accepted_post_id == Post.id, Post.votes_count > 0, is_story))
    if (last := paging.decode(after, datetime, int)) is not None:
        place = tuple_(*last, types=[Post.created_at.type, Post.id.type])
        where.append(tuple_(Post.created_at, Post.id) < place)
    rows = _found(viewer, ROWS + 1, *where)
    cut = rows[:ROWS]
    return Page(rows=cut, next=paging.encode(cut[-1].at, cut[-1].post_id) if len(rows) > ROWS else "")


def why_gone(post_ids: Collection[int]) -> dict[int, str]:
    """Of each of these posts that stands no more why, without a word of it: "hidden", "deleted", "held".

    Nothing is said of one that stands where, or as whom, the reader may not find it.
    """
    rows = db.session.execute(
        select(Post.id, Post.state, Thread.state.label("of_thread"))
        .join(Thread, Thread.id == Post.thread_id)
        .where(Post.id.in_(post_ids), ~_STANDS)
    )
    return {
        row.id: (row.state if row.state is not PostState.VISIBLE else row.of_thread).value for row in rows
    }


def standing_among(post_ids: Collection[int]) -> set[int]:
    """Which of these posts stand still, under their author's name."""
    ids, found = sorted(post_ids), set[int]()
    for start in range(0, len(ids), _AT_ONCE):  # the file of candidates lists everybody
        query = (
            select(Post.id)
            .join(Thread, Thread.id == Post.thread_id)
            .where(Post.id.in_(ids[start : start + _AT_ONCE]), _STANDS, named_in_post())
        )
        found.update(db.session.execute(query).scalars())
    return found


def deeds(viewer: Viewer, post_ids: list[int]) -> list[Deed]:
    """These posts, as far as the viewer may read them."""
    return _found(viewer, len(post_ids), Post.id.in_(post_ids)) if post_ids else []


def _found(viewer: Viewer, most: int, *where: Any) -> list[Deed]:
    rows = db.session.execute(
        select(
            Post.id,
            Post.author_id,
            Post.number,
            Post.excerpt,
            Post.votes_count,
            Post.created_at,
            Post.kind,
            Thread.id.label("thread_id"),
            Thread.slug,
            Thread.title,
            Thread.accepted_post_id,
            Thread.accepted_at,
            Board.name.label("board"),
        )
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            text_is_visible(viewer),
            named_in_post(),  # whoever wrote without a name is not found by it
            _STANDS,
            _IS_HELP,
            *where,
        )
        .order_by(Post.created_at.desc(), Post.id.desc())
        .limit(most)
    ).all()
    texts = [text for row in rows for text in (row.title, row.excerpt)]
    veil = veil_over(reader_of(viewer), texts, [row.thread_id for row in rows])
    shown = [with_title(veil, row, thread="thread_id") for row in rows]
    return [
        Deed(
            post_id=row.id,
            author_id=row.author_id,
            title=row.title,
            url=post_address(row.thread_id, row.slug, row.number),
            excerpt=veil(row.excerpt, row.thread_id),
            board=row.board,
            is_story=row.kind is PostKind.OPENING,
            votes=row.votes_count,
            at=row.created_at,
            accepted=row.accepted_post_id == row.id,
            accepted_at=row.accepted_at if row.accepted_post_id == row.id else None,
        )
        for row in shown
    ]
