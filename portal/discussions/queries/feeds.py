"""What machines read: public content only, whoever asks."""

from typing import Any

from sqlalchemy import and_, func, select

from portal.discussions.models import Audience, Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import text_is_visible, thread_is_visible
from portal.discussions.queries.lists import COLUMNS
from portal.kernel.access import VISITOR
from portal.kernel.db import db
from portal.members.display import PERSON, with_person

ENTRIES = 30
SITEMAP_THREADS = 10_000


def latest_public(board_id: int | None = None) -> list[Any]:
    """The threads started last, with the words of their openings; all public boards, or one of them."""
    query: Any = (
        select(*COLUMNS, Post.html, Post.excerpt, Post.edited_at, *PERSON)
        .join(Board, Board.id == Thread.board_id)
        .join(Post, and_(Post.thread_id == Thread.id, Post.kind == PostKind.OPENING))
    )
    query = with_person(query, Thread.author_id).where(
        Thread.state == PostState.VISIBLE, thread_is_visible(VISITOR), text_is_visible(VISITOR)
    )
    if board_id is not None:
        query = query.where(Thread.board_id == board_id)
    query = query.order_by(Thread.created_at.desc(), Thread.id.desc()).limit(ENTRIES)
    return list(db.session.execute(query).all())


def public_threads_from(first_id: int, rows: int = SITEMAP_THREADS) -> list[Any]:
    """Threads with ids from `first_id` up to `first_id + rows - 1`: id, slug, last_activity_at."""
    query = (
        select(Thread.id, Thread.slug, Thread.last_activity_at)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Thread.id.between(first_id, first_id + rows - 1),
            Thread.state == PostState.VISIBLE,
            thread_is_visible(VISITOR),
        )
        .order_by(Thread.id)
    )
    return list(db.session.execute(query).all())


def public_boards() -> list[Any]:
    """Slug and last activity of the public boards."""
    query = select(Board.id, Board.slug, Board.last_activity_at).where(Board.audience == Audience.PUBLIC)
    return list(db.session.execute(query.order_by(Board.position, Board.id)).all())


def largest_thread_id() -> int:
    return db.session.execute(select(func.max(Thread.id))).scalar() or 0
