"""How often something may be tried: counters that all processes share, apart from the data.

One window of fixed length per rule and key. Redis where there is one, an UNLOGGED table beside PostgreSQL,
else a small SQLite file. When the counters cannot be reached nothing is limited: people come first.
"""

import os
import threading
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, current_app
from flask_babel import gettext as _
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError

from portal.kernel import clock
from portal.kernel.crypto import token_hash
from portal.kernel.db import sqlite_module
from portal.kernel.errors import TooMany

log = structlog.get_logger("candor.limits")

TABLE = "limit_hits"
_SWEEP_SECONDS = 600

_COUNT = f"""
    INSERT INTO {TABLE} (key, count, expires) VALUES (:key, :amount, :until)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN {TABLE}.expires <= :now THEN :amount ELSE {TABLE}.count + :amount END,
      expires = CASE WHEN {TABLE}.expires <= :now THEN :until ELSE {TABLE}.expires END
    RETURNING count
"""  # noqa: S608 - a constant of ours
_LOOK = f"SELECT count, expires FROM {TABLE} WHERE key = :key AND expires > :now"  # noqa: S608 - the same
_FORGET = f"DELETE FROM {TABLE} WHERE key = :key"  # noqa: S608 - the same
_SWEEP = f"DELETE FROM {TABLE} WHERE expires <= :now"  # noqa: S608 - the same
_COLUMNS = "(key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires DOUBLE PRECISION NOT NULL)"


class _TableStorage(Storage):
    """Counters in a table; how a statement is run is left to the kinds below."""

    STORAGE_SCHEME: list[str] | None = None

    def __init__(self, uri: str = "", wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._swept = 0.0

    def _run(self, sql: str, values: dict[str, Any]) -> list[Any]:
        raise NotImplementedError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = clock.now().timestamp()
        if now - self._swept > _SWEEP_SECONDS:
            self._swept = now
            self._run(_SWEEP, {"now": now})
        rows = self._run(_COUNT, {"key": key, "amount": amount, "until": now + expiry, "now": now})
        return int(rows[0][0])

    def get(self, key: str) -> int:
        rows = self._run(_LOOK, {"key": key, "now": clock.now().timestamp()})
        return int(rows[0][0]) if rows else 0

    def get_expiry(self, key: str) -> float:
        now = clock.now().timestamp()
        rows = self._run(_LOOK, {"key": key, "now": now})
        return float(rows[0][1]) if rows else now

    def clear(self, key: str) -> None:
        self._run(_FORGET, {"key": key})

    def check(self) -> bool:
        self.get("check")
        return True

    def reset(self) -> int | None:
        self._run(f"DELETE FROM {TABLE}", {})  # noqa: S608 - a constant of ours
        return None


class SqliteStorage(_TableStorage):
    """`candor-sqlite:///path`: a connection for each thread; losing it in a power cut costs nothing."""

    STORAGE_SCHEME = ["candor-sqlite"]

    def __init__(self, uri: str = "", wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._path = Path(uri.removeprefix("candor-sqlite://"))
        self._local = threading.local()

    @property
    def base_exceptions(self) -> type[Exception]:
        return sqlite_module.Error

    def _run(self, sql: str, values: dict[str, Any]) -> list[Any]:
        return self._connection().execute(sql, values).fetchall()

    def _connection(self) -> Any:
        if getattr(self._local, "pid", None) != os.getpid():
            connection = sqlite_module.connect(str(self._path), timeout=5, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} {_COLUMNS} WITHOUT ROWID")
            self._local.connection, self._local.pid = connection, os.getpid()
        return self._local.connection


class PostgresStorage(_TableStorage):
    """`candor-postgresql+psycopg://…`: an UNLOGGED table, by connections of its own."""

    STORAGE_SCHEME = ["candor-postgresql+psycopg"]

    def __init__(self, uri: str = "", wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._url = uri.removeprefix("candor-")
        self._pid = 0
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def _run(self, sql: str, values: dict[str, Any]) -> list[Any]:
        with self._connect().connect() as connection:
            result = connection.exec_driver_sql(_as_pyformat(sql), values)
            return list(result.fetchall()) if result.returns_rows else []

    def _connect(self) -> Engine:
        with self._lock:
            if self._engine is None or self._pid != os.getpid():
                self._engine = create_engine(
                    self._url,
                    isolation_level="AUTOCOMMIT",
                    pool_size=1,
                    max_overflow=4,
                    pool_pre_ping=True,
                    connect_args={"connect_timeout": 2, "options": "-c statement_timeout=2000"},
                )
                self._pid = os.getpid()
                with self._engine.connect() as connection:
                    connection.exec_driver_sql("SELECT pg_advisory_lock(7203551)")
                    connection.exec_driver_sql(f"CREATE UNLOGGED TABLE IF NOT EXISTS {TABLE} {_COLUMNS}")
                    connection.exec_driver_sql("SELECT pg_advisory_unlock(7203551)")
            return self._engine

    def dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()


def _as_pyformat(sql: str) -> str:
    for name in ("key", "amount", "until", "now"):
        sql = sql.replace(f":{name}", f"%({name})s")
    return sql


def storage_uri(database_url: str, redis_url: str, instance: Path) -> str:
    """Where the counters of this site are kept."""
    if redis_url:
        return redis_url
    if database_url.startswith("postgresql"):
        return f"candor-{database_url}"
    return f"candor-sqlite://{instance / 'limits.sqlite'}"


def install(app: Flask, uri: str) -> None:
    """Give the application its counters."""
    limiter = Limiter(lambda: "", storage_uri=uri, strategy="fixed-window", headers_enabled=False)
    # Views count tries themselves (`take`): looking for rules around every request would find none, so the
    # application is told that the limiter has its hooks already.
    app.extensions.setdefault("limiter", set()).add(limiter)
    limiter.init_app(app)
    app.extensions["candor_limits"] = FixedWindowRateLimiter(limiter.storage)


def take(rule: str, *keys: str | int, name: str, message: str = "") -> None:
    """Count one try of `name` by the keys; raises TooMany(retry_after) beyond `rule` ("30 per 5 minutes").

    Keys are hashed: an address or a mail is not kept. Call it in a view, outside a unit of work.
    """
    item = parse(rule)
    if not _ask("hit", item, name, keys):
        raise TooMany(message or _("That was a lot at once."), retry_after=_wait(item, name, keys))


def is_spent(rule: str, *keys: str | int, name: str) -> int:
    """Seconds until `name` may be tried again by these keys, 0 when it may be now. Counts nothing."""
    item = parse(rule)
    return 0 if _ask("test", item, name, keys) else _wait(item, name, keys)


def forget(rule: str, *keys: str | int, name: str) -> None:
    """Begin the window anew, e.g. after a success."""
    _ask("clear", parse(rule), name, keys)


def _ask(what: str, item: RateLimitItem, name: str, keys: tuple[str | int, ...]) -> bool:
    limiter = current_app.extensions["candor_limits"]
    try:
        return bool(getattr(limiter, what)(item, name, _hashed(keys)))
    except Exception:
        log.warning("the counters of tries cannot be reached", exc_info=True)
        return True


def _wait(item: RateLimitItem, name: str, keys: tuple[str | int, ...]) -> int:
    limiter = current_app.extensions["candor_limits"]
    try:
        until = limiter.storage.get_expiry(item.key_for(name, _hashed(keys)))
    except Exception:
        return 60
    return max(1, int(until - clock.now().timestamp()) + 1)


def _hashed(keys: tuple[str | int, ...]) -> str:
    return token_hash("\0".join(str(key) for key in keys))[:32]
