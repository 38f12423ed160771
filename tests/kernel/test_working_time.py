"""Working time: exact across weekends, holidays and changes of the clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.kernel.working_time import (
    Calendar,
    add_hours,
    add_working_days,
    holiday_regions,
    hours_between,
)

BERLIN = Calendar(zone="Europe/Berlin", country="DE")
BUSY = Calendar(zone="Europe/Berlin", weekend=frozenset())

# Zones that jump by an hour, by half an hour, at midnight, back over midnight, and one that lost a day.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Atlantic/Azores",
    "Africa/Cairo",
    "Pacific/Apia",
    "Asia/Kathmandu",
]
moments = st.integers(0, 27 * 365 * 86_400).map(
    lambda s: datetime(2009, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)
calendars = st.builds(
    Calendar,
    zone=st.sampled_from(ZONES),
    weekend=st.frozensets(st.integers(0, 6), max_size=6),
    country=st.sampled_from(["", "DE", "DE-BY", "US", "JP"]),
    further=st.frozensets(st.dates(date(2009, 1, 1), date(2035, 12, 31)), max_size=20),
)
hours = st.floats(0, 400, allow_nan=False).map(lambda number: round(number, 3))


def local(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("start", "number", "due"),
    [
        ("2026-03-05 16:00", 24, "2026-03-06 16:00"),  # Thursday to Friday
        ("2026-03-06 16:00", 24, "2026-03-09 16:00"),  # Friday to Monday
        ("2026-03-07 11:00", 24, "2026-03-10 00:00"),  # from a Saturday: all of Monday
        ("2026-04-02 16:00", 24, "2026-04-07 16:00"),  # over Good Friday and Easter Monday
        ("2026-12-24 12:00", 24, "2026-12-28 12:00"),
        ("2026-03-06 16:00", 0, "2026-03-06 16:00"),
        ("2026-03-07 11:00", 0, "2026-03-09 00:00"),
    ],
)
def test_hours_skip_weekends_and_holidays(start: str, number: float, due: str) -> None:
    assert add_hours(local(start), number, BERLIN) == local(due)


def test_hours_are_elapsed_where_the_clocks_change() -> None:
    assert add_hours(local("2026-03-28 12:00"), 24, BUSY) == local("2026-03-29 13:00")  # a day of 23 hours
    assert add_hours(local("2026-10-24 12:00"), 24, BUSY) == local("2026-10-25 11:00")  # and one of 25


def test_own_days_off_count() -> None:
    closed = Calendar(zone="Europe/Berlin", further=frozenset({date(2026, 3, 5)}))
    assert add_hours(local("2026-03-04 16:00"), 24, closed) == local("2026-03-06 16:00")
    assert closed.why_off(date(2026, 3, 5)) == "own day off"
    assert BERLIN.why_off(date(2026, 4, 3)) == "Good Friday"
    assert BERLIN.why_off(date(2026, 3, 7)) == "weekend"
    assert BERLIN.why_off(date(2026, 3, 6)) == ""


@pytest.mark.parametrize(
    ("start", "days", "zone", "due"),
    [
        ("2026-03-05 15:00", 2, "Europe/Berlin", "2026-03-09 15:00"),
        ("2026-03-07 10:00", 2, "Europe/Berlin", "2026-03-11 00:00"),  # two whole days
        ("2026-03-27 15:00", 1, "America/New_York", "2026-03-30 15:00"),
        ("2026-03-06 23:00", 1, "America/Los_Angeles", "2026-03-09 23:00"),
    ],
)
def test_working_days_in_the_members_zone(start: str, days: int, zone: str, due: str) -> None:
    assert add_working_days(local(start, zone), days, zone, BERLIN) == local(due, zone)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        add_hours(local("2026-03-05 15:00"), -1, BERLIN)
    with pytest.raises(ValueError, match="forwards"):
        add_working_days(local("2026-03-05 15:00"), -1, "UTC", BERLIN)


@given(moments, hours, calendars)
@settings(max_examples=150, deadline=None)
def test_what_is_added_lies_between(start: datetime, number: float, calendar: Calendar) -> None:
    due = add_hours(start, number, calendar)
    assert due >= start
    assert due - start >= timedelta(hours=number) - timedelta(milliseconds=1)
    assert hours_between(start, due, calendar) == pytest.approx(number, abs=1e-6)
    assert not calendar.is_off(due.astimezone(ZoneInfo(calendar.zone)).date())


@given(moments, hours, hours, calendars)
@settings(max_examples=100, deadline=None)
def test_hours_add_up_and_keep_their_order(
    start: datetime, first: float, second: float, calendar: Calendar
) -> None:
    at_once = add_hours(start, first + second, calendar)
    in_two = add_hours(add_hours(start, first, calendar), second, calendar)
    assert abs(at_once - in_two) < timedelta(milliseconds=1)
    assert add_hours(start, first, calendar) <= at_once


@given(moments, st.floats(0, 72), st.sampled_from(ZONES))
@settings(max_examples=100, deadline=None)
def test_without_days_off_hours_are_plain_hours(start: datetime, number: float, zone: str) -> None:
    never_off = Calendar(zone=zone, weekend=frozenset())
    assert abs(add_hours(start, number, never_off) - start - timedelta(hours=number)) < timedelta(
        milliseconds=1
    )


@given(moments, st.integers(0, 15), st.sampled_from(ZONES), calendars)
@settings(max_examples=150, deadline=None)
def test_so_many_working_days_lie_between(start: datetime, days: int, zone: str, calendar: Calendar) -> None:
    due = add_working_days(start, days, zone, calendar)
    first, last = start.astimezone(ZoneInfo(zone)).date(), due.astimezone(ZoneInfo(zone)).date()
    between = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    working = sum(not calendar.is_off(day) for day in between)
    if zone != "Pacific/Apia":  # where a 30 December never was
        assert not calendar.is_off(last)
        assert working == days + 1
    assert due >= start


def test_every_country_on_offer_has_holidays_that_can_be_read() -> None:
    for code in holiday_regions():
        assert isinstance(Calendar(country=code).is_off(date(2026, 3, 4)), bool)
