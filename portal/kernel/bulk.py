"""Many rows into one table at once, for what is made anew by the hundred thousand.

An insert of SQLAlchemy asks for each value of each row how it is written, which takes longer than the
database does. Here that is looked up once for each column, and PostgreSQL takes the rows as one stream.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Dialect, Enum, Table

from portal.kernel.db import UTCDateTime, db

_STREAMED = 20  # rows from which a stream is the quicker way


def insert_rows(table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Store rows whose values stand in the order of `columns`. Inside a unit of work.

    Columns that are not named get what the database fills in; defaults of Python are not looked at.
    """
    if rows:
        store(table, columns, written(table, columns, rows))


def written(table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The rows as the driver takes them: for `store`, perhaps in another process."""
    dialect = db.engine.dialect
    known: dict[int, Any] = {}  # moments already written; `rows` keeps each, so no other gets its number
    ways = []
    for place, name in enumerate(columns):
        kind = table.c[name].type.dialect_impl(dialect)
        if (way := _way_of(kind, dialect)) is not None:
            ways.append((place, _once(way, known) if isinstance(kind, UTCDateTime) else way))
    found = []
    for row in rows:
        values = list(row)
        for place, way in ways:
            values[place] = way(values[place])
        found.append(tuple(values))
    return found


def store(table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Store rows that `written` gave. Inside a unit of work."""
    if not rows:
        return
    session = db.session()
    session.flush()  # rows that these refer to
    connection = session.connection()
    names = ", ".join(columns)
    postgresql = connection.dialect.name == "postgresql"
    if postgresql and len(rows) >= _STREAMED:
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join(["%s" if postgresql else "?"] * len(columns))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of the models
    connection.exec_driver_sql(statement, list(rows))


def _way_of(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    way: Callable[[Any], Any] | None = kind.bind_processor(dialect)
    if way is not None and isinstance(kind, Enum) and kind.enum_class is not None:
        known: dict[Any, Any] = {value: way(value) for value in kind.enum_class}
        return {None: None, **known}.__getitem__
    return way


def _once(way: Callable[[Any], Any], known: dict[int, Any]) -> Callable[[Any], Any]:
    """The same moment stands in several columns and rows: each object is written once."""

    def written(value: Any) -> Any:
        text = known.get(id(value), known)
        if text is known:
            text = known[id(value)] = way(value)
        return text

    return written
