"""What members said no to when they were asked, and until when each no stands."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select

from portal.advocacy.models import Asking, Candidate
from portal.advocacy.policy import DECLINE_STANDS
from portal.consents.models import Activity, Consent
from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Member


def declines(member_ids: Collection[int]) -> dict[int, dict[Activity, datetime]]:
    """What these members said no to when they were asked, and until when each no stands.

    The latest answer about an activity holds, and whoever agreed to it since, unasked, took the no back.
    """
    since = clock.now() - DECLINE_STANDS
    answers = db.session.execute(
        select(Asking.member_id, Asking.activities, Asking.agreed, Asking.answered_at)
        .where(Asking.member_id.in_(member_ids), Asking.answered_at > since)
        .order_by(Asking.answered_at, Asking.id)
    ).all()
    said: dict[tuple[int, str], datetime | None] = {}
    for row in answers:
        for name in row.activities:
            said[row.member_id, name] = None if name in row.agreed else row.answered_at
    no = {key: at for key, at in said.items() if at is not None}
    if not no:
        return {}
    given = db.session.execute(
        select(Consent.member_id, Consent.activity, func.max(Consent.given_at))
        .where(Consent.member_id.in_({member_id for member_id, _name in no}), Consent.given_at > since)
        .group_by(Consent.member_id, Consent.activity)
    )
    later = {(row[0], row[1].value): row[2] for row in given}
    found: dict[int, dict[Activity, datetime]] = {}
    for (member_id, name), at in no.items():
        if name in list(Activity) and not (later.get((member_id, name)) or at) > at:
            found.setdefault(member_id, {})[Activity(name)] = at + DECLINE_STANDS
    return found


def has_not_declined() -> ColumnElement[bool]:
    """SQL about Member: they did not say no to everything within the time that a no stands."""
    stands = Candidate.declined_at > clock.now() - DECLINE_STANDS
    return ~exists().where(Candidate.member_id == Member.id, stands)
