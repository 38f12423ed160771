"""Signed heads of the audit log, kept outside the database: in a file beside it, and mailed to the admins."""

from datetime import timedelta
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import Text, cast, select

from portal.kernel import audit, clock, heartbeat, site
from portal.kernel.access import Duty
from portal.kernel.audit import Head
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState
from portal.notifications.services.mailing import queue_account_mail

FILE = "audit.heads"
JOB = "sign the audit log"
MAILED = "audit head mailed"
EVERY = timedelta(days=7)


def keep_head(instance: Path, secret_key: str) -> int:
    """Write the signed head into the file when the log has grown, and mail it to the admins once a week."""
    head = audit.head()
    if head.number == 0:
        return 0
    known = kept_heads(instance, secret_key)
    if known and max(one.number for one in known) >= head.number:
        return 0
    signed = audit.sign_head(secret_key, head)
    with (instance / FILE).open("a", encoding="ascii") as file:
        file.write(f"{clock.now():%Y-%m-%d %H:%M} {head.number} {signed}\n")
    if not heartbeat.is_alive(MAILED, within=EVERY):
        _mail(head, signed)
    return 1


def kept_heads(instance: Path, secret_key: str) -> list[Head]:
    """The heads in the file that were signed here."""
    path = instance / FILE
    if not path.is_file():
        return []
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    found = (audit.read_head(secret_key, line.split()[-1]) for line in lines if line.strip())
    return [head for head in found if head is not None]


def _mail(head: Head, signed: str) -> None:
    with unit_of_work():
        admins = db.session.execute(
            select(Member.id, Member.email, Member.duties).where(
                Member.state == MemberState.ACTIVE,
                Member.email.is_not(None),
                Member.email_confirmed_at.is_not(None),
                cast(Member.duties, Text) != "[]",
            )
        ).all()
        for row in admins:
            if Duty.ADMIN.value in row.duties:
                queue_account_mail(
                    row.email,
                    subject=_(
                        "Audit log of %(name)s: entry %(number)s",
                        name=site.current().name,
                        number=head.number,
                    ),
                    paragraphs=[
                        _(
                            "The audit log has %(number)s entries. Keep this mail: with the line below "
                            "“portal audit verify --head …” notices whether any of them was taken "
                            "away or written anew.",
                            number=head.number,
                        ),
                        signed,
                    ],
                    button=(_("Look at the log"), "/console/log"),
                    member_id=row.id,
                )
        heartbeat.beat(MAILED)
