"""A form is taken once: the second submission answers like the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel import clock
from portal.kernel.db import Base, db, flushed_rows
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
    of = {"of_key": key, "of_owner": str(owner)}
    with unit_of_work():
        # PostgreSQL: a second submission waits here for the first.
        if key and not _take({"key": key, "owner": str(owner), "place": "", "taken_at": clock.now()}):
            raise Repeated(flushed_rows(_PLACE, of).scalar_one())
        yield outcome
        if key:
            flushed_rows(_NOTE_PLACE, {**of, "where": outcome.place})


def check_free(form_key: str, owner: int | str) -> None:
    """Raises Repeated(place) when this owner's key was taken: before a look at what the first one changed."""
    of = {"of_key": form_key[:64], "of_owner": str(owner)}
    place = db.session.execute(_PLACE, of).scalar_one_or_none()
    if place is not None:
        raise Repeated(place)


_TAKE: dict[str, Any] = {
    dialect.dialect.name: dialect.insert(FormKey).on_conflict_do_nothing().returning(FormKey.key)
    for dialect in (postgresql, sqlite)
}
_OF = (FormKey.key == bindparam("of_key"), FormKey.owner == bindparam("of_owner"))
_PLACE = select(FormKey.place).where(*_OF)
_NOTE_PLACE = update(FormKey).where(*_OF).values(place=bindparam("where"))


def _take(row: dict[str, Any]) -> bool:
    """Whether the key was free, and is now taken."""
    return flushed_rows(_TAKE[db.engine.dialect.name], row).one_or_none() is not None


def forget_old() -> int:
    """Remove keys older than three days; gives how many."""
    with unit_of_work():
        result = db.session.execute(delete(FormKey).where(FormKey.taken_at < clock.now() - KEPT))
    return result.rowcount  # type: ignore[attr-defined]
