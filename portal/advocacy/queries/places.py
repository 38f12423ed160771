"""Where posts stand: title and address of their threads, as far as somebody reads them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select, true

from portal.discussions.addresses import post_address
from portal.discussions.guests import veil_titles
from portal.discussions.models import Board, Post, PostState, Thread
from portal.discussions.policy import board_is_visible
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.display import reader_of


def places(post_ids: Iterable[int | None], viewer: Viewer | None) -> dict[int, tuple[str, str]]:
    """Title and address by post, of threads that stand on boards this viewer reads (None: all boards).

    A thread that was removed has no title here, whoever asks.
    """
    ids = sorted({one for one in post_ids if one})
    if not ids:
        return {}
    rows: Sequence[Any] = db.session.execute(
        select(Post.id, Post.number, Thread.id.label("thread_id"), Thread.slug, Thread.title)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Post.id.in_(ids),
            Thread.state == PostState.VISIBLE,
            board_is_visible(viewer) if viewer is not None else true(),
        )
    ).all()
    if viewer is not None:
        rows = veil_titles(reader_of(viewer), rows, "thread_id")
    return {row.id: (row.title, post_address(row.thread_id, row.slug, row.number or 1)) for row in rows}
