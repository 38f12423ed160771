"""The newest schema is put in place while the code before it goes on serving: none of its statements fails.

Expand, then contract: what the former version reads and writes, column by column, has to work before, during
and after the step. Runs on PostgreSQL, where several versions share a database.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import MetaData, Table, create_engine, insert, select, text, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from portal import create_app
from portal.kernel.db import db
from portal.settings import Settings
from portal.wiring import MIGRATIONS
from tests.support.filler import fill_every_table

pytestmark = [pytest.mark.drill, pytest.mark.postgres]

SCRIPTS = ScriptDirectory(str(MIGRATIONS))
# Published together: nobody ever ran the code between them.
FIRST_PUBLISHED = "0006"
LONGEST_WAIT_SECONDS = 5.5  # lock_timeout of a migration, and what else runs on the machine
STEPS = [
    (script.down_revision, script.revision)
    for script in SCRIPTS.walk_revisions()
    if script.revision > FIRST_PUBLISHED
][::-1]


@pytest.fixture
def filled_app(settings: Settings, postgres_url: str) -> Iterator[Flask]:
    """The application on PostgreSQL, migrated, with rows in every table."""
    address = postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
    application = create_app(replace(settings, DATABASE_URL=address))
    with application.app_context():
        upgrade()
        fill_every_table()
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


@dataclass
class OldCode:
    """What the version before reads and writes, by the columns it knows; again and again."""

    engine: Engine
    tables: list[Table]
    failures: list[str] = field(default_factory=list)
    rounds: int = 0
    slowest_seconds: float = 0.0

    @classmethod
    def of(cls, engine: Engine) -> "OldCode":
        """Knows the schema as it is now."""
        known = MetaData()
        known.reflect(engine)
        tables = [one for one in known.sorted_tables if not one.name.startswith(("huey_", "alembic"))]
        return cls(engine, tables)

    def round(self) -> None:
        for table in self.tables:
            begin = time.monotonic()
            try:
                with self.engine.connect() as connection:
                    self._use(connection, table)
                    connection.rollback()
            except Exception as error:
                self.failures.append(f"{table.name}: {str(error).splitlines()[0]}")
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - begin)
        self.rounds += 1

    def _use(self, connection: Connection, table: Table) -> None:
        # Rows that point here are of no interest: the question is whether columns still take what they took.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        row = connection.execute(select(table).limit(1)).mappings().one()
        key = [column == row[column.name] for column in table.primary_key]
        connection.execute(update(table).where(*key).values(dict(row)))
        connection.execute(table.delete().where(*key))
        connection.execute(insert(table).values(dict(row)))

    @contextmanager
    def going_on(self) -> Iterator[None]:
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                self.round()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)


@pytest.fixture
def own_engine(filled_app: Flask) -> Iterator[Engine]:
    """Connections beside those of the application, as another machine has them."""
    engine = create_engine(filled_app.config["SETTINGS"].DATABASE_URL)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(("before", "after"), STEPS, ids=[step[1] for step in STEPS])
def test_the_code_before_goes_on_while_the_schema_changes(
    filled_app: Flask, own_engine: Engine, before: str, after: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with filled_app.app_context():
        downgrade(revision=before)
        old = OldCode.of(own_engine)
        old.round()
        assert old.failures == [], "the drill itself works on the schema before"
        with old.going_on():
            upgrade(revision=after)
            rounds = old.rounds
            until = time.monotonic() + 30
            while old.rounds < rounds + 2 and time.monotonic() < until:
                time.sleep(0.02)
    with capsys.disabled():
        print(
            f"\n{before} to {after}: {old.rounds} rounds, the slowest statement {old.slowest_seconds:.2f} s"
        )
    assert old.failures == []
    assert old.rounds >= rounds + 2
    assert old.slowest_seconds < LONGEST_WAIT_SECONDS


def test_a_migration_that_finds_a_table_in_use_gives_up_and_can_be_repeated(
    filled_app: Flask, own_engine: Engine
) -> None:
    before, after = STEPS[-1]
    with filled_app.app_context():
        downgrade(revision=before)
        old = OldCode.of(own_engine)
        with own_engine.connect() as busy:  # as somebody who writes: even a new key to a table waits for that
            for table in old.tables:
                busy.execute(text(f'LOCK TABLE "{table.name}" IN ROW EXCLUSIVE MODE'))
            begin = time.monotonic()
            with pytest.raises(OperationalError, match="lock timeout"):
                upgrade(revision=after)
            assert time.monotonic() - begin < LONGEST_WAIT_SECONDS * 2
            busy.rollback()
        old.round()
        assert old.failures == [], "nothing of the step is left"
        upgrade(revision=after)
        old.round()
    assert old.failures == []
