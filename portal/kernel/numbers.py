"""Whole numbers as they come in addresses and forms, and numbers as they are told."""

from functools import lru_cache

from babel.numbers import format_decimal
from flask_babel import get_locale

LONGEST = 15  # digits; every column of the database takes them


def number_in(text: object, *, longest: int = LONGEST) -> int | None:
    """The number that these digits (0 to 9, at most `longest` of them) are; None for anything else.

    `str.isdigit` holds for "²" too, which is no number.
    """
    written = str(text)
    if not 0 < len(written) <= longest or not (written.isascii() and written.isdigit()):
        return None
    return int(written)


def number(value: float | None) -> str:
    """A number as the reader's language writes it, its thousands parted; "" for None."""
    return "" if value is None else _written(value, str(get_locale() or "en"))


@lru_cache(4096)
def _written(value: float, locale: str) -> str:
    return format_decimal(value, locale=locale)
