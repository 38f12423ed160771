"""`portal demo`: load the demo community, or take it away."""

import secrets
import sys

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from portal.demo import asks, loader
from portal.search import services as search
from portal.settings import Settings


@click.command()
@click.option("--remove", is_flag=True, help="Take the demo community away; real members and threads stay.")
@with_appcontext
def demo(remove: bool) -> None:
    """Load the demo community: a fictional vendor, its customers, two years of talk."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        if remove:
            gone = loader.remove(app.config["SETTINGS"].uploads_path)
            search.rebuild()
            click.echo(f"{gone} members of the demo community left")
        else:
            load_into(app)
            click.echo(f"demo password: {password_of(app.config['SETTINGS'])}")
    except loader.DemoRefused as refused:
        click.echo(f"portal: {refused.message}", err=True)
        sys.exit(1)


def load_into(app: Flask) -> int:
    """Load the demo community and index it, saying what is done. Raises DemoRefused."""
    settings: Settings = app.config["SETTINGS"]
    members = loader.load(
        password_of(settings),
        settings.uploads_path,
        production=settings.is_production,
        say=lambda line: click.echo(f"demo: {line}", err=True),
    )
    click.echo("demo: search index", err=True)
    search.rebuild()
    asks.note_what_is_alike()
    return members


def password_of(settings: Settings) -> str:
    """The one password of the demo accounts: DEMO_PASSWORD, or one made once and kept beside the site."""
    if settings.DEMO_PASSWORD:
        return settings.DEMO_PASSWORD
    path = settings.INSTANCE_PATH / "demo.password"
    if path.is_file():
        return path.read_text(encoding="ascii").strip()
    password = "-".join(secrets.token_hex(2) for _ in range(3))
    path.touch(mode=0o600)
    path.write_text(password, encoding="ascii")
    return password
