"""Parts of pages that are the same for many readers: rendered once, kept under all that they were made of.

A part is a template that is given values and sees nothing else of the request, so the values are the key and
a kept part can never be another reader's. What belongs to one reader alone (a name, the token of a form)
stands in it as a mark and is put in afterwards. A mark is an HTML comment, which escaping lets nobody write.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import Flask, g, get_template_attribute
from flask_babel import get_timezone
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from portal.kernel import clock, page_cache
from portal.kernel.template_helpers import locale_name

_MARK = re.compile(r"<!--@(\w+)-->")
_TOKEN = "token"  # noqa: S105 - the name of a mark


def install(app: Flask) -> None:
    """Give templates `part(name, marks, **values)`, and parts `mark(name)`. After the protection of forms."""
    environment = app.jinja_env

    def make(name: str, values: Mapping[str, Hashable]) -> str:
        with _without_token():
            return environment.get_template(name).render(values)

    def part(name: str, marks: Mapping[str, Any] | None = None, /, **values: Hashable) -> Markup:
        """The template of this name made of these values, with what its marks stand for put in."""
        key = (name, locale_name(), *values.items())
        text = page_cache.fragments.get(key, lambda: make(name, values))
        return Markup(_filled(text, marks or {}))  # noqa: S704 - our own template's text

    environment.globals["part"] = part
    environment.globals["mark"] = mark
    environment.globals["csrf_token"] = _token


def rows(template: str, macro: str, items: Iterable[Any], when: str, *arguments: Hashable) -> Markup:
    """What this macro makes of each of these items, one after the other; each kept for the next who lists it.

    The items are values (frozen, hashable). `when`: their attribute with the moment shown as "3 h ago".
    """
    now, zone, locale = clock.now(), str(get_timezone()), locale_name()
    make = None
    made = []
    for item in items:
        key = (macro, item, arguments, zone, locale, _age(getattr(item, when), now))
        row = page_cache.fragments.peek(key)
        if row is None:
            make = make or get_template_attribute(template, macro)
            with _without_token():
                row = str(make(item, *arguments))
            page_cache.fragments.put(key, row)
        made.append(row)
    return Markup(_filled("".join(made), {}))  # noqa: S704 - our own macro's text


def _age(moment: datetime | None, now: datetime) -> int | tuple[int, int]:
    """Changes when "3 min ago", "5 h ago", "yesterday" or the bare date may have to, in whatever zone."""
    if moment is None:
        return 0
    seconds = (now - moment).total_seconds()
    if seconds < 3600:
        return int(seconds // 60)
    quarters = int(now.timestamp() // 900)  # a day begins at a quarter of an hour in every zone
    return (int(seconds // 3600), quarters) if seconds < 9 * 86400 else (0, quarters // 4)


def mark(name: str) -> Markup:
    """Where a part leaves room for what is the reader's own."""
    return Markup(f"<!--@{name}-->")  # noqa: S704 - a name of ours


@contextmanager
def _without_token() -> Iterator[None]:
    """What is rendered inside is shared: no token may come into it."""
    before, g.making_part = g.get("making_part", False), True
    try:
        yield
    finally:
        g.making_part = before


def _token() -> str:
    """The token of this reader's forms; in a part the mark for it, since parts are shared."""
    return mark(_TOKEN) if g.get("making_part") else generate_csrf()


def _filled(text: str, marks: Mapping[str, Any]) -> str:
    if "<!--@" not in text:
        return text

    def put_in(found: re.Match[str]) -> str:
        name = found[1]
        return str(escape(_token() if name == _TOKEN else marks[name]))

    return _MARK.sub(put_in, text)
