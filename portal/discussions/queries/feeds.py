"""What machines read: public content only, whoever asks."""

from typing import Any

from sqlalchemy import and_, false, func, select

from portal.discussions.authors import BY_THREAD
from portal.discussions.models import Audience, Board, Post, PostState, Thread
from portal.discussions.policy import text_is_visible, thread_is_visible
from portal.discussions.queries.lists import COLUMNS
from portal.kernel.access import VISITOR
from portal.kernel.db import db
from portal.members.display import with_person

ENTRIES = 30
SITEMAP_THREADS = 10_000


def latest_public(board_id: int | None = None) -> list[Any]:
    """The threads started last, with the words of their openings; all public boards, or one of them."""
    # Outer joins and coalesce, so that SQLite goes along the index of the order (see lists).
    query: Any = (
        select(*COLUMNS, Post.html, Post.excerpt, Post.edited_at, *BY_THREAD)
        .outerjoin(Board, Board.id == Thread.board_id)
        .outerjoin(Post, and_(Post.thread_id == Thread.id, Post.number == 1))
    )
    query = with_person(query, Thread.author_id)
    if board_id is not None:
        query = query.where(Thread.board_id == board_id, Thread.state == PostState.VISIBLE)
    visible = and_(Thread.state == PostState.VISIBLE, thread_is_visible(VISITOR), text_is_visible(VISITOR))
    query = query.where(func.coalesce(visible, false()))
    query = query.order_by(Thread.created_at.desc(), Thread.id.desc()).limit(ENTRIES)
    return list(db.session.execute(query).all())


def public_threads_from(first_id: int, rows: int = SITEMAP_THREADS) -> list[Any]:
    """Threads with ids from `first_id` up to `first_id + rows - 1`: id, slug, last_activity_at."""
    query = (
        select(Thread.id, Thread.slug, Thread.last_activity_at)
        .outerjoin(Board, Board.id == Thread.board_id)
        .where(
            Thread.id.between(first_id, first_id + rows - 1),
            func.coalesce(and_(Thread.state == PostState.VISIBLE, thread_is_visible(VISITOR)), false()),
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
