"""A post that somebody is about to flag."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from portal.discussions.authors import BY_POST
from portal.discussions.guests import veil_over
from portal.discussions.models import Board, Post, PostState, Thread
from portal.discussions.policy import text_is_visible
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members.display import PersonLine, person_line, reader_of, with_person
from portal.moderation.models import Flag, FlagOutcome


@dataclass(frozen=True)
class PostToFlag:
    id: int
    number: int | None
    title: str
    board_slug: str
    html: str
    author: PersonLine
    created_at: datetime
    is_own: bool
    is_held: bool
    flagged: FlagOutcome | None  # by this viewer before


def post_to_flag(viewer: Viewer, post_id: int) -> PostToFlag:
    """The post, when the viewer may read its words. Raises NotFound."""
    query = (
        select(
            Post.id,
            Post.number,
            Post.html,
            Post.state,
            Post.author_id,
            Post.created_at,
            Post.by_vendor,
            Thread.id.label("thread_id"),
            Thread.title,
            Board.slug,
            Flag.outcome,
            *BY_POST,
        )
        .select_from(Post)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .outerjoin(Flag, and_(Flag.post_id == Post.id, Flag.reporter_id == viewer.member_id, Flag.stands()))
    )
    row = db.session.execute(
        with_person(query, Post.author_id).where(Post.id == post_id, text_is_visible(viewer))
    ).one_or_none()
    if row is None:
        raise NotFound("no such post")
    reader = reader_of(viewer)
    veil = veil_over(reader, [row.title, row.html], [row.thread_id])
    return PostToFlag(
        id=row.id,
        number=row.number,
        title=veil(row.title, row.thread_id),
        board_slug=row.slug,
        html=veil(row.html, row.thread_id),
        author=person_line(row, reader, by_vendor=row.by_vendor),
        created_at=row.created_at,
        is_own=row.author_id == viewer.member_id,
        is_held=row.state is not PostState.VISIBLE,
        flagged=row.outcome,
    )
