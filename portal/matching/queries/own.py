"""What a member set up about being asked, as pages and other packages need it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import and_, bindparam, exists, or_, select

from portal.kernel import clock
from portal.kernel.access import CUSTOMERS, Viewer
from portal.kernel.db import db, rows_of
from portal.matching.models import Availability, Slot
from portal.members.models import Member


def needs_welcome(viewer: Viewer) -> bool:
    """Whether this customer has neither filled in nor dismissed the first minute."""
    if viewer.status not in CUSTOMERS or viewer.member_id is None:
        return False
    return rows_of(_WELCOMED, {"me": viewer.member_id}).first() is None


_WELCOMED = select(Availability.member_id).where(
    Availability.member_id == bindparam("me"), Availability.welcomed_at.is_not(None)
)


def happy_to_talk_about(member_id: int) -> str:
    """What a customer offers to talk about; "" while they are paused or take no conversations."""
    row = db.session.execute(
        select(Availability.talk_about)
        .join(Member, Member.id == Availability.member_id)
        .where(
            Availability.member_id == member_id,
            Availability.conversations_open.is_(True),
            Availability.limit_per_quarter > 0,
            or_(Availability.paused_until.is_(None), Availability.paused_until <= clock.now()),
            Member.status.in_(CUSTOMERS),
        )
    ).scalar_one_or_none()
    return row or ""


def takes_conversations(member_id: int) -> bool:
    """Whether the member may be asked for private conversations at all."""
    return (
        db.session.execute(
            select(Availability.member_id).where(Availability.member_id == member_id, _OFF)
        ).first()
        is None
    )


# The times stay the member's own while it is switched off; nobody can book them meanwhile.
_OFF = Availability.conversations_open.is_(False)
_CAN_BE_BOOKED = ~exists().where(Availability.member_id == Slot.member_id, _OFF)


def open_slots(member_id: int) -> list[Slot]:
    """Times that can be booked now, the next one first; none while the member takes no conversations."""
    return _slots(member_id, taken=False)


def open_slots_of(member_ids: Sequence[int], *, most: int) -> dict[int, list[Slot]]:
    """The next times of each of these members that can be booked now, in one statement."""
    found: dict[int, list[Slot]] = {}
    rows = db.session.execute(
        select(Slot)
        .where(
            Slot.member_id.in_(member_ids),
            Slot.starts_at > clock.now(),
            Slot.taken_by.is_(None),
            _CAN_BE_BOOKED,
        )
        .order_by(Slot.starts_at)
    ).scalars()
    for slot in rows:
        if len(found.setdefault(slot.member_id, [])) < most:
            found[slot.member_id].append(slot)
    return found


def own_slots(member_id: int) -> list[Slot]:
    """Times to come that the member opened, booked ones too."""
    return _slots(member_id, taken=True)


def _slots(member_id: int, *, taken: bool) -> list[Slot]:
    query = select(Slot).where(Slot.member_id == member_id, Slot.starts_at > clock.now())
    if not taken:
        query = query.where(Slot.taken_by.is_(None), _CAN_BE_BOOKED)
    return list(db.session.execute(query.order_by(Slot.starts_at)).scalars())


@dataclass(frozen=True)
class Reach:
    """How a member hears of being asked: by mail too, and not before `from_at` (the end of quiet hours)."""

    by_mail: bool
    from_at: datetime


def reach(member_ids: Sequence[int], at: datetime | None = None) -> dict[int, Reach]:
    """By member id, in one statement."""
    now = at or clock.now()
    rows = db.session.execute(
        select(
            Member.id, Member.time_zone, Availability.by_mail, Availability.quiet_from, Availability.quiet_to
        )
        .select_from(Member)
        .outerjoin(Availability, and_(Availability.member_id == Member.id))
        .where(Member.id.in_(member_ids))
    )
    return {
        row.id: Reach(row.by_mail is not False, after_quiet(now, row.time_zone, row.quiet_from, row.quiet_to))
        for row in rows
    }


def after_quiet(at: datetime, zone: str, quiet_from: int | None, quiet_to: int | None) -> datetime:
    """`at`, or the end of the quiet hours that it lies in. From 22 to 7 runs over midnight; equal: none."""
    if quiet_from is None or quiet_to is None or quiet_from == quiet_to:
        return at
    try:
        local = at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return at
    over_midnight = quiet_from > quiet_to
    late, early = local.hour >= quiet_from, local.hour < quiet_to
    if not ((late or early) if over_midnight else (late and early)):
        return at
    day = local.date() + timedelta(days=1 if over_midnight and late else 0)
    end = datetime.combine(day, datetime.min.time().replace(hour=quiet_to), local.tzinfo)
    return max(at, end.astimezone(at.tzinfo))
