"""The demo's invites: what sales handed out, what became of each, and the links that colleagues were sent."""

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.asks.services import inviting
from portal.demo import content
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.models import Member
from portal.members.queries import viewer_of
from portal.notifications.models import Mail


def add(people: dict[str, int], now: datetime) -> None:
    """Every invite, the oldest first, each step at its moment."""
    for table in sorted(content.invites(), key=lambda table: -table["days_ago"]):
        made = now - timedelta(days=table["days_ago"])
        sender = viewer_of(people[table["from"]])
        with clock.frozen(made):
            if "to" in table:
                inviting.send_to_colleague(sender, table["to"])
                continue
            invite, token = inviting.invite_guest(sender, table.get("reference", ""))
        if "withdrawn_after" in table:
            with clock.frozen(made + timedelta(hours=table["withdrawn_after"])):
                inviting.withdraw(sender, invite.id)
        if "used_by" in table:
            with clock.frozen(_joined(people[table["used_by"]]) + timedelta(minutes=3)):
                guest = viewer_of(people[table["used_by"]])
                inviting.accept_as_guest(guest, token, report=table["report"])


def token_mailed_to(member: Viewer) -> str:
    """The secret of the link in the newest invite that was mailed to this member's address."""
    address = db.session.execute(select(Member.email).where(Member.id == member.member_id)).scalar_one()
    mails = db.session.execute(
        select(Mail.body).where(Mail.recipient == address).order_by(Mail.id.desc())
    ).scalars()
    return next(
        str(body["button"][1]).rpartition("/")[2] for body in mails if "/invite/" in str(body.get("button"))
    )


def _joined(member_id: int) -> datetime:
    return db.session.execute(select(Member.created_at).where(Member.id == member_id)).scalar_one()
