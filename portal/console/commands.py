"""`portal audit …`"""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.console import audit_heads
from portal.kernel import audit as log


@click.group("audit")
def audit() -> None:
    """The audit log of privileged actions."""


@audit.command("verify")
@click.option("--head", "heads", multiple=True, help="A signed head, from a mail or `portal audit head`.")
@with_appcontext
def verify(heads: tuple[str, ...]) -> None:
    """Walk the chain: an edit, a deletion, another order, and what was cut off since a head was signed."""
    settings = current_app.config["SETTINGS"]
    known = audit_heads.kept_heads(settings.INSTANCE_PATH, settings.SECRET_KEY)
    for text in heads:
        head = log.read_head(settings.SECRET_KEY, text)
        if head is None:
            click.echo("portal: this head was not signed with this site's key", err=True)
            sys.exit(1)
        known.append(head)
    found = log.verify(known)
    for problem in found.problems:
        click.echo(problem)
    blanked = f", {found.blanked} without words after an erasure" if found.blanked else ""
    click.echo(f"{found.rows} entries{blanked}, compared with {len(known)} signed heads")
    if found.problems:
        sys.exit(1)
    click.echo("the chain is whole")


@audit.command("head")
@with_appcontext
def head() -> None:
    """Print the signed head: keep it elsewhere, and verify against it later."""
    click.echo(log.sign_head(current_app.config["SETTINGS"].SECRET_KEY, log.head()))
