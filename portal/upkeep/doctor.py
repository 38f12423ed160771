"""What is wrong with this site, one clear line for each thing."""

import os
import shutil
import smtplib
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from limits.storage import storage_from_string
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from portal.kernel import clock, heartbeat, vault
from portal.kernel import db as kernel_db
from portal.kernel.db import db
from portal.search import services as search
from portal.search.engines.base import IndexBusy, IndexUnavailable
from portal.settings import Settings
from portal.upkeep import erasures

LEAST_FREE_BYTES = 500 * 2**20
LEAST_SECRET_LENGTH = 32
MOST_APART_SECONDS = 30  # clocks: what one machine works on, another may take over after three minutes
SQLITE_WITHOUT_RESET_BUG = (3, 51, 3)


def problems(settings: Settings, migrations: str) -> list[str]:
    """One line for each problem; empty when everything is in order. `migrations` is their folder."""
    checks: list[Callable[[], Iterator[str]]] = [
        lambda: _settings(settings),
        lambda: _folder(settings),
        lambda: _database(migrations),
        _clock,
        _keys,
        _index,
        lambda: _worker(settings),
        lambda: _counters(settings),
        lambda: _erasures(settings),
        lambda: _mail(settings),
    ]
    return [line for check in checks for line in check()]


def remarks(settings: Settings) -> list[str]:
    """What is good to know, and no problem."""
    said = [f"database: {db.engine.dialect.name}, by {_driver()}"]
    if settings.is_sqlite:
        said.append(f"SQLite {'.'.join(map(str, kernel_db.sqlite_module.sqlite_version_info))}")
    said.append(
        f"mail: {settings.MAIL_URL.split('@')[-1] or 'kept as .eml files in ' + str(settings.outbox_path)}"
    )
    try:
        alive = heartbeat.is_alive("worker")
    except SQLAlchemyError:
        alive = False
    said.append("worker: at work" if alive else "worker: not seen in the last three minutes")
    return said


def _driver() -> str:
    return getattr(db.engine.dialect.dbapi, "__name__", "an unknown driver")


def _settings(settings: Settings) -> Iterator[str]:
    for name in ("SECRET_KEY", "CONVERSATION_KEY"):
        if len(getattr(settings, name)) < LEAST_SECRET_LENGTH:
            yield f"{name} is shorter than {LEAST_SECRET_LENGTH} characters: make a longer one."
    if settings.SECRET_KEY == settings.CONVERSATION_KEY:
        yield "SECRET_KEY and CONVERSATION_KEY are the same: they protect different things, make two."
    if not settings.is_production:
        return
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
        yield f"PUBLIC_URL is {settings.PUBLIC_URL}: in production it has to begin with https://."
    if not settings.VENDOR_DOMAINS:
        yield "VENDOR_DOMAINS is empty: nobody of the vendor would be marked as such."
    if not settings.MAIL_URL:
        yield "MAIL_URL is not set: mails are kept as files and reach nobody."


def _folder(settings: Settings) -> Iterator[str]:
    folder = settings.INSTANCE_PATH
    if not os.access(folder, os.W_OK | os.X_OK):
        yield f"{folder} cannot be written by this user."
        return
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        yield f"only {free // 2**20} MB are free where {folder} lies."
    for key in (folder / "secret.key", folder / "keys" / "conversation.key"):
        if key.is_file() and key.stat().st_mode & 0o077:
            yield f"{key} can be read by others: chmod 600."


def _database(migrations: str) -> Iterator[str]:
    try:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            here = MigrationContext.configure(connection).get_current_heads()
            is_empty = not inspect(connection).has_table("members")
            if db.engine.dialect.name == "sqlite":
                verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                if verdict != "ok":
                    yield f"the database is damaged ({verdict}): restore a backup."
    except SQLAlchemyError as error:
        yield f"the database does not answer: {str(getattr(error, 'orig', error)).splitlines()[0]}"
        return
    wanted = ScriptDirectory(migrations).get_heads()
    if is_empty:
        yield "the database has no tables yet: run `portal db upgrade`."
    elif set(here) != set(wanted):
        state = ", ".join(here) or "of no known version"
        yield f"the schema is {state}, this version needs {', '.join(wanted)}: run `portal db upgrade`."
    version = kernel_db.sqlite_module.sqlite_version_info
    if db.engine.dialect.name == "sqlite" and version < SQLITE_WITHOUT_RESET_BUG:
        yield (
            f"SQLite {'.'.join(map(str, version))} can, in rare cases, damage a database that is written and "
            "checkpointed at once: install the wheel pysqlite3."
        )


def _clock() -> Iterator[str]:
    """Where several machines share a database, each thing is done once only if their clocks agree."""
    if db.engine.dialect.name != "postgresql":
        return
    try:
        with db.engine.connect() as connection:
            there = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    except SQLAlchemyError:
        return  # said above
    apart = (clock.now() - there).total_seconds()
    if abs(apart) > MOST_APART_SECONDS:
        way = "ahead of" if apart > 0 else "behind"
        yield f"this machine's clock is {abs(apart):.0f} s {way} the database's: have both kept by NTP."


def _keys() -> Iterator[str]:
    try:
        yield from vault.problems()
    except SQLAlchemyError:
        return  # no tables, or no database: said above


def _index() -> Iterator[str]:
    try:
        search.documents_indexed()
    except IndexBusy:
        return
    except IndexUnavailable as error:
        yield f"the search index cannot serve ({error}): run `portal search rebuild`."


def _worker(settings: Settings) -> Iterator[str]:
    """In production only: elsewhere nobody need be serving while this is asked."""
    if not settings.is_production:
        return
    try:
        alive = heartbeat.is_alive("worker")
    except SQLAlchemyError:
        return  # said of the database already
    if not alive:
        yield "the worker was not seen in the last three minutes: no mail, no index. Run `portal serve`."


def _counters(settings: Settings) -> Iterator[str]:
    if not settings.REDIS_URL:
        return
    try:
        works = storage_from_string(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3).check()
    except Exception as error:  # whatever the client raises, down to a missing package
        works = False
        why = f": {error}"
    else:
        why = ""
    if not works:
        yield f"Redis does not answer, so nothing is limited and no job is woken{why}"


def _erasures(settings: Settings) -> Iterator[str]:
    try:
        erasures.read(settings.INSTANCE_PATH / erasures.FILE)
    except (erasures.ListDamaged, OSError) as error:
        yield f"the list of erasures cannot be read, so a restore would stop: {error}"


def _mail(settings: Settings) -> Iterator[str]:
    if not settings.MAIL_URL:
        return
    parts = urlsplit(settings.MAIL_URL)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    usual = {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
    try:
        with kind(parts.hostname or "localhost", parts.port or usual, timeout=5) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        yield f"the mail server {parts.hostname} does not answer: {error}"
