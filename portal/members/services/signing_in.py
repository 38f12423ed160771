"""Signing in: one answer for every address, whether it has an account or not."""

from flask_babel import gettext as _
from sqlalchemy import select, update

from portal.kernel.crypto import hash_password, needs_rehash, password_matches
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.addresses import clean_email
from portal.members.models import Member, MemberState


def normal(email: str) -> str:
    """The address as it is stored, or as it was typed when it is none: the key under which tries count."""
    try:
        return clean_email(email)
    except Invalid:
        return email.strip().lower()[:254]


def member_by_password(email: str, password: str) -> int:
    """Id of the member with this address and password. Raises Invalid, always in the same words.

    A banned or erased account answers like one that is not there; without an account a password is hashed
    all the same.
    """
    row = db.session.execute(
        select(Member.id, Member.password_hash, Member.state).where(Member.email == normal(email))
    ).one_or_none()
    stored = row.password_hash if row else None
    right = password_matches(stored, password[:1000])
    if row is None or not right or row.state in (MemberState.BANNED, MemberState.ERASED):
        raise wrong_credentials()
    if stored and needs_rehash(stored):
        hashed = hash_password(password)
        with unit_of_work():
            db.session.execute(update(Member).where(Member.id == row.id).values(password_hash=hashed))
    return row.id


def wrong_credentials() -> Invalid:
    """The one answer to an unknown address, a wrong password and a closed account alike."""
    return Invalid(_("This address and password do not go together."))
