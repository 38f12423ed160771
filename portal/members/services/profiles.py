"""One's own profile."""

from portal.kernel import events
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.events import MemberChanged
from portal.members.models import Member


def claim_company(member_id: int, *, company: str, title: str = "") -> None:
    """Keep the company's name as the person typed it. Without effect where the company is verified."""
    with unit_of_work():
        member = db.session.get_one(Member, member_id)
        if member.company_id is None:
            member.company_claim = " ".join(company.split())[:120]
        if title.strip():
            member.title = " ".join(title.split())[:100]
        member.version += 1
        events.publish(MemberChanged(member.id))
