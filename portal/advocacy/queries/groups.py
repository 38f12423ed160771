"""What open thanks count, company by company: added up by the database, however long a ledger is.

The same numbers as `accounts`, to a millisecond of age: each person held to their limit, each company to
its own, whoever moves counting where they first thanked. Private conversations are never part of it.
Whoever appears as a role stands in one group of all such people, whatever their companies: what it counts is
what they add to these companies' limits, so the sum stays the same and no company is told by it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Float, and_, case, exists, func, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from portal.advocacy import keys
from portal.advocacy.formula import DAY, EPOCH, Weights
from portal.advocacy.models import Counts, Entry, Rule
from portal.advocacy.queries.entries import is_in_force
from portal.discussions.models import Post, ShownAs, Thread
from portal.kernel.db import db
from portal.members.models import Member

MONTH = timedelta(days=30)
ROLES = "roles"  # stands for the companies of all who appear as a role
SMALLEST = 0.01  # points; companies with less are summed up
ROWS = 15  # companies on a page
MOST_FADING = 5
MOST_PEOPLE = 30  # of one company, those whose answers count most first
_FLOAT = Float(53)
_EPOCH_DAY = EPOCH.timestamp() / DAY
_JULIAN = 2440587.5 + _EPOCH_DAY


class _Days(FunctionElement[float]):
    """SQL: days from the epoch of the formula to a moment."""

    type = _FLOAT
    inherit_cache = True


@compiles(_Days)
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(julianday({compiler.process(element.clauses, **options)}) - {_JULIAN})"


@compiles(_Days, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"(CAST(extract(epoch FROM {moment}) AS double precision) / {DAY} - {_EPOCH_DAY})"


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


def worth(weights: Weights, now: datetime) -> ColumnElement[float]:
    """SQL about Entry: what a point of its moment is worth now."""
    age = (_Days(Entry.occurred_at) - literal(_days(now), _FLOAT)) / float(weights.half_life_days)
    return func.pow(literal(2.0, _FLOAT), age, type_=_FLOAT)


def thanks(member_id: int, weights: Weights, now: datetime) -> CTE:
    """SQL: the open thanks that count, each with the `company` it is told under and the one it counts for.

    Both are "?" where nobody is known, and the first is `ROLES` for whoever appears as a role.
    """
    first = func.first_value(Entry.giver_company).over(
        partition_by=Entry.giver_key, order_by=(Entry.occurred_at, Entry.id)
    )
    unknown = Entry.giver_key.startswith(keys.UNKNOWN)
    as_role = func.max(case((_is_of_a_role(), 1), else_=0)).over(partition_by=Entry.giver_key)
    return (
        select(
            Entry.id,
            Entry.rule,
            Entry.giver_key,
            Entry.giver_id,
            Entry.occurred_at,
            Entry.post_id,
            case((unknown, keys.UNKNOWN), (as_role == 1, ROLES), else_=first).label("company"),
            case((unknown, keys.UNKNOWN), else_=first).label("counts_for"),
            worth(weights, now).label("worth"),
        )
        .where(
            Entry.receiver_id == member_id,
            Entry.counts == Counts.THANKS,
            Entry.rule != Rule.CONVERSATION,
            is_in_force(),
        )
        .cte("thanks")
    )


def groups(member_id: int, weights: Weights, now: datetime, page: int = 1) -> Groups:
    """One page of the companies and the sums over all, in one statement and few rows."""
    of = _companies(thanks(member_id, weights, now), weights)
    weighed = case((of.c.company == ROLES, of.c.by_itself), else_=of.c.counted)
    is_small = case((weighed < SMALLEST, 1), else_=0)
    is_company = of.c.company.not_in((keys.UNKNOWN, ROLES))
    ranked = select(
        of,
        is_small.label("is_small"),
        func.row_number().over(order_by=(is_small, of.c.counted.desc(), of.c.company)).label("place"),
        func.row_number()
        .over(order_by=((of.c.counted - of.c.then).desc(), of.c.company))
        .label("fading_place"),
        func.sum(of.c.counted).over().label("all_counted"),
        func.sum(of.c.then).over().label("all_then"),
        func.sum(case((is_company, is_small), else_=0)).over().label("small"),
        func.sum(case((is_company, 0), else_=is_small)).over().label("small_others"),
        func.sum(case((is_small == 1, of.c.counted), else_=0.0)).over().label("small_counted"),
    ).cte("ranked")
    begin = (page - 1) * ROWS
    on_page = and_(ranked.c.place > begin, ranked.c.place <= begin + ROWS + 1, ranked.c.is_small == 0)
    wanted = or_(on_page, ranked.c.fading_place <= MOST_FADING, ranked.c.place == 1)
    rows = db.session.execute(select(ranked).where(wanted).order_by(ranked.c.place)).all()
    listed = [_group(row) for row in rows if begin < row.place <= begin + ROWS + 1 and not row.is_small]
    fading = sorted(
        (row for row in rows if row.fading_place <= MOST_FADING), key=lambda row: int(row.fading_place)
    )
    if not rows:
        return Groups([], [], 0.0, 0.0, Small(), False)
    return Groups(
        listed[:ROWS],
        [_group(row) for row in fading],
        rows[0].all_counted,
        rows[0].all_then,
        Small(int(rows[0].small), bool(rows[0].small_others), rows[0].small_counted),
        len(listed) > ROWS,
    )


def group(member_id: int, weights: Weights, now: datetime, company: str) -> Group | None:
    """One company alone; None where nothing of it counts."""
    of = _companies(thanks(member_id, weights, now), weights)
    row = db.session.execute(select(of).where(of.c.company == company)).one_or_none()
    return _group(row) if row is not None else None


def company_keys(member_id: int) -> list[str]:
    """Which companies stand in a member's open thanks."""
    rows = db.session.execute(
        select(Entry.giver_company)
        .where(Entry.receiver_id == member_id, Entry.counts == Counts.THANKS, Entry.rule != Rule.CONVERSATION)
        .distinct()
    ).scalars()
    found = list(rows)
    known = [one for one in found if not keys.is_unknown(one)]
    return [*known, ROLES] if len(known) == len(found) else [*known, keys.UNKNOWN, ROLES]


def givers(
    member_id: int, weights: Weights, now: datetime, companies: Collection[str], most: int = MOST_PEOPLE
) -> list[Giver]:
    """People of these companies who gave, whose acceptances are worth most first; `most` of each company."""
    if not companies:
        return []
    of = thanks(member_id, weights, now)
    accepted = of.c.rule == Rule.ACCEPTED
    by_person = (
        select(
            of.c.company,
            of.c.giver_id,
            func.sum(case((accepted, 1), else_=0)).label("accepted"),
            func.sum(case((accepted, of.c.worth), else_=0.0)).label("worth"),
        )
        .where(of.c.company.in_(sorted(companies)), of.c.giver_id.is_not(None))
        .group_by(of.c.company, of.c.giver_id)
        .cte("by_person")
    )
    place = func.row_number().over(
        partition_by=by_person.c.company, order_by=(by_person.c.worth.desc(), by_person.c.giver_id)
    )
    ranked = select(by_person, place.label("place")).cte("ranked")
    rows = db.session.execute(
        select(ranked, Member.name, Member.visibility, Member.state, _is_masked())
        .join(Member, Member.id == ranked.c.giver_id)
        .where(ranked.c.place <= most)
        .order_by(ranked.c.company, ranked.c.place)
    )
    faded = _faded(weights)
    return [
        Giver(
            row.company, row.giver_id, row.name, row.visibility, row.state, bool(row.is_masked),
            int(row.accepted), row.worth, row.worth * faded,
        )
        for row in rows
    ]  # fmt: skip


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


def _is_of_a_role() -> ColumnElement[bool]:
    """SQL about Entry: given by somebody who appears as a role, or for a thread of somebody who is gone."""
    masked = exists().where(Thread.author_id == Entry.giver_id, Thread.author_shown_as == ShownAs.ROLE)
    about = exists().where(
        Post.id == Entry.post_id, Thread.id == Post.thread_id, Thread.author_shown_as == ShownAs.ROLE
    )
    gone = and_(Entry.giver_id.is_(None), Entry.rule == Rule.ACCEPTED, about.correlate(Entry))
    return or_(masked.correlate(Entry), gone)


def _companies(of: CTE, weights: Weights) -> CTE:
    """SQL: each company with what it counts now and in 30 days."""
    persons = (
        select(
            of.c.company, of.c.counts_for, func.sum(of.c.worth).label("total"), func.count().label("entries")
        )
        .group_by(of.c.company, of.c.counts_for, of.c.giver_key)
        .cte("persons")
    )
    faded = persons.c.total * literal(_faded(weights), _FLOAT)
    added = (
        select(
            persons.c.company,
            persons.c.counts_for,
            func.sum(persons.c.total).label("by_itself"),
            func.sum(_held(persons, persons.c.total, weights.person_limit)).label("total"),
            func.sum(_held(persons, faded, weights.person_limit)).label("total_then"),
            func.sum(persons.c.entries).label("entries"),
        )
        .group_by(persons.c.company, persons.c.counts_for)
        .cte("added")
    )
    columns = {"total": added.c.total, "then": added.c.total_then}
    whole = select(
        added,
        *(
            func.sum(column).over(partition_by=added.c.counts_for).label(f"whole_{name}")
            for name, column in columns.items()
        ),
    ).cte("whole")

    def counted(own: Any, of_all: Any) -> ColumnElement[float]:
        alone = _held(whole, own, weights.company_limit)
        beside = _held(whole, of_all - own, weights.company_limit)
        added_to_it = _held(whole, of_all, weights.company_limit) - beside
        return func.sum(case((whole.c.company == ROLES, added_to_it), else_=alone), type_=_FLOAT)

    now = counted(whole.c.total, whole.c.whole_total)
    return (
        select(
            whole.c.company,
            func.sum(whole.c.by_itself).label("by_itself"),
            case((whole.c.company == ROLES, now), else_=func.sum(whole.c.total)).label("total"),
            func.sum(whole.c.entries).label("entries"),
            now.label("counted"),
            counted(whole.c.total_then, whole.c.whole_then).label("then"),
        )
        .group_by(whole.c.company)
        .cte("companies")
    )


def _held(of: CTE, value: ColumnElement[float], limit: float) -> ColumnElement[float]:
    """To a limit; of those who are unknown each is one person of a company of its own."""
    most = literal(limit, _FLOAT)
    return case((or_(of.c.counts_for == keys.UNKNOWN, value < most), value), else_=most)


def _group(row: Any) -> Group:
    return Group(row.company, row.by_itself, row.total, row.counted, row.then, int(row.entries))


def _faded(weights: Weights) -> float:
    return float(2.0 ** (-MONTH.days / weights.half_life_days))


def _days(moment: datetime) -> float:
    return float((moment - EPOCH).total_seconds() / DAY)
