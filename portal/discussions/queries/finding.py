"""One board, thread or post for one viewer: looking it up is being allowed to read it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, func, literal, or_, select
from sqlalchemy.orm import aliased

from portal.discussions.authors import BY_POST, BY_THREAD
from portal.discussions.guests import veil_titles
from portal.discussions.models import Board, Follow, Post, PostKind, PostState, ReadMark, Thread
from portal.discussions.policy import board_is_visible, text_is_visible, thread_is_visible
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db, rows_of
from portal.kernel.errors import NotFound
from portal.kernel.site import SiteVersion
from portal.members.display import reader_of, with_person

ME: Any = bindparam("me", type_=Integer)
SITE_VERSION = select(SiteVersion.version).scalar_subquery().label("site_version")
LARGEST_ID = 2**31 - 1

_BOARD = (
    Board.id,
    Board.slug,
    Board.name,
    Board.description,
    Board.audience,
    Board.archived_at,
    Board.threads_count,
    Board.posts_count,
    Board.followers_count,
    Board.last_activity_at,
    Board.content_version,
)
_BOARD_OF_THREAD = (
    Board.id.label("board_id"),
    Board.slug.label("board_slug"),
    Board.name.label("board_name"),
    Board.audience.label("board_audience"),
    Board.archived_at.label("board_archived_at"),
)
_THREAD = (
    Thread.id,
    Thread.slug,
    Thread.title,
    Thread.kind,
    Thread.state,
    Thread.author_id,
    Thread.created_at,
    Thread.last_activity_at,
    Thread.last_number,
    Thread.posts_count,
    Thread.answers_count,
    Thread.comments_count,
    Thread.score,
    Thread.followers_count,
    Thread.vendor_replied,
    Thread.accepted_post_id,
    Thread.pinned_at,
    Thread.closed_at,
    Thread.closed_reason,
    Thread.tags,
    Thread.content_version,
    Thread.version,
)


def find_visible_board(viewer: Viewer, slug: str) -> Any:
    """The board with this address: a row of its columns, `followed` and `site_version`. Raises NotFound."""
    if "\0" in slug:  # PostgreSQL takes no such text
        raise NotFound("no such board")
    row = rows_of(*board_query(viewer, slug)).one_or_none()
    if row is None:
        raise NotFound("no such board")
    return row


def board_query(viewer: Viewer, slug: str) -> tuple[Any, dict[str, Any]]:
    """Statement and parameters of `find_visible_board`."""
    return _board_statement(kind_of(viewer)), {"slug": slug, "me": viewer.member_id}


@lru_cache(64)
def _board_statement(viewer: Viewer) -> Any:
    columns = (*_BOARD, _follows(viewer, Follow.board_id == Board.id), SITE_VERSION)
    return select(*columns).where(Board.slug == bindparam("slug"), board_is_visible(viewer))


def find_visible_thread(viewer: Viewer, thread_id: int) -> Any:
    """The thread: a row of its columns, those of its board (`board_…`), of its author, and
    `followed`, `read_number`, `read_at`, `site_version`. Raises NotFound.
    """
    if thread_id > LARGEST_ID:
        raise NotFound("no such thread")
    row = rows_of(*thread_query(viewer, thread_id)).one_or_none()
    if row is None:
        raise NotFound("no such thread")
    return veil_titles(reader_of(viewer), [row])[0]


def thread_query(viewer: Viewer, thread_id: int) -> tuple[Any, dict[str, Any]]:
    """Statement and parameters of `find_visible_thread`."""
    return _thread_statement(kind_of(viewer)), {"thread_id": thread_id, "me": viewer.member_id}


def kind_of(viewer: Viewer) -> Viewer:
    """Whoever has this viewer's status and permissions; their id is the parameter `me`.

    For the statements of hot pages, built once for each kind of viewer: building takes longer than running.
    """
    me = ME if viewer.is_member else None
    return Viewer(member_id=me, status=viewer.status, permissions=viewer.permissions)


@lru_cache(64)
def _thread_statement(viewer: Viewer) -> Any:
    query = select(
        *_THREAD,
        *_BOARD_OF_THREAD,
        *BY_THREAD,
        _follows(viewer, Follow.thread_id == Thread.id),
        *read_mark(viewer),
        SITE_VERSION,
    ).join(Board, Board.id == Thread.board_id)
    query = join_read_mark(with_person(query, Thread.author_id), viewer)
    return query.where(Thread.id == bindparam("thread_id"), thread_is_visible(viewer))


def find_visible_post(viewer: Viewer, post_id: int) -> Any:
    """A post whose words the viewer may read: a row of the post's columns, of its author, of its
    thread (`thread_…`) and its board (`board_…`). Raises NotFound.
    """
    if post_id > LARGEST_ID:
        raise NotFound("no such post")
    query = (
        select(
            Post.id,
            Post.number,
            Post.kind,
            Post.parent_id,
            Post.author_id,
            Post.source,
            Post.source_format,
            Post.sections,
            Post.html,
            Post.excerpt,
            Post.state,
            Post.score,
            Post.created_at,
            Post.edited_at,
            Post.revisions_count,
            Post.by_vendor,
            Post.version,
            Thread.id.label("thread_id"),
            Thread.slug.label("thread_slug"),
            Thread.title.label("thread_title"),
            Thread.kind.label("thread_kind"),
            Thread.state.label("thread_state"),
            Thread.author_id.label("thread_author_id"),
            Thread.closed_at.label("thread_closed_at"),
            Thread.accepted_post_id.label("thread_accepted_post_id"),
            Thread.tags.label("thread_tags"),
            *_BOARD_OF_THREAD,
            *BY_POST,
        )
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
    )
    query = with_person(query, Post.author_id)
    row = db.session.execute(query.where(Post.id == post_id, text_is_visible(viewer))).one_or_none()
    if row is None:
        raise NotFound("no such post")
    return veil_titles(reader_of(viewer), [row], "thread_id", "thread_title")[0]


@dataclass(frozen=True)
class Place:
    """Where a post stands: in which thread, at or under which number."""

    thread_id: int
    thread_slug: str
    number: int
    comment_id: int | None = None
    parent_id: int | None = None
    comments_before: int = 0


def find_place(viewer: Viewer, post_id: int) -> Place:
    """Where a post stands for this viewer; a removed one has its tombstone there. Raises NotFound.

    A held post has a place for its author and moderators only, a deleted one for nobody.
    """
    if post_id > LARGEST_ID:
        raise NotFound("no such post")
    parent = aliased(Post)
    shown = [PostState.VISIBLE, PostState.HIDDEN]
    there: ColumnElement[bool] = Post.state.in_(shown)
    if viewer.may(Permission.MODERATE):
        there = Post.state != PostState.DELETED
    elif viewer.member_id is not None:
        there = or_(there, and_(Post.state == PostState.HELD, Post.author_id == viewer.member_id))
    row = db.session.execute(
        select(
            Thread.id,
            Thread.slug,
            Thread.title,
            Thread.state,
            Post.kind,
            Post.number,
            Post.parent_id,
            parent.number.label("under"),
        )
        .select_from(Post)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .outerjoin(parent, parent.id == Post.parent_id)
        .where(Post.id == post_id, there, thread_is_visible(viewer))
    ).one_or_none()
    if row is None:
        raise NotFound("no such post")
    slug = _slug(viewer, row)
    if row.kind is not PostKind.COMMENT:
        return Place(row.id, slug, row.number)
    before = db.session.execute(
        select(func.count()).where(Post.parent_id == row.parent_id, Post.id < post_id)
    ).scalar_one()
    return Place(row.id, slug, row.under or 1, post_id, row.parent_id, before)


def _slug(viewer: Viewer, row: Any) -> str:
    """Of a row of a thread's id, slug, title and state: as far as this viewer may read the title."""
    if row.state is PostState.HIDDEN and not viewer.may(Permission.MODERATE):
        return ""
    return str(veil_titles(reader_of(viewer), [row])[0].slug)


def merged_into(viewer: Viewer, thread_id: int) -> tuple[int, str] | None:
    """(id, slug) of the thread that this one became part of, when the viewer may read that; else None."""
    if thread_id > LARGEST_ID:
        return None
    target = aliased(Thread)
    for _step in range(5):  # a target may have been merged on since
        row = db.session.execute(
            select(target.id, target.merged_into_id)
            .select_from(Thread)
            .join(target, target.id == Thread.merged_into_id)
            .where(Thread.id == thread_id, Thread.state == PostState.DELETED)
        ).one_or_none()
        if row is None:
            return None
        if row.merged_into_id is None:
            found = db.session.execute(
                select(Thread.id, Thread.slug, Thread.title, Thread.state)
                .join(Board, Board.id == Thread.board_id)
                .where(Thread.id == row.id, thread_is_visible(viewer))
            ).one_or_none()
            return (found.id, _slug(viewer, found)) if found is not None else None
        thread_id = row.id
    return None


def numbered_place(post_id: int) -> Any | None:
    """(thread_id, number, created_at) of a post; a comment has its parent's number.

    Looks at nobody's rights: whoever asks has still to be allowed to know.
    """
    if post_id > LARGEST_ID:
        return None
    parent = aliased(Post)
    return db.session.execute(
        select(Post.thread_id, func.coalesce(Post.number, parent.number).label("number"), Post.created_at)
        .outerjoin(parent, parent.id == Post.parent_id)
        .where(Post.id == post_id, Post.state.in_([PostState.VISIBLE, PostState.HIDDEN]))
    ).one_or_none()


def read_mark(viewer: Viewer) -> tuple[Any, Any]:
    """The columns `read_number` and `read_at`; use with `join_read_mark`."""
    if viewer.member_id is None:
        return literal(None).label("read_number"), literal(None).label("read_at")
    return ReadMark.last_number.label("read_number"), ReadMark.read_at.label("read_at")


def join_read_mark(query: Any, viewer: Viewer) -> Any:
    """Join the viewer's own read mark of the thread; for visitors nothing."""
    if viewer.member_id is None:
        return query
    own = and_(ReadMark.thread_id == Thread.id, ReadMark.member_id == viewer.member_id)
    return query.outerjoin(ReadMark, own)


def _follows(viewer: Viewer, target: Any) -> Any:
    if viewer.member_id is None:
        return literal(False).label("followed")
    return select(Follow.id).where(Follow.member_id == viewer.member_id, target).exists().label("followed")
