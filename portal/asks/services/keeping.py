"""What a visitor wrote before joining: kept a week under a token that travels with the link to join."""

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


def keep(fields: dict[str, Any]) -> str:
    """Store what was written; gives the token, "" for more than a post may hold."""
    if len(json.dumps(fields)) > 2 * MAX_KEPT:
        return ""
    token = clock.token(18)
    with unit_of_work():
        db.session.add(KeptAsk(token_hash=token_hash(token), fields=fields, created_at=clock.now()))
    return token


def find(token: str) -> dict[str, Any] | None:
    """What was written; None when it is not there (any more)."""
    if not token:
        return None
    return db.session.execute(
        select(KeptAsk.fields).where(
            KeptAsk.token_hash == token_hash(token),
            KeptAsk.created_at > clock.now() - policy.KEPT_ASK_LASTS,
        )
    ).scalar_one_or_none()


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
