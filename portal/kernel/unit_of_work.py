"""One transaction for one story."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import ARRAY, Text, bindparam, func, literal_column, select, true

from portal.kernel.db import UNIT, db, end_reading, flushed_rows

_AFTER = "candor.after_commit"


@contextmanager
def unit_of_work() -> Iterator[None]:
    """Run the block in one write transaction: all of it is stored, or nothing.

    The read transaction of the request ends first and what it read is expired, so every decision in the
    block rests on rows read under the lock (SQLite: BEGIN IMMEDIATE). A unit inside a unit joins it.
    """
    session = db.session()
    if UNIT in session.info:
        yield
        return
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("change rows inside unit_of_work(), not before it")
    end_reading()
    session.info[UNIT] = True
    session.info[_AFTER] = []
    try:
        session.connection(execution_options={"immediate": True})
        yield
        session.commit()
        callbacks = session.info[_AFTER]
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(UNIT, None)
        session.info.pop(_AFTER, None)
    for callback in callbacks:
        callback()


def after_commit(callback: Callable[[], None]) -> None:
    """Call back once the running unit has been stored: to wake the worker, to drop a kept page.

    For hints only: the process may die in between, so nothing may depend on it.
    """
    db.session().info[_AFTER].append(callback)


def one_at_a_time(*names: str) -> None:
    """Wait until no other unit of work is inside the part of this name; it ends with this unit.

    Several names are waited for from left to right: whoever takes many needs an order that all keep to.
    On PostgreSQL locks of the transaction; SQLite's units of work come one after another anyway.
    """
    if names and db.engine.dialect.name == "postgresql":
        flushed_rows(_ALONE, {"names": list(names)})


def beside_others(name: str, *, and_alone: str = "") -> None:
    """Wait until no other unit of work has the part of this name to itself (`one_at_a_time`).

    Many can be in it beside one another; whoever wants it for itself waits for all of them. The part named by
    `and_alone`, if any, this unit then has to itself: both in one statement, since every event asks for both.
    """
    if db.engine.dialect.name != "postgresql":
        return
    if and_alone:
        flushed_rows(_BESIDE_AND_ALONE, {"name": name, "alone": and_alone})
    else:
        flushed_rows(_BESIDE, {"name": name})


_NAMES = func.unnest(bindparam("names", type_=ARRAY(Text))).column_valued("name")  # in the order given
_ALONE = select(func.pg_advisory_xact_lock(func.hashtext(_NAMES)))
# Whoever joins others notes one event, looking up rows by their keys alone: there one plan for any values is
# good, and made once (`db` has each statement planned for its values, since lists need that).
_KEYS_ALONE = func.set_config(literal_column("'plan_cache_mode'"), literal_column("'auto'"), true())
_BESIDE = select(func.pg_advisory_xact_lock_shared(func.hashtext(bindparam("name"))), _KEYS_ALONE)
_BESIDE_AND_ALONE = select(  # PostgreSQL takes them from left to right
    func.pg_advisory_xact_lock_shared(func.hashtext(bindparam("name"))),
    func.pg_advisory_xact_lock(func.hashtext(bindparam("alone"))),
    _KEYS_ALONE,
)


def in_unit_of_work() -> bool:
    """Whether a unit of work is running on this session."""
    return UNIT in db.session().info
