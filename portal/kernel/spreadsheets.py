"""Tables that people open in a spreadsheet: CSV in which no cell is ever run."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


def escaped(cell: str) -> str:
    """The cell so that a spreadsheet shows it instead of running it; `unescaped` takes it back."""
    risky = cell.startswith(_RUN_BY_SPREADSHEETS) or _is_marked(cell)
    return f"'{cell}" if risky else cell


def unescaped(cell: str) -> str:
    """The cell as it was before `escaped`."""
    return cell[1:] if _is_marked(cell) else cell


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows as CSV with CRLF: moments in ISO 8601, nothing for None, numbers as they are."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return file.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return escaped(str(value))


def _is_marked(cell: str) -> bool:
    return cell.startswith("'") and cell[1:].startswith((*_RUN_BY_SPREADSHEETS, "'"))
