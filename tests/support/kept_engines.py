"""What an engine has learned, and its connections to PostgreSQL, are kept for the next test's engine."""

from typing import Any

import psycopg
from sqlalchemy import Engine, Pool, event
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

_compiled: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}
_pools: dict[str, Pool] = {}
opened: set[int] = set()
"""Processes of the server that answer a connection which may be kept."""


def take(engine: Engine) -> None:
    """Give a new engine what those before it had; call it before its first connection."""
    if engine.name == "postgresql":
        if pool := _pools.pop(_address(engine), None):
            engine.pool = pool
        else:
            event.listen(engine, "connect", _note)
    else:
        event.listen(engine, "connect", _wait_for_no_disk)
    compile_once(engine)


def compile_once(engine: Engine) -> None:
    """Statements are compiled once a process, not once for each test's engine.

    The first engine connects at once: a dialect learns about its server at the first connection of the engine
    it was made for, and that engine's test may need none.
    """
    if engine.name not in _compiled:
        engine.connect().close()
        _compiled[engine.name] = engine.dialect, LRUCache(10_000)
    engine.dialect, engine._compiled_cache = _compiled[engine.name]
    engine.pool._dialect = engine.dialect


def leave(engine: Engine) -> None:
    """Keep the engine's connections for the next to the same database: a new one has every table to learn.

    Files of SQLite are not met again, and what still holds a connection is not the next test's.
    """
    if engine.name == "postgresql" and engine.pool.checkedout() == 0:  # type: ignore[attr-defined]
        _pools[_address(engine)] = engine.pool
    else:
        engine.dispose()


def _address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def _note(connection: psycopg.Connection, _record: object) -> None:
    opened.add(connection.info.backend_pid)


def _wait_for_no_disk(connection: Any, _record: object) -> None:
    """No test of this process cuts the power: those that stop processes start their own."""
    connection.execute("PRAGMA synchronous=OFF")
