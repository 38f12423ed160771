"""Lists of boards: for pages with counters, for the menu with what is unread, for those who set them up."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Integer, and_, bindparam, case, func, null, select

from portal.discussions import reading_state
from portal.discussions.models import Board, PostState, ReadMark, Thread
from portal.discussions.policy import board_is_visible, readable_audiences
from portal.discussions.queries.finding import ME, kind_of
from portal.discussions.queries.lists import FRESH
from portal.kernel import clock, site
from portal.kernel.access import Viewer
from portal.kernel.db import UTCDateTime, db, rows_of

LATELY = 300  # threads that are looked at for the marks in the menu


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One board in a list, as `components/boards.html` shows it."""

    id: int
    slug: str
    name: str
    description: str
    audience: str
    threads_count: int
    last_activity_at: datetime | None
    archived: bool
    version: int = field(default=0, compare=False)  # changes with everything that stands on it
    unread: int = 0  # threads with something that the member has not read


_menu: dict[Any, tuple[BoardLine, ...]] = {}


def boards_in_menu(viewer: Viewer) -> tuple[BoardLine, ...]:
    """The boards for the navigation, without archived ones, with how many threads on each are unread.

    The boards are kept in the process until an admin changes one; their other counters are not kept up: use
    `boards_of`. One statement for a member, none for a visitor.
    """
    key = (site.current().version, readable_audiences(viewer), id(db.engine))
    if key not in _menu:
        if len(_menu) > 50:
            _menu.clear()
        _menu[key] = tuple(line for line in boards_of(viewer) if not line.archived)
    unread = unread_by_board(viewer)
    return tuple(replace(line, unread=unread[line.id]) if line.id in unread else line for line in _menu[key])


def unread_by_board(viewer: Viewer) -> dict[int, int]:
    """Threads in which others wrote something that the member has not read, counted by board's id.

    Among the latest `LATELY` threads of the last two weeks: what is older is no news. {} for visitors.
    """
    if viewer.member_id is None:
        return {}
    gathered = reading_state.gathered_of(viewer.member_id)
    values = {"me": viewer.member_id, "since": clock.now() - FRESH}
    if gathered:
        rows = rows_of(_unread_statement(apart=True), {**values, "gathered": list(gathered)})
    else:
        rows = rows_of(_unread_statement(apart=False), values)
    counts: dict[int, int] = {}
    for board_id, thread_id, last_number, threads in rows:
        if thread_id is None or last_number > gathered[thread_id]:
            counts[board_id] = counts.get(board_id, 0) + threads
    return counts


@cache
def _unread_statement(*, apart: bool) -> Any:
    """A line a board, and one for each thread of which the buffer knows more than the row (`apart`)."""
    latest = (
        select(Thread.id, Thread.board_id, Thread.last_number, Thread.last_author_id)
        .where(
            Thread.state == PostState.VISIBLE,
            Thread.last_activity_at > bindparam("since", type_=UTCDateTime()),
        )
        .order_by(Thread.last_activity_at.desc(), Thread.id.desc())
        .limit(LATELY)
        .subquery()
    )
    gathered = bindparam("gathered", type_=Integer, expanding=True)
    known_better: Any = case((latest.c.id.in_(gathered), latest.c.id), else_=null()) if apart else null()
    own = and_(ReadMark.thread_id == latest.c.id, ReadMark.member_id == ME)
    return (
        select(latest.c.board_id, known_better, func.max(latest.c.last_number), func.count())
        .outerjoin(ReadMark, own)
        .where(
            latest.c.last_author_id.is_distinct_from(ME),
            latest.c.last_number > func.coalesce(ReadMark.last_number, 0),
        )
        .group_by(latest.c.board_id, *([known_better] if apart else []))
    )


def boards_of(viewer: Viewer) -> list[BoardLine]:
    """All boards the viewer reads, in their order."""
    rows = rows_of(_boards_statement(kind_of(viewer))).all()
    return [
        BoardLine(
            row.id,
            row.slug,
            row.name,
            row.description,
            row.audience.value,
            row.threads_count,
            row.last_activity_at,
            row.archived_at is not None,
            row.content_version,
        )
        for row in rows
    ]


@lru_cache(64)
def _boards_statement(viewer: Viewer) -> Any:
    return (
        select(
            Board.id,
            Board.slug,
            Board.name,
            Board.description,
            Board.audience,
            Board.threads_count,
            Board.last_activity_at,
            Board.archived_at,
            Board.content_version,
        )
        .where(board_is_visible(viewer))
        .order_by(Board.archived_at.is_not(None), Board.position, Board.id)
    )


def all_boards() -> list[Board]:
    """Every board in its order, archived ones too. For admins: no visibility rule is applied."""
    return list(db.session.execute(select(Board).order_by(Board.position, Board.id)).scalars())
