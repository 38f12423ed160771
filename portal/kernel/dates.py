"""Days in words, in the language and on the calendar of whoever reads them: the one place that writes them.

Babel knows both within a request; a sentence that is said elsewhere, as a mail is, names the reader's zone.
Knows no request itself, so services may use it.
"""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date
from flask_babel import get_locale, get_timezone

from portal.kernel import clock

DAY, MONTH = "d MMMM y", "MMMM y"


def zone_named(name: str) -> ZoneInfo:
    """A time zone; UTC where the name is unknown here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def day_in_words(moment: datetime | date, *, zone: str = "") -> str:
    """ "17 November 2026": the reader's day; with `zone` the day there, as for a mail."""
    return in_words(_day_of(moment, zone), DAY, str(get_locale() or "en"))


def today() -> date:
    """The day it is where the reader is; within no request the day in UTC."""
    return _day_of(clock.now(), "")


@lru_cache(4096)  # a list shows few dates many times, and each costs Babel 40 µs
def in_words(day: date, pattern: str, locale: str) -> str:
    """A day by one of Unicode's patterns."""
    return format_date(day, pattern, locale=locale)


def _day_of(moment: datetime | date, zone: str) -> date:
    if not isinstance(moment, datetime):
        return moment
    there = zone_named(zone) if zone else get_timezone()
    return (moment if there is None else moment.astimezone(there)).date()
