"""Notes about a member, for vendor moderators."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.advocacy.models import MemberNote
from portal.kernel.db import db
from portal.members.models import Member


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    text: str
    by: str  # "" for somebody whose account is gone
    by_id: int | None
    at: datetime


def notes_about(member_id: int, most: int = 50) -> list[Note]:
    """The notes about a member, newest first."""
    rows = db.session.execute(
        select(MemberNote.id, MemberNote.text, MemberNote.by_id, MemberNote.at, Member.name)
        .outerjoin(Member, Member.id == MemberNote.by_id)
        .where(MemberNote.member_id == member_id)
        .order_by(MemberNote.at.desc(), MemberNote.id.desc())
        .limit(most)
    )
    return [Note(row.id, row.text, row.name or "", row.by_id, row.at) for row in rows]
