"""How much of somebody's limit is taken, as SQL that holds under a lock too.

*Quarter* is the last 90 days, *month* the last 30. A place counts while it is outstanding, whatever its date,
and for 90 days from the moment it was held. Counting by the date of the reservation would break the promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Subquery, and_, case, func, literal, or_, select

from portal.kernel import clock
from portal.kernel.db import db
from portal.matching.models import LIMIT_PER_QUARTER, Availability, Exposure, Reservation, Shown
from portal.members.models import Member

QUARTER = timedelta(days=90)
MONTH = timedelta(days=30)
REST = timedelta(days=21)  # between two conversations
MOMENT = Reservation.reserved_at.type


@dataclass(frozen=True)
class Load:
    """Conversations outstanding or held within 90 days, and the limit in force."""

    taken: int
    limit: int


def load(member_id: int, at: datetime | None = None) -> Load:
    """How full a member's quarter is."""
    taken = db.session.execute(
        select(func.count()).select_from(Reservation).where(Reservation.member_id == member_id, counts(at))
    ).scalar_one()
    limit = db.session.execute(
        select(limit_in_force())
        .select_from(Member)
        .outerjoin(Availability, Availability.member_id == Member.id)
        .where(Member.id == member_id)
    ).scalar_one_or_none()
    return Load(taken, limit or 0)


def loads_by_week(member_ids: Sequence[int], at: datetime) -> dict[int, Load]:
    """What staff read of these members: how full their quarters were when the week began."""
    load = conversations_by_week(at)
    rows = db.session.execute(
        select(Member.id, func.coalesce(load.c.load, 0), limit_in_force())
        .select_from(Member)
        .outerjoin(Availability, Availability.member_id == Member.id)
        .outerjoin(load, load.c.member_id == Member.id)
        .where(Member.id.in_(member_ids))
    )
    return {row[0]: Load(int(row[1]), int(row[2])) for row in rows}


def week_began(at: datetime) -> datetime:
    """The Monday at 00:00 UTC as of which staff read what changes with each request."""
    return (at - timedelta(days=at.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def conversations_by_week(at: datetime) -> Subquery:
    """SQL: member_id, load, as they were on Monday at 00:00 UTC.

    A number that changed with each request would tell staff when somebody was asked, and with what else
    happened in that hour, by whom.
    """
    monday = week_began(at)
    return (
        select(Reservation.member_id, func.count().label("load"))
        .where(counted_at(literal(monday, MOMENT), literal(monday - QUARTER, MOMENT)))
        .group_by(Reservation.member_id)
        .subquery("conversations")
    )


def counted_at(moment: ColumnElement[datetime], since: ColumnElement[datetime]) -> ColumnElement[bool]:
    """SQL: this reservation took a place at a moment of the past, 90 days after `since`."""
    return and_(
        Reservation.reserved_at < moment,
        or_(Reservation.released_at.is_(None), Reservation.released_at >= moment),
        or_(Reservation.held_at.is_(None), Reservation.held_at >= since),
    )


def counts(at: datetime | None = None) -> ColumnElement[bool]:
    """SQL: this reservation takes a place at the moment."""
    since = (at or clock.now()) - QUARTER
    return and_(
        Reservation.released_at.is_(None), or_(Reservation.held_at.is_(None), Reservation.held_at >= since)
    )


def limit_in_force() -> ColumnElement[int]:
    """SQL: the member's own limit, or a lower one set by staff. Over Availability, joined outside."""
    own = func.coalesce(Availability.limit_per_quarter, LIMIT_PER_QUARTER)
    return case((Availability.staff_limit < own, Availability.staff_limit), else_=own)


def conversations_by_member(at: datetime, only: int | None = None) -> Subquery:
    """SQL: member_id, load, last_held_at, last_at (asked in any way, declined ones too)."""
    query = select(
        Reservation.member_id,
        func.sum(case((counts(at), 1), else_=0)).label("load"),
        func.max(case((Reservation.released_at.is_(None), Reservation.held_at))).label("last_held_at"),
        func.max(Reservation.reserved_at).label("last_at"),
    )
    if only is not None:
        query = query.where(Reservation.member_id == only)
    return query.group_by(Reservation.member_id).subquery("conversations")


def exposures_by_member(
    shown: Shown, at: datetime, *, purpose: str = "", only: int | None = None
) -> Subquery:
    """SQL: member_id, quarter, month, last_at; what was shown for this purpose itself is not counted."""
    query = select(
        Exposure.member_id,
        func.count().label("quarter"),
        func.sum(case((Exposure.at > at - MONTH, 1), else_=0)).label("month"),
        func.max(Exposure.at).label("last_at"),
    ).where(Exposure.kind == shown, Exposure.at > at - QUARTER, Exposure.purpose != purpose)
    if only is not None:
        query = query.where(Exposure.member_id == only)
    return query.group_by(Exposure.member_id).subquery(f"shown_{shown.value}")
