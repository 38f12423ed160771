"""Times, numbers and people as templates say them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, g

from portal.kernel import access
from portal.kernel import template_helpers as helpers

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def in_warsaw(app: Flask) -> Iterator[None]:
    """A request of a member in Warsaw, one hour ahead of UTC in March."""
    with app.test_request_context("/"):
        g.viewer = replace(access.VISITOR, time_zone="Europe/Warsaw")
        yield


@pytest.mark.usefixtures("in_warsaw")
@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(hours=14), "yesterday"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=20), "10 Feb"),
        (timedelta(days=400), "26 Jan 2025"),
    ],
)
def test_how_long_ago(before: timedelta, words: str):
    assert helpers.relative(NOW - before, NOW) == words


@pytest.mark.usefixtures("in_warsaw")
def test_a_night_counts_as_yesterday_only_after_six_hours():
    late = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)  # 23:30 in Warsaw
    assert helpers.relative(late, late + timedelta(hours=1)) == "1 h ago"
    assert helpers.relative(late, late + timedelta(hours=10)) == "yesterday"


@pytest.mark.usefixtures("in_warsaw")
def test_times_stand_in_the_zone_of_the_reader_with_the_exact_moment():
    shown = helpers.stamp(NOW)
    assert 'datetime="2026-03-02T12:00:00Z"' in shown
    assert "13:00</time>" in shown
    assert 'title="Monday, 2 March 2026, 13:00 CET"' in shown
    assert helpers.shared_stamp(NOW).endswith("2 Mar 2026, 12:00 UTC</time>")


@pytest.mark.usefixtures("in_warsaw")
def test_how_long_until():
    assert "in 2 h 05 min" in helpers.until(NOW + timedelta(hours=2, minutes=5), now=NOW)
    assert "overdue 1 h 20 min" in helpers.until(NOW - timedelta(minutes=80), now=NOW)
    assert "tomorrow, 10:00" in helpers.until(datetime(2026, 3, 3, 9, 0, tzinfo=UTC), now=NOW)
    assert "7 Mar, 10:00" in helpers.until(datetime(2026, 3, 7, 9, 0, tzinfo=UTC), now=NOW)


@pytest.mark.usefixtures("in_warsaw")
def test_durations_have_at_most_two_units():
    assert helpers.duration(30) == "1 min"
    assert helpers.duration(40 * 60) == "40 min"
    assert helpers.duration(5 * 3600 + 600) == "5 h 10 min"
    assert helpers.duration(7200) == "2 h"
    assert helpers.duration(3 * 86400) == "3 days"


@pytest.mark.usefixtures("in_warsaw")
def test_numbers():
    assert helpers.number(12345) == "12,345"
    assert helpers.number(None) == ""
    assert helpers.counted(999) == "999"
    assert helpers.counted(1000) == "1,000+"
    assert helpers.counted(5000, 100) == "100+"


def test_a_share_is_never_rounded_to_all_or_nothing():
    assert helpers.share(118, 143) == "83%"
    assert helpers.share(999, 1000) == "99%"
    assert helpers.share(1, 1000) == "1%"
    assert helpers.share(0, 10) == "0%"
    assert helpers.share(10, 10) == "100%"
    assert helpers.share(1, 0) == ""


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ines Okafor", "IO"),
        ("Marguerite Anne Haugland-Brzęczyszczykiewicz", "MH"),
        ("Cher", "CH"),
        ("émile zola", "ÉZ"),
        ("王小明", "王"),
        ("  ", "?"),
        ("", "?"),
        ("!!! ???", "?"),
    ],
)
def test_initials(name: str, letters: str):
    assert helpers.initials(name) == letters


def test_a_tint_stays_with_its_key():
    assert helpers.tint("ines") == helpers.tint("ines")
    assert {helpers.tint(f"member{number}") for number in range(50)} == set("abcd")


@pytest.mark.parametrize(
    ("value", "end"), [(0, 1), (1, 1), (3, 4), (7, 10), (11, 20), (38, 40), (412, 500), (0.3, 0.4)]
)
def test_axes_end_at_a_round_number(value: float, end: float):
    assert helpers.nice_ceiling(value) == pytest.approx(end)
