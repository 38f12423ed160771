"""A line that somebody typed: one line, without control characters, not empty and not too long."""

from flask_babel import gettext as _

from portal.kernel.errors import Invalid
from portal.kernel.numbers import number


def line_of(text: str, field: str, missing: str, most: int) -> str:
    """The text as one line.

    Raises Invalid beside `field`: `missing` where nothing is left, or that at most `most` characters fit.
    """
    text = " ".join(text.replace("\x00", "").split())
    if not text:
        raise Invalid(missing, field)
    if len(text) > most:
        raise Invalid(_("At most %(most)s characters fit.", most=number(most)), field)
    return text
