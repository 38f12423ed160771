"""What machines read: public content only, whoever asks."""

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select

from portal.discussions.authors import BY_THREAD, named_in_post, named_in_thread
from portal.discussions.models import Audience, Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import text_is_visible, thread_is_visible
from portal.discussions.queries.lists import COLUMNS
from portal.kernel.access import VISITOR
from portal.kernel.db import db
from portal.members.display import Reader, not_masked, with_person
from portal.members.models import Member, MemberState
from portal.members.queries.directory import is_shown_to_all

ENTRIES = 30
SITEMAP_ROWS = 10_000  # ids in a part; the protocol allows 50,000 addresses


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


def public_threads_in(part: int) -> list[Any]:
    """Public threads of one part of the ids: id, slug, last_activity_at."""
    query = (
        select(Thread.id, Thread.slug, Thread.last_activity_at)
        .outerjoin(Board, Board.id == Thread.board_id)
        .where(_in_part(Thread.id, part), _public_thread())
        .order_by(Thread.id)
    )
    return list(db.session.execute(query).all())


def thread_parts() -> list[int]:
    """The parts of the ids with a public thread."""
    query = select(_part_of(Thread.id)).outerjoin(Board, Board.id == Thread.board_id).where(_public_thread())
    return sorted(db.session.execute(query.distinct()).scalars())


def public_members_in(part: int, reader: Reader) -> list[str]:
    """User names, of one part of the ids, whose page outsiders may read and find something on."""
    query = select(Member.username).where(_in_part(Member.id, part), _public_member(reader))
    return list(db.session.execute(query.order_by(Member.id)).scalars())


def member_parts(reader: Reader) -> list[int]:
    """The parts of the ids with such a member."""
    query = select(_part_of(Member.id)).where(_public_member(reader)).distinct()
    return sorted(db.session.execute(query).scalars())


def _public_thread() -> ColumnElement[bool]:
    return func.coalesce(and_(Thread.state == PostState.VISIBLE, thread_is_visible(VISITOR)), false())


def _public_member(reader: Reader) -> ColumnElement[bool]:
    """SQL: what makes a member's page one for search engines: threads or answers that all may read."""
    threads = (
        exists()
        .where(Thread.author_id == Member.id, Board.id == Thread.board_id)
        .where(Thread.state == PostState.VISIBLE, thread_is_visible(VISITOR), named_in_thread(VISITOR))
    )
    answers = (
        exists()
        .where(Post.author_id == Member.id, Thread.id == Post.thread_id, Board.id == Thread.board_id)
        .where(Post.kind == PostKind.ANSWER, text_is_visible(VISITOR), named_in_post(VISITOR))
    )
    return and_(
        Member.state.in_([MemberState.ACTIVE, MemberState.SUSPENDED]),
        not_masked(reader),
        is_shown_to_all("contributions"),
        or_(threads, answers),
    )


def _part_of(column: Any) -> Any:
    return (column - 1) // SITEMAP_ROWS


def _in_part(column: Any, part: int) -> Any:
    return column.between(part * SITEMAP_ROWS + 1, (part + 1) * SITEMAP_ROWS)


def public_boards() -> list[Any]:
    """Slug and last activity of the public boards."""
    query = select(Board.id, Board.slug, Board.last_activity_at).where(Board.audience == Audience.PUBLIC)
    return list(db.session.execute(query.order_by(Board.position, Board.id)).all())
