"""Answers that are files, made for one reader and kept by nobody on the way."""

from collections.abc import Iterable, Sequence

from flask import Response

from portal.kernel import clock, spreadsheets


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A table to be opened in a spreadsheet, named after what it is and the day it was made."""
    text = "\N{BYTE ORDER MARK}" + spreadsheets.table(head, rows)
    answer = Response(text, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{clock.now():%Y-%m-%d}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
