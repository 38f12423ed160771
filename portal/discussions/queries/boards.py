"""All boards, for those who set them up."""

from sqlalchemy import select

from portal.discussions.models import Board
from portal.kernel.db import db


def all_boards() -> list[Board]:
    """Every board in its order, archived ones too. For admins: no visibility rule is applied."""
    return list(db.session.execute(select(Board).order_by(Board.position, Board.id)).scalars())
