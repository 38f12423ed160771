"""Who looks: the viewer behind a session or a member, in one statement each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ScalarSelect, bindparam, select

from portal.kernel import clock
from portal.kernel.access import VISITOR, Duty, Viewer, permissions_of
from portal.kernel.crypto import token_hash
from portal.kernel.db import db, rows_of
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


# What waits for a member, counted by packages above along with who they are: menus show it on every page.
_waiting: dict[str, Callable[[Any], ScalarSelect[int]]] = {}


def count_with_viewer(name: str, count: Callable[[Any], ScalarSelect[int]]) -> None:
    """Have `viewer.waiting[name]` hold a count: `count` gives the sub-select for a column of member ids."""
    _waiting[name] = count
    _by_token.cache_clear()


@cache
def _by_token() -> Any:
    # Runs with every request of a member: built once, since building costs more than running.
    return (
        select(
            *_COLUMNS,
            Session.id.label("session_id"),
            Session.last_seen_at,
            *(count(Member.id).label(f"waiting_{name}") for name, count in _waiting.items()),
        )
        .select_from(Session)
        .join(Member, Member.id == Session.member_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Session.token_hash == bindparam("hash"), Session.expires_at > bindparam("now"))
    )


def signed_in_by_token(token: str) -> SignedIn | None:
    """Who holds this session token, in one statement; None when it ended or the account is closed."""
    row = rows_of(_by_token(), {"hash": token_hash(token), "now": clock.now()}).one_or_none()
    if row is None or row.state in (MemberState.BANNED, MemberState.ERASED):
        return None
    waiting = {name: getattr(row, f"waiting_{name}") for name in _waiting}
    return SignedIn(_viewer(row, row.session_id, waiting), row.session_id, row.last_seen_at)


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


def _viewer(row: Any, session_id: int | None, waiting: dict[str, int] | None = None) -> Viewer:
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
        waiting=waiting or {},
        permissions=permissions_of(row.status, duties, confirmed=confirmed, suspended=suspended),
    )
