"""What a member wrote and did in threads, as plain rows for their own data export."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from portal.discussions.guests import veil_over
from portal.discussions.models import (
    Board,
    Bookmark,
    Draft,
    Follow,
    Post,
    PostRevision,
    ReadMark,
    Thread,
    Upload,
    Vote,
)
from portal.kernel.db import db
from portal.members.display import reader_of
from portal.members.queries import viewer_of

Rows = list[dict[str, Any]]


def words_of(member_id: int) -> dict[str, Rows]:
    """Own posts with their former texts, and own edits of others' posts without those texts."""
    return {
        "posts": _titled(
            member_id,
            select(
                Post.id,
                Thread.id.label("thread_id"),
                Thread.title.label("thread"),
                Board.name.label("board"),
                Post.kind,
                Post.number,
                Post.state,
                Post.state_rule,
                Post.state_reason,
                Post.score,
                Post.created_at,
                Post.edited_at,
                Post.source,
            )
            .join(Thread, Thread.id == Post.thread_id)
            .join(Board, Board.id == Thread.board_id)
            .where(Post.author_id == member_id)
            .order_by(Post.id),
        ),
        "former_texts": _rows(
            select(PostRevision.post_id, PostRevision.source, PostRevision.reason, PostRevision.created_at)
            .join(Post, Post.id == PostRevision.post_id)
            .where(Post.author_id == member_id)
            .order_by(PostRevision.id)
        ),
        "edits_of_others": _rows(
            select(PostRevision.post_id, PostRevision.reason, PostRevision.created_at)
            .join(Post, Post.id == PostRevision.post_id)
            .where(PostRevision.editor_id == member_id, Post.author_id != member_id)
            .order_by(PostRevision.id)
        ),
    }


def votes_of(member_id: int) -> Rows:
    """Own votes: for which post, when."""
    return _rows(
        select(Vote.post_id, Vote.value, Vote.created_at).where(Vote.member_id == member_id).order_by(Vote.id)
    )


def keepsakes_of(member_id: int) -> dict[str, Rows]:
    """Drafts, kept posts, what is followed, how far threads were read, pictures."""
    return {
        "drafts": _rows(
            select(Draft.place, Draft.fields, Draft.saved_at)
            .where(Draft.member_id == member_id)
            .order_by(Draft.id)
        ),
        "kept_posts": _rows(
            select(Bookmark.post_id, Bookmark.created_at)
            .where(Bookmark.member_id == member_id)
            .order_by(Bookmark.id)
        ),
        "following": _titled(
            member_id,
            select(
                Thread.id.label("thread_id"),
                Thread.title.label("thread"),
                Board.name.label("board"),
                Follow.created_at,
            )
            .outerjoin(Thread, Thread.id == Follow.thread_id)
            .outerjoin(Board, Board.id == Follow.board_id)
            .where(Follow.member_id == member_id)
            .order_by(Follow.id),
        ),
        "read": _rows(
            select(ReadMark.thread_id, ReadMark.last_number, ReadMark.read_at)
            .where(ReadMark.member_id == member_id)
            .order_by(ReadMark.thread_id)
        ),
        "pictures": _rows(
            select(Upload.name, Upload.post_id, Upload.width, Upload.height, Upload.bytes, Upload.created_at)
            .where(Upload.member_id == member_id)
            .order_by(Upload.id)
        ),
    }


def _titled(member_id: int, query: Any) -> Rows:
    """Rows with the title of a thread, as this member may read it."""
    rows = _rows(query)
    words = ("thread", "state_reason")
    threads = [row.pop("thread_id") for row in rows]
    texts = [row.get(name) for row in rows for name in words]
    veil = veil_over(reader_of(viewer_of(member_id)), texts, threads)
    for row, thread in zip(rows, threads, strict=True):
        row |= {name: veil(row[name], thread) for name in words if row.get(name)}
    return rows


def _rows(query: Any) -> Rows:
    return [
        {name: _plain(value) for name, value in row._mapping.items()} for row in db.session.execute(query)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value
