"""The posts of one page of a thread, and what on it is the viewer's own."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, literal, null, or_, select, union_all

from portal.discussions.authors import BY_POST
from portal.discussions.guests import veil_titles
from portal.discussions.models import Board, Bookmark, Post, PostKind, PostState, Thread, Vote
from portal.discussions.policy import text_is_visible
from portal.discussions.queries.finding import ME
from portal.kernel.access import Viewer
from portal.kernel.db import db, rows_of
from portal.members.display import reader_of, with_person
from portal.members.models import Member

COMMENTS = 50  # under one post; the rest is one click away
ALL_COMMENTS = 1000


@dataclass(frozen=True)
class PostsOfPage:
    """Rows of the numbered posts of a page in order, of the accepted answer, and the comments by post id.

    `readable` on a row says whether its words may be shown; without it `html` is None.
    """

    posts: list[Any]
    accepted: Any | None
    comments: dict[int, list[Any]] = field(default_factory=dict)


def posts_of_page(
    viewer: Viewer, thread: Any, first: int, last: int, *, with_accepted: bool, all_under: int = 0
) -> PostsOfPage:
    """The posts with numbers from `first` to `last`, in two statements, as anybody who reads like this viewer
    sees them: one's own held posts are not among the readable ones (`own_held`).

    `all_under`: the post whose comments are wanted beyond the first 50.
    """
    anybody = replace(viewer, member_id=None)
    numbered = Post.number.between(first, last)
    wanted: ColumnElement[bool] = numbered
    if with_accepted and thread.accepted_post_id is not None:
        wanted = or_(numbered, Post.id == thread.accepted_post_id)
    rows = db.session.execute(
        _posts(anybody)
        .where(Post.thread_id == thread.id, Post.number.is_not(None), wanted)
        .order_by(Post.number)
    ).all()
    accepted = next((row for row in rows if row.id == thread.accepted_post_id), None)
    posts = [row for row in rows if first <= row.number <= last]
    comments: dict[int, list[Any]] = {}
    if rows and thread.comments_count >= 0:
        place = func.row_number().over(partition_by=Post.parent_id, order_by=Post.id).label("place")
        ranked = (
            select(Post.id.label("id"), place)
            .where(Post.parent_id.in_([row.id for row in rows]), Post.state != PostState.DELETED)
            .subquery()
        )
        few = ranked.c.place <= COMMENTS + 1
        if all_under:
            few = or_(few, and_(Post.parent_id == all_under, ranked.c.place <= ALL_COMMENTS))
        query = _posts(anybody).join(ranked, ranked.c.id == Post.id).where(few).order_by(Post.id)
        for row in db.session.execute(query).all():
            comments.setdefault(row.parent_id, []).append(row)
    return PostsOfPage(posts, accepted if with_accepted else None, comments)


def own_held(viewer: Viewer, thread_id: int, ids: list[int]) -> dict[int, Any]:
    """Which of these held posts are the viewer's own, with their words: rows by id."""
    query = _posts(viewer).where(
        Post.thread_id == thread_id,
        Post.id.in_(ids),
        Post.author_id == viewer.member_id,
        Post.state == PostState.HELD,
    )
    return {row.id: row for row in db.session.execute(query).all() if row.readable}


@dataclass(frozen=True)
class Own:
    """Ids of the posts on a page that the viewer voted for, and that the viewer keeps."""

    voted: frozenset[int] = frozenset()
    kept: frozenset[int] = frozenset()


def own_marks(viewer: Viewer, post_ids: list[int]) -> Own:
    """What the viewer did with these posts, in one statement."""
    if viewer.member_id is None or not post_ids:
        return Own()
    rows = rows_of(_OWN_MARKS, {"me": viewer.member_id, "post_ids": post_ids}).all()
    return Own(
        frozenset(row.post_id for row in rows if row.what == "v"),
        frozenset(row.post_id for row in rows if row.what == "k"),
    )


_ON_THE_PAGE: Any = bindparam("post_ids", expanding=True)
_OWN_MARKS = union_all(
    select(literal("v").label("what"), Vote.post_id.label("post_id")).where(
        Vote.member_id == ME, Vote.post_id.in_(_ON_THE_PAGE)
    ),
    select(literal("k"), Bookmark.post_id).where(
        Bookmark.member_id == ME, Bookmark.post_id.in_(_ON_THE_PAGE)
    ),
)


def tombstone_of(viewer: Viewer, thread_id: int) -> Any | None:
    """Rule, reason, case, time and author of the removal of a thread's opening."""
    row = db.session.execute(
        select(
            Post.state_rule,
            Post.state_reason,
            Post.state_case_id,
            Post.state_at,
            Post.author_id,
            Thread.id,
            Thread.title,
        )
        .join(Thread, Thread.id == Post.thread_id)
        .where(Post.thread_id == thread_id, Post.kind == PostKind.OPENING, Post.state == PostState.HIDDEN)
    ).first()
    return row and veil_titles(reader_of(viewer), [row])[0]


def vendor_reply_number(thread_id: int) -> int | None:
    """The number of the vendor's first visible post after the opening."""
    return db.session.execute(
        select(func.min(Post.number)).where(
            Post.thread_id == thread_id,
            Post.by_vendor,
            Post.state == PostState.VISIBLE,
            Post.kind.in_([PostKind.ANSWER, PostKind.REPLY]),
        )
    ).scalar()


def number_of(post_id: int) -> int | None:
    """The number of a post in its thread."""
    return db.session.execute(select(Post.number).where(Post.id == post_id)).scalar()


def _posts(viewer: Viewer) -> Any:
    readable = text_is_visible(viewer)
    query = (
        select(
            Post.id,
            Post.number,
            Post.parent_id,
            Post.kind,
            Post.author_id,
            Post.state,
            Post.state_reason,
            Post.state_rule,
            Post.state_case_id,
            Post.state_at,
            Post.score,
            Post.votes_count,
            Post.revisions_count,
            Post.created_at,
            Post.edited_at,
            Post.by_vendor,
            Post.excerpt,
            Post.source_url,
            readable.label("readable"),
            case((readable, Post.html), else_=null()).label("html"),
            Member.company_id.label("company_id"),
            *BY_POST,
        )
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
    )
    return with_person(query, Post.author_id)
