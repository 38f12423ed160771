"""What a member says about being asked: read for the form, changed, and lowered by staff."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit, clock, events
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.matching.models import (
    ANSWER_REQUESTS_PER_MONTH,
    LIMIT_PER_QUARTER,
    MOST_ANSWER_REQUESTS,
    MOST_PER_QUARTER,
    Availability,
    Identity,
)
from portal.matching.services.reserving import lock
from portal.members.events import MemberChanged
from portal.members.models import Member

VALUES = ("peers", "spotlight", "speaking", "early_access", "voice")
MOST_TOPICS = 12
MAX_TALK_ABOUT = 200
LONGEST_PAUSE = timedelta(days=366)


@dataclass(frozen=True)
class Preferences:
    """All that a member chooses about being asked. Hours are of the day in the member's own zone."""

    limit: int = LIMIT_PER_QUARTER
    answer_requests: int = ANSWER_REQUESTS_PER_MONTH
    conversations_open: bool = True
    answer_requests_open: bool = True
    paused_until: date | None = None
    quiet_from: int | None = None
    quiet_to: int | None = None
    identity: Identity = Identity.NAME
    company_address_required: bool = False
    talk_about: str = ""
    topics: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    by_mail: bool = True


@dataclass(frozen=True)
class Stored:
    """What is in force. `limit` inside is the lower one where staff lowered it from `own_limit`."""

    preferences: Preferences
    version: str
    own_limit: int
    lowered: bool
    time_zone: str


def preferences_of(member_id: int) -> Stored:
    """What is in force for a member, defaults where nothing was chosen."""
    member = db.session.get_one(Member, member_id)
    row = db.session.get(Availability, member_id) or _defaults(member_id)
    limit = min(row.limit_per_quarter, row.staff_limit if row.staff_limit is not None else MOST_PER_QUARTER)
    preferences = Preferences(
        limit=limit,
        answer_requests=row.answer_requests_per_month,
        conversations_open=row.conversations_open,
        answer_requests_open=row.answer_requests_open,
        paused_until=_day_of(row.paused_until, member.time_zone),
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
        identity=row.identity,
        company_address_required=row.company_address_required,
        talk_about=row.talk_about,
        topics=list(member.topics),
        values=list(row.values),
        by_mail=row.by_mail,
    )
    lowered = limit < row.limit_per_quarter
    return Stored(
        preferences, f"{row.version}.{member.version}", row.limit_per_quarter, lowered, member.time_zone
    )


def change_preferences(member_id: int, wanted: Preferences, *, version: str) -> None:
    """Put all of it in force. Raises Invalid beside a field, Conflict for a stale form.

    A limit that differs from the one in force is the member's own word again: what staff lowered is lifted.
    Topics belong to the profile; they are changed there and here.
    """
    topics = _topics(wanted.topics)
    talk_about = " ".join(wanted.talk_about.split())
    if len(talk_about) > MAX_TALK_ABOUT:
        raise Invalid(_("At most %(most)s characters.", most=MAX_TALK_ABOUT), "talk_about")
    _check_numbers(wanted)
    if (wanted.quiet_from is None) != (wanted.quiet_to is None):
        missing = "quiet_from" if wanted.quiet_from is None else "quiet_to"
        raise Invalid(_("Choose both hours, or neither."), missing)
    with unit_of_work():
        lock(member_id)  # reservations see the limit before or after, never in between
        stored = preferences_of(member_id)
        if stored.version != version:
            raise Conflict(_("Your choices were changed in another window meanwhile."))
        member = db.session.get_one(Member, member_id)
        row = _row(member_id)
        if wanted.limit != stored.preferences.limit or not stored.lowered:
            row.limit_per_quarter, row.staff_limit = wanted.limit, None
        row.answer_requests_per_month = wanted.answer_requests
        row.conversations_open = wanted.conversations_open
        row.answer_requests_open = wanted.answer_requests_open
        row.paused_until = _pause(wanted.paused_until, member.time_zone)
        row.quiet_from, row.quiet_to = wanted.quiet_from, wanted.quiet_to
        row.identity = wanted.identity
        row.company_address_required = wanted.company_address_required
        row.values = _values(wanted.values)
        row.by_mail = wanted.by_mail
        row.talk_about = talk_about
        row.version += 1
        member.topics = topics
        member.version += 1  # the page of the profile shows some of it
        events.publish(MemberChanged(member_id))


def finish_welcome(
    member_id: int,
    *,
    limit: int | None = None,
    answer_requests: int | None = None,
    values: Sequence[str] = (),
) -> None:
    """The first minute is done, with what was chosen, or dismissed with nothing. Raises Invalid."""
    if limit is not None or answer_requests is not None:
        _check_numbers(Preferences(limit=limit or 0, answer_requests=answer_requests or 0))
    with unit_of_work():
        lock(member_id)
        row = _row(member_id)
        if limit is not None:
            row.limit_per_quarter, row.staff_limit = limit, None
        if answer_requests is not None:
            row.answer_requests_per_month = answer_requests
        if values:
            row.values = _values(list(values))
        row.welcomed_at = clock.now()
        row.version += 1


def lower_limit(staff: Viewer, member_id: int, limit: int | None) -> None:
    """Have a member asked less often than they allow; None takes that back. Raises Forbidden, Invalid.

    Only the member can raise it again beyond what they chose, and does so by choosing anew.
    """
    if not staff.may(Permission.CONFIRM_MEMBERS):
        raise Forbidden(_("Only the vendor's moderators and admins can do this."))
    with unit_of_work():
        lock(member_id)
        row = _row(member_id)
        if limit is not None and not 0 <= limit < row.limit_per_quarter:
            raise Invalid(_("It can only be lowered; only the member can raise it."), "limit")
        if row.staff_limit == limit:
            return
        row.staff_limit = limit
        row.version += 1
        words = f"to {limit} a quarter" if limit is not None else "as the member chose"
        audit.record(staff, "set limit", "member", member_id, words, area="people")


def _row(member_id: int) -> Availability:
    """The member's row, made when it is first needed; under the member's lock."""
    row = db.session.execute(
        select(Availability)
        .where(Availability.member_id == member_id)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        row = _defaults(member_id)
        db.session.add(row)
    return row


def _defaults(member_id: int) -> Availability:
    return Availability(
        member_id=member_id,
        version=1,
        limit_per_quarter=LIMIT_PER_QUARTER,
        answer_requests_per_month=ANSWER_REQUESTS_PER_MONTH,
        conversations_open=True,
        answer_requests_open=True,
        identity=Identity.NAME,
        company_address_required=False,
        talk_about="",
        values=[],
        by_mail=True,
    )


def _check_numbers(wanted: Preferences) -> None:
    if not 0 <= wanted.limit <= MOST_PER_QUARTER:
        raise Invalid(_("Choose 0 to %(most)s.", most=MOST_PER_QUARTER), "limit")
    if not 0 <= wanted.answer_requests <= MOST_ANSWER_REQUESTS:
        raise Invalid(_("Choose 0 to %(most)s.", most=MOST_ANSWER_REQUESTS), "answer_requests")
    for name, hour in (("quiet_from", wanted.quiet_from), ("quiet_to", wanted.quiet_to)):
        if hour is not None and not 0 <= hour <= 23:
            raise Invalid(_("Choose an hour of the list."), name)


def _values(chosen: list[str]) -> list[str]:
    if not set(chosen) <= set(VALUES):
        raise Invalid(_("Choose from the list."), "values")
    return [value for value in VALUES if value in chosen]


def _topics(words: list[str]) -> list[str]:
    found = list(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))
    if len(found) > MOST_TOPICS or any(len(word) > 60 for word in found):
        raise Invalid(
            _("At most %(most)s, separated by commas, each up to 60 characters.", most=MOST_TOPICS), "topics"
        )
    return found


def _pause(until: date | None, zone: str) -> datetime | None:
    if until is None:
        return None
    begin = datetime.combine(until, time(), zone_or_utc(zone))
    if not clock.now() < begin <= clock.now() + LONGEST_PAUSE:
        raise Invalid(_("Choose a day within the next twelve months."), "paused_until")
    return begin


def _day_of(moment: datetime | None, zone: str) -> date | None:
    """The first day on which the member is asked again; None when that has come."""
    if moment is None or moment <= clock.now():
        return None
    return moment.astimezone(zone_or_utc(zone)).date()


def zone_or_utc(name: str) -> ZoneInfo:
    """The zone of this name; UTC where it is not known here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
