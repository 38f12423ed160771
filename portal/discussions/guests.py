"""Prospects are guests: sales and service read no name of theirs in what others wrote either.

A mention, a quotation's source or a link to a profile stands in the stored text by user name. For these
readers, and for nobody else, it is taken out when the text is shown. A name that somebody typed as plain
words stays: it cannot be told from any other word.
"""

import re
from collections.abc import Callable, Iterable

from sqlalchemy import select

from portal.kernel.access import Status
from portal.kernel.db import db
from portal.members.display import Reader
from portal.members.models import Member

A_GUEST = "a prospect"
_CALLED = re.compile(r"@([\w.-]+)|/members/([\w.-]+)")

Veil = Callable[[str], str]


def veil_over(reader: Reader, texts: Iterable[str | None]) -> Veil:
    """What takes prospects' names out of these texts, HTML or Markdown, for this reader.

    One statement for sales and service when a text names anybody. For others none, and texts stay.
    """
    if reader is not Reader.SELLER:
        return _as_it_is
    called = {
        name.rstrip(".-_").lower()
        for text in texts
        if text
        for pair in _CALLED.findall(text)
        for name in pair
        if name
    }
    if not called:
        return _as_it_is
    guests = db.session.scalars(
        select(Member.username).where(Member.username.in_(sorted(called)), Member.status == Status.PROSPECT)
    ).all()
    return _veil(sorted(guests, key=len, reverse=True)) if guests else _as_it_is


def _as_it_is(text: str) -> str:
    return text


def _veil(usernames: list[str]) -> Veil:
    name = rf"(?:{'|'.join(map(re.escape, usernames))})(?![\w-]|\.\w)"
    # First whole links with their words, in HTML and in Markdown, then the bare names.
    patterns = [
        re.compile(pattern, re.IGNORECASE | re.DOTALL)
        for pattern in (
            rf'<a\b[^>]*\bhref="[^"]*/members/{name}[^"]*"[^>]*>.*?</a>',
            rf"\[[^\]]*\]\([^)\s]*/members/{name}[^)]*\)",
            rf"\S*/members/{name}\S*",
            rf"@{name}",
        )
    ]

    def veiled(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(A_GUEST, text)
        return text

    return veiled
