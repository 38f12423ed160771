"""Numbers as they come from outside."""

from pathlib import Path

import pytest

from portal.kernel.numbers import number_in

PORTAL = Path(__file__).resolve().parents[2] / "portal"
# Where it is asked about text that is no number from outside, or stands beside `isascii`.
FINE = {
    "kernel/numbers.py",
    "advocacy/keys.py",
    "discussions/views/reading.py",
    "discussions/masking.py",
    "discussions/forms.py",
}


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("9" * 15, int("9" * 15))])
def test_digits_are_a_number(text: str, number: int) -> None:
    assert number_in(text) == number


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
