"""The `portal` command: each group stands in its package's commands.py, put together here."""

import os
import sys
from pathlib import Path
from typing import Any

import click
import psycopg
from flask import Flask, current_app
from flask.cli import FlaskGroup, with_appcontext
from flask_migrate import upgrade as migrate_up
from sqlalchemy.exc import DBAPIError, OperationalError

from portal import create_app, serving, worker
from portal.advocacy.commands import score
from portal.console.commands import audit
from portal.conversations.commands import conversations, preserve
from portal.demo import loader
from portal.demo.commands import demo, load_into, password_of
from portal.exchange.commands import export_group, import_group
from portal.kernel.db import db
from portal.kernel.errors import DomainError
from portal.members.commands import member
from portal.notifications.commands import mail
from portal.search.commands import search
from portal.settings import SettingsError
from portal.upkeep import setup as site_setup
from portal.upkeep.commands import backup, doctor, restore, upgrade
from portal.upkeep.recounting import recount as recount_all


def _app() -> Flask:
    try:
        return create_app()
    except SettingsError as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(1)


class _Group(FlaskGroup):
    """Commands that say in one line what is wrong with the database."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if _lacks_tables(cause):
                said = "the database does not have the tables of this version; run `portal upgrade` first"
            elif isinstance(error, (OperationalError, psycopg.OperationalError)):
                said = f"the database does not answer: {' '.join(str(cause).split())}"
            else:
                raise
        click.echo(f"portal: {said}", err=True)
        sys.exit(1)


def _lacks_tables(error: BaseException | None) -> bool:
    of_postgresql = isinstance(error, (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn))
    return of_postgresql or str(error).startswith(("no such table", "no such column"))


@click.group(cls=_Group, create_app=_app, add_default_commands=False, load_dotenv=False)
def main() -> None:
    """Candor: a customer community and advocacy portal."""


main.add_command(search)
main.add_command(score)
main.add_command(conversations)
main.add_command(preserve)
main.add_command(member)
main.add_command(audit)
main.add_command(doctor)
main.add_command(upgrade)
main.add_command(backup)
main.add_command(restore)
main.add_command(mail)
main.add_command(demo)
main.add_command(import_group)
main.add_command(export_group)


@main.command()
@click.option("--host", default=lambda: os.environ.get("HOST", "127.0.0.1"), help="Address to listen on.")
@click.option(
    "--port", default=lambda: int(os.environ.get("PORT", "8000")), type=int, help="Port to listen on."
)
@click.option("--workers", default=2, show_default=True, help="Web processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the site: web and worker, with production settings."""
    os.environ["PORT"] = str(port)  # by which the site names itself where PUBLIC_URL is unset
    serving.serve(host, port, workers)


@main.command("worker")
@with_appcontext
def work() -> None:
    """Run the worker alone: index, mail, digests. `portal serve` starts one beside the web server."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    worker.run(app, app.extensions["huey"])


@main.command()
@click.option("--site-name", prompt="Name of the community")
@click.option("--public-url", prompt="Address people will use, such as https://community.company.com")
@click.option("--vendor-domains", prompt="Mail domains of the vendor, with commas")
@click.option(
    "--mail-url", prompt="Mail server, smtp+starttls://user:password@host:587 (empty: none yet)", default=""
)
@click.option("--admin-email", prompt="Mail address of the first admin")
@click.option("--admin-name", prompt="Name of the first admin")
def setup(**answers: str) -> None:
    """Set up an empty production site; prints a link for its first admin. Never loads the demo."""
    instance = Path(os.environ.get("INSTANCE_PATH") or "instance").resolve()
    try:
        site_setup.write_settings(instance, answers)
        app = create_app()
        with app.app_context():
            migrate_up()
            path = site_setup.first_admin(answers["admin_email"], answers["admin_name"])
    except (SettingsError, site_setup.SetupError, DomainError) as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(1)
    click.echo(f"settings: {instance / 'portal.env'}")
    click.echo("The admin sets a password here; the link works once, for two weeks:")
    click.echo(app.config["SETTINGS"].PUBLIC_URL + path)


@main.group("db")
def database() -> None:
    """The database schema."""


@database.command("upgrade")
@with_appcontext
def database_upgrade() -> None:
    """Bring the schema up to date; harmless when it is."""
    migrate_up()


@main.command()
@with_appcontext
def recount() -> None:
    """Recompute every counter, print and repair the differences."""
    differences = recount_all()
    for difference in differences:
        click.echo(f"{difference.counter}: {difference.rows} repaired")
    if not differences:
        click.echo("every counter is right")


@main.command()
@click.option("--host", default=lambda: os.environ.get("HOST", "127.0.0.1"))
@click.option("--port", default=lambda: int(os.environ.get("PORT", "8000")), type=int)
@click.option("--workers", default=2, show_default=True)
@click.pass_context
def run(context: click.Context, host: str, port: int, workers: int) -> None:
    """What `make run` does: migrate, load the demo community into a new database, serve."""
    os.environ["PORT"] = str(port)
    app = _app()
    with app.app_context():
        settings = app.config["SETTINGS"]
        migrate_up()
        if loader.is_empty() and not settings.is_production:
            load_into(app)
        has_demo = loader.is_loaded()
        db.engine.dispose()
    click.echo(f"http://localhost:{port}")
    if has_demo:
        click.echo(f"demo password: {password_of(settings)}")
    serving.serve(host, port, workers)


if __name__ == "__main__":
    main()
