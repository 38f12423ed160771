"""Holds: placed with a reason and an end, ended by people or by time, never prolonged."""

from datetime import UTC, date, datetime, time, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit, clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.form_keys import once
from portal.kernel.lines import line_of
from portal.kernel.unit_of_work import unit_of_work
from portal.relations import policy
from portal.relations.models import LONGEST_WORDS, Hold
from portal.relations.services.common import lock_company

LONGEST_HOLD = timedelta(days=90)


def last_day() -> date:
    """The last day that a hold placed today can have, in UTC; the day itself is held too."""
    return clock.now().date() + LONGEST_HOLD - timedelta(days=1)


def place_hold(actor: Viewer, company_id: int, reason: str, *, until: date, form_key: str = "") -> Hold:
    """Ask colleagues not to approach a company up to the end of a day (UTC), at most 90 days ahead.

    One that is there is not prolonged: this one stands beside it, and is counted. Raises Forbidden, NotFound,
    Invalid beside `reason` and `until`.
    """
    if not actor.may(Permission.PLACE_HOLDS):
        raise Forbidden(_("Only sales and service place holds."))
    reason = line_of(
        reason, "reason", _("Say why: whoever wanted to ask this company reads it."), LONGEST_WORDS
    )
    if until < clock.now().date():
        raise Invalid(_("This day is over. Choose one from today on."), "until")
    if until > last_day():
        raise Invalid(_("A hold lasts at most %(days)s days.", days=LONGEST_HOLD.days), "until")
    with once(form_key, actor.member_id or 0) as outcome:
        lock_company(company_id)
        hold = Hold(
            company_id=company_id,
            reason=reason,
            placed_as=policy.placed_as(actor),
            placed_by_id=actor.member_id,
            created_at=clock.now(),
            expires_at=datetime.combine(until + timedelta(days=1), time(), UTC),
        )
        db.session.add(hold)
        audit.record(actor, "place hold", "company", company_id, f"until {until}: {reason}", area="people")
        db.session.flush()
        outcome.place = f"/console/holds#hold-{hold.id}"
        return hold


def end_hold(actor: Viewer, hold_id: int, because: str, *, version: int) -> Hold:
    """End a hold before its time, with the reason. Raises Forbidden, NotFound, Conflict, Invalid."""
    if not (actor.may(Permission.PLACE_HOLDS) or actor.may(Permission.ADMINISTER)):
        raise Forbidden(_("Only sales, service and admins end holds."))
    because = line_of(because, "because", _("Say why it ends before its time."), LONGEST_WORDS)
    with unit_of_work():
        hold = db.session.execute(
            select(Hold).where(Hold.id == hold_id).with_for_update()
        ).scalar_one_or_none()
        if hold is None:
            raise NotFound("no such hold")
        lock_company(hold.company_id)
        if not policy.may_end(actor, hold.placed_as):
            raise Forbidden(_("This hold is looked after by colleagues of the other duty, or by an admin."))
        if hold.ended_at is not None or hold.expires_at <= clock.now():
            raise Conflict(_("This hold has ended already."), hold.version)
        if hold.version != version:
            raise Conflict(_("Somebody changed this hold meanwhile."), hold.version)
        hold.ended_at, hold.ended_by_id, hold.ended_because = clock.now(), actor.member_id, because
        hold.version += 1
        audit.record(actor, "end hold", "company", hold.company_id, because, area="people")
        return hold
