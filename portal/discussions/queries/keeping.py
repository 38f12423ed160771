"""What a member keeps: unsent texts, bookmarks, what they follow."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select

from portal.discussions.authors import BY_POST
from portal.discussions.guests import Veil, veil_over, veil_titles
from portal.discussions.models import Board, Bookmark, Draft, Follow, Post, PostKind, Thread, ThreadKind
from portal.discussions.policy import board_is_visible, text_is_visible, title_is_visible
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.paging import Page, decode, encode
from portal.members.display import Reader, person_line, reader_of, with_person

A_PAGE = 30


class DraftLine(NamedTuple):
    """One unsent text. `url` is "" where its place can no longer be read; the text is still one's own."""

    place: str
    kind: str  # new, thread, comment, edit
    title: str
    url: str
    text: str
    saved_at: datetime


class BookmarkLine(NamedTuple):
    """One kept post. Without a title it can no longer be read."""

    post_id: int
    kept_at: datetime
    title: str = ""
    number: int | None = None
    author: str = ""
    excerpt: str = ""
    board: str = ""


class FollowedBoard(NamedTuple):
    slug: str
    name: str
    threads_count: int


class FollowedThread(NamedTuple):
    """One followed thread, as components/threads.html reads it."""

    thread_id: int
    url: str
    title: str
    kind: str
    board_name: str
    last_activity_at: datetime
    answers_count: int
    replies_count: int
    answered: bool
    vendor_replied: bool
    closed: bool


def drafts_of(viewer: Viewer) -> list[DraftLine]:
    """The viewer's drafts, newest first, in three statements."""
    drafts = list(
        db.session.execute(
            select(Draft).where(Draft.member_id == viewer.member_id).order_by(Draft.saved_at.desc(), Draft.id)
        ).scalars()
    )
    split = [draft.place.split(":") for draft in drafts]
    threads = _threads(viewer, {int(parts[1]) for parts in split if parts[0] == "thread"})
    posts = _posts(viewer, {int(parts[1]) for parts in split if parts[0] in ("comment", "edit")})
    return [_draft_line(draft, parts, threads, posts) for draft, parts in zip(drafts, split, strict=True)]


def bookmarks_of(viewer: Viewer, after: str = "") -> Page:
    """Thirty bookmarks, newest first. Raises NotFound for a cursor that was not made here."""
    key = decode(after, int)
    query = (
        select(Bookmark.id, Bookmark.post_id, Bookmark.created_at)
        .where(Bookmark.member_id == viewer.member_id)
        .order_by(Bookmark.id.desc())
        .limit(A_PAGE + 1)
    )
    if key:
        query = query.where(Bookmark.id < key[0])
    rows = list(db.session.execute(query))
    posts = _posts(viewer, {row.post_id for row in rows})
    reader = reader_of(viewer)
    texts = [text for post in posts.values() for text in (post.title, post.excerpt)]
    veil = veil_over(reader, texts, [post.thread_id for post in posts.values()])
    lines = [_bookmark_line(row, posts.get(row.post_id), reader, veil) for row in rows[:A_PAGE]]
    return Page(lines, next=encode(rows[A_PAGE - 1].id) if len(rows) > A_PAGE else "")


def boards_followed_by(viewer: Viewer) -> list[FollowedBoard]:
    """The boards that the viewer follows and may read."""
    rows = db.session.execute(
        select(Board.slug, Board.name, Board.threads_count)
        .join(Follow, Follow.board_id == Board.id)
        .where(Follow.member_id == viewer.member_id, board_is_visible(viewer))
        .order_by(Board.position, Board.id)
    )
    return [FollowedBoard._make(row) for row in rows]


def threads_followed_by(viewer: Viewer, after: str = "") -> Page:
    """Thirty threads that the viewer follows, the most lively first. Raises NotFound for a foreign cursor."""
    key = decode(after, datetime, int)
    query = (
        select(
            Thread.id,
            Thread.slug,
            Thread.title,
            Thread.kind,
            Board.name,
            Thread.last_activity_at,
            Thread.answers_count,
            Thread.posts_count,
            Thread.accepted_post_id,
            Thread.vendor_replied,
            Thread.closed_at,
        )
        .join(Follow, Follow.thread_id == Thread.id)
        .join(Board, Board.id == Thread.board_id)
        .where(Follow.member_id == viewer.member_id, title_is_visible(viewer))
        .order_by(Thread.last_activity_at.desc(), Thread.id.desc())
        .limit(A_PAGE + 1)
    )
    if key:
        moment, last_id = key
        query = query.where(
            or_(
                Thread.last_activity_at < moment,
                and_(Thread.last_activity_at == moment, Thread.id < last_id),
            )
        )
    rows = veil_titles(reader_of(viewer), db.session.execute(query).all())
    more = len(rows) > A_PAGE
    last = rows[A_PAGE - 1] if more else None
    return Page(
        [_followed(row) for row in rows[:A_PAGE]],
        next=encode(last.last_activity_at, last.id) if last else "",
    )


def _followed(row: Any) -> FollowedThread:
    return FollowedThread(
        row.id,
        f"/threads/{row.id}/{row.slug}",
        row.title,
        ThreadKind(row.kind).value,
        row.name,
        row.last_activity_at,
        row.answers_count,
        max(0, row.posts_count - 1),
        row.accepted_post_id is not None,
        row.vendor_replied,
        row.closed_at is not None,
    )


def _threads(viewer: Viewer, ids: set[int]) -> dict[int, Any]:
    if not ids:
        return {}
    rows = db.session.execute(
        select(Thread.id, Thread.slug, Thread.title)
        .join(Board, Board.id == Thread.board_id)
        .where(Thread.id.in_(ids), title_is_visible(viewer))
    )
    return {row.id: row for row in veil_titles(reader_of(viewer), rows)}


def _posts(viewer: Viewer, ids: set[int]) -> dict[int, Any]:
    if not ids:
        return {}
    query = (
        select(
            Post.id,
            Post.kind,
            Post.number,
            Post.excerpt,
            Thread.id.label("thread_id"),
            Thread.title,
            Board.name.label("board"),
            *BY_POST,
        )
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
    )
    found = with_person(query, Post.author_id).where(Post.id.in_(ids), text_is_visible(viewer))
    return {row.id: row for row in db.session.execute(found)}


def _draft_line(draft: Draft, parts: list[str], threads: dict[int, Any], posts: dict[int, Any]) -> DraftLine:
    kind, fields = parts[0], draft.fields
    text = "\n\n".join(
        fields[name] for name in ("body", "happened", "cost", "differently") if fields.get(name, "").strip()
    )
    title, url = "", ""
    if kind == "ask":  # a question to customers: its page stands above us, its words are the member's own
        title, url = fields.get("title", ""), "/ask"
    elif kind == "new":
        title, url = fields.get("title", ""), f"/threads/new?board={parts[1]}"
    elif kind == "thread" and int(parts[1]) in threads:
        title, url = threads[int(parts[1])].title, f"/threads/{parts[1]}/posts"
    elif int(parts[1] or 0) in posts:
        title = posts[int(parts[1])].title
        version = f"?draft={parts[2]}" if len(parts) > 2 else ""
        url = f"/posts/{parts[1]}/comments" if kind == "comment" else f"/posts/{parts[1]}/edit{version}"
    return DraftLine(draft.place, kind, title, url, text, draft.saved_at)


def _bookmark_line(row: Any, post: Any, reader: Reader, veil: Veil) -> BookmarkLine:
    if post is None:
        return BookmarkLine(row.post_id, row.created_at)
    number = None if post.kind is PostKind.COMMENT else post.number
    author = person_line(post, reader).name
    return BookmarkLine(
        row.post_id,
        row.created_at,
        veil(post.title, post.thread_id),
        number,
        author,
        veil(post.excerpt, post.thread_id),
        post.board,
    )
