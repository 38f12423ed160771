"""Counters kept with every write. What each one counts is defined here; `recount` computes the same anew."""

from datetime import datetime

from sqlalchemy import bindparam, select, update

from portal.discussions.models import Board, Post, PostKind, PostState, Tag, Thread, ThreadTag
from portal.kernel.db import db
from portal.members.models import Member

_COUNT_FOR_MEMBER = (
    update(Member)
    .where(Member.id == bindparam("author_id"))
    .values(
        posts_count=Member.posts_count + bindparam("posts"),
        answers_count=Member.answers_count + bindparam("answers"),
    )
)


def count_post(post: Post, thread: Thread, board: Board, by: int) -> None:
    """A post of a thread appears (by=1) or disappears (by=-1).

    thread.posts_count: visible numbered posts; answers_count, comments_count: visible ones.
    board.posts_count: posts_count of its visible threads. member.posts_count: visible posts of any kind.
    """
    if post.kind is PostKind.COMMENT:
        thread.comments_count += by
    else:
        thread.posts_count += by
        if thread.state is PostState.VISIBLE:
            board.posts_count += by
    answers = by if post.kind is PostKind.ANSWER else 0
    thread.answers_count += answers
    touch(thread, board)
    # Past the session: thread and board are written once, after all that is still to change in them.
    db.session.connection().execute(
        _COUNT_FOR_MEMBER, {"author_id": post.author_id, "posts": by, "answers": answers}
    )


def count_thread(thread: Thread, board: Board, by: int) -> None:
    """A whole thread appears on its board (by=1) or disappears from it (by=-1)."""
    board.threads_count += by
    board.posts_count += by * thread.posts_count
    db.session.execute(
        update(Member).where(Member.id == thread.author_id).values(threads_count=Member.threads_count + by)
    )
    db.session.execute(
        update(Tag)
        .where(Tag.id.in_(select(ThreadTag.tag_id).where(ThreadTag.thread_id == thread.id)))
        .values(threads_count=Tag.threads_count + by)
    )
    touch(thread, board)


def touch(thread: Thread, board: Board) -> None:
    """Say that the list of posts and the page of the board changed: what was kept of them is old."""
    thread.content_version += 1
    board.content_version += 1


def note_activity(thread: Thread, board: Board, post: Post) -> None:
    """The newest post of a thread moves it up. Comments do not."""
    if post.kind is not PostKind.COMMENT and post.created_at >= thread.last_activity_at:
        thread.last_activity_at = post.created_at
        thread.last_post_id = post.id
        thread.last_author_id = post.author_id
        if board.last_activity_at is None or post.created_at > board.last_activity_at:
            board.last_activity_at = post.created_at
    if post.by_vendor and post.kind in (PostKind.ANSWER, PostKind.REPLY):
        thread.vendor_replied = True


def find_activity(thread: Thread) -> None:
    """Set a thread's last activity from its visible posts, after one of them went away."""
    last = db.session.execute(
        select(Post.id, Post.author_id, Post.created_at)
        .where(Post.thread_id == thread.id, Post.number.is_not(None), Post.state == PostState.VISIBLE)
        .order_by(Post.created_at.desc(), Post.id.desc())
        .limit(1)
    ).one_or_none()
    moment: datetime = last.created_at if last else thread.created_at
    thread.last_activity_at = moment
    thread.last_post_id = last.id if last else None
    thread.last_author_id = last.author_id if last else thread.author_id
