"""The models and the migrations say the same, on both databases, and every step can be taken back."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from portal import create_app
from portal.kernel.db import Base, db
from portal.settings import Settings
from portal.wiring import MIGRATIONS
from tests.support.filler import fill_every_table

SCRIPTS = ScriptDirectory(str(MIGRATIONS))
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_app(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Flask]:
    """The application on a database without tables."""
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres_url")
        settings = replace(
            settings, DATABASE_URL=address.replace("postgresql://", "postgresql+psycopg://", 1)
        )
    application = create_app(settings)
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


def _tables() -> set[str]:
    # The clockwork (huey) keeps its own tables on PostgreSQL.
    names = inspect(db.engine).get_table_names()
    return {name for name in names if name != "alembic_version" and not name.startswith("huey_")}


def _columns(tables: set[str]) -> dict[str, str]:
    """The columns of each table as they are now, for a SELECT."""
    inspector = inspect(db.engine)
    return {
        table: ", ".join(f'"{name}"' for name in sorted(one["name"] for one in inspector.get_columns(table)))
        for table in tables
    }


def _rows(columns: dict[str, str]) -> dict[str, list[tuple[object, ...]]]:
    with db.engine.connect() as connection:
        return {
            table: sorted(
                (tuple(row) for row in connection.execute(text(f'SELECT {names} FROM "{table}"'))), key=repr
            )
            for table, names in columns.items()
        }


def test_there_is_one_line_of_migrations():
    assert len(SCRIPTS.get_heads()) == 1
    assert len(SCRIPTS.get_bases()) == 1


def test_the_migrated_schema_is_what_the_models_say(empty_app: Flask):
    with empty_app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            ours = _tables()
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "include_name": lambda name, kind, _parents: kind != "table" or name in ours,
                },
            )
            assert compare_metadata(context, Base.metadata) == []


@pytest.mark.long
def test_every_step_goes_down_and_up_again_without_losing_a_row(
    empty_app: Flask,
):
    with empty_app.app_context():
        upgrade()
        fill_every_table()
        schema = _tables()
        whole = _rows(_columns(schema))
        assert sum(len(rows) for rows in whole.values()) > 20
        for revision, before in zip(REVISIONS[:0:-1], REVISIONS[-2::-1], strict=True):
            downgrade(revision=before)
            kept = _columns(_tables())  # a later step may add columns to them
            rows_below = _rows(kept)
            upgrade(revision=revision)
            assert _rows(kept) == rows_below
            downgrade(revision=before)
        downgrade(revision="base")
        assert _tables() == set()
        upgrade()
        assert _tables() == schema


def test_the_models_keep_to_the_rules_of_tables():
    for table in Base.metadata.sorted_tables:
        for constraint in table.constraints:
            assert constraint.name, f"a constraint of {table.name} has no name: it could not be migrated"
        for key in table.foreign_keys:
            assert key.ondelete, f"{table.name}.{key.parent.name} does not say what a deletion does"
