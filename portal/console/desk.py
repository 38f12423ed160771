"""What waits for a moderator, of every kind, most urgent first: for the page and for the mail of the morning.

Counts are of everything that waits; rows are read page by page, and all of them for a file.
"""

from dataclasses import dataclass, replace

from portal.console import desk_sources as sources
from portal.console.desk_sources import (
    ASKS,
    CASES,
    KINDS,
    OLDER,
    PEOPLE,
    QUESTIONS,
    Found,
    Row,
    Waiting,
    Words,
)
from portal.kernel.access import Permission, Viewer

PAGE = 100  # rows: what nobody does in a day
MOST_PAGES = 1000
ANYTHING = Words(whose="anyone")
# What somebody waits for under a promise or a rule comes before people, and people before old questions.
TIERS = {CASES: 0, ASKS: 0, PEOPLE: 1, QUESTIONS: 2, OLDER: 2}


@dataclass(frozen=True)
class Desk:
    """A page of what waits. `counts`: by kind, and of older questions, whatever is looked at."""

    rows: list[Row]
    counts: dict[str, int]
    fits: int  # of the kind that is looked at, on all pages
    total: int  # whatever the words, without older questions
    page: int
    size: int

    @property
    def more(self) -> int:
        """How many stand on later pages."""
        return max(self.fits - self.page * self.size, 0)


def waiting(viewer: Viewer, words: Words = ANYTHING, page: int = 1, size: int = PAGE) -> Desk:
    """A page of what fits these words and this moderator may see; the last where there are not so many."""
    found = _read(viewer, words, page * size)
    counts = {kind: sum(one.fits.get(kind, 0) for one in found) for kind in KINDS}
    fits = counts[words.what] if words.what in KINDS else sum(counts.values())
    older = _older(viewer, words, page * size)
    counts[OLDER] = older.fits.get(OLDER, 0)
    if words.what == OLDER:
        found, fits = [*found, replace(older, total=0)], counts[OLDER]
    page = min(page, max(-(-fits // size), 1))
    rows = _in_order(found, words)[(page - 1) * size : page * size]
    return Desk([one.row() for one in rows], counts, fits, sum(one.total for one in found), page, size)


def everything(viewer: Viewer, words: Words = ANYTHING) -> list[Row]:
    """All that fits, however much it is, in the order of the pages."""
    found = [_older(viewer, words, None)] if words.what == OLDER else _read(viewer, words, None)
    return [one.row() for one in _in_order(found, words)]


@dataclass(frozen=True)
class Unanswered:
    """Questions without an answer, some of them as rows, and how many each of the two lists has."""

    rows: list[Row]
    recent: int
    older: int

    @property
    def total(self) -> int:
        return self.recent + self.older


def unanswered(viewer: Viewer, board: str = "", most: int | None = None) -> Unanswered:
    """The questions of both lists of this page, those of the last two weeks first."""
    words = replace(ANYTHING, what=QUESTIONS, board=board)
    recent = sources.NEW_QUESTIONS.found(viewer, words, most)
    older = _older(viewer, replace(words, what=OLDER), most)
    rows = [one.row() for one in [*recent.rows, *older.rows][:most]]
    return Unanswered(rows, recent.fits.get(QUESTIONS, 0), older.fits.get(OLDER, 0))


def _older(viewer: Viewer, words: Words, most: int | None) -> Found:
    """Questions that fell out of what waits, read where they are looked at and counted elsewhere."""
    if not viewer.may(Permission.ADVOCACY):
        return Found()
    return sources.OLDER_QUESTIONS.found(
        viewer, replace(words, what=OLDER), most if words.what == OLDER else 0
    )


def _read(viewer: Viewer, words: Words, most: int | None) -> list[Found]:
    wanted = [sources.OF_CASES, *(sources.OTHERS if viewer.may(Permission.ADVOCACY) else ())]
    return [source.found(viewer, words, most) for source in wanted]


def _in_order(found: list[Found], words: Words) -> list[Waiting]:
    """Each source is in this order already: so a page begins where the one before ended."""
    rows = [row for one in found for row in one.rows]
    if words.sort == "oldest":
        return sorted(rows, key=lambda row: row.since)
    return sorted(rows, key=lambda row: (TIERS[row.kind], row.urgent_at))
