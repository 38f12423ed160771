"""Working time: hours and days that skip weekends, holidays and the site's own days off.

Hours are elapsed hours: a day with a clock change has 23 or 25 of them. A day is off as a whole, in the zone
it is counted in, and has no opening hours: what is promised "within 24 hours" on a Thursday at four is due
on Friday at four.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from portal.kernel import site

SATURDAY, SUNDAY = 5, 6
MOST_DATES = 200  # further days off that a site may name


@dataclass(frozen=True)
class Calendar:
    """Which days are off. `weekend` counts from Monday 0; `country` is of ISO 3166, or a part: "DE-BY"."""

    zone: str = "UTC"
    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    country: str = ""
    further: frozenset[date] = frozenset()

    def is_off(self, day: date) -> bool:
        """Whether nobody is expected to work on this day."""
        return (
            day.weekday() in self.weekend or day in self.further or day in _holidays(self.country, day.year)
        )

    def why_off(self, day: date) -> str:
        """ "weekend", the holiday's name, "own day off", or "" for a working day."""
        if name := _holidays(self.country, day.year).get(day):
            return name
        if day in self.further:
            return "own day off"
        return "weekend" if day.weekday() in self.weekend else ""


def calendar() -> Calendar:
    """The calendar of the site, as its settings have it."""
    current = site.current()
    return Calendar(
        zone=current.calendar_zone,
        weekend=frozenset(current.weekend),
        country=current.holidays_of,
        further=frozenset(date.fromisoformat(day) for day in current.days_off),
    )


def add_hours(start: datetime, hours: float, calendar: Calendar) -> datetime:
    """The moment (UTC) at which `hours` working hours have passed since `start`.

    Hours are counted on the days that are not off in the calendar's zone. With 0 hours: `start` itself, or
    the beginning of the next working day when `start` lies on a day off. Raises ValueError below 0.
    """
    if hours < 0:
        raise ValueError("hours run forwards")
    left = timedelta(hours=hours)
    for begin, end in _working_spans(start.astimezone(UTC), calendar):
        if left < end - begin:
            return begin + left
        left -= end - begin
    raise AssertionError("spans never end")


def hours_between(start: datetime, end: datetime, calendar: Calendar) -> float:
    """How many working hours lie between two moments; 0 when `end` is not after `start`."""
    found = timedelta(0)
    last = end.astimezone(UTC)
    for begin, finish in _working_spans(start.astimezone(UTC), calendar):
        if begin >= last:
            break
        found += min(finish, last) - begin
    return found / timedelta(hours=1)


def add_working_days(start: datetime, days: int, zone: str, calendar: Calendar) -> datetime:
    """The same time of day `days` working days later (UTC), counted in `zone` (a member's own).

    From a day off one counts from the beginning of the next working day, so that two working days are never
    fewer than two whole ones. A time that the clocks jump over is as much later as they jump.
    """
    if days < 0:
        raise ValueError("days run forwards")
    there = ZoneInfo(zone)
    local = start.astimezone(there)
    day, time, fold = local.date(), local.time(), local.fold
    while calendar.is_off(day):
        day, time, fold = day + timedelta(days=1), datetime.min.time(), 0
    for _ in range(days):
        day += timedelta(days=1)
        while calendar.is_off(day):
            day += timedelta(days=1)
    return _moment(datetime.combine(day, time), there, fold=fold)


def holiday_regions() -> dict[str, list[str]]:
    """Countries (ISO 3166, two letters) whose holidays are known, each with its parts."""
    known = holidays.list_supported_countries()
    return {code: parts for code, parts in known.items() if len(code) == 2}


def _working_spans(start: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of working time from `start` on, a day each, in UTC."""
    zone = ZoneInfo(calendar.zone)
    moment = start
    while True:
        day = moment.astimezone(zone).date()
        following = _moment(datetime.combine(day + timedelta(days=1), datetime.min.time()), zone)
        if not calendar.is_off(day) and following > moment:
            yield moment, following
        moment = following


def _moment(local: datetime, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    # Fold 0 takes a time that does not exist by the offset before the change: so much later as was jumped.
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


@lru_cache(64)
def _holidays(country: str, year: int) -> dict[date, str]:
    if not country:
        return {}
    code, _, part = country.partition("-")
    found = holidays.country_holidays(code, subdiv=part or None, years=[year], language="en_US")
    return dict(found.items())
