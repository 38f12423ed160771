"""The `portal` command."""

import sys

import click
from flask import Flask
from flask.cli import FlaskGroup

from portal import create_app
from portal.settings import SettingsError


def _app() -> Flask:
    try:
        return create_app()
    except SettingsError as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(1)


@click.group(cls=FlaskGroup, create_app=_app, add_default_commands=False, load_dotenv=False)
def main() -> None:
    """Candor: a customer community and advocacy portal."""
