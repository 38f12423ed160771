"""Signs of life of what runs beside the web server."""

from datetime import datetime, timedelta

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel import clock
from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import unit_of_work


class Heartbeat(Base):
    """When something was last seen at work."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column()


def beat(name: str) -> int:
    """Say that it is alive."""
    with unit_of_work():
        db.session.merge(Heartbeat(name=name, at=clock.now()))
    return 0


def is_alive(name: str, within: timedelta = timedelta(minutes=3)) -> bool:
    """Whether it was seen lately."""
    row = db.session.get(Heartbeat, name, populate_existing=True)
    return row is not None and clock.now() - row.at < within
