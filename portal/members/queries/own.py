"""What a member reads of their own account, and who may see a picture."""

from typing import Any

from sqlalchemy import select

from portal.kernel import clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.members import visibility
from portal.members.display import not_masked, reader_of
from portal.members.models import Member, MemberState, Session


def email_of(member_id: int) -> str:
    """The member's own address, for their own pages."""
    return db.session.execute(select(Member.email).where(Member.id == member_id)).scalar_one() or ""


def sessions_of(member_id: int) -> list[Any]:
    """Where the member is signed in, the one used last first: id, device, address, times, remembered."""
    return list(
        db.session.execute(
            select(
                Session.id,
                Session.device,
                Session.address,
                Session.created_at,
                Session.last_seen_at,
                Session.remembered,
            )
            .where(Session.member_id == member_id, Session.expires_at > clock.now())
            .order_by(Session.last_seen_at.desc(), Session.id.desc())
            .limit(100)
        ).all()
    )


def picture_is_shown(viewer: Viewer, name: str) -> bool | None:
    """True when everybody may see the picture of this file name, False when this viewer may, else None."""
    row = db.session.execute(
        select(Member.id, Member.visibility).where(
            not_masked(reader_of(viewer)), Member.picture == name, Member.state != MemberState.ERASED
        )
    ).one_or_none()
    if row is None:
        return None
    if visibility.shows(row.visibility, "picture", to_members=False):
        return True
    is_owner = viewer.member_id == row.id
    to_members = viewer.may(Permission.READ)
    return False if is_owner or visibility.shows(row.visibility, "picture", to_members=to_members) else None
