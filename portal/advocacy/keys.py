"""Who gave, and for which company, as the ledger writes it down.

A company is `c<id>` when it is confirmed; `free` for everybody whose company is not; `m<id>` for an imported
member whom nobody has claimed, who counts as a company of their own. A person is `m<id>`. What is unknown
begins with `?`: one person of a company of its own. Where nobody may read who it was, and in every sum, a
keyed hash stands instead, another one for each receiver.
"""

import hashlib
import hmac
from dataclasses import dataclass

from portal.kernel.access import Status

FREE = "free"
UNKNOWN = "?"
CONFIRMED = "c"  # begins the key of a company that is known for certain

_key: list[bytes] = []


def use(secret: str) -> None:
    """Hash with this secret from now on; called by `portal.wiring`."""
    _key[:] = [hashlib.sha256(b"candor.score." + secret.encode()).digest()]


def hidden(receiver_id: int, key: str) -> str:
    """A pseudonym of a person or company towards one receiver (HMAC-SHA256, 32 hex digits)."""
    return hmac.digest(_key[0], f"{receiver_id}|{key}".encode(), "sha256").hex()[:32]


def hidden_source(text: str) -> str:
    """A pseudonym of what an entry comes from."""
    return hmac.digest(_key[0], f"source|{text}".encode(), "sha256").hex()[:32]


def person(member_id: int) -> str:
    return f"m{member_id}"


def is_unknown(key: str) -> bool:
    return key.startswith(UNKNOWN)


def is_certain(company: str) -> bool:
    """Whether the ledger keeps this company although the person has another one now."""
    return company.startswith(CONFIRMED)


def company_id(company: str) -> int | None:
    """The id of a confirmed company."""
    return int(company[1:]) if is_certain(company) and company[1:].isdigit() else None


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody as the ledger sees them: whether they rank and give at all, and for which company."""

    member_id: int
    company: str  # "" for those who neither rank nor give
    nobody: bool = False  # the placeholder of an import: who it was is unknown


def party(
    member_id: int,
    status: Status,
    company: int | None,
    email_confirmed: bool,
    import_source: str | None,
    external_id: str | None,
) -> Party:
    """What follows from the columns of a member. People of the vendor neither rank nor give."""
    if status is Status.VENDOR:
        return Party(member_id, "")
    if import_source is not None and external_id == "":
        return Party(member_id, "", nobody=True)
    if company is not None:
        return Party(member_id, f"c{company}")
    if import_source is not None and not email_confirmed:
        return Party(member_id, f"m{member_id}")
    return Party(member_id, FREE)
