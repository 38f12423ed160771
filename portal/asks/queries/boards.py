"""On which board asks are opened, and who is responsible for them."""

from typing import Any

from sqlalchemy import select

from portal.asks.errors import NoBoard
from portal.discussions.models import Audience, Board
from portal.kernel import site
from portal.kernel.db import db
from portal.members.models import Member, MemberState


def board_for_asks(*, public: bool = False) -> Any:
    """The board: as the settings name it, else the first open one for prospects (`public`: for everyone).

    Raises NoBoard.
    """
    found = boards_for_asks().get("public" if public else "prospects")
    if found is None:
        raise NoBoard()
    return found


def boards_for_asks() -> dict[str, Any]:
    """The boards on which asks are opened: "prospects" and "public"; without one the key is missing."""
    named = {"prospects": site.current().ask_board, "public": site.current().ask_public_board}
    rows = db.session.execute(
        select(Board.id, Board.slug, Board.name, Board.audience)
        .where(Board.audience.in_([Audience.PROSPECTS, Audience.PUBLIC]), Board.archived_at.is_(None))
        .order_by(Board.position, Board.id)
    ).all()
    found: dict[str, Any] = {}
    for row in rows:
        key = row.audience.value
        if key not in found or row.slug == named[key]:
            found[key] = row
    return found


def responsible() -> Any | None:
    """(id, name) of the person whom the settings name as responsible for asks; None: the moderators."""
    username = site.current().ask_responsible
    if not username:
        return None
    return db.session.execute(
        select(Member.id, Member.name).where(Member.username == username, Member.state == MemberState.ACTIVE)
    ).one_or_none()
