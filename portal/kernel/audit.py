"""The audit log: privileged actions as append-only rows in a hash chain.

A row is written in the transaction of the action it tells of; where it cannot be written, the action is
refused. Rows name people by id alone. The words of a row (`details`) stand outside the chain, which holds
their hash, so that an erasure can blank them without breaking it.

The chain by itself shows an edit, a deletion and a change of order. That rows were cut off at its end, or all
of it written anew, shows only against a head that was signed and kept elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Index, String, Text, event, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel import clock, crypto
from portal.kernel.access import Viewer
from portal.kernel.db import Base, db
from portal.kernel.errors import DomainError
from portal.kernel.unit_of_work import in_unit_of_work, one_at_a_time

FIRST = "0" * 64
PURPOSE = "audit-head"


class AuditUnavailable(DomainError):
    """The log cannot be written, so nothing privileged is done."""

    status = 503


class AuditEntry(Base):
    """One privileged action. Never changed, but that `details` may be blanked by an erasure."""

    __tablename__ = "audit_entries"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[int] = mapped_column(index=True)  # a member's id; 0 for the command line
    area: Mapped[str] = mapped_column(String(16))  # moderation, threads, people, settings
    action: Mapped[str] = mapped_column(String(40))  # "hide post"
    target_kind: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[int | None] = mapped_column()
    board_id: Mapped[int | None] = mapped_column()  # who may not read the board may not read the row
    details: Mapped[str] = mapped_column(Text, default="")
    details_hash: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)

    __table_args__ = (Index("ix_audit_entries_target", "target_kind", "target_id"),)


@event.listens_for(AuditEntry, "before_delete")
def _refuse_delete(_mapper: Any, _connection: Any, _entry: AuditEntry) -> None:
    raise RuntimeError("audit entries are never deleted")


def record(
    actor: Viewer | int | None,
    action: str,
    target_kind: str,
    target_id: int | None,
    details: str = "",
    *,
    area: str = "moderation",
    board_id: int | None = None,
) -> AuditEntry:
    """Add a row for what `actor` (or the member with this id; None: the command line) does.

    Inside the unit of work of the action.

    Raises AuditUnavailable when it cannot be written; the action fails with it.
    """
    if not in_unit_of_work():
        raise RuntimeError("an action is recorded inside its unit of work")
    try:
        one_at_a_time("audit")  # two writers would give the same number
        last = db.session.execute(
            select(AuditEntry.number, AuditEntry.hash).order_by(AuditEntry.number.desc()).limit(1)
        ).one_or_none()
        entry = AuditEntry(
            number=last.number + 1 if last else 1,
            at=clock.now(),
            actor_id=(actor.member_id if isinstance(actor, Viewer) else actor) or 0,
            area=area,
            action=action[:40],
            target_kind=target_kind,
            target_id=target_id,
            board_id=board_id,
            details=details,
            details_hash=_hash(details),
            previous_hash=last.hash if last else FIRST,
        )
        entry.hash = _hash_of(entry)
        db.session.add(entry)
        db.session.flush()  # a log that cannot be written must say so here
    except DBAPIError as error:
        raise AuditUnavailable(
            _(
                "The audit log cannot be written just now, so nothing that has to stand in it is done. "
                "Tell whoever runs this site."
            )
        ) from error
    return entry


@dataclass(frozen=True)
class Head:
    """The end of the chain at some moment."""

    number: int
    hash: str


@dataclass(frozen=True)
class Verification:
    """What `verify` found: each problem is one line. `blanked` rows lost their words to an erasure."""

    rows: int
    blanked: int
    head: Head
    problems: list[str]


def verify(heads: Iterable[Head] = ()) -> Verification:
    """Walk the whole chain, and compare it with heads that were kept elsewhere."""
    wanted = {head.number: head.hash for head in heads}
    problems: list[str] = []
    previous, expected, rows, blanked = FIRST, 1, 0, 0
    seen: dict[int, str] = {}
    query = select(AuditEntry).order_by(AuditEntry.number).execution_options(yield_per=500)
    for entry in db.session.execute(query).scalars():
        rows += 1
        if entry.number != expected:
            problems.append(f"entries {expected} to {entry.number - 1} are missing")
        if entry.previous_hash != previous:
            problems.append(f"entry {entry.number} does not follow the one before it")
        if entry.hash != _hash_of(entry):
            problems.append(f"entry {entry.number} was changed")
        if entry.details_hash != _hash(entry.details):
            if entry.details:
                problems.append(f"the words of entry {entry.number} were changed")
            else:
                blanked += 1
        if entry.number in wanted:
            seen[entry.number] = entry.hash
        previous, expected = entry.hash, entry.number + 1
    for number, known in sorted(wanted.items()):
        if number not in seen:
            problems.append(f"entry {number}, which was there when the head was signed, is gone")
        elif seen[number] != known:
            problems.append(f"entry {number} is another one than when the head was signed")
    return Verification(rows, blanked, Head(expected - 1, previous), problems)


def head() -> Head:
    """The end of the chain now."""
    last = db.session.execute(
        select(AuditEntry.number, AuditEntry.hash).order_by(AuditEntry.number.desc()).limit(1)
    ).one_or_none()
    return Head(last.number, last.hash) if last else Head(0, FIRST)


def sign_head(secret_key: str, at: Head) -> str:
    """The head as a text that only this site could have made: for a mail, a file, a printout."""
    return crypto.sign(secret_key, PURPOSE, [at.number, at.hash])


def read_head(secret_key: str, text: str) -> Head | None:
    """A signed head, or None when it was not made here."""
    value = crypto.unsign(secret_key, PURPOSE, text.strip())
    return Head(value[0], value[1]) if value else None


def blank_details(numbers: Iterable[int]) -> None:
    """Blank the words of these rows, for an erasure. Inside a unit of work."""
    for entry in db.session.execute(select(AuditEntry).where(AuditEntry.number.in_(list(numbers)))).scalars():
        entry.details = ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of(entry: AuditEntry) -> str:
    content = [
        entry.number,
        entry.at.isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.area,
        entry.action,
        entry.target_kind,
        entry.target_id,
        entry.board_id,
        entry.details_hash,
        entry.previous_hash,
    ]
    return _hash(json.dumps(content, separators=(",", ":"), ensure_ascii=False))
