"""Times that members open for booking."""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update

from portal.kernel import clock, preserving
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.errors import SlotTaken
from portal.matching.models import Slot

MOST_SLOTS = 40
SOONEST = timedelta(minutes=30)
LATEST = timedelta(days=180)
LENGTHS = (15, 20, 30, 45, 60)
KEPT = timedelta(days=90)


def open_slot(member_id: int, starts_at: datetime, minutes: int) -> Slot:
    """Open a time for booking; the same time again is once. Raises Invalid beside a field."""
    if minutes not in LENGTHS:
        raise Invalid(_("Choose one of the lengths."), "minutes")
    with unit_of_work():
        now = clock.now()
        if not now + SOONEST <= starts_at <= now + LATEST:
            raise Invalid(_("Choose a time from half an hour to six months ahead."), "starts_at")
        around = db.session.execute(
            select(Slot).where(
                Slot.member_id == member_id,
                Slot.starts_at > starts_at - timedelta(minutes=max(LENGTHS)),
                Slot.starts_at < starts_at + timedelta(minutes=minutes),
            )
        ).scalars()
        for other in around:
            if other.starts_at == starts_at and other.minutes == minutes:
                return other
            if other.starts_at + timedelta(minutes=other.minutes) > starts_at:
                raise Invalid(_("This overlaps with a time that is open already."), "starts_at")
        count = db.session.execute(
            select(func.count()).select_from(Slot).where(Slot.member_id == member_id, Slot.starts_at > now)
        ).scalar_one()
        if count >= MOST_SLOTS:
            raise Invalid(
                _("At most %(most)s times can be open. Close one first.", most=MOST_SLOTS), "starts_at"
            )
        slot = Slot(member_id=member_id, starts_at=starts_at, minutes=minutes)
        db.session.add(slot)
        db.session.flush()  # gives the id
        return slot


def close_slot(member_id: int, slot_id: int) -> None:
    """Take an open time back. Raises NotFound, and SlotTaken when it is booked: cancel that instead."""
    with unit_of_work():
        slot = db.session.execute(
            select(Slot).where(Slot.id == slot_id, Slot.member_id == member_id)
        ).scalar_one_or_none()
        if slot is None:
            raise NotFound("no such time")
        if slot.taken_by is not None:
            raise SlotTaken
        db.session.delete(slot)


def take_slot(slot_id: int, purpose: str) -> Slot:
    """Book an open time, of two at once for one of them; the same purpose again is once. Raises SlotTaken."""
    with unit_of_work():
        db.session.execute(
            update(Slot)
            .where(Slot.id == slot_id, Slot.taken_by.is_(None), Slot.starts_at > clock.now())
            .values(taken_by=purpose)
        )
        slot = db.session.execute(
            select(Slot).where(Slot.id == slot_id).execution_options(populate_existing=True)
        ).scalar_one_or_none()
        if slot is None or slot.taken_by != purpose:
            raise SlotTaken
        return slot


def free_slot(purpose: str) -> None:
    """Open the time again that this purpose booked."""
    with unit_of_work():
        db.session.execute(update(Slot).where(Slot.taken_by == purpose).values(taken_by=None))


def forget_old() -> int:
    """Remove times that are over since 90 days; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            delete(Slot)
            .where(Slot.starts_at < clock.now() - KEPT, Slot.member_id.not_in(preserving.preserved_ids()))
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]
