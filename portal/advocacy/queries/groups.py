"""What open thanks count now, company by company, out of a member's book.

Each person is held to their limit, each company to its own, whoever moves counting where they first thanked.
Private conversations are never part of it. What people who appear as a role count is what they add to the
limits of their companies, so the sum stays the same and no company is told by it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Any

from sqlalchemy import and_, select

from portal.advocacy import keys
from portal.advocacy.formula import Weights
from portal.advocacy.queries.accounts import persons_worth
from portal.advocacy.queries.books import ROLES, Book
from portal.discussions.models import ShownAs, Thread
from portal.kernel.db import db
from portal.members.models import Member

MONTH = timedelta(days=30)
SMALLEST = 0.01  # points; companies with less are summed up
ROWS = 15  # companies on a page
MOST_FADING = 5
MOST_PEOPLE = 30  # of one company, those whose answers count most first


@dataclass(frozen=True, slots=True)
class Group:
    """One company: `by_itself` before any limit, `total` with each person's, `counted` with its own.

    `then` is what it counts in 30 days if nothing is added.
    """

    company: str
    by_itself: float
    total: float
    counted: float
    then: float
    entries: int

    @property
    def is_small(self) -> bool:
        return (self.by_itself if self.company == ROLES else self.counted) < SMALLEST


@dataclass(frozen=True, slots=True)
class Small:
    """What counts too little each to be listed: so many companies, `others` who are told under none.

    `points` is what all of it counts together.
    """

    companies: int = 0
    others: bool = False
    points: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.companies or self.others)


@dataclass(frozen=True)
class Groups:
    """A page of companies, the highest first, and the sums over all of them.

    `fading` are those that lose most within 30 days, `small` those that count too little to be listed.
    """

    page: list[Group]
    fading: list[Group]
    counted: float
    then: float
    small: Small
    has_more: bool


@dataclass(frozen=True, slots=True)
class Giver:
    """One person of a company, with the worth of what they accepted by itself."""

    company: str
    member_id: int
    name: str
    visibility: Any
    state: Any
    is_masked: bool  # asked as a role somewhere, so no name of theirs stands anywhere
    accepted: int
    worth: float
    then: float


def groups(book: Book, weights: Weights, now: datetime, page: int = 1) -> Groups:
    """One page of the companies and the sums over all."""
    decays = weights.decay(now), weights.decay(now + MONTH)
    found = [_group(book, company, weights, *decays) for company in book.companies]
    small = [one for one in found if one.is_small]
    listed = sorted((one for one in found if not one.is_small), key=lambda one: (-one.counted, one.company))
    begin = (page - 1) * ROWS
    others = sum(one.company in (keys.UNKNOWN, ROLES) for one in small)
    return Groups(
        listed[begin : begin + ROWS],
        nsmallest(MOST_FADING, found, key=lambda one: (one.then - one.counted, one.company)),
        sum(one.counted for one in found),
        sum(one.then for one in found),
        Small(len(small) - others, others > 0, sum(one.counted for one in small)),
        len(listed) > begin + ROWS,
    )


def group(book: Book, company: str, weights: Weights, now: datetime) -> Group:
    """One company alone."""
    return _group(book, company, weights, weights.decay(now), weights.decay(now + MONTH))


def _group(book: Book, company: str, weights: Weights, decay: float, decay_then: float) -> Group:
    of = book.companies[company]
    by_itself, entries = of.total * decay, len(of.entries)
    if company == keys.UNKNOWN:  # each is one person of a company of its own
        return Group(company, by_itself, by_itself, by_itself, of.total * decay_then, entries)
    if company == ROLES:
        added = _of_roles(book, weights, decay)
        return Group(company, by_itself, added, added, _of_roles(book, weights, decay_then), entries)
    total = persons_worth(weights, decay, of.total, of.most, of.totals)
    then = persons_worth(weights, decay_then, of.total, of.most, of.totals)
    limit = weights.company_limit
    return Group(company, by_itself, total, min(limit, total), min(limit, then), entries)


def _of_roles(book: Book, weights: Weights, decay: float) -> float:
    """What they add to the limits of the companies for which they count."""
    added, limit = 0.0, weights.company_limit
    for company, totals in book.roles.items():
        of = book.companies.get(company)
        beside = persons_worth(weights, decay, of.total, of.most, of.totals) if of is not None else 0.0
        own = persons_worth(weights, decay, sum(totals), max(totals), totals)
        added += min(limit, beside + own) - min(limit, beside)
    return added


def givers(
    book: Book, weights: Weights, now: datetime, companies: Collection[str], most: int = MOST_PEOPLE
) -> list[Giver]:
    """People of these companies who gave, whose acceptances are worth most first; `most` of each company."""
    chosen = {company: _first_of(book, company, most) for company in sorted(companies)}
    ids = sorted({member_id for people in chosen.values() for member_id, _accepted, _worth in people})
    if not ids:
        return []
    query = select(Member.id, Member.name, Member.visibility, Member.state, _is_masked())
    known = {row.id: row for row in db.session.execute(query.where(Member.id.in_(ids)))}
    now_worth, then_worth = weights.decay(now), weights.decay(now + MONTH)
    return [
        Giver(
            company, row.id, row.name, row.visibility, row.state, bool(row.is_masked),
            accepted, worth * now_worth, worth * then_worth,
        )
        for company, people in chosen.items()
        for member_id, accepted, worth in people
        if (row := known.get(member_id)) is not None
    ]  # fmt: skip


def _first_of(book: Book, company: str, most: int) -> Sequence[tuple[int, int, float]]:
    of = book.companies[company]
    left = max(0, most - len(of.accepted))
    return [*of.accepted[:most], *((member_id, 0, 0.0) for member_id in of.others[:left])]


def people(member_ids: Collection[int]) -> list[Any]:
    """Id, name, state and `is_masked` of these members."""
    if not member_ids:
        return []
    query = select(Member.id, Member.name, Member.state, _is_masked())
    return list(db.session.execute(query.where(Member.id.in_(sorted(member_ids)))))


def _is_masked() -> Any:
    """SQL about Member: appears as a role in some thread."""
    as_role = and_(Thread.author_id == Member.id, Thread.author_shown_as == ShownAs.ROLE)
    return select(Thread.id).where(as_role).correlate(Member).exists().label("is_masked")
