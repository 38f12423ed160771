"""What a visitor wrote before joining: kept a week under a token that travels with the link to join.

It may be meant in private, so it is sealed with a key made of the token, of which only the hash is stored:
the database alone does not give the words.
"""

import hashlib
import hmac
import json
from typing import Any

from sqlalchemy import delete, select

from portal.asks import policy
from portal.asks.models import KeptAsk
from portal.kernel import clock
from portal.kernel.crypto import token_hash
from portal.kernel.db import db
from portal.kernel.kept import MAX_KEPT
from portal.kernel.unit_of_work import unit_of_work
from portal.kernel.vault import Key


def keep(fields: dict[str, Any]) -> str:
    """Store what was written; gives the token, "" for more than a post may hold."""
    if len(json.dumps(fields)) > 2 * MAX_KEPT:
        return ""
    token = clock.token(18)
    with unit_of_work():
        box = _key(token).seal(json.dumps(fields), purpose="fields")
        db.session.add(KeptAsk(token_hash=token_hash(token), fields={"box": box}, created_at=clock.now()))
    return token


def find(token: str) -> dict[str, Any] | None:
    """What was written; None when it is not there (any more)."""
    if not token:
        return None
    kept = db.session.execute(
        select(KeptAsk.fields).where(
            KeptAsk.token_hash == token_hash(token),
            KeptAsk.created_at > clock.now() - policy.KEPT_ASK_LASTS,
        )
    ).scalar_one_or_none()
    if kept is None or "box" not in kept:
        return kept  # kept before they were sealed
    fields: dict[str, Any] = json.loads(_key(token).open(kept["box"], purpose="fields"))
    return fields


def _key(token: str) -> Key:
    return Key("kept ask", hmac.new(token.encode(), b"kept ask", hashlib.sha256).digest())


def drop(token: str) -> None:
    """It was sent, or thrown away."""
    if token:
        with unit_of_work():
            db.session.execute(delete(KeptAsk).where(KeptAsk.token_hash == token_hash(token)))


def forget_old() -> int:
    """Remove what nobody came back for; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            delete(KeptAsk).where(KeptAsk.created_at < clock.now() - policy.KEPT_ASK_LASTS)
        )
    return result.rowcount  # type: ignore[attr-defined]
