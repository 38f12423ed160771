"""Boards: made, described, ordered, archived by an admin."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.discussions.events import BoardChanged
from portal.discussions.models import Audience, Board
from portal.kernel import audit, clock, events, site
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.slugs import slugify
from portal.kernel.unit_of_work import unit_of_work


def create_board(admin: Viewer, *, name: str, description: str, audience: Audience, slug: str = "") -> Board:
    """A new board at the end of the order. Raises Forbidden; Invalid beside name or slug."""
    _check(admin)
    with unit_of_work():
        slug = slugify(slug or name, 60, "board")
        if db.session.execute(select(Board.id).where(Board.slug == slug)).first():
            raise Invalid(_("Another board has this address."), "slug")
        last = db.session.execute(select(func.max(Board.position))).scalar() or 0
        board = Board(
            slug=slug,
            name=_name(name),
            description=" ".join(description.split())[:400],
            audience=audience,
            position=last + 1,
            created_at=clock.now(),
        )
        db.session.add(board)
        db.session.flush()
        site.touch()
        _record(admin, "create board", board)
    return board


def change_board(
    admin: Viewer,
    board_id: int,
    *,
    name: str,
    description: str,
    audience: Audience,
    archived: bool,
    version: int,
) -> Board:
    """Change name, description, audience or archive. Raises Forbidden, NotFound, Invalid, Conflict."""
    _check(admin)
    with unit_of_work():
        board = _board(board_id)
        if board.version != version:
            raise Conflict(_("Somebody changed this board meanwhile."), board.version)
        opens_or_closes = board.audience is not audience
        archived_at: datetime | None = (board.archived_at or clock.now()) if archived else None
        board.name, board.description = _name(name), " ".join(description.split())[:400]
        board.audience, board.archived_at = audience, archived_at
        board.version += 1
        board.content_version += 1
        site.touch()
        if opens_or_closes:
            events.publish(BoardChanged(board.id))
        _record(admin, "change board", board)
    return board


def move_board(admin: Viewer, board_id: int, by: int) -> None:
    """Move a board up (-1) or down (1) in the order. Raises Forbidden, NotFound."""
    _check(admin)
    with unit_of_work():
        boards = list(db.session.execute(select(Board).order_by(Board.position, Board.id)).scalars())
        ids = [board.id for board in boards]
        if board_id not in ids:
            raise NotFound("no such board")
        here = ids.index(board_id)
        there = min(max(here + by, 0), len(boards) - 1)
        boards.insert(there, boards.pop(here))
        for position, board in enumerate(boards):
            board.position = position
        site.touch()


def _record(admin: Viewer, action: str, board: Board) -> None:
    words = f"{board.name}, {board.audience}{', archived' if board.archived_at else ''}"
    audit.record(admin, action, "board", board.id, words, area="settings", board_id=board.id)


def _board(board_id: int) -> Board:
    board = db.session.get(Board, board_id, with_for_update=True)
    if board is None:
        raise NotFound("no such board")
    return board


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 2 <= len(name) <= 80:
        raise Invalid(_("A board's name has 2 to 80 characters."), "name")
    return name


def _check(admin: Viewer) -> None:
    if not admin.may(Permission.ADMINISTER):
        raise Forbidden(_("Only admins can change boards."))
