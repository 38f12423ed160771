"""Whole numbers as they come in addresses and forms."""

LONGEST = 15  # digits; every column of the database takes them


def number_in(text: object, *, longest: int = LONGEST) -> int | None:
    """The number that these digits (0 to 9, at most `longest` of them) are; None for anything else.

    `str.isdigit` holds for "²" too, which is no number.
    """
    written = str(text)
    if not 0 < len(written) <= longest or not (written.isascii() and written.isdigit()):
        return None
    return int(written)
