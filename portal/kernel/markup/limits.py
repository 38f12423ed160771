"""What a text may cost: the caps that keep rendering quick whatever somebody sends."""

from __future__ import annotations

import re

from flask_babel import gettext as _

from portal.kernel.errors import Invalid
from portal.kernel.markup.policy import MAX_BRACKETS, MAX_BYTES, MAX_NESTING, MAX_SIGNS
from portal.kernel.numbers import number

_BRACKETS = re.compile(r"[\[\]<>]")
# A container opens with at least one of these at the start of its line, so a shorter run cannot nest deeper.
_DEEP_LINE = re.compile(r"^[ \t>*+\-\d.)]{%d}" % MAX_NESTING, re.MULTILINE)  # noqa: UP031 braces of the pattern


class MarkupTooLarge(Invalid):
    """A text beyond the caps; `message` says which one, in words for its author."""


def check_size(source: str) -> None:
    """Raise MarkupTooLarge for what can be seen by counting alone, in linear time."""
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise MarkupTooLarge(
            _(
                "This text has %(size)s KB; a post holds at most %(most)s KB. Split it in two.",
                size=size // 1024,
                most=MAX_BYTES // 1024,
            )
        )
    if len(_BRACKETS.findall(source)) > MAX_BRACKETS:
        raise MarkupTooLarge(
            _(
                "This text has more than %(most)s brackets and angle signs. "
                "Attach long logs as a file, or split the text.",
                most=number(MAX_BRACKETS),
            )
        )
    if max(source.count("`"), source.count("&")) > MAX_SIGNS:
        raise MarkupTooLarge(
            _(
                "This text has more than %(most)s backticks or ampersands. "
                "Attach long logs as a file, or split the text.",
                most=number(MAX_SIGNS),
            )
        )


def may_nest_deeply(source: str) -> bool:
    """Whether any line begins with enough markers or spaces to nest beyond the cap; False is certain."""
    return _DEEP_LINE.search(source) is not None
