"""Rows of lists of threads, each kept as text: most rows of a list are the same for the next who looks."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import get_template_attribute
from flask_babel import get_locale, get_timezone
from markupsafe import Markup

from portal.discussions.queries.lists import ThreadLine
from portal.kernel import clock, page_cache


def thread_rows(threads: Iterable[ThreadLine], *, board: bool = True, level: int = 0) -> Markup:
    """The list as `components/threads.html` shows it. `board`: say on which board a thread is."""
    now, zone, locale = clock.now(), str(get_timezone()), str(get_locale())
    macro = None
    rows = []
    for thread in threads:
        key = ("row", thread, board, level, zone, locale, _age(thread.last_activity_at, now))
        row = page_cache.fragments.peek(key)
        if row is None:
            macro = macro or _macro()
            row = str(macro(thread, board, level))
            page_cache.fragments.put(key, row)
        rows.append(row)
    return Markup(f'<ul class="threads" data-rows>{"".join(rows)}</ul>')  # noqa: S704 - our own macro's text


def _age(moment: datetime, now: datetime) -> int | tuple[int, int]:
    """Changes when "3 min ago", "5 h ago", "yesterday" or the bare date may have to, in whatever zone."""
    seconds = (now - moment).total_seconds()
    if seconds < 3600:
        return int(seconds // 60)
    quarters = int(now.timestamp() // 900)  # a day begins at a quarter of an hour in every zone
    return (int(seconds // 3600), quarters) if seconds < 9 * 86400 else (0, quarters // 4)


def _macro() -> Any:
    return get_template_attribute("components/threads.html", "thread_row")
