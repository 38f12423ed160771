"""`portal search …`"""

import sys

import click
from flask.cli import with_appcontext
from rich.progress import Progress

from portal.search import services
from portal.search.engines.base import IndexUnavailable


@click.group("search")
def search() -> None:
    """The search index."""


@search.command("rebuild")
@with_appcontext
def rebuild() -> None:
    """Make the index anew from the database; the old one serves meanwhile."""
    try:
        with Progress(transient=True) as bar:
            task = bar.add_task("indexing posts", total=None)
            made = services.rebuild(lambda done, total: bar.update(task, completed=done, total=total))
    except IndexUnavailable as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(1)
    click.echo(f"{made} posts indexed")


@search.command("drain")
@with_appcontext
def drain() -> None:
    """Bring the index up to date with what is queued."""
    done = services.drain()
    left = services.waiting()
    click.echo(f"{done} entries done, {left} left")
    if left:
        sys.exit(1)
