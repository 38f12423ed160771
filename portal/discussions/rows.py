"""Rows of lists of threads, boards and results; most are the same for the next who looks, so each is kept."""

from collections.abc import Iterable

from markupsafe import Markup

from portal.discussions.queries.boards import BoardLine
from portal.discussions.queries.lists import ThreadLine
from portal.discussions.queries.searching import FoundThread
from portal.kernel import parts


def thread_rows(threads: Iterable[ThreadLine], *, board: bool = True, level: int = 0) -> Markup:
    """The list as `components/threads.html` shows it. `board`: say on which board a thread is."""
    rows = parts.rows("components/threads.html", "thread_row", threads, "last_activity_at", board, level)
    return Markup('<ul class="threads" data-rows>{}</ul>').format(rows)


def board_rows(boards: Iterable[BoardLine], *, level: int = 3) -> Markup:
    """The list as `components/boards.html` shows it."""
    rows = parts.rows("components/boards.html", "board_row", boards, "last_activity_at", level)
    return Markup('<ul class="boards">{}</ul>').format(rows)


def found_rows(threads: Iterable[FoundThread], *, level: int = 3) -> Markup:
    """The list as `discussions/_search_results.html` shows it."""
    rows = parts.rows("discussions/_search_results.html", "result", threads, "created_at", level)
    return Markup('<ol class="threads" data-rows>{}</ol>').format(rows)
