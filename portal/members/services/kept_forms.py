"""What somebody was sending when their session had ended: kept until they have signed in again."""

import json
from datetime import timedelta

from sqlalchemy import delete, func, select

from portal.kernel import clock, preserving, vault
from portal.kernel.crypto import token_hash
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.kept import MAX_KEPT
from portal.kernel.places import is_local_path
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import KeptForm

LASTS = timedelta(days=1)
AT_MOST = 20  # of one member
KEPT = "kept form"


def keep(member_id: int, packed: str) -> str | None:
    """Store what the sign-in page carried; gives a token, or None when it is nothing that can be sent."""
    try:
        kept = json.loads(packed) if len(packed) <= 2 * MAX_KEPT else {}
        action = str(kept["action"])
        fields = [[str(name)[:80], str(value)] for name, value in kept["fields"]][:100]
    except (ValueError, KeyError, TypeError):
        return None
    if not is_local_path(action) or len(action) > 1000 or sum(len(value) for _, value in fields) > MAX_KEPT:
        return None
    token = clock.token()
    with unit_of_work():
        _make_room(member_id)
        db.session.add(
            KeptForm(
                token_hash=token_hash(token),
                member_id=member_id,
                action=action,
                fields=[vault.seal_by(token, json.dumps(fields), purpose=KEPT)],
                created_at=clock.now(),
            )
        )
    return token


def find(member_id: int, token: str) -> KeptForm:
    """The member's own kept form. Raises NotFound."""
    kept = db.session.execute(
        select(KeptForm).where(KeptForm.token_hash == token_hash(token), KeptForm.member_id == member_id)
    ).scalar_one_or_none()
    if kept is None:
        raise NotFound("no such form")
    db.session.expunge(kept)  # shown as it was sent; what is stored stays sealed
    kept.fields = json.loads(vault.open_by(token, kept.fields[0], purpose=KEPT))
    return kept


def forget_old() -> int:
    """Remove what nobody came back for; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            delete(KeptForm)
            .where(
                KeptForm.created_at < clock.now() - LASTS,
                KeptForm.member_id.not_in(preserving.preserved_ids()),
            )
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def _make_room(member_id: int) -> None:
    held = db.session.scalar(
        select(func.count()).select_from(KeptForm).where(KeptForm.member_id == member_id)
    )
    if (held or 0) >= AT_MOST:
        db.session.execute(delete(KeptForm).where(KeptForm.member_id == member_id))
