"""Who is on duty when: moderators plan it among themselves."""

from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import Shift
from portal.moderation.queries.evidence import moderators
from portal.moderation.queries.rota import today

LONGEST = 31  # days of one shift
MOST_WEEKS = 26
FURTHEST = timedelta(days=366)


def plan_shift(
    moderator: Viewer, member_id: int, first_day: date | None, last_day: date | None, weeks: int = 1
) -> list[Shift]:
    """Put somebody on duty for these days, and for the same days of the weeks after.

    Days that the member already has are passed over. Raises Forbidden, Invalid.
    """
    _check(moderator)
    if first_day is None:
        raise Invalid(_("Choose the first day."), "first_day")
    last_day = last_day or first_day
    if last_day < first_day:
        raise Invalid(_("The last day comes before the first."), "last_day")
    if last_day < today():
        raise Invalid(_("These days are over."), "last_day")
    if (last_day - first_day).days >= LONGEST:
        raise Invalid(_("At most %(most)s days fit into one shift.", most=LONGEST), "last_day")
    if not 1 <= weeks <= MOST_WEEKS:
        raise Invalid(_("Choose between 1 and %(most)s weeks.", most=MOST_WEEKS), "weeks")
    if weeks > 1 and (last_day - first_day).days >= 7:
        raise Invalid(_("What lasts more than a week cannot be repeated every week."), "weeks")
    if last_day + timedelta(weeks=weeks - 1) > today() + FURTHEST:
        raise Invalid(_("Plan at most a year ahead."), "last_day")
    made: list[Shift] = []
    with unit_of_work():
        if member_id not in moderators():
            raise Invalid(_("Choose somebody who moderates."), "member")
        for week in range(weeks):
            first, last = (day + timedelta(weeks=week) for day in (first_day, last_day))
            if not _has_days(member_id, first, last):
                made.append(Shift(member_id=member_id, first_day=first, last_day=last))
        if not made:
            raise Invalid(_("These days are planned already."), "first_day")
        db.session.add_all(made)
        audit.record(
            moderator, "plan duty", "member", member_id, f"{first_day} to {last_day}, {len(made)} times"
        )
    return made


def cancel_shift(moderator: Viewer, shift_id: int) -> None:
    """Take a shift out of the plan. Raises Forbidden, NotFound."""
    _check(moderator)
    with unit_of_work():
        shift = db.session.get(Shift, shift_id)
        if shift is None:
            raise NotFound("no such shift")
        db.session.delete(shift)
        audit.record(
            moderator, "cancel duty", "member", shift.member_id, f"{shift.first_day} to {shift.last_day}"
        )


def _has_days(member_id: int, first: date, last: date) -> bool:
    overlapping = select(Shift.id).where(
        Shift.member_id == member_id, Shift.first_day <= last, Shift.last_day >= first
    )
    return db.session.execute(overlapping.limit(1)).first() is not None


def _check(moderator: Viewer) -> None:
    if not moderator.may(Permission.MODERATE):
        raise Forbidden(_("Only moderators plan who is on duty."))
