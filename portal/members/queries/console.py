"""People and companies as those see them who confirm members."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select, tuple_

from portal.kernel import paging
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page
from portal.members.models import Company, CompanyDomain, CompanyKind, Member, MemberState

ROWS = 50
MOST_EXPORTED = 50_000
BY_PEOPLE = "people"

# What the list of members can be narrowed to: the words of the address.
CLAIMS, DUTIES, IMPORTED, UNCONFIRMED, HELD_BACK = "claims", "duties", "imported", "unconfirmed", "held-back"
SHOWS = (CLAIMS, DUTIES, IMPORTED, UNCONFIRMED, HELD_BACK)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member with what those may know who confirm members."""

    username: str
    name: str
    email: str
    status: Status
    duties: tuple[str, ...]
    state: MemberState
    suspended_until: datetime | None
    company: str
    company_slug: str
    claim: str
    verified_by: str
    confirmed: bool
    imported: bool
    joined_at: datetime
    seen_at: datetime | None


def claims_waiting() -> int:
    """How many people named a company that nobody has confirmed yet."""
    return db.session.scalar(select(func.count()).select_from(Member).where(*shown(CLAIMS))) or 0


def find_member(username: str) -> tuple[MemberRow, Member]:
    """One member with all that those who confirm members may know. Raises NotFound."""
    row = db.session.execute(
        select(Member, Company.name.label("company"), Company.slug.label("slug"))
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.username == username, Member.state != MemberState.ERASED)
    ).one_or_none()
    if row is None:
        raise NotFound("no such member")
    return _row(row), row.Member


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company in the console's list."""

    slug: str
    name: str
    kind: CompanyKind
    industry: str
    size_band: str
    region: str
    domains: tuple[str, ...]
    members_count: int
    named_in_public: bool


def companies(*, words: str = "", kind: CompanyKind | None = None, sort: str = "", after: str = "") -> Page:
    """A page of companies by name, or those with the most `people` first; CompanyRow rows."""
    query, by_people = _companies(words, kind), sort == BY_PEOPLE
    if by_people and (last_people := paging.decode(after, int, int)) is not None:
        people, number = last_people
        further = and_(Company.members_count == people, Company.id > number)
        query = query.where(or_(Company.members_count < people, further))
    elif not by_people and (last := paging.decode(after, str, int)) is not None:
        query = query.where(tuple_(func.lower(Company.name), Company.id) > last)
    found = list(db.session.execute(query.order_by(*_company_order(sort)).limit(ROWS + 1)).scalars())
    cut = found[:ROWS]
    following = ""
    if len(found) > ROWS:
        last_one = cut[-1]
        following = paging.encode(last_one.members_count if by_people else last_one.name.lower(), last_one.id)
    return Page(rows=_company_rows(cut), next=following)


def all_companies(*, words: str = "", kind: CompanyKind | None = None, sort: str = "") -> list[CompanyRow]:
    """All that fit, for a file. `words` in name or domain."""
    query = _companies(words, kind).order_by(*_company_order(sort)).limit(MOST_EXPORTED)
    found = list(db.session.execute(query).scalars())
    return [row for at in range(0, len(found), 500) for row in _company_rows(found[at : at + 500])]


def _companies(words: str, kind: CompanyKind | None) -> Any:
    query = select(Company).where(Company.kind == kind) if kind else select(Company)
    if not words:
        return query
    lowered = words.lower()[:60]
    of_domain = select(CompanyDomain.company_id).where(
        CompanyDomain.domain.contains(lowered, autoescape=True)
    )
    return query.where(
        or_(func.lower(Company.name).contains(lowered, autoescape=True), Company.id.in_(of_domain))
    )


def _company_order(sort: str) -> list[Any]:
    by_people = [Company.members_count.desc(), Company.id]
    return by_people if sort == BY_PEOPLE else [func.lower(Company.name), Company.id]


def _company_rows(found: list[Company]) -> list[CompanyRow]:
    domains = domains_of([company.id for company in found])
    return [
        CompanyRow(
            slug=company.slug,
            name=company.name,
            kind=company.kind,
            industry=company.industry,
            size_band=company.size_band,
            region=company.region,
            domains=domains.get(company.id, ()),
            members_count=company.members_count,
            named_in_public=company.named_in_public,
        )
        for company in found
    ]


def find_company(slug: str) -> tuple[Company, tuple[str, ...]]:
    """A company and its mail domains. Raises NotFound."""
    company = db.session.execute(select(Company).where(Company.slug == slug)).scalar_one_or_none()
    if company is None:
        raise NotFound("no such company")
    return company, domains_of([company.id]).get(company.id, ())


def domains_of(company_ids: list[int]) -> dict[int, tuple[str, ...]]:
    """The mail domains of these companies, by id."""
    found: dict[int, tuple[str, ...]] = {}
    rows = db.session.execute(
        select(CompanyDomain.company_id, CompanyDomain.domain)
        .where(CompanyDomain.company_id.in_(company_ids))
        .order_by(CompanyDomain.domain)
    )
    for row in rows:
        found[row.company_id] = (*found.get(row.company_id, ()), row.domain)
    return found


def shown(show: str) -> list[ColumnElement[bool]]:
    """SQL about Member: who belongs to a word of the address, one of SHOWS."""
    if show == CLAIMS:
        return [Member.company_claim != "", Member.company_id.is_(None), Member.state == MemberState.ACTIVE]
    if show == DUTIES:
        return [cast(Member.duties, String) != "[]"]
    if show == IMPORTED:
        return [Member.import_source.is_not(None), Member.email_confirmed_at.is_(None)]
    if show == UNCONFIRMED:
        return [Member.import_source.is_(None), Member.email_confirmed_at.is_(None)]
    if show == HELD_BACK:
        return [or_(Member.state == MemberState.BANNED, Member.suspended_until.is_not(None))]
    return []


def _row(row: Any) -> MemberRow:
    member: Member = row.Member
    return MemberRow(
        username=member.username,
        name=member.name,
        email=member.email or "",
        status=member.status,
        duties=tuple(member.duties),
        state=member.state,
        suspended_until=member.suspended_until,
        company=row.company or "",
        company_slug=row.slug or "",
        claim=member.company_claim,
        verified_by=member.verified_by.value if member.verified_by else "",
        confirmed=member.email_confirmed_at is not None,
        imported=member.import_source is not None,
        joined_at=member.created_at,
        seen_at=member.last_seen_at,
    )
