"""Reads about people and companies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.kernel import clock
from portal.kernel.access import VISITOR, Duty, Permission, Viewer, permissions_of
from portal.kernel.crypto import token_hash
from portal.kernel.db import db
from portal.members import visibility
from portal.members.models import Company, Member, MemberState, Session


@dataclass(frozen=True)
class SignedIn:
    """A viewer with the session that brought it, and when that session was last seen."""

    viewer: Viewer
    session_id: int
    last_seen_at: datetime


_COLUMNS = (
    Member.id,
    Member.username,
    Member.name,
    Member.picture,
    Member.status,
    Member.duties,
    Member.state,
    Member.suspended_until,
    Member.email_confirmed_at,
    Member.company_id,
    Member.time_zone,
    Member.theme,
    Member.language,
    Member.unread_notices,
    Company.name.label("company_name"),
)


def signed_in_by_token(token: str) -> SignedIn | None:
    """Who holds this session token, in one statement; None when it ended or the account is closed."""
    row = db.session.execute(
        select(*_COLUMNS, Session.id.label("session_id"), Session.last_seen_at)
        .select_from(Session)
        .join(Member, Member.id == Session.member_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Session.token_hash == token_hash(token), Session.expires_at > clock.now())
    ).one_or_none()
    if row is None or row.state in (MemberState.BANNED, MemberState.ERASED):
        return None
    return SignedIn(_viewer(row, row.session_id), row.session_id, row.last_seen_at)


def viewer_of(member_id: int) -> Viewer:
    """The viewer that this member would be now: for jobs, mails and digests. VISITOR when closed."""
    row = db.session.execute(
        select(*_COLUMNS)
        .select_from(Member)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.id == member_id)
    ).one_or_none()
    if row is None or row.state in (MemberState.BANNED, MemberState.ERASED):
        return VISITOR
    return _viewer(row, None)


def _viewer(row: Any, session_id: int | None) -> Viewer:
    duties = frozenset(Duty(duty) for duty in row.duties)
    suspended = row.suspended_until is not None and row.suspended_until > clock.now()
    confirmed = row.email_confirmed_at is not None
    return Viewer(
        member_id=row.id,
        username=row.username,
        display_name=row.name,
        picture_url=f"/uploads/{row.picture}" if row.picture else "",
        status=row.status,
        duties=duties,
        company_id=row.company_id,
        company_name=row.company_name or "",
        confirmed=confirmed,
        suspended_until=row.suspended_until if suspended else None,
        session_id=session_id,
        time_zone=row.time_zone,
        theme=row.theme,
        language=row.language,
        unread_notices=row.unread_notices,
        permissions=permissions_of(row.status, duties, confirmed=confirmed, suspended=suspended),
    )


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
        select(Member.id, Member.visibility).where(Member.picture == name, Member.state != MemberState.ERASED)
    ).one_or_none()
    if row is None:
        return None
    if visibility.shows(row.visibility, "picture", to_members=False):
        return True
    is_owner = viewer.member_id == row.id
    to_members = viewer.may(Permission.READ)
    return False if is_owner or visibility.shows(row.visibility, "picture", to_members=to_members) else None
