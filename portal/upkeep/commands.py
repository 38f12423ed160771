"""`portal doctor`, `portal upgrade`, `portal backup`, `portal restore`."""

import sys
from contextlib import suppress
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade as migrate_up
from sqlalchemy.exc import SQLAlchemyError

from portal.kernel.db import db
from portal.notifications.services import mailing
from portal.search import services as search
from portal.settings import Settings
from portal.upkeep import backup as archives
from portal.upkeep import doctor as checks
from portal.upkeep import erasures, upgrading


def _settings() -> Settings:
    return current_app.config["SETTINGS"]


def _migrations() -> str:
    return current_app.extensions["migrate"].directory


@click.command()
@with_appcontext
def doctor() -> None:
    """Check settings, database, index, keys and mail; exit 1 with one line per problem."""
    for remark in checks.remarks(_settings()):
        click.echo(remark)
    found = checks.problems(_settings(), _migrations())
    for line in found:
        click.echo(f"portal: {line}", err=True)
    if found:
        sys.exit(1)
    click.echo("everything is in order")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Put database, uploads and settings into one archive; the site may go on serving."""
    try:
        report = archives.write(_settings(), file)
    except archives.BackupError as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(1)
    erasures.keep(_settings().INSTANCE_PATH)
    click.echo(f"{file}: {report.files} files, {report.bytes // 1024:,} KB")
    click.echo(
        "The keys are not in it, nor who was erased: keep a copy of them elsewhere, and of "
        f"{_settings().INSTANCE_PATH / erasures.FILE}."
    )


@click.command()
@click.option("--without-backup", is_flag=True, help="Where you have just made one yourself.")
@with_appcontext
def upgrade(without_backup: bool) -> None:
    """Put a new version to work: backup, migrate, render old posts again, rebuild the index where needed."""
    settings = _settings()
    try:
        way = upgrading.upgrade(settings, _migrations(), click.echo, with_backup=not without_backup)
    except (archives.BackupError, SQLAlchemyError, RuntimeError, OSError) as error:
        click.echo(f"portal: {str(getattr(error, 'orig', error)).splitlines()[0]}", err=True)
        click.echo("portal: the upgrade did not come to its end; it can be repeated.", err=True)
        sys.exit(1)
    click.echo("The site is up to date; restart it so that the new version serves.")
    if way is not None:
        click.echo(
            f"To go back: stop the site, install the former version (schema {way.revision}), and run\n"
            f"  portal restore --replace {way.archive}"
        )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of a site that is there.")
@click.option(
    "--erasures", "lists", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Who was erased, from where the site was before (instance/erasures.list).",
)  # fmt: skip
@click.option(
    "--send-mail", is_flag=True,
    help="Send what was still waiting: for a move, where the former site was stopped before its backup.",
)  # fmt: skip
@with_appcontext
def restore(file: Path, replace: bool, lists: tuple[Path, ...], send_mail: bool) -> None:
    """Bring a site back from an archive; stop the site first. Migrates and makes the index anew.

    Who was erased since the backup is erased again: by the list in the instance folder, and by --erasures.
    Mails that were still waiting in the archive are held, since they may have gone out after it was made.
    """
    settings = _settings()
    instance = settings.INSTANCE_PATH
    with suppress(SQLAlchemyError):  # a database that is empty or damaged has nothing to tell
        erasures.keep(instance)
    db.session.remove()
    db.engine.dispose()
    try:
        noted = [one for path in (instance / erasures.FILE, *lists) for one in erasures.read(path)]
        report = archives.restore(settings, file, replace=replace)
    except (archives.BackupError, erasures.ListDamaged) as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(1)
    migrate_up()
    erasures.merge(instance, noted)
    again = erasures.apply(noted, settings.uploads_path)
    held = 0 if send_mail else mailing.hold_unsent()
    posts = search.rebuild()
    click.echo(f"{report.files} files are back, {posts} posts indexed, {again} accounts erased again")
    if held:
        click.echo(
            f"{held} mails that were waiting are held, since they may have gone out after the backup: "
            "`portal mail list` shows them, `portal mail send` sends them."
        )
    if not noted:
        click.echo(
            "No list of erasures is here. If accounts were erased since this backup was made, restore again "
            "with --erasures FILE (instance/erasures.list of the former place)."
        )
