"""Alembic's environment: one database, batch mode on SQLite with foreign keys off and checked afterwards."""

from typing import Any, Literal

from alembic import context
from flask import current_app

from portal.kernel.db import Base, UTCDateTime

config = context.config


def _render(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    # A migration stands for itself: it must not change when a type of ours does.
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    # On PostgreSQL the clockwork keeps its own tables beside ours.
    return not (kind == "table" and (name or "").startswith("huey_"))


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:
            # A batch rebuild with keys on would delete every child by cascade.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        else:
            connection.exec_driver_sql("SET lock_timeout = '5s'")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=_render,
            include_name=_is_ours,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            if sqlite:
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise RuntimeError(f"the migration leaves {len(broken)} broken references")
        if sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")


run()
