"""Who was erased, kept outside database and backups, so that no restore brings anybody back.

The file holds ids and moments, no names. It is written from the audit log, which an erasure is part of: what
could not be noted at once is noted by the next look.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import select

from portal.kernel import audit
from portal.kernel.db import db, end_reading
from portal.kernel.unit_of_work import after_commit, unit_of_work
from portal.members.events import MemberErased
from portal.members.models import Member, MemberState
from portal.members.services import erasing

log = structlog.get_logger("candor.erasures")

FILE = "erasures.list"
JOB = "keep the list of erasures"


class ListDamaged(Exception):
    """The list cannot be read; the message is one clear line."""


@dataclass(frozen=True)
class Erasure:
    """One account. `joined` tells it from a later one to which a restored database gave the same number."""

    member_id: int
    joined: datetime
    at: datetime
    keep_text: bool

    def as_line(self) -> str:
        return json.dumps(
            {
                "member": self.member_id,
                "joined": self.joined.isoformat(),
                "erased": self.at.isoformat(),
                "words": "left" if self.keep_text else "deleted",
            }
        )


_folder: list[Path] = []


def use(instance: Path) -> None:
    """Keep the list in this folder from now on; called by `portal.wiring`."""
    _folder[:] = [instance]


def note(_event: MemberErased) -> None:
    """A listener: write the list once the erasure is stored."""
    after_commit(lambda: _note(_folder[0]))


def _note(instance: Path) -> None:
    try:
        keep(instance)
    except (
        OSError,
        ListDamaged,
    ):  # the erasure is stored; the job notes it later, `portal doctor` says why not
        log.exception("an erasure could not be noted in its list")


def keep(instance: Path) -> int:
    """Add to the list what the audit log tells of and the list does not have; gives how many."""
    rows = db.session.execute(
        select(audit.AuditEntry.target_id, audit.AuditEntry.at, audit.AuditEntry.details, Member.created_at)
        .join(Member, Member.id == audit.AuditEntry.target_id)
        .where(
            audit.AuditEntry.area == "people",
            audit.AuditEntry.action == erasing.ERASED,
            Member.state == MemberState.ERASED,
        )
        .order_by(audit.AuditEntry.number)
    ).all()
    end_reading()
    found = [
        Erasure(row.target_id, row.created_at, row.at, row.details != erasing.WORDS_DELETED) for row in rows
    ]
    if not found:
        return 0
    handle = os.open(instance / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = {(one.member_id, one.joined) for one in _parse(file, instance / FILE)}
        new = [one for one in found if (one.member_id, one.joined) not in known]
        file.write("".join(one.as_line() + "\n" for one in new))
        file.flush()
        os.fsync(file.fileno())
    return len(new)


def read(path: Path) -> list[Erasure]:
    """The list in a file; empty when there is none. Raises ListDamaged."""
    if not path.exists():
        return []
    with path.open(encoding="ascii", errors="replace") as file:
        return _parse(file, path)


def merge(instance: Path, more: Iterable[Erasure]) -> None:
    """Add erasures that were noted elsewhere to the list of this folder."""
    known = {(one.member_id, one.joined) for one in read(instance / FILE)}
    lines = [one.as_line() + "\n" for one in more if (one.member_id, one.joined) not in known]
    if lines:
        handle = os.open(instance / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="ascii") as file:
            file.write("".join(lines))


def apply(erasures: Iterable[Erasure], uploads: Path) -> int:
    """Erase again whom the database still knows, with their pictures; gives how many."""
    done = 0
    for one in erasures:
        member = db.session.get(Member, one.member_id, populate_existing=True)
        if member is None or member.created_at != one.joined or member.state is MemberState.ERASED:
            continue
        with unit_of_work():
            picture = erasing.erase_account(one.member_id, keep_text=one.keep_text, even_last_admin=True)
        if picture:
            (uploads / picture).unlink(missing_ok=True)
        done += 1
    return done


def _parse(lines: Iterable[str], path: Path) -> list[Erasure]:
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found.append(
                Erasure(
                    int(row["member"]),
                    datetime.fromisoformat(row["joined"]),
                    datetime.fromisoformat(row["erased"]),
                    row["words"] == "left",
                )
            )
        except (ValueError, KeyError, TypeError):
            raise ListDamaged(
                f"{path}, line {number}, tells of no erasure: mend or remove that line."
            ) from None
    return found
