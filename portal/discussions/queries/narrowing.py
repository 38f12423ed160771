"""What a search is narrowed to: its filters, and for each of them how much its values would leave.

Over the rows that a search found, all of which its viewer may read: each facet leaves its own filter aside.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from portal.discussions.models import ThreadKind
from portal.kernel import clock
from portal.kernel.access import Viewer, zone_of

CHOICES = 12


@dataclass(frozen=True)
class Asked:
    """What was asked for: words and filters, all optional. `after` is the first day, `before` the day
    after the last, both by the viewer's calendar."""

    q: str = ""
    board: str = ""
    kind: ThreadKind | None = None
    author: str = ""
    tag: str = ""
    answered: bool | None = None
    after: date | None = None
    before: date | None = None
    sort: str = "relevance"

    @property
    def has_filters(self) -> bool:
        return replace(self, q="", sort="relevance") != Asked()

    def __bool__(self) -> bool:
        return bool(self.q.strip()) or self.has_filters


@dataclass(frozen=True)
class Choice:
    """One value of a facet: what to filter by, how it reads, in how many threads it is."""

    value: str
    label: str
    threads: int
    chosen: bool = False


Test = Callable[[Any], bool]


def tests(asked: Asked, viewer: Viewer) -> dict[str, Test]:
    """What a row has to be, by facet."""
    found: dict[str, Test] = {}
    if asked.board:
        found["board"] = lambda row: row.board_slug == asked.board
    if asked.kind:
        found["kind"] = lambda row: row.thread_kind is asked.kind
    if asked.author:
        found["author"] = lambda row: row.username == asked.author
    if asked.tag:
        found["tag"] = lambda row: asked.tag in (row.tags or ())
    if asked.answered is not None:
        found["answered"] = lambda row: _is_answered(row) == asked.answered
    if asked.after or asked.before:
        start, end = dates(asked, viewer)
        found["date"] = lambda row: (
            (start is None or row.created_at >= start) and (end is None or row.created_at < end)
        )
    return found


def dates(asked: Asked, viewer: Viewer) -> tuple[datetime | None, datetime | None]:
    """From when, and until when, by the viewer's calendar."""
    zone = zone_of(viewer)
    start = datetime.combine(asked.after, time(), zone) if asked.after else None
    return start, datetime.combine(asked.before, time(), zone) if asked.before else None


def _is_answered(row: Any) -> bool | None:
    """Whether a question has an accepted answer; None for other kinds."""
    return row.accepted_post_id is not None if row.thread_kind is ThreadKind.QUESTION else None


def facets(rows: list[Any], tests: dict[str, Test], asked: Asked, viewer: Viewer) -> dict[str, list[Choice]]:
    """For each facet its values among what all other filters leave, in threads, frequent ones first."""

    def left(facet: str) -> list[Any]:
        others = [test for name, test in tests.items() if name != facet]
        return [row for row in rows if all(test(row) for test in others)] if others else rows

    def count(facet: str, values_of: Callable[[Any], Iterable[str]], now: str) -> list[Choice]:
        pairs = {(value, row.thread_id) for row in left(facet) for value in values_of(row)}
        threads = Counter(value for value, _ in pairs)
        names = labels.get(facet, {})
        ranked = sorted(threads, key=lambda value: (-threads[value], str(names.get(value, value)).lower()))
        kept = ranked[:CHOICES] + [value for value in ranked[CHOICES:] if value == now]
        return [Choice(value, names.get(value, value), threads[value], value == now) for value in kept]

    def answered(row: Any) -> tuple[str, ...]:
        return {True: ("yes",), False: ("no",), None: ()}[_is_answered(row)]

    labels = {
        "board": {row.board_slug: row.board_name for row in rows},
        "author": {row.username: row.author_name for row in rows if row.username},
    }
    zone = zone_of(viewer)
    today = clock.now().astimezone(zone).date()
    spans = {}
    for days in (7, 31, 365):
        day = today - timedelta(days=days)
        spans[str(days)] = (day, datetime.combine(day, time(), zone))
    dated = left("date")
    return {
        "board": count("board", lambda row: (row.board_slug,), asked.board),
        "kind": count("kind", lambda row: (row.thread_kind.value,), asked.kind or ""),
        "tag": count("tag", lambda row: row.tags or (), asked.tag),
        "author": count("author", lambda row: (row.username,) if row.username else (), asked.author),
        "answered": count("answered", answered, {True: "yes", False: "no", None: ""}[asked.answered]),
        "date": [
            Choice(
                day.isoformat(),
                days,
                len({row.thread_id for row in dated if row.created_at >= start}),
                asked.after == day and asked.before is None,
            )
            for days, (day, start) in spans.items()
        ],
    }
