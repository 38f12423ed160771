"""How a member's score compares with those of the same industry and of the same product."""

import statistics
from array import array
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select

from portal.advocacy.models import MemberScore
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.standing import Standing, all_opted_out, number_now, shown_members
from portal.kernel import clock
from portal.kernel.db import db, rows_of
from portal.kernel.errors import NotFound
from portal.kernel.page_cache import Dear
from portal.members import lists
from portal.members.models import Company, Member, MemberProduct, MemberState, Product

FEWEST = 3  # others, so that a comparison says something


@dataclass(frozen=True, slots=True)
class Compared:
    """Place among so many members with a score, and their median."""

    name: str
    place: int
    of: int
    median: float


@dataclass(frozen=True, slots=True)
class Everybody:
    """All members of a group who have a score: by id, and their numbers, the lowest first."""

    ids: "array[int]"
    of: "array[float]"
    numbers: "array[float]"

    def without(self, members: set[int]) -> "array[float]":
        """The numbers of all others, the lowest first."""
        kept = self.numbers[:]
        for one in members:
            place = bisect_left(self.ids, one)
            if place < len(self.ids) and self.ids[place] == one:
                del kept[bisect_left(kept, self.of[place])]
        return kept


def find(username: str) -> Member:
    """A member who was not erased. Raises NotFound."""
    found = db.session.execute(
        select(Member).where(Member.username == username.lower(), Member.state != MemberState.ERASED)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("no such member")
    return found


def compared(mine: Standing) -> list[Compared]:
    """The comparisons that say something: at least three others. Vendor staff are compared with nobody.

    Where there are many to look through, the others' numbers hold for some minutes; the member's own never,
    nor that somebody chose to be left out.
    """
    groups = _groups(mine.member_id) if mine.helpfulness > 0 else {}
    if not groups:
        return []
    kept = [_kept.get(key, partial(_everybody, members)) for key, (_name, members) in groups.items()]
    apart = {mine.member_id} | all_opted_out()
    found = [
        _place(mine.helpfulness, name, group.without(apart))
        for (name, _members), group in zip(groups.values(), kept, strict=True)
    ]
    return [one for one in found if one is not None]


def _groups(member_id: int) -> dict[str, tuple[str, Any]]:
    """By a key: the name of each group that the member belongs to, and SQL for the ids of all in it."""
    mine = select(Company.industry).select_from(Member).outerjoin(Company, Company.id == Member.company_id)
    row = db.session.execute(mine.where(Member.id == member_id, shown_members())).one_or_none()
    if row is None:
        return {}
    groups: dict[str, tuple[str, Any]] = {}
    if row.industry:
        same = select(Member.id).join(Company, Company.id == Member.company_id)
        name = lists.label("industries", row.industry)
        groups[f"industry {row.industry}"] = name, same.where(Company.industry == row.industry)
    products = db.session.execute(
        select(Product.id, Product.name)
        .join(MemberProduct, MemberProduct.product_id == Product.id)
        .where(MemberProduct.member_id == member_id)
        .order_by(Product.position, Product.id)
    )
    for product_id, name in products:
        users = select(MemberProduct.member_id).where(MemberProduct.product_id == product_id)
        groups[f"product {product_id}"] = name, users
    return groups


def _everybody(members: Any) -> Everybody:
    number = number_now(weights_queries.current(), clock.now())
    rows = rows_of(
        select(MemberScore.receiver_id, number)
        .join(Member, Member.id == MemberScore.receiver_id)
        .where(MemberScore.receiver_id.in_(members), shown_members(), number > 0)
        .order_by(MemberScore.receiver_id)
    ).all()
    of = array("d", (row[1] for row in rows))
    return Everybody(array("q", (row[0] for row in rows)), of, array("d", sorted(of)))


_kept: Dear[Everybody] = Dear(most=40, least=0.02)


def _place(number: float, name: str, numbers: "array[float]") -> Compared | None:
    if len(numbers) < FEWEST:
        return None
    higher = len(numbers) - bisect_right(numbers, number)
    insort(numbers, number)
    return Compared(name, 1 + higher, len(numbers), statistics.median(numbers))
