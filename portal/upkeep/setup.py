"""A new production site: its settings file and its first admin."""

import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from portal import settings
from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.members.addresses import clean_email, domain_of, is_within
from portal.members.models import Member
from portal.members.services import adding

_NAMES = {
    "site_name": "SITE_NAME",
    "public_url": "PUBLIC_URL",
    "vendor_domains": "VENDOR_DOMAINS",
    "mail_url": "MAIL_URL",
}


class SetupError(Exception):
    """The site cannot be set up like this; the message says why."""


def write_settings(instance: Path, answers: Mapping[str, str]) -> None:
    """Write ``portal.env`` (mode 0600); lines that are there already and are not asked for stay.

    Raises SetupError for an answer that cannot stand in it, SettingsError for one that cannot work.
    """
    values = {"SITE_ENV": "production"}
    values |= {name: answers[key].strip() for key, name in _NAMES.items() if answers[key].strip()}
    for name, value in values.items():
        if any(ord(char) < 32 for char in value):
            raise SetupError(f"{name} must be one line.")
    domains = [one.strip().lower() for one in values.get("VENDOR_DOMAINS", "").split(",") if one.strip()]
    admin = domain_of(clean_email(answers["admin_email"]))
    if not is_within(admin, domains):
        raise SetupError(f"The admin's address must be on a domain of the vendor; {admin} is none of them.")
    settings.load({**os.environ, **values, "INSTANCE_PATH": str(instance)})  # refuses what cannot work
    path = instance / "portal.env"
    kept = [
        line
        for line in (path.read_text(encoding="utf-8").splitlines() if path.is_file() else [])
        if line.partition("=")[0].strip() not in values
    ]
    text = "\n".join([*kept, *(f'{name}="{value}"' for name, value in values.items())]) + "\n"
    temporary = path.with_suffix(".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def first_admin(email: str, name: str) -> str:
    """Make the admin, or take the account that is there; gives the path of a link to set a password.

    Raises SetupError beside the demo, DomainError for an address or name that cannot be.
    """
    email = clean_email(email)
    if db.session.execute(select(Member.id).where(Member.email.endswith("@demo.example")).limit(1)).first():
        raise SetupError("The demo community is here: take it away with `portal demo --remove` first.")
    if db.session.execute(select(Member.id).where(Member.email == email)).first():
        adding.grant(email, Duty.ADMIN)
        return adding.link_for(email)
    return adding.add_member(email=email, name=name, duty=Duty.ADMIN)
