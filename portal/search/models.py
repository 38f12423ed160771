"""The outbox: which posts the index has to look at again."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, short_enum


class Scope(StrEnum):
    """What an entry is about: one post, or every post of a thread (its title or tags changed)."""

    POST = "post"
    THREAD = "thread"


class OutboxEntry(Base):
    """A post or thread that the index has to look at again; one row however often it changed.

    The row says nothing of what changed: the drain reads the post as it is then, and what is not to be
    found any more leaves the index. A change while the row is being worked on sets `again`.
    """

    __tablename__ = "search_outbox"

    scope: Mapped[Scope] = mapped_column(short_enum(Scope), primary_key=True)
    target_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    queued_at: Mapped[datetime] = mapped_column()
    claim: Mapped[str | None] = mapped_column(String(32))
    claimed_until: Mapped[datetime | None] = mapped_column()
    again: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_search_outbox_queued", "queued_at"),)
