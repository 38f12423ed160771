"""Kept counters of companies, counted anew."""

from sqlalchemy import func

from portal.kernel.recounting import Difference, repair
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member, MemberState


def recount() -> list[Difference]:
    """Repair how many members each company has; gives what was wrong."""
    there = Member.state != MemberState.ERASED
    with unit_of_work():
        return repair(Company, Member.company_id, {"members_count": func.count(Member.id)}, there)
