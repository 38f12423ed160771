"""`portal conversations …` and `portal preserve`."""

import os
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.conversations.services.preserving import preserve as preserve_member
from portal.kernel import vault
from portal.kernel.errors import DomainError
from portal.kernel.vault import CannotOpen
from portal.settings import Settings


@click.group("conversations")
def conversations() -> None:
    """The keys of private conversations. No command opens one."""


@conversations.command("rekey")
@click.option(
    "--forget-old", is_flag=True, help="Then drop former keys from the key file: old backups need them."
)
@with_appcontext
def rekey(forget_old: bool) -> None:
    """Put a new CONVERSATION_KEY in force, and wrap the key of every conversation with it.

    Words are not touched, and the site may serve meanwhile. Stopped half way it can simply be run again.
    Where CONVERSATION_KEY stands in the environment: put the new key before the former one, with a comma,
    restart, and run this.
    """
    settings: Settings = current_app.config["SETTINGS"]
    keys = settings.conversation_keys.replace(",", "\n").split()
    if settings.key_is_in_file and not _is_half_way():
        keys = [secrets.token_urlsafe(48), *keys]
        _write(settings.conversation_key_path, keys)
        click.echo(f"a new key is in force: {vault.key_ids()[0]}")
    try:
        done = vault.rewrap_all()
    except CannotOpen:
        for line in vault.problems():
            click.echo(line, err=True)
        sys.exit(1)
    click.echo(f"{done} keys wrapped anew with {vault.key_ids()[0]}")
    if forget_old and settings.key_is_in_file:
        _write(settings.conversation_key_path, keys[:1])
        click.echo("former keys are dropped: backups made before need them, keep them with those")
    elif len(keys) > 1:
        where = "the key file" if settings.key_is_in_file else "CONVERSATION_KEY"
        click.echo(f"former keys stay in {where} and lock nothing here; backups made before need them")


@click.command("preserve")
@click.argument("member")
@click.option("--reason", required=True, help="Which order: court, number, date.")
@click.option("--until", required=True, help="The last day, as 2026-12-31.")
@click.option("--silent", is_flag=True, help="The order forbids telling the member.")
@with_appcontext
def preserve(member: str, reason: str, until: str, silent: bool) -> None:
    """Delete nothing of MEMBER (user name or mail address) until a day. Reads nothing; audited; counted."""
    try:
        day = datetime.strptime(until, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
        row = preserve_member(member, reason=reason, until=day, silent=silent)
    except ValueError:
        click.echo("portal: write the day as 2026-12-31", err=True)
        sys.exit(1)
    except DomainError as error:
        click.echo(f"portal: {error.message}", err=True)
        sys.exit(1)
    click.echo(
        f"kept until {row.until:%Y-%m-%d}; {'nobody is told' if silent else 'the member is told by mail'}"
    )


def _is_half_way() -> bool:
    """Whether an earlier run put a new key in force and did not come to its end."""
    in_force = vault.key_ids()[0]
    return any(name != in_force for name in vault.counts()) and len(vault.key_ids()) > 1


def _write(path: Path, keys: list[str]) -> None:
    """Replace the key file in one step: whoever reads it meanwhile sees the one or the other."""
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
