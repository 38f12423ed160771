"""What discussions does when something happens in a thread: tell those it concerns, once."""

from typing import Any

from sqlalchemy import bindparam, select

from portal.discussions import telling
from portal.discussions.events import AnswerAccepted, PostEdited, PostPublished, PostRemoved, ThreadChanged
from portal.discussions.models import Board, Post, PostKind, Thread
from portal.discussions.services.removal import refresh_threads_by
from portal.kernel import site
from portal.kernel.db import flushed_rows
from portal.members.events import CompanyChanged, MemberChanged
from portal.members.models import Member
from portal.notifications.services.notifying import notify


def tell_of_post(event: PostPublished) -> None:
    """Mentioned members first, then the one who is answered, then followers: each hears it once."""
    row = _row(event.post_id)
    key = f"post:{event.post_id}"

    def tell(kind: str, members: set[int]) -> None:
        notify(kind, members, source_key=key, actor_id=event.author_id, post_id=event.post_id)

    tell("mention", telling.readers_among(set(row.mentions), row.audience))
    if row.kind is PostKind.OPENING:
        tell("new_thread", telling.followers_of(board_id=row.board_id, audience=row.audience))
        return
    tell("reply", telling.readers_among({_answered(row)} - {event.author_id}, row.audience))
    if row.kind is not PostKind.COMMENT:
        tell("followed", telling.followers_of(thread_id=row.thread_id, audience=row.audience))


def tell_of_edit(event: PostEdited) -> None:
    """Members who are mentioned for the first time by an edit."""
    if event.new_mentions:
        row = _row(event.post_id)
        notify(
            "mention",
            telling.readers_among(set(event.new_mentions), row.audience),
            source_key=f"post:{event.post_id}",
            actor_id=event.editor_id,
            post_id=event.post_id,
        )


def tell_of_acceptance(event: AnswerAccepted) -> None:
    """The author of the accepted answer."""
    row = _row(event.post_id)
    notify(
        "accepted",
        telling.readers_among({row.author_id}, row.audience),
        source_key=f"accepted:{event.post_id}",
        actor_id=event.by_id,
        post_id=event.post_id,
    )


def freshen_kept_pages(_event: PostRemoved | ThreadChanged) -> None:
    """What went away, moved or got another title may stand beside other threads: no kept page shows it on."""
    site.touch()


def refresh_lines_of_member(event: MemberChanged) -> None:
    """What stands beside a name is part of kept pages: they are made anew."""
    refresh_threads_by(select(Member.id).where(Member.id == event.member_id))


def refresh_lines_of_company(event: CompanyChanged) -> None:
    """The same for everybody of a company."""
    refresh_threads_by(select(Member.id).where(Member.company_id == event.company_id))


def _row(post_id: int) -> Any:
    return flushed_rows(_POST, {"post": post_id}).one()


_POST = (
    select(
        Post.kind,
        Post.author_id,
        Post.parent_id,
        Post.mentions,
        Post.thread_id,
        Thread.author_id.label("thread_author_id"),
        Thread.board_id,
        Board.audience,
    )
    .join(Thread, Thread.id == Post.thread_id)
    .join(Board, Board.id == Thread.board_id)
    .where(Post.id == bindparam("post"))
)
_AUTHOR = select(Post.author_id).where(Post.id == bindparam("post"))


def _answered(row: Any) -> int:
    """Whom the post answers: the author of the post commented on, else whoever opened the thread."""
    if row.parent_id is None:
        return row.thread_author_id
    return int(flushed_rows(_AUTHOR, {"post": row.parent_id}).scalar_one())
