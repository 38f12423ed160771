"""How a member's score compares with those of the same industry and of the same product."""

import statistics
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.advocacy.models import MemberScore
from portal.advocacy.queries.standing import Standing, opted_out, shown_members, standings
from portal.kernel.db import db, rows_of
from portal.kernel.errors import NotFound
from portal.kernel.page_cache import Dear
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


def compared(mine: Standing) -> list[Compared]:
    """The comparisons that say something: at least three others.

    Where there are many to look through, the others' numbers hold for some seconds; the member's own never.
    """
    member_id = mine.member_id
    groups: dict[str, tuple[str, Any]] = {}  # name, whose ids
    industry = db.session.execute(
        select(Company.industry).join(Member, Member.company_id == Company.id).where(Member.id == member_id)
    ).scalar()
    if industry:
        same = select(Member.id).join(Company, Company.id == Member.company_id)
        name = lists.label("industries", industry)
        groups[f"industry {industry}"] = name, same.where(Company.industry == industry)
    products = db.session.execute(
        select(Product.id, Product.name)
        .join(MemberProduct, MemberProduct.product_id == Product.id)
        .where(MemberProduct.member_id == member_id)
        .order_by(Product.position, Product.id)
    )
    for product_id, name in products:
        users = select(MemberProduct.member_id).where(MemberProduct.product_id == product_id)
        groups[f"product {product_id}"] = name, users
    kept = _kept.get(tuple(groups), lambda: [_highest(members) for _name, members in groups.values()])
    gone = opted_out({one for scores in kept for one in scores})
    found = []
    for (name, members), others in zip(groups.values(), kept, strict=True):
        scores = _highest(members) if _is_new(mine, others) else others
        scores = {one: number for one, number in scores.items() if one not in gone}
        found.append(_place(mine, name, scores))
    return [one for one in found if one is not None]


def _is_new(mine: Standing, kept: dict[int, float]) -> bool:
    """Whether the member may belong to those who were found without them."""
    least = min(kept.values()) if len(kept) >= MOST else 0.0
    return mine.member_id not in kept and mine.helpfulness > least


def _highest(members: Any) -> dict[int, float]:
    rows = rows_of(
        select(MemberScore.receiver_id)
        .join(Member, Member.id == MemberScore.receiver_id)
        .where(MemberScore.receiver_id.in_(members), shown_members())
        .order_by((MemberScore.falling + MemberScore.unknown + MemberScore.fixed).desc())
        .limit(MOST)
    )
    ids = [row[0] for row in rows]
    return {one: standing.helpfulness for one, standing in standings(ids).items()}


_kept: Dear[list[dict[int, float]]] = Dear(most=20, least=0.1)


def _place(mine: Standing, name: str, scores: dict[int, float]) -> Compared | None:
    if mine.member_id not in scores or len(scores) <= FEWEST:
        return None
    scores[mine.member_id] = mine.helpfulness
    return Compared(
        name,
        1 + sum(score > mine.helpfulness for score in scores.values()),
        len(scores),
        statistics.median(scores.values()),
    )
