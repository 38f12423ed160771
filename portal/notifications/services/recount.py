"""Kept counters of notices, counted anew."""

from sqlalchemy import func

from portal.kernel.recounting import Difference, repair
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.notifications.models import Notice


def recount() -> list[Difference]:
    """Repair how many unread notices each member has; gives what was wrong."""
    with unit_of_work():
        return repair(
            Member, Notice.member_id, {"unread_notices": func.count(Notice.id)}, Notice.read_at.is_(None)
        )
