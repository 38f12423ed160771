"""Legal orders: whose data nothing deletes for now. An order keeps; it opens and reads nothing."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, String, Text, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel import clock
from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import unit_of_work


class Preservation(Base):
    """Deletion and retention are suspended for a member until a date."""

    __tablename__ = "preservations"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    silent: Mapped[bool] = mapped_column(default=False)  # the order forbids telling the member
    created_at: Mapped[datetime] = mapped_column()
    until: Mapped[datetime] = mapped_column(index=True)


class PostponedErasure(Base):
    """Somebody erased their account while an order holds: closed now, erased when the order ends."""

    __tablename__ = "postponed_erasures"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    keep_text: Mapped[bool] = mapped_column()
    name: Mapped[str] = mapped_column(String(80))  # as it was: the order is about the person
    username: Mapped[str] = mapped_column(String(40))
    wanted_at: Mapped[datetime] = mapped_column()


class KeptWords(Base):
    """What somebody deleted while an order holds for them. No page, search or export reads it."""

    __tablename__ = "kept_words"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    what: Mapped[str] = mapped_column(String(40))  # "post 12"
    words: Mapped[dict[str, Any]] = mapped_column()
    kept_at: Mapped[datetime] = mapped_column()


def preserved_ids() -> Any:
    """A subquery of the members whose data is to be kept now: for `not_in`."""
    return select(Preservation.member_id).where(Preservation.until > clock.now())


def is_preserved(member_id: int) -> bool:
    """Whether an order holds for this member now."""
    return (
        db.session.execute(
            select(Preservation.id).where(
                Preservation.member_id == member_id, Preservation.until > clock.now()
            )
        ).first()
        is not None
    )


def how_many_in(days: int) -> int:
    """How many orders were carried out in the last so many days, silent ones too."""
    since = clock.now() - timedelta(days=days)
    return db.session.execute(
        select(func.count()).select_from(Preservation).where(Preservation.created_at > since)
    ).scalar_one()


def keep_former(member_id: int, what: str, words: dict[str, Any]) -> None:
    """Keep what is about to be written over, where an order holds for the member. Inside a unit of work."""
    if is_preserved(member_id):
        keep(member_id, what, words)


def keep(member_id: int, what: str, words: dict[str, Any]) -> None:
    """Put words aside that are about to be deleted, until the order ends. Inside a unit of work."""
    db.session.add(KeptWords(member_id=member_id, what=what, words=words, kept_at=clock.now()))


def forget_kept() -> int:
    """Remove what was put aside for members for whom no order holds any more; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            delete(KeptWords)
            .where(KeptWords.member_id.not_in(preserved_ids()))
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]
