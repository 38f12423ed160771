"""The letters under which moderators stand in the public log."""

from sqlalchemy import func, select

from portal.kernel.db import db
from portal.kernel.unit_of_work import one_at_a_time
from portal.moderation.models import ModeratorAlias


def alias_of(member_id: int) -> str:
    """The moderator's letter, given now if there is none yet. Inside a unit of work."""
    alias = db.session.get(ModeratorAlias, member_id)
    if alias is None:
        one_at_a_time("aliases")
        alias = db.session.get(ModeratorAlias, member_id)
    if alias is None:
        count = db.session.execute(select(func.count()).select_from(ModeratorAlias)).scalar_one()
        alias = ModeratorAlias(member_id=member_id, letter=_letter(count))
        db.session.add(alias)
        db.session.flush()  # the next one counts it
    return alias.letter


def _letter(index: int) -> str:
    """A, B, … Z, AA, AB …"""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
