"""Sessions as rows: signing in adds one, signing out ends one or all."""

from datetime import timedelta

from sqlalchemy import delete, update

from portal.kernel import clock, preserving
from portal.kernel.crypto import token_hash
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, Session

REMEMBERED = timedelta(days=60)
FOR_NOW = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=5)


def start_session(member_id: int, *, remembered: bool = False, device: str = "", address: str = "") -> str:
    """A new session for the member; gives its token, which is stored only as a hash."""
    token = clock.token()
    now = clock.now()
    with unit_of_work():
        db.session.add(
            Session(
                token_hash=token_hash(token),
                member_id=member_id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + (REMEMBERED if remembered else FOR_NOW),
                remembered=remembered,
                device=device[:120],
                address=address[:45],
            )
        )
        db.session.execute(update(Member).where(Member.id == member_id).values(last_seen_at=now))
    return token


def end_session(member_id: int, session_id: int) -> None:
    """End one session of the member; an unknown one changes nothing."""
    with unit_of_work():
        db.session.execute(delete(Session).where(Session.id == session_id, Session.member_id == member_id))


def end_all_sessions(member_id: int, *, except_session_id: int | None = None) -> None:
    """Sign out everywhere, but for one session when it is named."""
    with unit_of_work():
        ended = delete(Session).where(Session.member_id == member_id)
        if except_session_id is not None:
            ended = ended.where(Session.id != except_session_id)
        db.session.execute(ended)


def touch_session(session_id: int, member_id: int) -> None:
    """Note that the session is in use; its end moves on with it."""
    now = clock.now()
    with unit_of_work():
        row = db.session.get(Session, session_id)
        if row is None:
            return
        row.last_seen_at = now
        row.expires_at = now + (REMEMBERED if row.remembered else FOR_NOW)
        db.session.execute(update(Member).where(Member.id == member_id).values(last_seen_at=now))


def forget_ended() -> int:
    """Remove sessions that have run out; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            delete(Session)
            .where(Session.expires_at < clock.now(), Session.member_id.not_in(preserving.preserved_ids()))
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]
