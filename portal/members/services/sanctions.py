"""Accounts held back: suspended until a moment, or closed for good; decided in moderation."""

from datetime import datetime

from sqlalchemy import delete

from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.preserving import PostponedErasure
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState, Session


def suspend(member_id: int, until: datetime) -> datetime | None:
    """Let the account only read until then, from its next request on. Gives the former end, if any.

    Raises NotFound.
    """
    with unit_of_work():
        member = _member(member_id)
        before, member.suspended_until = member.suspended_until, until
        member.version += 1
    return before


def end_suspension(member_id: int, until: datetime | None = None) -> None:
    """Give the account back its powers, or set the end it had before. Raises NotFound."""
    with unit_of_work():
        member = _member(member_id)
        member.suspended_until = until
        member.version += 1


def ban(member_id: int) -> None:
    """Close the account: every session ends, nobody can sign in to it. Raises NotFound."""
    with unit_of_work():
        member = _member(member_id)
        if member.state is MemberState.ERASED:
            return
        member.state = MemberState.BANNED
        member.version += 1
        db.session.execute(delete(Session).where(Session.member_id == member_id))


def end_ban(member_id: int) -> None:
    """Open a banned account again; its people sign in anew. Raises NotFound.

    One whose owner wants it erased, and that an order keeps until then, stays closed.
    """
    with unit_of_work():
        member = _member(member_id)
        wants_erasure = db.session.get(PostponedErasure, member_id) is not None
        if member.state is MemberState.BANNED and not wants_erasure:
            member.state = MemberState.ACTIVE
            member.version += 1


def _member(member_id: int) -> Member:
    member = db.session.get(Member, member_id, with_for_update=True)
    if member is None:
        raise NotFound("no such member")
    return member
