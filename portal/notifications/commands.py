"""`portal mail …`: what was given up or is held, for whoever runs the site."""

import sys

import click
from flask.cli import with_appcontext

from portal.notifications import queries
from portal.notifications.services import mailing


@click.group("mail")
def mail() -> None:
    """Mails that wait, were given up, or are held after a restore."""


@mail.command("list")
@with_appcontext
def list_mails() -> None:
    """How many wait, and those that were given up or are held, newest first."""
    counts = queries.mail_counts()
    click.echo(f"{counts.waiting} waiting, {counts.failed} given up or held")
    for one in queries.failed_mails():
        about = one.subject or one.kind
        click.echo(f"{one.id}  {one.created_at:%Y-%m-%d %H:%M}  {one.recipient or '-'}  {about}: {one.error}")


@mail.command("send")
@click.argument("ids", nargs=-1, type=int)
@click.option("--held", is_flag=True, help="All that are held after a restore.")
@with_appcontext
def send(ids: tuple[int, ...], held: bool) -> None:
    """Try these mails once more, from the start; the worker sends them."""
    if not ids and not held:
        click.echo("portal: say which (`portal mail list` shows their numbers), or --held.", err=True)
        sys.exit(1)
    count = mailing.release_held() if held else 0
    for mail_id in ids:
        count += mailing.retry_failed(mail_id)
    click.echo(f"{count} mails wait to be sent")
