"""Following threads and boards, and bookmarks."""

from sqlalchemy import bindparam, delete, select, update

from portal.discussions.models import Board, Bookmark, Follow, Thread
from portal.discussions.services.lookup import board_for, post_for, thread_for
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db, flushed_rows
from portal.kernel.unit_of_work import unit_of_work

_FOLLOWS = select(Follow.id).where(
    Follow.member_id == bindparam("member"), Follow.thread_id == bindparam("thread")
)


def follow_silently(member_id: int, thread: Thread) -> None:
    """Follow a thread as a consequence of writing in it. Inside a unit of work."""
    known = flushed_rows(_FOLLOWS, {"member": member_id, "thread": thread.id}).one_or_none()
    if known is None:
        db.session.add(Follow(member_id=member_id, thread_id=thread.id, created_at=clock.now()))
        thread.followers_count += 1


def follow_thread(member: Viewer, thread_id: int) -> None:
    """Hear of new posts in a thread; twice is once. Raises NotFound."""
    with unit_of_work():
        thread, _board = thread_for(member, thread_id)
        follow_silently(member.member_id or 0, thread)


def unfollow_thread(member: Viewer, thread_id: int) -> None:
    """Hear no more of a thread. Raises NotFound."""
    with unit_of_work():
        thread, _board = thread_for(member, thread_id)
        gone = db.session.execute(
            delete(Follow).where(Follow.member_id == member.member_id, Follow.thread_id == thread_id)
        )
        thread.followers_count -= gone.rowcount  # type: ignore[attr-defined]


def follow_board(member: Viewer, board_id: int) -> None:
    """Hear of new threads on a board; twice is once. Raises NotFound."""
    with unit_of_work():
        board = board_for(member, board_id)
        known = db.session.execute(
            select(Follow.id).where(Follow.member_id == member.member_id, Follow.board_id == board_id)
        ).scalar_one_or_none()
        if known is None:
            db.session.add(Follow(member_id=member.member_id or 0, board_id=board_id, created_at=clock.now()))
            board.followers_count += 1


def unfollow_board(member: Viewer, board_id: int) -> None:
    """Hear no more of a board. Raises NotFound."""
    with unit_of_work():
        board = board_for(member, board_id)
        gone = db.session.execute(
            delete(Follow).where(Follow.member_id == member.member_id, Follow.board_id == board_id)
        )
        board.followers_count -= gone.rowcount  # type: ignore[attr-defined]


def bookmark(member: Viewer, post_id: int) -> None:
    """Keep a post to find it again; twice is once. Raises NotFound."""
    with unit_of_work():
        post_for(member, post_id)
        known = db.session.execute(
            select(Bookmark.id).where(Bookmark.member_id == member.member_id, Bookmark.post_id == post_id)
        ).scalar_one_or_none()
        if known is None:
            db.session.add(Bookmark(member_id=member.member_id or 0, post_id=post_id, created_at=clock.now()))


def remove_bookmark(member: Viewer, post_id: int) -> None:
    """Drop a bookmark; also of a post that is no longer to be seen."""
    with unit_of_work():
        db.session.execute(
            delete(Bookmark).where(Bookmark.member_id == member.member_id, Bookmark.post_id == post_id)
        )


def move_follows(source_id: int, target: Thread) -> None:
    """Whoever follows `source_id` also follows `target`. Inside a unit of work."""
    already = select(Follow.member_id).where(Follow.thread_id == target.id)
    followers = db.session.execute(
        select(Follow.member_id).where(Follow.thread_id == source_id, Follow.member_id.not_in(already))
    ).scalars()
    for member_id in list(followers):
        db.session.add(Follow(member_id=member_id, thread_id=target.id, created_at=clock.now()))
        target.followers_count += 1


def unfollow_everything(member_id: int) -> None:
    """End every board and thread follow of a member, e.g. when the account is erased."""
    with unit_of_work():
        for model, column in ((Thread, Follow.thread_id), (Board, Follow.board_id)):
            followed = select(column).where(Follow.member_id == member_id, column.is_not(None))
            db.session.execute(
                update(model).where(model.id.in_(followed)).values(followers_count=model.followers_count - 1)
            )
        db.session.execute(delete(Follow).where(Follow.member_id == member_id))
