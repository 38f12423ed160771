"""Rows in every table, made from the columns alone: for tests of the schema, not of what it means."""

import itertools
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    types,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from portal.kernel.db import Base, UTCDateTime, db

_numbers = itertools.count(1)
# Where a column's value is bound by a rule of the table that its type does not tell.
_BOUND: dict[tuple[str, str], Any] = {
    ("posts", "kind"): "opening",
    ("posts", "parent_id"): None,
    ("posts", "number"): 1,
    ("votes", "value"): 1,
    ("conversations", "asker_id"): 1,
    ("conversations", "member_id"): 2,
    ("availability", "limit_per_quarter"): 3,
    ("availability", "staff_limit"): 1,
    ("availability", "answer_requests_per_month"): 4,
    ("availability", "quiet_from"): 22,
    ("availability", "quiet_to"): 7,
    ("consents", "expires_at"): datetime(2027, 3, 1, 12, tzinfo=UTC),
    ("company_consents", "expires_on"): date(2027, 3, 1),
    ("holds", "expires_at"): datetime(2027, 3, 1, 12, tzinfo=UTC),
    ("satisfaction", "value"): 84,
}


def fill_every_table() -> None:
    """Two rows in each table, the first with every column set; AssertionError when a table stays empty."""
    with db.engine.begin() as connection:
        ids: dict[str, list[Any]] = {}
        for table in Base.metadata.sorted_tables:
            for sparse in (False, True):
                _insert(connection, table, ids, sparse=sparse)
            assert ids.get(f"{table.name}."), (
                f"no row could be made for {table.name}: name its rule in _BOUND"
            )


def _insert(connection: Connection, table: Table, ids: dict[str, list[Any]], *, sparse: bool) -> None:
    filled = {column.name: _value(table, column, ids, sparse=sparse) for column in table.columns}
    optional = [
        column.name for column in table.columns if column.nullable and filled[column.name] is not None
    ]
    # Rules like "one of the two": leave out more and more of what may be left out.
    for size in range(len(optional) + 1):
        for left_out in itertools.combinations(optional, size) if size <= 2 else [tuple(optional)]:
            values = {name: value for name, value in filled.items() if name not in left_out}
            values = {name: value for name, value in values.items() if value is not _AUTOMATIC}
            savepoint = connection.begin_nested()
            try:
                connection.execute(table.insert().values(**values))
            except IntegrityError:
                savepoint.rollback()
                continue
            savepoint.commit()
            ids.setdefault(f"{table.name}.", []).append(True)
            for column in table.columns:
                value = (
                    connection.exec_driver_sql(f'SELECT max("{column.name}") FROM "{table.name}"').scalar()
                    if column.primary_key and values.get(column.name) is None
                    else values.get(column.name)
                )
                if value is not None:
                    ids.setdefault(f"{table.name}.{column.name}", []).append(value)
            return


_AUTOMATIC = object()


def _value(table: Table, column: Column[Any], ids: dict[str, list[Any]], *, sparse: bool) -> Any:
    if (table.name, column.name) in _BOUND:
        return _BOUND[table.name, column.name]
    if sparse and column.nullable:
        return None
    for key in column.foreign_keys:
        known = ids.get(f"{key.column.table.name}.{key.column.name}")
        return known[-1] if known else None
    kind = column.type
    number = next(_numbers)
    if column is table.autoincrement_column:
        return _AUTOMATIC
    if isinstance(kind, Enum):
        return kind.enum_class(kind.enums[0]) if kind.enum_class else kind.enums[0]
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Integer):
        return number
    if isinstance(kind, Float | types.Numeric):
        return float(number)
    if isinstance(kind, UTCDateTime | DateTime):
        return datetime(2026, 3, 2, 12, 0, number % 60, tzinfo=UTC)
    if isinstance(kind, Date):
        return date(2026, 3, 2)
    if isinstance(kind, LargeBinary):
        return b"\x00\xff" + str(number).encode()
    if isinstance(kind, JSON):
        return {"n": number, "text": "naïve"}
    if isinstance(kind, String):
        return f"t{number}"[: kind.length or 100]
    raise AssertionError(f"{table.name}.{column.name}: no value is known for a column of type {kind!r}")
