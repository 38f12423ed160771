"""Who can be asked for what a prospect starts, how well each fits, and how much each was asked before.

Nothing here looks at holds, health or stages: those limit only what the vendor asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, Row, Select, exists, false, func, literal, null, or_, select, true

from portal.kernel import clock
from portal.kernel.access import CUSTOMERS
from portal.kernel.db import db
from portal.matching.choice import Candidate
from portal.matching.criteria import Criteria, Fit, Traits, fits_of
from portal.matching.models import ANSWER_REQUESTS_PER_MONTH, Availability, Exposure, Kind, Shown
from portal.matching.queries.loads import (
    REST,
    conversations_by_member,
    exposures_by_member,
    limit_in_force,
)
from portal.members.models import Company, Member, MemberProduct, MemberState, VerifiedBy
from portal.members.visibility import NOBODY, shows

SHARED_HOURS = 2
DAY_BEGINS, DAY_ENDS = 9, 17  # working hours in anybody's own zone


@dataclass(frozen=True)
class Gate:
    """A named condition over Member, Company and Availability, as SQL."""

    name: str
    sql: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Somebody who can be asked: as a candidate for the choice, and how they fit."""

    candidate: Candidate
    fit: Fit


@dataclass(frozen=True)
class _Asker:
    id: int
    company_id: int | None
    competitors: frozenset[int]
    languages: frozenset[str]
    time_zone: str
    by_company_mail: bool


def rank(
    asker_id: int,
    criteria: Criteria,
    *,
    kind: Kind = Kind.CONVERSATION,
    purpose: str = "",
    gates: Sequence[Gate] = (),
    exclude: Sequence[int] = (),
    at: datetime | None = None,
) -> list[Ranked]:
    """Everybody who can be asked, by id. Two statements, whatever the number of members.

    `purpose` is what they would be asked for: who had an answer request for it is left out, and being
    proposed for it before does not count as exposure.
    """
    now = at or clock.now()
    asker = _asker(asker_id)
    if asker is None:
        return []
    query = can_be_asked(kind, now, purpose=purpose).where(
        *_apart_from(asker),
        *_lets_in(asker, kind),
        *(gate.sql for gate in gates),
        Member.id.not_in(exclude),
    )
    day = now.date().isoformat() if kind is Kind.CONVERSATION else ""
    rows = [
        row for row in db.session.execute(_with_traits(query, criteria, asker)) if _suits(asker, row, day)
    ]
    fits = fits_of(criteria, (_traits(row, criteria) for row in rows))
    return [Ranked(_candidate(row, fit), fit) for row, fit in zip(rows, fits, strict=True)]


def is_eligible(
    asker_id: int, member_id: int, *, kind: Kind = Kind.CONVERSATION, at: datetime | None = None
) -> bool:
    """Whether this asker could ask this member now: the same gates as for a proposal."""
    only = Gate("this member", Member.id == member_id)
    return bool(rank(asker_id, Criteria(), kind=kind, gates=(only,), at=at))


def takes_answer_requests(member_id: int) -> bool:
    """Whether the member's standing and choices let them be told of an ask now, whatever they had before."""
    now = clock.now()
    query = _people(select(Member.id)).where(
        Member.id == member_id,
        *verified_customer(now),
        not_paused(now),
        func.coalesce(Availability.answer_requests_open, true()),
    )
    return db.session.execute(query).first() is not None


def lets_in(asker_id: int, member_id: int) -> bool:
    """Whether this member talks with askers who are verified as this one is."""
    asker = _asker(asker_id)
    if asker is None:
        return False
    if asker.by_company_mail:
        return True
    wants = select(Availability.company_address_required).where(Availability.member_id == member_id)
    return not db.session.execute(wants).scalar_one_or_none()


def people_like(member_id: int, count: int) -> list[int]:
    """Customers of other companies most like this member, whether they can be asked or not."""
    asker = _asker(member_id)
    if asker is None:
        return []
    criteria = Criteria.of_member(member_id)
    query = _people(select(Member.id)).where(*verified_customer(clock.now()), *_apart_from(asker))
    rows = [
        row
        for row in db.session.execute(_with_traits(query, criteria, asker))
        if _is_no_competitor(asker, row) and shows(row.visibility, "company", to_members=True)
    ]
    fits = fits_of(criteria, (_traits(row, criteria) for row in rows))
    best = sorted(zip(fits, rows, strict=True), key=lambda pair: (-pair[0].value, pair[1].id))
    return [row.id for _fit, row in best[:count]]


def can_be_asked(kind: Kind, at: datetime, *, purpose: str = "", only: int | None = None) -> Select[Any]:
    """SQL: members whose standing, choices and capacity allow it, each with load, limit, last_at and shown.

    Everything about a member alone, so that it holds under that member's lock too. `only` for one of them.
    """
    query = (
        _for_answer_requests(purpose, at, only)
        if kind is Kind.ANSWER_REQUEST
        else _for_talks(purpose, at, only)
    )
    query = query.where(*verified_customer(at), not_paused(at))
    return query.where(Member.id == only) if only is not None else query


def _for_talks(purpose: str, at: datetime, only: int | None) -> Select[Any]:
    taken = conversations_by_member(at, only)
    shown = exposures_by_member(Shown.PROPOSED, at, purpose=purpose, only=only)
    load = func.coalesce(taken.c.load, 0)
    query = select(
        Member.id,
        load.label("load"),
        limit_in_force().label("limit"),
        taken.c.last_at,
        func.coalesce(shown.c.quarter, 0).label("shown"),
    )
    return (
        _people(query)
        .outerjoin(taken, taken.c.member_id == Member.id)
        .outerjoin(shown, shown.c.member_id == Member.id)
        .where(
            func.coalesce(Availability.conversations_open, true()),
            load < limit_in_force(),
            or_(taken.c.last_held_at.is_(None), taken.c.last_held_at <= at - REST),
        )
    )


def _for_answer_requests(purpose: str, at: datetime, only: int | None) -> Select[Any]:
    had = exposures_by_member(Shown.ANSWER_REQUEST, at, purpose=purpose, only=only)
    limit = func.coalesce(Availability.answer_requests_per_month, ANSWER_REQUESTS_PER_MONTH)
    had_this_one = exists().where(
        Exposure.member_id == Member.id,
        Exposure.kind == Shown.ANSWER_REQUEST,
        Exposure.purpose == purpose,
    )
    query = select(
        Member.id,
        func.coalesce(had.c.quarter, 0).label("load"),
        limit.label("limit"),
        had.c.last_at,
        literal(0).label("shown"),
    )
    return (
        _people(query)
        .outerjoin(had, had.c.member_id == Member.id)
        .where(
            func.coalesce(Availability.answer_requests_open, true()),
            func.coalesce(had.c.month, 0) < limit,
            ~had_this_one,
        )
    )


def _people(query: Select[Any]) -> Select[Any]:
    return (
        query.select_from(Member)
        .outerjoin(Company, Company.id == Member.company_id)
        .outerjoin(Availability, Availability.member_id == Member.id)
        .order_by(Member.id)
    )


def verified_customer(at: datetime) -> list[ColumnElement[bool]]:
    """SQL: what a member has to be to be asked at all."""
    return [
        Member.status.in_(CUSTOMERS),
        Member.verified_by.is_not(None),
        Member.email_confirmed_at.is_not(None),
        Member.state == MemberState.ACTIVE,
        or_(Member.suspended_until.is_(None), Member.suspended_until <= at),
    ]


def not_paused(at: datetime) -> ColumnElement[bool]:
    """SQL: who asked to be left alone for a while is. Over Availability, joined outside."""
    return or_(Availability.paused_until.is_(None), Availability.paused_until <= at)


def _apart_from(asker: _Asker) -> list[ColumnElement[bool]]:
    """SQL: somebody else, of another company, and not of one that the asker's company competes with."""
    apart = [Member.id != asker.id]
    barred = asker.competitors | ({asker.company_id} if asker.company_id else set())
    if barred:
        apart.append(or_(Member.company_id.is_(None), Member.company_id.not_in(sorted(barred))))
    return apart


def _lets_in(asker: _Asker, kind: Kind) -> list[ColumnElement[bool]]:
    """SQL: who talks only with people of a company's mail address is proposed to nobody else."""
    if kind is Kind.ANSWER_REQUEST or asker.by_company_mail:
        return []
    return [~func.coalesce(Availability.company_address_required, false())]


def _suits(asker: _Asker, row: Row[Any], day: str) -> bool:
    """What SQL cannot tell on both databases: lists in JSON, and time zones (on a day; "" for no matter)."""
    if not _is_no_competitor(asker, row):
        return False
    if asker.languages and row.languages and asker.languages.isdisjoint(row.languages):
        return False
    return not day or _shared_hours(asker.time_zone, row.time_zone, day) >= SHARED_HOURS


def _is_no_competitor(asker: _Asker, row: Row[Any]) -> bool:
    return asker.company_id is None or asker.company_id not in (row.competitors or ())


@lru_cache(4096)
def _shared_hours(mine: str, theirs: str, day: str) -> float:
    """Working hours that two time zones share on this day: 9 to 17 on both clocks."""
    apart = abs(_offset(mine, day) - _offset(theirs, day)) % 24
    return max(0.0, DAY_ENDS - DAY_BEGINS - min(apart, 24 - apart))


def _offset(zone: str, day: str) -> float:
    """Hours ahead of UTC at noon of a day; 0 for a zone that is not known here."""
    try:
        noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return 0.0
    offset = noon.utcoffset()
    return offset.total_seconds() / 3600 if offset else 0.0


def _asker(member_id: int) -> _Asker | None:
    row = db.session.execute(
        select(Member.company_id, Member.languages, Member.time_zone, Member.verified_by, Company.competitors)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.id == member_id)
    ).one_or_none()
    if row is None:
        return None
    return _Asker(
        member_id,
        row.company_id,
        frozenset(row.competitors or ()),
        frozenset(row.languages),
        row.time_zone,
        row.verified_by is VerifiedBy.MAIL,
    )


def _with_traits(query: Select[Any], criteria: Criteria, asker: _Asker) -> Select[Any]:
    """The columns that this asker and these criteria need, and no others: 2,000 rows are read at once."""
    stated = criteria.stated
    query = query.add_columns(Member.languages, Member.time_zone)
    columns: dict[str, Any] = {
        "competitors": Company.competitors if asker.company_id else None,
        "visibility": Member.visibility,
        "industry": Company.industry,
        "size_band": Company.size_band,
        "company_region": Company.region,
        "region": Member.region,
        "role_level": Member.role_level,
        "use_cases": Member.use_cases if "use_case" in stated else None,
        "topics": Member.topics if "use_case" in stated else None,
        "replaced": Member.replaced if "replacing" in stated else None,
        "uses": None,
        "uses_any": None,
    }
    if "products" in stated:
        theirs = exists().where(MemberProduct.member_id == Member.id)
        columns["uses"] = theirs.where(MemberProduct.product_id.in_(criteria.product_ids))
        columns["uses_any"] = theirs
    return query.add_columns(
        *((null() if column is None else column).label(name) for name, column in columns.items())
    )


def _traits(row: Row[Any], criteria: Criteria) -> Traits:
    """What a row tells of a person, without what they show to nobody."""
    chosen = row.visibility or {}
    hidden = {name for name, choice in chosen.items() if choice == NOBODY}
    of_company = "company" not in hidden
    regions = {row.company_region if of_company else "", row.region if "region" not in hidden else ""} - {
        "",
        None,
    }
    used: frozenset[int] = frozenset()
    if row.uses_any and "products" not in hidden:
        used = frozenset(criteria.product_ids) if row.uses else frozenset({0})
    use_cases = [] if "use_cases" in hidden else row.use_cases or []
    topics = [] if "topics" in hidden else row.topics or []
    return Traits(
        industry=(row.industry or "") if of_company else "",
        size_band=(row.size_band or "") if of_company else "",
        regions=tuple(sorted(regions)),
        product_ids=used,
        use_cases=(*use_cases, *topics),
        role_level=row.role_level if "title" not in hidden else None,
        replaced="" if "replaced" in hidden else row.replaced or "",
    )


def _candidate(row: Row[Any], fit: Fit) -> Candidate:
    return Candidate(row.id, fit.value, row.load, row.limit, row.last_at, row.shown)
