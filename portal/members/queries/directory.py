"""The directory, one person's page, one company's page: as far as the reader may know."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_

from portal.kernel import clock, page_cache, paging, site
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page
from portal.members import lists
from portal.members.display import (
    PERSON,
    PersonLine,
    Reader,
    company_kind,
    is_masked,
    not_masked,
    person_line,
    reader_of,
)
from portal.members.models import (
    Company,
    CompanyKind,
    Member,
    MemberProduct,
    MemberState,
    Product,
    RoleLevel,
)
from portal.members.names import sort_key
from portal.members.visibility import EVERYONE, FIELDS, NOBODY, shows

ROWS = 30
COUNTED = 1000


@dataclass(frozen=True)
class Wanted:
    """What the directory is narrowed to; every value comes from the address. "" is everybody."""

    name: str = ""
    status: Status | None = None
    industry: str = ""
    size: str = ""
    region: str = ""
    product: int | None = None

    @property
    def is_set(self) -> bool:
        return self != Wanted()

    def but(self, **changes: Any) -> "Wanted":
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class DirectoryLine:
    """A person in the directory, and what they may be asked about."""

    person: PersonLine
    topics: tuple[str, ...]


def directory(viewer: Viewer, wanted: Wanted, *, after: str = "", before: str = "") -> Page:
    """A page of the people who match, by name. DirectoryLine rows. Raises NotFound for a made-up cursor.

    Sales and service find no prospects here: neither by name nor by their place in the order of names.
    """
    reader = reader_of(viewer)
    query = _narrowed(_people(reader), wanted)
    return _by_name(query, lambda row: _directory_line(row, reader), after, before)


def lines_of(viewer: Viewer, member_ids: list[int]) -> list[DirectoryLine]:
    """These people in the order given, as far as this reader finds them in the directory."""
    reader = reader_of(viewer)
    rows = db.session.execute(_people(reader).where(Member.id.in_(member_ids)))
    found = {row.id: _directory_line(row, reader) for row in rows}
    return [found[member_id] for member_id in member_ids if member_id in found]


def how_many(viewer: Viewer, wanted: Wanted) -> int:
    """How many people match, counted up to 1,000."""
    found = _narrowed(_people(reader_of(viewer)), wanted).with_only_columns(Member.id).limit(COUNTED)
    return db.session.scalar(select(func.count()).select_from(found.subquery())) or 0


_regions: page_cache.Recent[list[lists.Item]] = page_cache.Recent(8, 600)


def regions_in_use() -> list[lists.Item]:
    """The countries that people or companies of the directory say they are in, in the order of the list.

    Looked up every ten minutes at most, since everybody has to be looked at.
    """
    return _regions.get((id(db.engine), site.current().version), _find_regions)


def _find_regions() -> list[lists.Item]:
    of_people = select(Member.region).where(Member.region != "", _field_open("region")).distinct()
    of_companies = select(Company.region).where(Company.region != "").distinct()
    codes = set(db.session.execute(of_people.union(of_companies)).scalars())
    return [item for item in lists.entries(lists.REGIONS, retired=True) if item.code in codes]


def products() -> list[Any]:
    """Products on offer, in order: id and name."""
    return list(
        db.session.execute(
            select(Product.id, Product.name)
            .where(Product.retired.is_(False))
            .order_by(Product.position, Product.name)
        ).all()
    )


@dataclass(frozen=True)
class MemberPage:
    """A person's page as this reader sees it; what is not shown to them is empty."""

    id: int
    person: PersonLine
    is_closed: bool  # banned: no profile is shown
    is_own: bool
    version: int
    joined_at: Any
    imported_from: str
    role: RoleLevel | None
    region: str
    time_zone: str
    languages: tuple[str, ...]
    products: tuple[tuple[str, str], ...]
    use_cases: tuple[str, ...]
    replaced: str
    topics: tuple[str, ...]
    about_html: str
    shows_contributions: bool
    claim: str  # of a company, for those who confirm members


def find_visible_member(viewer: Viewer, username: str) -> MemberPage:
    """The page of a person. Raises NotFound where there is none for this reader.

    To sales and service a prospect has no page; an erased account has none for anybody.
    """
    reader = reader_of(viewer)
    row = db.session.execute(
        select(
            *PERSON,
            Member.id,
            Member.version,
            Member.created_at,
            Member.import_source,
            Member.email_confirmed_at,
            Member.time_zone,
            Member.languages,
            Member.use_cases,
            Member.replaced,
            Member.topics,
            Member.about_html,
            Member.company_claim,
        )
        .select_from(Member)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.username == username.lower(), Member.state != MemberState.ERASED)
    ).one_or_none()
    if row is None or is_masked(row, reader):
        raise NotFound("no such member")
    closed = row.person_state is MemberState.BANNED
    own = viewer.member_id == row.id
    chosen = row.person_visibility or {}

    def shown(field: str) -> bool:
        return not closed and shows(chosen, field, to_members=reader is not Reader.VISITOR)

    return MemberPage(
        id=row.id,
        person=person_line(row, reader),
        is_closed=closed,
        is_own=own,
        version=row.version,
        joined_at=row.created_at,
        imported_from=(row.import_source or "") if row.email_confirmed_at is None else "",
        role=row.person_role_level if shown("title") else None,
        region=lists.country_name(row.person_region) if shown("region") else "",
        time_zone=row.time_zone if shown("region") and row.person_region else "",
        languages=tuple(lists.label(lists.LANGUAGES, code) for code in row.languages)
        if shown("languages")
        else (),
        products=_products_of(row.id) if shown("products") else (),
        use_cases=tuple(row.use_cases) if shown("use_cases") else (),
        replaced=row.replaced if shown("replaced") else "",
        topics=tuple(row.topics) if shown("topics") else (),
        about_html=row.about_html if shown("about") else "",
        shows_contributions=own or closed or shown("contributions"),
        claim=row.company_claim if viewer.may(Permission.CONFIRM_MEMBERS) else "",
    )


@dataclass(frozen=True)
class CompanyPage:
    """A company's page for somebody who may know its name."""

    id: int
    slug: str
    name: str
    kind: CompanyKind
    what: str  # "Manufacturer, 500–999 people, Germany"
    industry: str
    size: str
    region: str
    about: str
    website: str
    is_named: bool  # to outsiders, at present
    version: int


def find_visible_company(viewer: Viewer, slug: str) -> CompanyPage:
    """The page of a company. Raises NotFound for outsiders unless the company is named in public.

    A company that is no customer yet is for its own people, and for those who confirm members.
    """
    company = db.session.execute(select(Company).where(Company.slug == slug.lower())).scalar_one_or_none()
    reader = reader_of(viewer)
    if company is None or not _may_see(viewer, reader, company):
        raise NotFound("no such company")
    return CompanyPage(
        id=company.id,
        slug=company.slug,
        name=company.name,
        kind=company.kind,
        what=company_kind(company.industry, company.size_band, company.region),
        industry=lists.label(lists.INDUSTRIES, company.industry),
        size=lists.label(lists.SIZES, company.size_band),
        region=lists.country_name(company.region),
        about=company.about,
        website=company.website,
        is_named=is_named(company),
        version=company.version,
    )


def people_of_company(viewer: Viewer, company_id: int, *, after: str = "", before: str = "") -> Page:
    """A page of the people who show that they work there, by name. DirectoryLine rows."""
    reader = reader_of(viewer)
    query = _people(reader).where(Member.company_id == company_id, _open_to(reader, "company"))
    return _by_name(query, lambda row: _directory_line(row, reader), after, before)


def authors_of_company(viewer: Viewer, company_id: int) -> Select[Any]:
    """SQL: ids of the people who show this reader that they work there."""
    reader = reader_of(viewer)
    return (
        select(Member.id)
        .where(Member.company_id == company_id, Member.state != MemberState.ERASED)
        .where(_open_to(reader, "company"), _open_to(reader, "contributions"), not_masked(reader))
    )


def is_named(company: Company) -> bool:
    """Whether the company allows being named to outsiders, today."""
    return company.named_in_public and (
        company.named_until is None or company.named_until >= clock.now().date()
    )


def _named() -> ColumnElement[bool]:
    """SQL: what `is_named` says."""
    until = Company.named_until
    return and_(Company.named_in_public, or_(until.is_(None), until >= clock.now().date()))


def named_companies(rows: int) -> list[str]:
    """Slugs of at most `rows` companies that allow being named to outsiders, today."""
    return list(
        db.session.execute(select(Company.slug).where(_named()).order_by(Company.id).limit(rows)).scalars()
    )


def version_of_named_companies() -> tuple[Any, ...]:
    """Changes whenever a company is named to outsiders, or no longer."""
    query = select(func.count(), func.coalesce(func.sum(Company.version), 0)).where(_named())
    return tuple(db.session.execute(query).one())


def _may_see(viewer: Viewer, reader: Reader, company: Company) -> bool:
    if is_named(company) or viewer.company_id == company.id or viewer.may(Permission.CONFIRM_MEMBERS):
        return True
    inside = reader in (Reader.INSIDER, Reader.SELLER)
    return inside and company.kind is not CompanyKind.PROSPECT


def _people(reader: Reader) -> Select[Any]:
    return (
        select(*PERSON, Member.id, Member.sort_name, Member.topics)
        .select_from(Member)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Member.state == MemberState.ACTIVE, Member.email_confirmed_at.is_not(None))
        .where(not_masked(reader))
    )


def _narrowed(query: Select[Any], wanted: Wanted) -> Select[Any]:
    if wanted.name:
        words = sort_key(wanted.name)[:60]
        query = query.where(
            or_(
                Member.sort_name.startswith(words, autoescape=True),
                Member.sort_name.contains(f" {words}", autoescape=True),
            )
        )
    if wanted.status:
        query = query.where(Member.status == wanted.status)
    if wanted.industry:
        query = query.where(Company.industry == wanted.industry, _field_open("company"))
    if wanted.size:
        query = query.where(Company.size_band == wanted.size, _field_open("company"))
    if wanted.region:
        query = query.where(
            or_(
                and_(Company.region == wanted.region, _field_open("company")),
                and_(Member.region == wanted.region, _field_open("region")),
            )
        )
    if wanted.product is not None:
        uses = exists().where(
            MemberProduct.member_id == Member.id, MemberProduct.product_id == wanted.product
        )
        query = query.where(uses, _field_open("products"))
    return query


def _field_open(field: str) -> ColumnElement[bool]:
    """SQL: the member shows this field to members."""
    return func.coalesce(Member.visibility[field].as_string(), FIELDS[field]) != NOBODY


def _open_to(reader: Reader, field: str) -> ColumnElement[bool]:
    return is_shown_to_all(field) if reader is Reader.VISITOR else _field_open(field)


def is_shown_to_all(field: str) -> ColumnElement[bool]:
    """SQL: the member shows this field to outsiders too."""
    return func.coalesce(Member.visibility[field].as_string(), FIELDS[field]) == EVERYONE


def _by_name(query: Select[Any], line: Any, after: str, before: str) -> Page:
    back, forth = paging.decode(before, str, int), paging.decode(after, str, int)
    key = tuple_(Member.sort_name, Member.id)
    if back is not None:
        query = query.where(key < back).order_by(Member.sort_name.desc(), Member.id.desc())
    else:
        query = query.order_by(Member.sort_name, Member.id)
        if forth is not None:
            query = query.where(key > forth)
    found = list(db.session.execute(query.limit(ROWS + 1)).all())
    more = len(found) > ROWS
    found = found[:ROWS]
    if back is not None:
        found.reverse()
    has_previous = (more if back is not None else forth is not None) and bool(found)
    has_next = (back is not None or more) and bool(found)
    return Page(
        rows=[line(row) for row in found],
        next=paging.encode(found[-1].sort_name, found[-1].id) if has_next else "",
        previous=paging.encode(found[0].sort_name, found[0].id) if has_previous else "",
    )


def _directory_line(row: Any, reader: Reader) -> DirectoryLine:
    to_members = reader is not Reader.VISITOR
    open_topics = shows(row.person_visibility or {}, "topics", to_members=to_members)
    return DirectoryLine(person_line(row, reader), tuple(row.topics[:3]) if open_topics else ())


def _products_of(member_id: int) -> tuple[tuple[str, str], ...]:
    rows = db.session.execute(
        select(Product.name, MemberProduct.since)
        .join(Product, Product.id == MemberProduct.product_id)
        .where(MemberProduct.member_id == member_id)
        .order_by(Product.position, Product.name)
    )
    return tuple((row.name, row.since) for row in rows)
