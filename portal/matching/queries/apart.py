"""Whose companies keep two people from being brought together: the same one, and declared competitors.

`eligible` says the same of many people at once, in SQL; a test holds the two against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from portal.kernel.db import db
from portal.members.models import Company, Member


@dataclass(frozen=True, slots=True)
class Employer:
    """The company that somebody works for, if any is known, and the ids of those it calls competitors."""

    company_id: int | None
    competitors: Sequence[int] | None

    def is_of(self, other: "Employer") -> bool:
        """Whether both are the same company; where none is known, nobody can tell."""
        return self.company_id is not None and self.company_id == other.company_id

    def competes_with(self, other: "Employer") -> bool:
        """Whether one of two companies calls the other a competitor."""
        if self.company_id is None or other.company_id is None or self.is_of(other):
            return False
        return other.company_id in (self.competitors or ()) or self.company_id in (other.competitors or ())

    def is_apart_from(self, other: "Employer") -> bool:
        """Whether their people can be brought together."""
        return not (self.is_of(other) or self.competes_with(other))


def are_apart(one_id: int, other_id: int) -> bool:
    """Whether these two are of different companies, neither of which calls the other a competitor."""
    found = _employers(one_id, other_id)
    return len(found) == 2 and found[one_id].is_apart_from(found[other_id])


def compete(one_id: int, other_id: int) -> bool:
    """Whether the company of one of these two calls that of the other a competitor; colleagues do not."""
    found = _employers(one_id, other_id)
    return len(found) == 2 and found[one_id].competes_with(found[other_id])


def _employers(*member_ids: int) -> dict[int, Employer]:
    rows = db.session.execute(
        select(Member.id, Member.company_id, Company.competitors)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.id.in_(member_ids))
    )
    return {row.id: Employer(row.company_id, row.competitors) for row in rows}
