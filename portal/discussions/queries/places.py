"""What the writing pages need to know of the place where something is written; lookup is authorisation."""

from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import aliased

from portal.discussions.authors import BY_EDITOR, BY_POST
from portal.discussions.guests import veil_over
from portal.discussions.models import (
    Audience,
    Board,
    Draft,
    Post,
    PostKind,
    PostRevision,
    PostState,
    Thread,
    ThreadKind,
)
from portal.discussions.policy import board_is_visible, text_is_visible, thread_is_visible
from portal.discussions.queries.finding import ME, kind_of
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import db, rows_of
from portal.kernel.errors import NotFound
from portal.kernel.slugs import slugify
from portal.members.display import PersonLine, person_line, reader_of, with_person

LARGEST_ID = 2**31 - 1  # an address may hold any number of digits; the database may not


class BoardPlace(NamedTuple):
    """A board that takes threads."""

    id: int
    slug: str
    name: str
    audience: Audience


class ThreadPlace(NamedTuple):
    """A thread as its composer and its tools see it."""

    id: int
    slug: str
    title: str
    kind: ThreadKind
    state: PostState
    author_id: int
    tags: list[str]
    version: int
    closed_at: datetime | None
    closed_reason: str
    pinned_at: datetime | None
    board_id: int
    board_slug: str
    board_name: str
    audience: Audience
    archived_at: datetime | None


class PostPlace(NamedTuple):
    """A post with its thread, as the forms about it see it. A comment has its parent's number."""

    id: int
    kind: PostKind
    number: int
    state: PostState
    state_reason: str
    version: int
    source: str
    source_format: str
    sections: dict[str, str] | None
    html: str
    excerpt: str
    created_at: datetime
    edited_at: datetime | None
    revisions_count: int
    author_id: int
    author_is_guest: bool  # a prospect: sales and service read no name
    author: PersonLine  # as the viewer reads of them
    thread: ThreadPlace

    @property
    def is_comment(self) -> bool:
        return self.kind is PostKind.COMMENT

    @property
    def is_story(self) -> bool:
        """Whether its text is in three sections."""
        return self.kind is PostKind.OPENING and self.thread.kind is ThreadKind.WAR_STORY


_THREAD = (
    Thread.id,
    Thread.slug,
    Thread.title,
    Thread.kind,
    Thread.state,
    Thread.author_id,
    Thread.tags,
    Thread.version,
    Thread.closed_at,
    Thread.closed_reason,
    Thread.pinned_at,
    Board.id.label("board_id"),
    Board.slug.label("board_slug"),
    Board.name.label("board_name"),
    Board.audience,
    Board.archived_at,
)


def boards_to_write_on(viewer: Viewer) -> list[BoardPlace]:
    """The boards that this viewer reads and that take threads, in their order."""
    rows = db.session.execute(
        select(Board.id, Board.slug, Board.name, Board.audience)
        .where(board_is_visible(viewer), Board.archived_at.is_(None))
        .order_by(Board.position, Board.id)
    )
    return [BoardPlace(*row) for row in rows]


def board_id_of(viewer: Viewer, slug: str) -> int:
    """The id of a board that the viewer may read. Raises NotFound."""
    found = db.session.execute(
        select(Board.id).where(Board.slug == slug, board_is_visible(viewer))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("no such board")
    return found


def thread_place(viewer: Viewer, thread_id: int) -> ThreadPlace:
    """The thread, when the viewer may read it. Raises NotFound."""
    if thread_id > LARGEST_ID:
        raise NotFound("no such thread")
    values = {"thread": thread_id, "me": viewer.member_id}
    row = rows_of(_thread_statement(kind_of(viewer)), values).one_or_none()
    if row is None:
        raise NotFound("no such thread")
    return _veiled(viewer, ThreadPlace._make(row))


@lru_cache(64)
def _thread_statement(viewer: Viewer) -> Any:
    query = select(*_THREAD).join(Board, Board.id == Thread.board_id)
    return query.where(Thread.id == bindparam("thread"), thread_is_visible(viewer))


def place_of(found: Any) -> ThreadPlace:
    """The same out of a row of `find_visible_thread`, without another statement."""
    values = {name: getattr(found, name) for name in ThreadPlace._fields if hasattr(found, name)}
    return ThreadPlace(**values, audience=found.board_audience, archived_at=found.board_archived_at)


def post_place(viewer: Viewer, post_id: int) -> PostPlace:
    """The post, when the viewer may read its words. Raises NotFound."""
    if post_id > LARGEST_ID:
        raise NotFound("no such post")
    row = db.session.execute(_posts(viewer).where(Post.id == post_id)).one_or_none()
    if row is None:
        raise NotFound("no such post")
    return _post(row, viewer)


_DRAFT = select(Draft.fields, Draft.sequence, Draft.saved_at).where(
    Draft.member_id == ME, Draft.place == bindparam("place")
)


def draft_at(viewer: Viewer, place: str) -> Any | None:
    """The viewer's own unsent text for the form at `place`: its `fields`, `sequence` and `saved_at`."""
    return rows_of(_DRAFT, {"me": viewer.member_id, "place": place}).one_or_none()


def _posts(viewer: Viewer) -> Select[Any]:
    parent = aliased(Post)
    query = (
        select(
            Post.id.label("post_id"),
            Post.kind.label("post_kind"),
            db.func.coalesce(Post.number, parent.number),
            Post.state.label("post_state"),
            Post.state_reason,
            Post.version.label("post_version"),
            Post.source,
            Post.source_format,
            Post.sections,
            Post.html,
            Post.excerpt,
            Post.created_at,
            Post.edited_at,
            Post.revisions_count,
            Post.author_id.label("post_author_id"),
            *_THREAD,
            Post.by_vendor,
            *BY_POST,
        )
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .outerjoin(parent, parent.id == Post.parent_id)
        .where(text_is_visible(viewer))
    )
    return with_person(query, Post.author_id)


def _post(row: Any, viewer: Viewer) -> PostPlace:
    cut = len(PostPlace._fields) - 3
    is_guest = row.person_status is Status.PROSPECT
    author = person_line(row, reader_of(viewer), by_vendor=row.by_vendor)
    thread = ThreadPlace._make(row[cut : cut + len(ThreadPlace._fields)])
    post = PostPlace._make((*row[:cut], is_guest, author, thread))
    if post.author_id == viewer.member_id:
        return post  # what one wrote oneself is edited as it stands
    texts = [thread.title, post.source, post.html]
    veil = partial(veil_over(reader_of(viewer), texts, [thread.id]), thread=thread.id)
    return post._replace(
        source=veil(post.source),
        html=veil(post.html),
        excerpt=veil(post.excerpt),
        thread=_with_title(thread, veil(thread.title)),
    )


def _veiled(viewer: Viewer, thread: ThreadPlace) -> ThreadPlace:
    if thread.state is PostState.HIDDEN and not viewer.may(Permission.MODERATE):
        return thread._replace(title=_("Removed thread"), slug="", tags=[])
    veil = veil_over(reader_of(viewer), [thread.title, thread.closed_reason], [thread.id])
    thread = thread._replace(closed_reason=veil(thread.closed_reason or "", thread.id))
    return _with_title(thread, veil(thread.title, thread.id))


def _with_title(thread: ThreadPlace, title: str) -> ThreadPlace:
    return thread if title == thread.title else thread._replace(title=title, slug=slugify(title))


def older_edit_draft(viewer: Viewer, post_id: int, version: int) -> tuple[int, datetime] | None:
    """(version of the post it was begun on, when kept) of an unsent edit of an older version of the post."""
    row = db.session.execute(
        select(Draft.place, Draft.saved_at)
        .where(
            Draft.member_id == viewer.member_id,
            Draft.place.startswith(f"edit:{post_id}:", autoescape=True),
            Draft.place != f"edit:{post_id}:{version}",
        )
        .order_by(Draft.saved_at.desc())
        .limit(1)
    ).one_or_none()
    return (int(row.place.rsplit(":", 1)[1]), row.saved_at) if row else None


def last_editor(viewer: Viewer, post: PostPlace) -> str:
    """Name of whoever made the last edit that is in the history; the author's without one."""
    query = select(PostRevision.id, *BY_EDITOR).join(Post, Post.id == PostRevision.post_id)
    row = db.session.execute(
        with_person(query, PostRevision.editor_id)
        .where(PostRevision.post_id == post.id)
        .order_by(PostRevision.id.desc())
        .limit(1)
    ).one_or_none()
    return person_line(row, reader_of(viewer)).name if row else post.author.name
