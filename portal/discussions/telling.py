"""Who hears of what in threads, and the words in which they read it."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, select

from portal.discussions.authors import BY_POST
from portal.discussions.guests import veil_over
from portal.discussions.models import Audience, Board, Follow, Post, PostKind, Thread, ThreadKind
from portal.discussions.policy import statuses_reading, text_is_visible
from portal.kernel.access import Viewer
from portal.kernel.db import db, flushed_rows
from portal.members.display import person_line, reader_of
from portal.members.models import Company, Member
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice

_STATUSES: Any = bindparam("statuses", expanding=True)
_READERS = select(Member.id).where(
    Member.id.in_(bindparam("members", expanding=True)), Member.status.in_(_STATUSES)
)
_FOLLOWERS = (
    select(Follow.member_id).join(Member, Member.id == Follow.member_id).where(Member.status.in_(_STATUSES))
)
_FOLLOWERS_OF_THREAD = _FOLLOWERS.where(Follow.thread_id == bindparam("target"))
_FOLLOWERS_OF_BOARD = _FOLLOWERS.where(Follow.board_id == bindparam("target"))


def readers_among(member_ids: set[int], audience: Audience) -> set[int]:
    """Those of the members who may read boards of this audience."""
    if not member_ids:
        return set()
    values = {"members": sorted(member_ids), "statuses": statuses_reading(audience)}
    return set(flushed_rows(_READERS, values).scalars())


def followers_of(
    *, thread_id: int | None = None, board_id: int | None = None, audience: Audience
) -> set[int]:
    """Members who follow the thread or the board and may still read it."""
    statuses = statuses_reading(audience)
    if thread_id is not None:
        found = flushed_rows(_FOLLOWERS_OF_THREAD, {"target": thread_id, "statuses": statuses})
    else:
        found = flushed_rows(_FOLLOWERS_OF_BOARD, {"target": board_id, "statuses": statuses})
    return set(found.scalars())


def resolve(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """Lines for notices about posts, in one statement; posts the viewer may not read give none."""
    ids = [notice.post_id for notice in notices if notice.post_id is not None]
    rows = db.session.execute(
        select(
            Post.id,
            Post.kind,
            Post.number,
            Post.excerpt,
            Post.html,
            Thread.id.label("thread_id"),
            Thread.title,
            Thread.kind.label("thread_kind"),
            Thread.author_id.label("asker_id"),
            Board.name.label("board"),
            *BY_POST,
        )
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .join(Member, Member.id == Post.author_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Post.id.in_(ids), text_is_visible(viewer))
    ).all()
    posts = {row.id: row for row in rows}
    texts = [text for row in rows for text in (row.title, row.html)]
    veil = veil_over(reader_of(viewer), texts, [row.thread_id for row in rows])
    return {
        notice.id: Line(
            sentence=_sentence(notice, posts[notice.post_id], viewer),
            title=veil(posts[notice.post_id].title, posts[notice.post_id].thread_id),
            url=f"/posts/{notice.post_id}",
            excerpt=veil(posts[notice.post_id].excerpt, posts[notice.post_id].thread_id),
            html=veil(posts[notice.post_id].html, posts[notice.post_id].thread_id),
            thread_key=f"thread-{posts[notice.post_id].thread_id}",
        )
        for notice in notices
        if notice.post_id in posts
    }


def _sentence(notice: Notice, row: Any, viewer: Viewer) -> str:
    author = person_line(row, reader_of(viewer)).name
    if notice.kind == "mention":
        return _("%(name)s mentioned you", name=author)
    if notice.kind == "accepted":
        return _("Your answer was accepted")
    if notice.kind == "new_thread":
        return _("%(name)s started a thread in %(board)s", name=author, board=row.board)
    if row.kind is PostKind.COMMENT:
        return _("%(name)s commented", name=author)
    if row.kind is PostKind.ANSWER and row.asker_id == viewer.member_id:
        return _("%(name)s answered your question", name=author)
    if row.kind is PostKind.ANSWER:
        return _("%(name)s answered a question you follow", name=author)
    if row.thread_kind is not ThreadKind.QUESTION and row.asker_id == viewer.member_id:
        return _("%(name)s replied to you", name=author)
    return _("%(name)s wrote in a thread you follow", name=author)


KINDS = (
    Kind("reply", "somebody answers, replies to or comments on what you wrote", resolve, order=10),
    Kind("mention", "somebody mentions you", resolve, order=20),
    Kind("accepted", "your answer is accepted", resolve, order=30),
    Kind("followed", "something new stands in a thread you follow", resolve, order=40),
    Kind("new_thread", "a thread starts on a board you follow", resolve, by_mail=False, order=50),
)
