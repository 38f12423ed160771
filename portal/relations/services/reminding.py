"""Whoever placed a hold hears a week before that it ends, and that it has ended by itself."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, select

from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.notifications.services.notifying import notify
from portal.relations.models import Hold

REMIND_JOB = "tell of holds that end"
ENDS_SOON, ENDED = "hold_ends_soon", "hold_ended"
BEFORE = timedelta(days=7)
A_BATCH = 200


def tell_due() -> int:
    """Tell of what ends within a week, and of what ended by itself; gives how many. Safe to repeat.

    A hold that was placed for a week or less needs no reminder: whoever placed it knows.
    """
    now, told = clock.now(), 0
    with unit_of_work():
        soon = select(Hold).where(
            Hold.ended_at.is_(None),
            Hold.reminded_at.is_(None),
            Hold.expires_at > now,
            Hold.expires_at <= now + BEFORE,
        )
        for hold in _locked(soon):
            hold.reminded_at = now
            if hold.expires_at - hold.created_at > BEFORE + timedelta(days=1):
                told += _tell(ENDS_SOON, hold)
        over = select(Hold).where(Hold.ended_at.is_(None), Hold.told_at.is_(None), Hold.expires_at <= now)
        for hold in _locked(over):
            hold.told_at = now
            told += _tell(ENDED, hold)
    return told


def _locked(query: Select[Any]) -> list[Hold]:
    found = query.order_by(Hold.id).limit(A_BATCH).with_for_update(skip_locked=True)
    return list(db.session.execute(found).scalars())


def _tell(kind: str, hold: Hold) -> int:
    if hold.placed_by_id is None:
        return 0
    return notify(kind, [hold.placed_by_id], source_key=f"{kind}-{hold.id}", data={"hold": hold.id})
