"""Numbers as they come from outside, and as they are told."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from portal.kernel.numbers import number, number_in

PORTAL = Path(__file__).resolve().parents[2] / "portal"
# Where it is asked about text that is no number from outside, or stands beside `isascii`.
FINE = {
    "kernel/numbers.py",
    "advocacy/keys.py",
    "discussions/views/reading.py",
    "discussions/masking.py",
    "discussions/forms.py",
}


@pytest.mark.parametrize(("text", "known"), [("0", 0), ("7", 7), ("007", 7), ("9" * 15, int("9" * 15))])
def test_digits_are_a_number(text: str, known: int) -> None:
    assert number_in(text) == known


@pytest.mark.parametrize("text", ["", None, "²", "1²", "٣", "-1", "+1", " 1", "1.0", "1_0", "x", "9" * 16])
def test_anything_else_is_none(text: str | None) -> None:
    assert number_in(text) is None


def test_the_longest_may_be_shorter() -> None:
    assert (number_in("999", longest=3), number_in("1000", longest=3)) == (999, None)


def test_nobody_else_reads_numbers_by_isdigit() -> None:
    found = {
        path.relative_to(PORTAL).as_posix()
        for path in PORTAL.rglob("*.py")
        if ".isdigit()" in path.read_text()
    }
    assert found == FINE


def test_thousands_are_parted_as_the_reader_is_used_to(in_app: Flask) -> None:
    assert number(12_000) == "12,000"
    with force_locale("de"):
        assert number(12_000) == "12.000"


def test_without_an_application_a_number_is_told_in_english() -> None:
    assert number(12_000) == "12,000"


def test_no_sentence_parts_thousands_by_itself() -> None:
    """What people read on pages; commands and reports of the operator are English."""
    told = re.compile(r"""f"\{[^"]*:,\}\"""")
    found = {
        path.relative_to(PORTAL).as_posix()
        for package in (
            "members",
            "discussions",
            "moderation",
            "asks",
            "conversations",
            "matching",
            "advocacy",
        )
        for path in (PORTAL / package).rglob("*.py")
        if path.name != "commands.py" and told.search(path.read_text())
    }
    assert not found
