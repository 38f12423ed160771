"""What notices and mails hold about people (kernel.personal)."""

from typing import Any

from sqlalchemy import delete, select, update

from portal.kernel.db import db
from portal.kernel.personal import Personal
from portal.notifications.models import DigestSetting, Mail, Notice, Preference


def _notices_of(member_id: int) -> Any:
    notices = db.session.execute(
        select(Notice.kind, Notice.post_id, Notice.created_at, Notice.read_at)
        .where(Notice.member_id == member_id)
        .order_by(Notice.id)
    )
    choices = db.session.execute(
        select(Preference.kind, Preference.in_app, Preference.by_mail).where(
            Preference.member_id == member_id
        )
    )
    return {
        "notices": [dict(row._mapping) for row in notices],
        "choices": [dict(row._mapping) for row in choices],
    }


def _mails_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(Mail.kind, Mail.subject, Mail.created_at, Mail.sent_at)
        .where(Mail.member_id == member_id)
        .order_by(Mail.id)
    )
    return [dict(row._mapping) for row in rows]


def _erase_notices(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Mail).where(Mail.member_id == member_id))
    db.session.execute(delete(Notice).where(Notice.member_id == member_id))
    db.session.execute(update(Notice).where(Notice.actor_id == member_id).values(actor_id=None))
    for table in (Preference, DigestSetting):
        db.session.execute(delete(table).where(table.member_id == member_id))


def _erased_with_notices(_member_id: int, _keep_text: bool) -> None:
    """Mails point at notices, so both go in one step."""


NOTICES = Personal(
    name="notifications: notices",
    tables=("notices", "notice_preferences", "digest_settings"),
    export=_notices_of,
    erase=_erase_notices,
)
MAILS = Personal(
    name="notifications: mails",
    tables=("mails",),
    export=_mails_of,
    erase=_erased_with_notices,
)

CLASSES = (NOTICES, MAILS)
