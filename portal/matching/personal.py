"""What the tables of matching hold about people (kernel.personal)."""

from typing import Any

from sqlalchemy import delete, select

from portal.kernel.db import db
from portal.kernel.personal import Personal
from portal.matching.models import Availability, Exposure, Reservation, Slot
from portal.matching.services.reserving import KEPT

FORGET_JOB = "forget old reservations"


def _choices_of(member_id: int) -> Any:
    row = db.session.get(Availability, member_id)
    if row is None:
        return {}
    return {
        column.key: getattr(row, column.key)
        for column in Availability.__table__.columns
        if column.key != "member_id"
    }


def _slots_of(member_id: int) -> Any:
    rows = db.session.execute(select(Slot).where(Slot.member_id == member_id).order_by(Slot.starts_at))
    return [
        {"starts_at": row.starts_at, "minutes": row.minutes, "booked": row.taken_by is not None}
        for row in rows.scalars()
    ]


def _asked_of(member_id: int) -> Any:
    """When somebody asked, and what became of it; who it was stands in the conversation itself."""
    taken = db.session.execute(
        select(Reservation).where(Reservation.member_id == member_id).order_by(Reservation.reserved_at)
    ).scalars()
    shown = db.session.execute(
        select(Exposure.kind, Exposure.at).where(Exposure.member_id == member_id).order_by(Exposure.at)
    )
    return {
        "asked": [
            {
                "kind": row.kind.value,
                "at": row.reserved_at,
                "held_at": row.held_at,
                "released_at": row.released_at,
            }
            for row in taken
        ],
        "shown": [{"how": row.kind.value, "at": row.at} for row in shown],
    }


def _forget(*tables: Any) -> Any:
    def erase(member_id: int, _keep_text: bool) -> None:
        for table in tables:
            db.session.execute(delete(table).where(table.member_id == member_id))

    return erase


CLASSES = (
    Personal(
        name="matching: what a member says about being asked",
        tables=("availability",),
        export=_choices_of,
        erase=_forget(Availability),
    ),
    Personal(
        name="matching: times open for booking",
        tables=("slots",),
        export=_slots_of,
        erase=_forget(Slot),
        retention_days=90,
        retention_job=FORGET_JOB,
    ),
    Personal(
        name="matching: when a member was asked or proposed",
        tables=("reservations", "exposures"),
        export=_asked_of,
        erase=_forget(Reservation, Exposure),
        retention_days=KEPT.days,
        retention_job=FORGET_JOB,
    ),
)
