"""Pages by key, not by offset: a cursor names the last row seen."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.kernel.errors import NotFound


@dataclass(frozen=True)
class Page:
    """Some rows, and the cursors of the pages around them ("" where there is none)."""

    rows: list[Any]
    next: str = ""
    previous: str = ""


def encode(*key: Any) -> str:
    """A cursor out of the sort key of a row; moments are kept to the microsecond."""
    plain = [part.isoformat() if isinstance(part, datetime) else part for part in key]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> tuple[Any, ...] | None:
    """The sort key in a cursor, or None without one. Raises NotFound for anything that was not made here."""
    if not cursor:
        return None
    try:
        if len(cursor) > 300:
            raise ValueError
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError
        return tuple(_value(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, UnicodeDecodeError) as error:
        raise NotFound("no such page") from error


def _value(part: Any, kind: type) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(part)
    if not isinstance(part, kind) or (isinstance(part, int) and abs(part) > 2**62):
        raise ValueError
    return part
