"""Rows for writing: found through the visibility rules, read under the lock of the running unit of work."""

from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, select

from portal.discussions.models import Board, Post, PostState, Thread
from portal.discussions.policy import board_is_visible, may_write_in, text_is_visible, thread_is_visible
from portal.discussions.queries.finding import kind_of
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, NotFound

LARGEST_ID = 2**31 - 1  # an address may hold any number of digits; the database may not


def board_for(viewer: Viewer, board_id: int) -> Board:
    """The board, when the viewer may read it. Raises NotFound."""
    board_id = _possible(board_id)
    board = db.session.execute(
        select(Board).where(Board.id == board_id, board_is_visible(viewer)).with_for_update()
    ).scalar_one_or_none()
    if board is None:
        raise NotFound("no such board")
    return board


def thread_for(viewer: Viewer, thread_id: int) -> tuple[Thread, Board]:
    """The thread and its board, locked, when the viewer may read it. Raises NotFound."""
    thread_id = _possible(thread_id)
    row = db.session.execute(
        _thread_statement(kind_of(viewer)), {"thread": thread_id, "me": viewer.member_id}
    ).one_or_none()
    if row is None:
        raise NotFound("no such thread")
    return row[0], row[1]


@lru_cache(64)
def _thread_statement(viewer: Viewer) -> Any:
    return (
        select(Thread, Board)
        .join(Board, Board.id == Thread.board_id)
        .where(Thread.id == bindparam("thread"), thread_is_visible(viewer))
        .with_for_update()
    )


def post_for(viewer: Viewer, post_id: int) -> tuple[Post, Thread, Board]:
    """The post with thread and board, locked, when the viewer may read its words. Raises NotFound."""
    post_id = _possible(post_id)
    row = db.session.execute(
        select(Post, Thread, Board)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.id == post_id, text_is_visible(viewer))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("no such post")
    return row[0], row[1], row[2]


def any_post(post_id: int) -> tuple[Post, Thread, Board]:
    """The post in whatever state, locked; for decisions taken elsewhere. Raises NotFound."""
    row = db.session.execute(
        select(Post, Thread, Board)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.id == post_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("no such post")
    return row[0], row[1], row[2]


def any_thread(thread_id: int) -> tuple[Thread, Board]:
    """The thread in whatever state, locked; for decisions taken elsewhere. Raises NotFound."""
    row = db.session.execute(
        select(Thread, Board)
        .join(Board, Board.id == Thread.board_id)
        .where(Thread.id == thread_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("no such thread")
    return row[0], row[1]


def check_may_write(viewer: Viewer, thread: Thread, board: Board) -> None:
    """Raises Forbidden with the reason when the viewer may not add a post here."""
    if may_write_in(viewer, board.archived_at is not None, thread.closed_at is not None, thread.state):
        return
    if board.archived_at is not None:
        raise Forbidden(_("This board is archived: it can be read, but nothing can be added."))
    if thread.closed_at is not None:
        raise Forbidden(_("This thread is closed."))
    if thread.state is PostState.HELD:
        raise Forbidden(_("This thread waits for a moderator; nothing can be added until then."))
    raise Forbidden(_("You cannot write here."))


def check_moderator(viewer: Viewer) -> None:
    """Raises Forbidden unless the viewer moderates."""
    if not viewer.may(Permission.MODERATE):
        raise Forbidden(_("Only moderators can do this."))


def _possible(number: int) -> int:
    if number > LARGEST_ID:
        raise NotFound("no such number")
    return number
