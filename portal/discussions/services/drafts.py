"""Drafts: unsent text kept on the server, with a sequence so that a stale tab cannot overwrite."""

from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from portal.discussions.models import Draft
from portal.kernel import clock, preserving
from portal.kernel.db import db, flushed_rows
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.unit_of_work import unit_of_work

LONGEST = 200_000
MOST = 100
KEPT = timedelta(days=180)
_DROP = delete(Draft).where(Draft.member_id == bindparam("member"), Draft.place == bindparam("at"))


def save_draft(member_id: int, place: str, fields: dict[str, str], sequence: int) -> Draft:
    """Keep unsent fields of the form at `place`; `sequence` is the one last seen there, 0 for none.

    Raises Conflict (with the sequence in force) when another tab saved since; Invalid when too large.
    """
    if len(place) > 80 or sum(len(value) for value in fields.values()) > LONGEST:
        raise Invalid(_("This is too much text for a draft."), "body")
    try:
        return _save(member_id, place, fields, sequence)
    except IntegrityError as error:  # another window saved the first draft here at the same moment
        raise Conflict(_("This draft was saved somewhere else since."), 1) from error


def _save(member_id: int, place: str, fields: dict[str, str], sequence: int) -> Draft:
    with unit_of_work():
        draft = _find(member_id, place)
        if draft is None:
            if len(_all(member_id)) >= MOST:
                _drop_oldest(member_id)
            draft = Draft(member_id=member_id, place=place, fields=fields, sequence=1, saved_at=clock.now())
            db.session.add(draft)
        elif draft.sequence != sequence and draft.fields != fields:
            raise Conflict(_("This draft was saved somewhere else since."), draft.sequence)
        else:
            draft.fields = fields
            draft.sequence += 1
            draft.saved_at = clock.now()
    return draft


def drop_draft(member_id: int, place: str) -> None:
    """Forget the draft at `place`, sent or discarded."""
    with unit_of_work():
        flushed_rows(_DROP, {"member": member_id, "at": place})


def discard_draft(member_id: int, place: str) -> None:
    """Forget the draft at `place` because its writer wants it gone; under a legal order it is kept aside."""
    with unit_of_work():
        if preserving.is_preserved(member_id) and (draft := _find(member_id, place)) is not None:
            preserving.keep(
                member_id, "draft", {"at": place, "fields": draft.fields, "saved": draft.saved_at.isoformat()}
            )
        drop_draft(member_id, place)


def forget_old_drafts() -> int:
    """Remove drafts that nobody touched for half a year; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            delete(Draft).where(
                Draft.saved_at < clock.now() - KEPT, Draft.member_id.not_in(preserving.preserved_ids())
            )
        )
    return result.rowcount  # type: ignore[attr-defined]


def _find(member_id: int, place: str) -> Draft | None:
    return db.session.execute(
        select(Draft).where(Draft.member_id == member_id, Draft.place == place).with_for_update()
    ).scalar_one_or_none()


def _all(member_id: int) -> list[Any]:
    return list(db.session.execute(select(Draft.id).where(Draft.member_id == member_id)).scalars())


def _drop_oldest(member_id: int) -> None:
    oldest = db.session.execute(
        select(Draft.id).where(Draft.member_id == member_id).order_by(Draft.saved_at).limit(1)
    ).scalar_one()
    db.session.execute(delete(Draft).where(Draft.id == oldest))
