"""The database handle, column types and the connection rules of SQLite and PostgreSQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy import session as flask_session
from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Enum,
    Integer,
    MetaData,
    Select,
    TypeDecorator,
    event,
    false,
    func,
    or_,
)
from sqlalchemy.engine import Connection, Engine, Result
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, ORMExecuteState, Session, mapped_column, registry

try:
    import pysqlite3.dbapi2 as sqlite_module
except ImportError:  # the wheel is not there on every platform: `portal doctor` says so
    import sqlite3 as sqlite_module

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: aware, in UTC, to the microsecond; a naive value is an error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        if dialect.name == "sqlite":
            return _as_sqlite_keeps_it
        return _in_utc

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[Any], Any]:
        if dialect.name == "sqlite":
            return _from_sqlite
        return _in_utc


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return value.astimezone(UTC)


def _as_sqlite_keeps_it(value: datetime | None) -> str | None:
    """Text of 26 characters in UTC, as SQLAlchemy's own type writes it, in a third of the time."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:26]


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


class Base(DeclarativeBase):
    """Every table derives from this."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={datetime: UTCDateTime, dict[str, Any]: JSON, list[str]: JSON, list[int]: JSON},
    )


class Versioned:
    """A row that people edit: `version` counts its edits, so that a stale form is noticed."""

    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


def short_enum(kind: type[StrEnum]) -> Enum:
    """A column type that stores the value of a StrEnum as a short string with a CHECK."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=24,
        values_callable=lambda members: [member.value for member in members],
        name=kind.__name__.lower(),
    )


UNIT = "candor.unit_of_work"


class _Session(flask_session.Session):
    """Ends what only read by COMMIT, since psycopg forgets all its prepared statements at each ROLLBACK.

    On PostgreSQL every statement of every page would be planned anew otherwise.
    """

    def end_reading(self) -> None:
        """End the read transaction; what was read is read again when it is next asked for."""
        if not self._only_read():
            raise RuntimeError("only what read is ended here")
        if self.in_transaction():
            self.expire_all()
            self._commit_what_read()

    def close(self) -> None:
        """Like its parent's, which rolls back: what is left of a unit of work, and after an error."""
        if self.in_transaction() and self._only_read():
            self._commit_what_read()
        super().close()

    def _only_read(self) -> bool:
        return UNIT not in self.info and not (self.new or self.dirty or self.deleted)

    def _commit_what_read(self) -> None:
        try:
            if self.is_active:
                self.commit()
                return
        except SQLAlchemyError:  # the connection is gone, and the transaction with it
            pass
        self.rollback()


db = SQLAlchemy(
    model_class=Base,
    session_options={"class_": _Session, "expire_on_commit": False, "autoflush": True},
    disable_autonaming=True,
)


_OF_CONNECTION = (
    "statement_timeout=15000",
    "lock_timeout=5000",
    # A plan for any values believes that "not erased" is one member: a list then took fifteen seconds.
    "plan_cache_mode=force_custom_plan",
    # Processes that help with one statement, and machine code made for it, take longer to start than a page.
    "max_parallel_workers_per_gather=0",
    "jit=off",
    # Of a disk that turns; with it, a few thousand rows are found by reading all of the table.
    "random_page_cost=1.1",
)


def engine_options(database_url: str) -> dict[str, Any]:
    """What create_engine needs for this address."""
    if database_url.startswith("sqlite"):
        return {"module": sqlite_module, "connect_args": {"timeout": 30, "check_same_thread": False}}
    return {
        "pool_pre_ping": True,
        "pool_size": 5,
        "pool_timeout": 2,
        "connect_args": {"connect_timeout": 2, "options": " ".join(f"-c {one}" for one in _OF_CONNECTION)},
    }


def prepare_engine(engine: Engine) -> None:
    """Install the connection rules on a new engine."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "synchronous=FULL",
            "cache_size=-16000",
            "mmap_size=134217728",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


class WriteOutsideUnit(RuntimeError):
    """Something was written outside a unit of work."""


@event.listens_for(Session, "before_flush")
def _refuse_flush(session: Session, _context: Any, _instances: Any) -> None:
    if UNIT not in session.info and (session.new or session.dirty or session.deleted):
        raise WriteOutsideUnit("write inside unit_of_work()")


@event.listens_for(Session, "do_orm_execute")
def _refuse_write(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and UNIT not in state.session.info:
        raise WriteOutsideUnit("write inside unit_of_work()")


@event.listens_for(Session, "do_orm_execute")
def _see_what_is_locked(state: ORMExecuteState) -> None:
    """A row that is locked is read anew: what the session knew of it may have changed while it waited."""
    if state.is_select and getattr(state.statement, "_for_update_arg", None) is not None:
        state.update_execution_options(populate_existing=True)


def end_reading() -> None:
    """End the read transaction of this thread: a unit of work, or long work elsewhere, comes next.

    Raises RuntimeError inside a unit of work, or where rows were changed outside one.
    """
    session: Any = db.session()
    session.end_reading()


def rows_of(statement: Any, values: Mapping[str, Any] | None = None) -> Result[*tuple[Any, ...]]:
    """The rows of a statement that selects columns: for hot pages, since the ORM's part of it, which columns
    do not need, takes as long as all the rest. Inside a unit of work what was changed there is seen as ever.
    """
    session = db.session()
    if UNIT in session.info:
        return session.execute(statement, values)
    return session.connection().execute(statement, values)


def count_of(query: Select[Any]) -> int:
    """How many rows a query of columns, which joins by itself what it needs, would give without its limit."""
    some = query.with_only_columns(func.count(), maintain_column_froms=True).order_by(None).limit(None)
    return int(rows_of(some).scalar_one())


Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def flushed_rows(statement: Any, values: Values | None = None) -> Result[*tuple[Any, ...]]:
    """The rows of a statement that selects columns, or writes, without the ORM: for what every event does.

    What the unit of work changed so far is written first, so that it is seen. Objects of the session do not
    notice what is written this way.
    """
    session = db.session()
    if statement.is_dml and UNIT not in session.info:
        raise WriteOutsideUnit("write inside unit_of_work()")
    session.flush()  # does nothing where nothing was changed
    return session.connection().execute(statement, values)


def one_of(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """SQL: the column has one of these few values; `in_` would have to be expanded at each run."""
    return or_(false(), *(column == value for value in values))


def check(name: str, sql: str) -> CheckConstraint:
    """A named table invariant."""
    return CheckConstraint(sql, name=name)
