"""Words that only those who take part may read: a key for each box of them, wrapped by CONVERSATION_KEY.

Texts are sealed with AES-256-GCM under a random key of their own conversation or case. That key is stored
wrapped (sealed itself) by a key derived from CONVERSATION_KEY, which lives apart from the database; each
wrapping names the key that opens it. What a text is for and where it stands is bound to it as associated
data: a row copied to another place does not open.

CONVERSATION_KEY may hold several keys, parted by commas or lines: the first wraps, all of them open.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask_babel import gettext as _
from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import db
from portal.kernel.errors import DomainError
from portal.kernel.unit_of_work import unit_of_work

NONCE = 12  # bytes, as AES-GCM wants them
BATCH = 200


class CannotOpen(DomainError):
    """The key is not there, or is another one, or the row was changed."""

    status = 503

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or _("This cannot be opened at present: the key that protects it is missing.")
        )


class Keyed:
    """A table whose rows each have a key of their own, stored wrapped; `vault_owner`: what it is bound to."""

    key_id: Mapped[str] = mapped_column(String(16), index=True)
    wrapped_key: Mapped[str] = mapped_column(String(160))

    @property
    def vault_owner(self) -> str:
        raise NotImplementedError

    def key(self) -> "Key":
        """The key of this row. Raises CannotOpen."""
        return unwrap(self.key_id, self.wrapped_key, self.vault_owner)

    def give_key(self) -> "Key":
        """Make the key of a new row."""
        key = Key(self.vault_owner, os.urandom(32))
        self.key_id, self.wrapped_key = wrap(key)
        return key


@dataclass(frozen=True)
class Key:
    """The key of one conversation or case, open. `owner` is bound into everything it seals."""

    owner: str
    secret: bytes = field(repr=False)

    def seal(self, text: str, *, purpose: str) -> str:
        """The text as nobody without the key reads it; `purpose` says which text it is ("message:xyz")."""
        return _seal(self.secret, text.encode(), f"{self.owner}|{purpose}")

    def open(self, box: str, *, purpose: str) -> str:
        """The text again. Raises CannotOpen when anything about it was changed."""
        return _open(self.secret, box, f"{self.owner}|{purpose}").decode()


_read: list[Callable[[], str]] = []
_tables: list[Any] = []


def configure(read: Callable[[], str]) -> None:
    """`read` gives CONVERSATION_KEY as it is now: called again whenever a key is wanted that is not known."""
    _read[:] = [read]
    _known.clear()


def register(*tables: Any) -> None:
    """Tables of `Keyed` rows, for `rewrap_all` and `problems`."""
    _tables.extend(table for table in tables if table not in _tables)


def key_ids() -> list[str]:
    """The names of the keys that are there, the one in force first."""
    return list(_load())


def wrap(key: Key) -> tuple[str, str]:
    """(name of the key in force, the key wrapped by it). Raises CannotOpen where there is none."""
    keys = _load()  # read anew: a key that was just rotated away must not wrap anything more
    if not keys:
        raise CannotOpen(_("No CONVERSATION_KEY is set, so nothing private can be begun."))
    key_id, secret = next(iter(keys.items()))
    return key_id, _seal(secret, key.secret, f"key|{key.owner}")


def unwrap(key_id: str, wrapped: str, owner: str) -> Key:
    """The key again. Raises CannotOpen."""
    secret = _known.get(key_id) or _load().get(key_id)
    if secret is None:
        raise CannotOpen()
    return Key(owner, _open(secret, wrapped, f"key|{owner}"))


def rewrap_all() -> int:
    """Wrap every key that an earlier CONVERSATION_KEY wrapped with the one in force; gives how many.

    Row by row in small units of work: it can be stopped and run again, while the site serves. Words are not
    touched. Raises CannotOpen where a former key is missing: nothing is lost, what was done stays done.
    """
    in_force = key_ids()[0]
    done = 0
    for table in _tables:
        while True:
            with unit_of_work():
                rows = list(
                    db.session.execute(
                        select(table).where(table.key_id != in_force).limit(BATCH).with_for_update()
                    ).scalars()
                )
                for row in rows:
                    row.key_id, row.wrapped_key = wrap(row.key())
            done += len(rows)
            if not rows:
                break
    return done


def counts() -> dict[str, int]:
    """How many rows each key wraps, by its name."""
    found: dict[str, int] = {}
    for table in _tables:
        for key_id, count in db.session.execute(select(table.key_id, func.count()).group_by(table.key_id)):
            found[key_id] = found.get(key_id, 0) + count
    return found


def problems() -> Iterator[str]:
    """One line for each thing that is wrong with the keys."""
    try:
        keys = _load()
    except OSError as error:
        yield f"CONVERSATION_KEY cannot be read: {error}."
        return
    for key_id, count in sorted(counts().items()):
        if key_id not in keys:
            yield (
                f"{count} private conversations or cases are locked with the key {key_id}, "
                "which is not there: put the former CONVERSATION_KEY behind the present one, with a comma. "
                "Everything else works."
            )
    for table in _tables:
        row = db.session.execute(select(table).where(table.key_id.in_(list(keys))).limit(1)).scalar()
        if row is not None:
            try:
                row.key()
            except CannotOpen:
                yield f"a key in {table.__tablename__} was changed and no longer opens: restore a backup."


def seal_by(token: str, text: str, *, purpose: str) -> str:
    """The text sealed by a random token of which only the hash is stored: who has the token opens it."""
    return _seal(_by_token(token), text.encode(), purpose)


def open_by(token: str, box: str, *, purpose: str) -> str:
    """The text again. Raises CannotOpen."""
    return _open(_by_token(token), box, purpose).decode()


def _by_token(token: str) -> bytes:
    return hashlib.sha256(b"candor sealed by token:" + token.encode()).digest()


_known: dict[str, bytes] = {}


def _load() -> dict[str, bytes]:
    """The keys that are there now, by name. Those known before stay usable for opening in this process."""
    text = _read[0]() if _read else ""
    keys = {}
    for one in text.replace(",", "\n").split():
        secret = hashlib.sha256(b"candor conversation key 1:" + one.encode()).digest()
        keys[hashlib.sha256(b"candor key name:" + secret).hexdigest()[:12]] = secret
    _known.clear()
    _known.update(keys)
    return keys


def _seal(secret: bytes, content: bytes, bound_to: str) -> str:
    nonce = os.urandom(NONCE)
    return base64.b64encode(nonce + AESGCM(secret).encrypt(nonce, content, bound_to.encode())).decode()


def _open(secret: bytes, box: str, bound_to: str) -> bytes:
    try:
        raw = base64.b64decode(box, validate=True)
        return AESGCM(secret).decrypt(raw[:NONCE], raw[NONCE:], bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(_("This cannot be opened: it, or its key, was changed.")) from error
