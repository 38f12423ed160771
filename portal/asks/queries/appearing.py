"""How a member reads where they appear without a name."""

from sqlalchemy import literal, select

from portal.kernel.db import db
from portal.members.display import Reader, person_columns, person_line
from portal.members.models import Company, Member


def as_role(member_id: int) -> str:
    """ "IT manager, Manufacturer, 500–999 people, Sweden": what others read of this member as a role."""
    row = db.session.execute(
        select(*person_columns(literal(True)))
        .select_from(Member)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.id == member_id)
    ).one()
    line = person_line(row, Reader.INSIDER)
    return ", ".join(part for part in (line.name, line.company) if part)
