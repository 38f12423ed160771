"""Which rows of the ledger count: of each source the last one, unless it takes back what was said before."""

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased

from portal.advocacy.models import Act, Entry


def is_in_force() -> ColumnElement[bool]:
    """SQL about Entry: no later row of its source says something else, and it is no reversal."""
    return and_(Entry.act != Act.REVERSED, is_last())


def is_last() -> ColumnElement[bool]:
    """SQL about Entry: how its source stands now."""
    later = aliased(Entry)
    return ~exists().where(
        later.rule == Entry.rule, later.source == Entry.source, later.turn > Entry.turn
    ).correlate(Entry)
