"""Hiding, restoring, releasing: carried out here, decided in moderation."""

from sqlalchemy import Select, update

from portal.discussions.events import PostRemoved, PostRestored
from portal.discussions.models import Board, Post, PostKind, PostState, Thread
from portal.discussions.services.acceptance import drop_acceptance
from portal.discussions.services.counting import (
    count_post,
    count_thread,
    find_activity,
    note_activity,
    touch,
)
from portal.discussions.services.lookup import any_post
from portal.discussions.services.posting import show_post, show_thread
from portal.kernel import clock, events
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work


def hide_post(post_id: int, *, rule: str, reason: str, case_id: int, by_id: int) -> None:
    """Take a post (an opening: its thread) from view; a tombstone with rule and reason stays.

    A held post is refused the same way. Already hidden or deleted: nothing changes. Raises NotFound.
    """
    with unit_of_work():
        post, thread, board = any_post(post_id)
        if post.state in (PostState.HIDDEN, PostState.DELETED):
            return
        if thread.accepted_post_id == post.id:
            drop_acceptance(thread, board, by_id)
        _uncount(post, thread, board)
        post.state = PostState.HIDDEN
        if post.kind is PostKind.OPENING:
            thread.state = PostState.HIDDEN
        post.state_rule, post.state_reason = rule[:160], reason[:600]
        post.state_case_id, post.state_at = case_id, clock.now()
        post.version += 1
        find_activity(thread)
        touch(thread, board)
        events.publish(PostRemoved(post.id, thread.id, post.author_id))


def restore_post(post_id: int) -> None:
    """Show a hidden post again, e.g. after an appeal; its votes are as they were. Raises NotFound."""
    with unit_of_work():
        post, thread, board = any_post(post_id)
        if post.state is not PostState.HIDDEN:
            return
        if post.kind is PostKind.OPENING:
            thread.state = PostState.VISIBLE
            count_thread(thread, board, 1)
        post.state = PostState.VISIBLE
        count_post(post, thread, board, 1)
        _clear(post)
        note_activity(thread, board, post)
        touch(thread, board)
        events.publish(PostRestored(post.id, thread.id, post.author_id))


def release_post(post_id: int) -> None:
    """Publish a post that was held; it counts and is told from now on. Raises NotFound."""
    with unit_of_work():
        post, thread, board = any_post(post_id)
        if post.state is not PostState.HELD:
            return
        _clear(post)
        if post.kind is PostKind.OPENING:
            show_thread(thread, board, post)
        else:
            show_post(post, thread, board)


def hold_again(post_id: int, reason: str) -> None:
    """Have a refused post wait once more, as it did before it was refused. Raises NotFound."""
    with unit_of_work():
        post, thread, board = any_post(post_id)
        if post.state is not PostState.HIDDEN:
            return
        _clear(post)
        post.state = PostState.HELD
        post.state_reason = reason[:600]
        if post.kind is PostKind.OPENING:
            thread.state = PostState.HELD
        touch(thread, board)


def refresh_threads_by(authors: Select[int]) -> None:
    """Mark the threads and boards that show one of these members old, e.g. after a change of name."""
    with unit_of_work():
        threads = db.select(Post.thread_id).where(Post.author_id.in_(authors))
        boards = db.select(Thread.board_id).where(Thread.id.in_(threads))
        for table, ids in ((Thread, threads), (Board, boards)):
            db.session.execute(
                update(table)
                .where(table.id.in_(ids))
                .values(content_version=table.content_version + 1)
                .execution_options(synchronize_session=False)
            )


def _uncount(post: Post, thread: Thread, board: Board) -> None:
    if post.state is not PostState.VISIBLE:
        return
    if post.kind is PostKind.OPENING and thread.state is PostState.VISIBLE:
        count_thread(thread, board, -1)
        thread.state = PostState.HIDDEN
    count_post(post, thread, board, -1)


def _clear(post: Post) -> None:
    post.state_rule = post.state_reason = ""
    post.state_case_id = None
    post.state_at = None
    post.version += 1
