"""What a member wants to hear, and how; and the links that end it with one click."""

from typing import Any

from sqlalchemy import select

from portal.kernel import crypto
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.notifications import kinds
from portal.notifications.models import Digest, DigestSetting, Preference

PURPOSE = "unsubscribe"
DIGEST = "digest"


def choose(member_id: int, kind_name: str, *, in_app: bool, by_mail: bool) -> None:
    """Set how the member hears of one kind. Raises NotFound for an unknown kind."""
    kind = kinds.find(kind_name)
    if kind is None:
        raise NotFound("no such kind of notice")
    with unit_of_work():
        _one_at_a_time(member_id)
        row = db.session.get(Preference, (member_id, kind_name), populate_existing=True)
        if row is None:
            row = Preference(member_id=member_id, kind=kind_name, in_app=in_app, by_mail=by_mail)
            db.session.add(row)
        row.in_app, row.by_mail = in_app or kind.required, by_mail or kind.required


def choose_digest(member_id: int, every: Digest) -> None:
    """Set how often the member hears of what they missed."""
    with unit_of_work():
        _one_at_a_time(member_id)
        row = db.session.get(DigestSetting, member_id, populate_existing=True)
        if row is None:
            db.session.add(DigestSetting(member_id=member_id, every=every))
        else:
            row.every = every


def _one_at_a_time(member_id: int) -> None:
    """Two browsers that save a choice for the first time: the second finds the row of the first."""
    db.session.execute(select(Member.id).where(Member.id == member_id).with_for_update(key_share=True))


def unsubscribe_token(secret_key: str, member_id: int, kind_name: str) -> str:
    """A link's token that ends one kind of mail for one member, and does nothing else."""
    return crypto.sign(secret_key, PURPOSE, [member_id, kind_name])


def read_unsubscribe_token(secret_key: str, token: str) -> tuple[int, str] | None:
    """Member id and kind in the token, or None when it was not made here. It does not expire."""
    value: Any = crypto.unsign(secret_key, PURPOSE, token)
    return (value[0], value[1]) if value else None


def is_mailed(member_id: int, kind_name: str) -> bool:
    """Whether the member gets this kind by mail."""
    if kind_name == DIGEST:
        every = db.session.execute(select(DigestSetting.every).where(DigestSetting.member_id == member_id))
        return every.scalar_one_or_none() is not Digest.OFF
    kind = kinds.find(kind_name)
    if kind is None:
        return False
    stored = db.session.execute(
        select(Preference.by_mail).where(Preference.member_id == member_id, Preference.kind == kind_name)
    ).scalar_one_or_none()
    return kind.by_mail if stored is None else stored


def unsubscribe(member_id: int, kind_name: str) -> None:
    """No more mail of this kind; notices on the site stay as they are."""
    if kind_name == DIGEST:
        choose_digest(member_id, Digest.OFF)
        return
    kind = kinds.find(kind_name)
    if kind is None:
        return
    stored = db.session.execute(
        select(Preference.in_app).where(Preference.member_id == member_id, Preference.kind == kind_name)
    ).scalar_one_or_none()
    choose(member_id, kind_name, in_app=kind.in_app if stored is None else stored, by_mail=False)
