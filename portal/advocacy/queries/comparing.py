"""How a member's score compares with those of the same industry and of the same product."""

import statistics
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.advocacy.models import MemberScore
from portal.advocacy.queries.standing import shown_members, standings
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members import lists
from portal.members.models import Company, Member, MemberProduct, MemberState, Product

FEWEST = 3  # others, so that a comparison says something
MOST = 500


@dataclass(frozen=True, slots=True)
class Compared:
    """Place among so many members with a score, and their median."""

    name: str
    place: int
    of: int
    median: float


def find(username: str) -> Any:
    """Id, name and user name of a member. Raises NotFound."""
    row = db.session.execute(
        select(Member.id, Member.name, Member.username).where(
            Member.username == username.lower(), Member.state != MemberState.ERASED
        )
    ).one_or_none()
    if row is None:
        raise NotFound("no such member")
    return row


def compared(member_id: int) -> list[Compared]:
    """The comparisons that say something: at least three others."""
    groups: list[tuple[str, Any]] = []
    industry = db.session.execute(
        select(Company.industry).join(Member, Member.company_id == Company.id).where(Member.id == member_id)
    ).scalar()
    if industry:
        same = select(Member.id).join(Company, Company.id == Member.company_id)
        groups.append((lists.label("industries", industry), same.where(Company.industry == industry)))
    products = db.session.execute(
        select(Product.id, Product.name)
        .join(MemberProduct, MemberProduct.product_id == Product.id)
        .where(MemberProduct.member_id == member_id)
        .order_by(Product.position, Product.id)
    )
    for product_id, name in products:
        users = select(MemberProduct.member_id).where(MemberProduct.product_id == product_id)
        groups.append((name, select(Member.id).where(Member.id.in_(users))))
    found = [_place(member_id, name, members) for name, members in groups]
    return [one for one in found if one is not None]


def _place(member_id: int, name: str, members: Any) -> Compared | None:
    ids = list(
        db.session.execute(
            select(MemberScore.receiver_id)
            .join(Member, Member.id == MemberScore.receiver_id)
            .where(MemberScore.receiver_id.in_(members), shown_members())
            .order_by((MemberScore.falling + MemberScore.unknown + MemberScore.fixed).desc())
            .limit(MOST)
        ).scalars()
    )
    scores = {one: standing.helpfulness for one, standing in standings(ids).items()}
    if member_id not in scores or len(scores) <= FEWEST:
        return None
    mine = scores[member_id]
    return Compared(
        name,
        1 + sum(score > mine for score in scores.values()),
        len(scores),
        statistics.median(scores.values()),
    )
