"""The limit on conversations, kept by the database: a place is counted and taken under the member's lock."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update

from portal.kernel import clock, events, preserving
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.errors import NoCapacity
from portal.matching.events import ReservationExpired
from portal.matching.models import Kind, Reservation
from portal.matching.queries.eligible import can_be_asked
from portal.matching.queries.loads import load
from portal.matching.services.slots import free_slot
from portal.members.models import Member

KEPT = timedelta(days=400)


def reserve(
    member_id: int,
    *,
    purpose: str,
    expires_at: datetime,
    kind: Kind | str = Kind.CONVERSATION,
    offered: bool = False,
) -> Reservation:
    """Take a place of the member's limit for this purpose, until `expires_at`. Raises NoCapacity, NotFound.

    The row of the member is locked, so of two at once for the last place one gets it. Everything that a
    proposal looked at is looked at again. `offered`: the member offered this very contact (opened the time,
    agreed to it before), so the three weeks of rest and a pause do not matter; the limit always does.
    A second call for the same purpose gives the place that is there.
    """
    with unit_of_work():
        lock(member_id)
        now = clock.now()
        there = db.session.execute(
            select(Reservation).where(Reservation.purpose == purpose, Reservation.released_at.is_(None))
        ).scalar_one_or_none()
        if there is not None and there.member_id == member_id:
            return there
        if there is not None or not _may_take(member_id, Kind(kind), now, offered=offered):
            raise NoCapacity
        place = Reservation(
            member_id=member_id, kind=Kind(kind), purpose=purpose, reserved_at=now, expires_at=expires_at
        )
        db.session.add(place)
        db.session.flush()  # gives the id
        return place


def confirm(purpose: str, *, expires_at: datetime | None = None) -> bool:
    """The member accepted: the place is kept until it is held or released (or `expires_at`)."""
    with unit_of_work():
        return _change(purpose, Reservation.held_at.is_(None), expires_at=expires_at)


def hold(purpose: str, at: datetime | None = None) -> bool:
    """The conversation took place, at this moment: both have written, or the agreed time has passed.

    False where the place is not outstanding any more. A moment before the reservation, or one to come, is
    taken as the nearest one in between.
    """
    with unit_of_work():
        now = clock.now()
        reserved = db.session.execute(
            select(Reservation.reserved_at).where(
                Reservation.purpose == purpose, Reservation.released_at.is_(None)
            )
        ).scalar_one_or_none()
        if reserved is None:
            return False
        moment = max(reserved, min(at or now, now))
        return _change(purpose, Reservation.held_at.is_(None), held_at=moment, expires_at=None)


def release(purpose: str) -> bool:
    """Declined, cancelled, or nobody answered: the place is free again, and a booked time too.

    False where nothing is outstanding under this purpose. A conversation that was held stays counted.
    """
    with unit_of_work():
        free_slot(purpose)
        return _change(purpose, Reservation.held_at.is_(None), released_at=clock.now())


def did_not_happen(purpose: str) -> bool:
    """Somebody did not show up after all: what was counted as held is given back."""
    with unit_of_work():
        return _change(purpose, Reservation.held_at.is_not(None), released_at=clock.now())


def release_due() -> int:
    """Free the places whose time to answer is over; tells of each (ReservationExpired). Gives how many."""
    due = (
        select(Reservation.purpose, Reservation.member_id)
        .where(Reservation.released_at.is_(None), Reservation.held_at.is_(None))
        .where(Reservation.expires_at <= clock.now())
        .order_by(Reservation.expires_at, Reservation.id)
    )
    count = 0
    for row in db.session.execute(due).all():
        with unit_of_work():
            still = Reservation.held_at.is_(None) & (Reservation.expires_at <= clock.now())
            if _change(row.purpose, still, released_at=clock.now()):
                free_slot(row.purpose)
                events.publish(ReservationExpired(row.member_id, row.purpose))
                count += 1
    return count


def forget_old() -> int:
    """Remove places that ended more than 400 days ago; gives how many."""
    before = clock.now() - KEPT
    with unit_of_work():
        result = db.session.execute(
            delete(Reservation)
            .where(
                or_(Reservation.released_at < before, Reservation.held_at < before),
                Reservation.member_id.not_in(preserving.preserved_ids()),
            )
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def lock(member_id: int) -> None:
    """Have the member's places to oneself until the unit of work ends. Raises NotFound.

    SQLite's units of work come one after another anyway. The lock lets others refer to the row meanwhile.
    """
    found = db.session.execute(
        select(Member.id).where(Member.id == member_id).with_for_update(key_share=True)
    ).first()
    if found is None:
        raise NotFound("no such member")


def _may_take(member_id: int, kind: Kind, at: datetime, *, offered: bool) -> bool:
    if not offered:
        return db.session.execute(can_be_asked(kind, at, only=member_id)).first() is not None
    now = load(member_id, at)
    return now.taken < now.limit


def _change(purpose: str, condition: ColumnElement[bool], **values: datetime | None) -> bool:
    """Change the open place of this purpose where the condition holds."""
    result = db.session.execute(
        update(Reservation)
        .where(Reservation.purpose == purpose, Reservation.released_at.is_(None), condition)
        .values(**values)
        .execution_options(synchronize_session="fetch")
    )
    return result.rowcount > 0  # type: ignore[attr-defined]
