"""Customers' companies as sales and service see them: the list, and the history of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members.models import Company, CompanyDomain, CompanyKind, Member
from portal.relations.models import CompanyHealth, Escalation, Health, Measure, Satisfaction
from portal.relations.queries.known import Relations, is_old, relations_of
from portal.relations.queries.predicates import (
    approachable,
    has_health,
    has_open_escalation,
    is_held,
    is_known,
    is_red,
)

ROWS, MOST_PAGES, MOST_EXPORTED = 50, 50, 20_000
HELD, RED, AMBER, GREEN, UNKNOWN, ESCALATED, FREE = (
    "held", "red", "amber", "green", "unknown", "escalated", "free",
)  # fmt: skip
SHOWS = (HELD, RED, AMBER, GREEN, UNKNOWN, ESCALATED, FREE)
SORTS = ("", "health", "survey")
HISTORY = 100


@dataclass(frozen=True, slots=True)
class CompanyLine:
    """A customer's company with what is known of it now."""

    id: int
    slug: str
    name: str
    former: bool
    industry: str
    size_band: str
    region: str
    known: Relations


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to; "" is every company."""

    show: str = ""
    words: str = ""
    sort: str = ""
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        return bool(self.show or self.words)


def companies(wanted: Wanted) -> tuple[list[CompanyLine], int, bool]:
    """(the page, how many fit, whether more follow): a number of statements that does not grow."""
    query = _fitting(wanted)
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    start = (wanted.page - 1) * ROWS
    rows = db.session.execute(query.offset(start).limit(ROWS)).scalars().all()
    return _lines(rows), total, total > start + len(rows) and wanted.page < MOST_PAGES


def every_company(wanted: Wanted) -> Iterator[CompanyLine]:
    """All that fit, for a file."""
    found = db.session.execute(_fitting(wanted).limit(MOST_EXPORTED)).scalars().all()
    for start in range(0, len(found), 500):
        yield from _lines(found[start : start + 500])


def companies_to_hold() -> list[tuple[str, str]]:
    """Slug and name of every company that can be put on hold, by name."""
    rows = db.session.execute(
        select(Company.slug, Company.name).where(is_known()).order_by(func.lower(Company.name), Company.id)
    )
    return [(row.slug, row.name) for row in rows]


def find_known_company(slug: str) -> Company:
    """A company that is or was a customer. Raises NotFound."""
    company = db.session.execute(select(Company).where(Company.slug == slug, is_known())).scalar_one_or_none()
    if company is None:
        raise NotFound("no such company")
    return company


def _fitting(wanted: Wanted) -> Select[Any]:
    query = select(Company).where(is_known(), *shown(wanted.show))
    if wanted.words:
        lowered = wanted.words.lower()[:60]
        of_domain = select(CompanyDomain.company_id).where(
            CompanyDomain.domain.contains(lowered, autoescape=True)
        )
        name = func.lower(Company.name).contains(lowered, autoescape=True)
        query = query.where(or_(name, Company.id.in_(of_domain)))
    by_name = (func.lower(Company.name), Company.id)
    if wanted.sort == "health":
        worst = case((is_red(), 0), (has_health(Health.AMBER), 1), (has_health(Health.GREEN), 2), else_=3)
        return query.order_by(worst, *by_name)
    if wanted.sort == "survey":
        last = select(func.max(Satisfaction.surveyed_on)).where(Satisfaction.company_id == Company.id)
        return query.order_by(func.coalesce(last.scalar_subquery(), date(1970, 1, 1)), *by_name)
    return query.order_by(*by_name)


def shown(show: str) -> list[ColumnElement[bool]]:
    """SQL about Company: what the word `show` of an address narrows a list to; nothing for any other word."""
    match show:
        case "held":
            return [is_held()]
        case "escalated":
            return [has_open_escalation()]
        case "free":
            return [approachable()]
        case "unknown":
            return [~exists().where(CompanyHealth.company_id == Company.id)]
        case "red" | "amber" | "green":
            return [has_health(Health(show))]
        case _:
            return []


def _lines(found: Any) -> list[CompanyLine]:
    known = relations_of([company.id for company in found])
    return [
        CompanyLine(
            id=company.id,
            slug=company.slug,
            name=company.name,
            former=company.kind is CompanyKind.FORMER,
            industry=company.industry,
            size_band=company.size_band,
            region=company.region,
            known=known[company.id],
        )
        for company in found
    ]


@dataclass(frozen=True, slots=True)
class HealthLine:
    """What was said of a company's health, by whom."""

    health: Health
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EscalationLine:
    """An escalation, open or closed."""

    id: int
    what: str
    by: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str
    outcome: str
    version: int


@dataclass(frozen=True, slots=True)
class SurveyLine:
    """A survey as it was entered."""

    id: int
    measure: Measure
    value: int
    sample: int
    surveyed_on: date
    source: str
    by: str
    at: datetime

    @property
    def is_old(self) -> bool:
        return is_old(self.surveyed_on)


def health_history(company_id: int) -> list[HealthLine]:
    """What was said of its health, the latest first, at most 100."""
    rows = db.session.execute(
        select(CompanyHealth, Member.name)
        .outerjoin(Member, Member.id == CompanyHealth.set_by_id)
        .where(CompanyHealth.company_id == company_id)
        .order_by(CompanyHealth.id.desc())
        .limit(HISTORY)
    )
    return [HealthLine(row.health, row.reason, by or "", row.at) for row, by in rows]


def escalations_of(company_id: int) -> list[EscalationLine]:
    """Its escalations, open ones first, then the latest closed, at most 100."""
    closer = aliased(Member)
    rows = db.session.execute(
        select(Escalation, Member.name, closer.name)
        .outerjoin(Member, Member.id == Escalation.opened_by_id)
        .outerjoin(closer, closer.id == Escalation.closed_by_id)
        .where(Escalation.company_id == company_id)
        .order_by(Escalation.closed_at.is_not(None), Escalation.id.desc())
        .limit(HISTORY)
    )
    return [
        EscalationLine(
            row.id,
            row.what,
            by or "",
            row.opened_at,
            row.closed_at,
            closed_by or "",
            row.outcome,
            row.version,
        )
        for row, by, closed_by in rows
    ]


def surveys_of(company_id: int) -> list[SurveyLine]:
    """What surveys gave, the latest first, at most 100."""
    rows = db.session.execute(
        select(Satisfaction, Member.name)
        .outerjoin(Member, Member.id == Satisfaction.entered_by_id)
        .where(Satisfaction.company_id == company_id)
        .order_by(Satisfaction.surveyed_on.desc(), Satisfaction.id.desc())
        .limit(HISTORY)
    )
    return [
        SurveyLine(row.id, row.measure, row.value, row.sample, row.surveyed_on, row.source, by or "", row.at)
        for row, by in rows
    ]


def find_survey(company_id: int, measure: Measure, surveyed_on: date, source: str) -> Satisfaction | None:
    """What was entered of this survey, if anything: one a measure, day and source."""
    return db.session.execute(
        select(Satisfaction).where(
            Satisfaction.company_id == company_id,
            Satisfaction.measure == measure,
            Satisfaction.surveyed_on == surveyed_on,
            Satisfaction.source == source,
        )
    ).scalar_one_or_none()
