"""Members by the beginning of a name, for the composer."""

from typing import NamedTuple

from sqlalchemy import case, or_, select

from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.members.display import PERSON, not_masked, person_line, reader_of
from portal.members.models import Company, Member, MemberState

MOST = 8


class Person(NamedTuple):
    """Who can be mentioned, with the company as far as the viewer may know it."""

    username: str
    name: str
    company: str


def people_named(viewer: Viewer, beginning: str) -> list[Person]:
    """Active members whose user name or a part of whose name begins so, in the order of names.

    People of sales and service never get the names of prospects.
    """
    beginning = " ".join(beginning.replace("\x00", "").split())[:40].lower()
    if not beginning or not viewer.may(Permission.READ):
        return []
    by_username = Member.username.istartswith(beginning, autoescape=True)
    query = (
        select(*PERSON)
        .select_from(Member)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(
            Member.state == MemberState.ACTIVE,
            Member.email_confirmed_at.is_not(None),
            or_(
                by_username,
                Member.name.istartswith(beginning, autoescape=True),
                Member.name.icontains(f" {beginning}", autoescape=True),
            ),
        )
        .order_by(case((by_username, 0), else_=1), Member.name, Member.id)
        .limit(MOST)
    )
    reader = reader_of(viewer)
    query = query.where(not_masked(reader))
    lines = [person_line(row, reader) for row in db.session.execute(query)]
    return [Person(line.username, line.name, line.vendor_name or line.company) for line in lines]
