"""A form is taken once: the second submission answers like the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel import clock
from portal.kernel.db import Base, db
from portal.kernel.errors import Repeated
from portal.kernel.unit_of_work import unit_of_work

KEPT = timedelta(days=3)


class FormKey(Base):
    """One submission that was taken, and where its result stands."""

    __tablename__ = "form_keys"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[str] = mapped_column(String(400))
    taken_at: Mapped[datetime] = mapped_column(index=True)


@dataclass
class Outcome:
    """Set `place` to the address at which the result of the write stands."""

    place: str = ""


@contextmanager
def once(form_key: str, owner: int | str) -> Iterator[Outcome]:
    """Run the block in a unit of work, once for each key of an owner.

    Raises Repeated(place) when this owner's key was taken before. An empty key is never remembered.
    """
    key = form_key[:64]
    outcome = Outcome()
    try:
        with unit_of_work():
            if key:
                if (taken := _place(key, owner)) is not None:
                    raise Repeated(taken)
                row = FormKey(key=key, owner=str(owner), place="", taken_at=clock.now())
                db.session.add(row)
                db.session.flush()  # PostgreSQL: a second submission waits here for the first
            yield outcome
            if key:
                row.place = outcome.place
    except IntegrityError as error:
        if key and (taken := _place(key, owner)) is not None:
            raise Repeated(taken) from error
        raise


def _place(key: str, owner: int | str) -> str | None:
    return db.session.execute(
        select(FormKey.place).where(FormKey.key == key, FormKey.owner == str(owner))
    ).scalar_one_or_none()


def forget_old() -> int:
    """Remove keys older than three days; gives how many."""
    with unit_of_work():
        result = db.session.execute(delete(FormKey).where(FormKey.taken_at < clock.now() - KEPT))
    return result.rowcount  # type: ignore[attr-defined]
