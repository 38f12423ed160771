"""Alembic's environment: one database, batch mode on SQLite with foreign keys off and checked afterwards."""

from alembic import context
from flask import current_app

from portal.kernel.db import Base

config = context.config


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
