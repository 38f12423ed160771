"""`portal doctor`, `portal backup`, `portal restore`."""

import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade as migrate_up

from portal.kernel.db import db
from portal.search import services as search
from portal.settings import Settings
from portal.upkeep import backup as archives
from portal.upkeep import doctor as checks


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
    click.echo(f"{file}: {report.files} files, {report.bytes // 1024:,} KB")
    click.echo("The keys are not in it: keep a copy of them elsewhere.")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of a site that is there.")
@with_appcontext
def restore(file: Path, replace: bool) -> None:
    """Bring a site back from an archive; stop the site first. Migrates and makes the index anew."""
    db.session.remove()
    db.engine.dispose()
    try:
        report = archives.restore(_settings(), file, replace=replace)
    except archives.BackupError as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(1)
    migrate_up()
    posts = search.rebuild()
    click.echo(f"{report.files} files are back, {posts} posts indexed")
