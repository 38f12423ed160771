"""Writing down what a member did for the vendor, and taking it back: shown in the ledger, never counted."""

from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from portal.advocacy.models import Engagement
from portal.advocacy.models.engagements import LONGEST_WORDS
from portal.advocacy.services import telling
from portal.advocacy.services.common import alone, check
from portal.advocacy.services.noting import note_engagements
from portal.consents.models import Activity
from portal.kernel import audit, clock
from portal.kernel.access import CUSTOMERS, Viewer
from portal.kernel.dates import today
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.form_keys import once
from portal.kernel.lines import line_of
from portal.members.models import Member, MemberState

YEARS_BACK = 5
EARLIEST = timedelta(days=365 * YEARS_BACK + 2)  # five years, whatever leap days are in between


def record(
    actor: Viewer, member_id: int, activity: Activity, done_on: date, words: str, *, form_key: str = ""
) -> Engagement:
    """Write down one performed activity of a customer: the day by the actor's calendar, where and for whom.

    Raises Forbidden; Invalid beside `done_on` and `words`; NotFound for somebody who is gone; Repeated.
    """
    check(actor)
    words = line_of(words, "words", without_words(), LONGEST_WORDS)
    if done_on > today():
        raise Invalid(_("This day has not come yet. Write down what they have done."), "done_on")
    if done_on < today() - EARLIEST:
        raise Invalid(_("At most %(years)s years back.", years=YEARS_BACK), "done_on")
    with once(form_key, actor.member_id or 0) as outcome:
        alone(member_id)
        member = db.session.get(Member, member_id)
        if member is None or member.state is MemberState.ERASED:
            raise NotFound("this account is gone")
        if member.status not in CUSTOMERS:
            raise Invalid(_("Only what customers do is written down here."))
        row = Engagement(
            member_id=member_id,
            activity=activity,
            done_on=done_on,
            words=words,
            recorded_by_id=actor.member_id,
            recorded_at=clock.now(),
        )
        db.session.add(row)
        db.session.flush()  # the ledger names it by its id
        note_engagements(member_id, [row.id])
        audit.record(
            actor, "record engagement", "member", member_id, f"{activity.value}, {done_on}", area="people"
        )
        telling.tell_of_engagement(row.id, member_id)
        outcome.place = f"/console/candidates/{member.username}#engagements"
        return row


def withdraw(actor: Viewer, engagement_id: int, reason: str, *, form_key: str = "") -> None:
    """Take a record back that was a mistake: it stays, and the ledger gets a row against its entry.

    Raises Forbidden, NotFound; Invalid beside `reason`; Conflict when somebody did so meanwhile; Repeated.
    """
    check(actor)
    reason = line_of(reason, "reason", _("Say why, for whoever looks later."), LONGEST_WORDS)
    with once(form_key, actor.member_id or 0) as outcome:
        found = db.session.execute(
            select(Engagement.member_id, Member.username)
            .join(Member, Member.id == Engagement.member_id)
            .where(Engagement.id == engagement_id)
        ).one_or_none()
        if found is None:
            raise NotFound("no such engagement")
        alone(found.member_id)
        row = db.session.get(Engagement, engagement_id, populate_existing=True)
        if row is None:
            raise NotFound("no such engagement")
        if row.withdrawn_at is not None:
            raise Conflict(_("Somebody took this back meanwhile."))
        row.withdrawn_at, row.withdrawn_by_id = clock.now(), actor.member_id
        row.withdrawn_reason = reason
        db.session.flush()
        note_engagements(row.member_id, [row.id])
        audit.record(actor, "take engagement back", "member", row.member_id, reason, area="people")
        outcome.place = f"/console/candidates/{found.username}#engagements"


def without_words() -> str:
    """What somebody reads who did not say where it was."""
    return _("Say in a few words where it was, and for whom.")
