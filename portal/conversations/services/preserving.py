"""A legal order: deletion and retention are suspended for a member until a date. It reads nothing."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit, clock, events
from portal.kernel.dates import day_in_words
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.preserving import Preservation
from portal.kernel.unit_of_work import unit_of_work
from portal.members.events import MailWanted
from portal.members.models import Member, MemberState


def preserve(who: str, *, reason: str, until: datetime, silent: bool = False) -> Preservation:
    """Keep everything of a member (user name or mail address) until a moment; the member is told by mail.

    With `silent` (the order forbids it) nobody is told. Audited, and counted on /transparency either way.
    Raises NotFound, Invalid.
    """
    who, reason = who.strip().lower().lstrip("@"), reason.strip()
    if not reason:
        raise Invalid(_("Say which order this is: court, number, date."), "reason")
    if until <= clock.now():
        raise Invalid(_("Give a day to come."), "until")
    with unit_of_work():
        member = db.session.execute(
            select(Member).where(
                (Member.username == who) | (Member.email == who), Member.state != MemberState.ERASED
            )
        ).scalar_one_or_none()
        if member is None:
            raise NotFound("no such member")
        row = Preservation(
            member_id=member.id, reason=reason, silent=silent, created_at=clock.now(), until=until
        )
        db.session.add(row)
        audit.record(
            None,
            "preserve data",
            "member",
            member.id,
            f"until {until:%Y-%m-%d}{', silent' if silent else ''}: {reason}",
            area="people",
        )
        if not silent and member.email:
            events.publish(
                MailWanted(
                    recipient=member.email,
                    subject=_("Your data is being kept"),
                    paragraphs=(
                        _(
                            "A legal order obliges us to delete nothing of your account until %(until)s.",
                            until=day_in_words(until, zone=member.time_zone),
                        ),
                        _(
                            "Nobody reads anything because of it: it only keeps. What you delete disappears "
                            "from the pages as always, and goes for good when the order ends."
                        ),
                    ),
                    member_id=member.id,
                )
            )
    return row
