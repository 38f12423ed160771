"""The rules that the demo's files name by their keys."""

from sqlalchemy import select

from portal.kernel.db import db
from portal.moderation.models import Rule


def rule_number(key: str) -> int:
    """Under which number the rule of this key is cited. Raises NoResultFound."""
    return db.session.execute(select(Rule.number).where(Rule.key == key)).scalar_one()
