"""`portal member`: accounts made and given duties from the command line."""

import sys
from typing import NoReturn

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.kernel.access import Duty
from portal.kernel.errors import DomainError
from portal.members.services import adding

ROLES = ["member", *(duty.value for duty in Duty)]


@click.group("member")
def member() -> None:
    """Accounts and their duties."""


@member.command()
@click.option("--email", required=True, help="The address; it counts as confirmed.")
@click.option("--name", required=True, help="The name that others read.")
@click.option("--role", type=click.Choice(ROLES), default="member", show_default=True, help="A duty to give.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def create(email: str, name: str, role: str, password_stdin: bool) -> None:
    """Make an account; without a password, print a link that sets one."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    duty = None if role == "member" else Duty(role)
    try:
        path = adding.add_member(email=email, name=name, duty=duty, password=password)
    except DomainError as error:
        _stop(error)
    click.echo(f"{email} has an account")
    if path:
        click.echo(current_app.config["SETTINGS"].PUBLIC_URL + path)


@member.command()
@click.argument("email")
@click.argument("role", type=click.Choice([duty.value for duty in Duty]))
@with_appcontext
def grant(email: str, role: str) -> None:
    """Give an account a duty: moderator, sales, service or admin."""
    try:
        duties = adding.grant(email, Duty(role))
    except DomainError as error:
        _stop(error)
    click.echo(f"{email}: {', '.join(duties)}")


def _stop(error: DomainError) -> NoReturn:
    click.echo(f"portal: {error.message}", err=True)
    sys.exit(1)
