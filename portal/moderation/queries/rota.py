"""Who is on duty: today, and in the weeks that come."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.kernel import clock, site, working_time
from portal.kernel.db import db
from portal.members.models import Member
from portal.moderation.models import Shift
from portal.moderation.queries.evidence import moderators


@dataclass(frozen=True)
class OnDuty:
    """Somebody's days. `shift_id` is what cancels all of them."""

    shift_id: int
    member_id: int
    name: str
    username: str


@dataclass
class Day:
    """One day of the plan. `off`: why the calendar leaves it out, "" for a working day."""

    day: date
    off: str
    people: list[OnDuty] = field(default_factory=list)

    @property
    def is_gap(self) -> bool:
        """A working day without anybody."""
        return not self.people and not self.off


def today() -> date:
    """The present day in the zone of the calendar."""
    return clock.now().astimezone(ZoneInfo(site.current().calendar_zone)).date()


def on_duty() -> list[OnDuty]:
    """Who is on duty today and moderates still; nobody when nothing is planned."""
    return _days(today(), 1)[0].people


def plan(weeks: int = 4) -> list[Day]:
    """The days of this week, from its Monday, and of those that follow, each with whoever is on duty."""
    monday = today() - timedelta(days=today().weekday())
    return _days(monday, 7 * weeks)


def shifts(username: str = "", *, by_name: bool = False, limit: int | None = None) -> list[Any]:
    """Shifts that are not over (of one member), the next first: id, name, username, first_day, last_day."""
    query = (
        select(Shift.id, Member.name, Member.username, Shift.first_day, Shift.last_day)
        .join(Member, Member.id == Shift.member_id)
        .where(Shift.last_day >= today())
        .order_by(*([Member.sort_name] if by_name else []), Shift.first_day, Shift.id)
        .limit(limit)
    )
    if username:
        query = query.where(Member.username == username)
    return list(db.session.execute(query))


def who_is_planned() -> list[tuple[str, str]]:
    """(user name, name) of everybody with a shift that is not over, by name."""
    ids = select(Shift.member_id).where(Shift.last_day >= today())
    query = select(Member.username, Member.name).where(Member.id.in_(ids)).order_by(Member.sort_name)
    return [(row.username, row.name) for row in db.session.execute(query)]


def first_to_tell(candidates: Iterable[int]) -> list[int]:
    """Of these moderators those who are on duty; all of them when none is."""
    everybody = list(candidates)
    present = {one.member_id for one in on_duty()}
    return [member_id for member_id in everybody if member_id in present] or everybody


def who_moderates() -> list[tuple[int, str]]:
    """(id, name) of everybody who can be put on duty, by name."""
    query = select(Member.id, Member.name).where(Member.id.in_(moderators())).order_by(Member.name, Member.id)
    return [(row.id, row.name) for row in db.session.execute(query)]


def _days(first: date, count: int) -> list[Day]:
    calendar = working_time.calendar()
    days = [Day(day, calendar.why_off(day)) for day in (first + timedelta(days=n) for n in range(count))]
    rows = db.session.execute(
        select(Shift.id, Shift.member_id, Shift.first_day, Shift.last_day, Member.name, Member.username)
        .join(Member, Member.id == Shift.member_id)
        .where(
            Shift.last_day >= first,
            Shift.first_day <= days[-1].day,
            Shift.member_id.in_(moderators()),
        )
        .order_by(Member.name, Shift.id)
    )
    for row in rows:
        for day in days:
            if row.first_day <= day.day <= row.last_day:
                day.people.append(OnDuty(row.id, row.member_id, row.name, row.username))
    return days
