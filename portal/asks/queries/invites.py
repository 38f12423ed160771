"""Who sent an invite, for whoever holds its link."""

from typing import Any, NamedTuple

from sqlalchemy import select

from portal.asks.models import Invite
from portal.kernel import site
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.members.models import Company, Member


class Sender(NamedTuple):
    """Name and employer, as far as a stranger may know them."""

    name: str
    company: str
    is_vendor: bool


def sender_of(invite: Invite) -> Sender:
    """Who made the link: people of the vendor with the vendor's name, a customer by the own name alone."""
    row: Any = db.session.execute(
        select(Member.name, Member.status, Company.name.label("company"))
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.id == invite.from_id)
    ).one()
    is_vendor = row.status is Status.VENDOR
    vendor = site.current().vendor_name or site.current().name
    return Sender(row.name, vendor if is_vendor else "", is_vendor)
