"""What a member did that can be shown: answers that helped, war stories, when they began."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from portal.discussions.addresses import post_address
from portal.discussions.authors import named_in_post
from portal.discussions.models import Board, Post, PostKind, Thread, ThreadKind
from portal.discussions.policy import text_is_visible
from portal.kernel.access import Viewer
from portal.kernel.db import db

_IS_HELP = or_(
    Post.kind == PostKind.ANSWER, and_(Post.kind == PostKind.OPENING, Thread.kind == ThreadKind.WAR_STORY)
)


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
            _IS_HELP,
            *where,
        )
        .order_by(Post.created_at.desc(), Post.id.desc())
        .limit(most)
    )
    return [
        Deed(
            post_id=row.id,
            author_id=row.author_id,
            title=row.title,
            url=post_address(row.thread_id, row.slug, row.number),
            excerpt=row.excerpt,
            board=row.board,
            is_story=row.kind is PostKind.OPENING,
            votes=row.votes_count,
            at=row.created_at,
            accepted=row.accepted_post_id == row.id,
            accepted_at=row.accepted_at if row.accepted_post_id == row.id else None,
        )
        for row in rows
    ]
