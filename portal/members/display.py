"""A person as one line: what stands beside a name, as far as the reader may know it.

Everything comes from the columns of one row (`PERSON`), so lists and pages need no statement of their own.
Being named to outsiders is the company's permission; until it is given they read what kind of company it is.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, literal, true

from portal.kernel import clock, site
from portal.kernel.access import Duty, Permission, Status, Viewer
from portal.members import lists
from portal.members.models import Company, Member, MemberState, RoleLevel
from portal.members.visibility import shows

ROLE_WORDS = {
    RoleLevel.EXECUTIVE: "Executive",
    RoleLevel.MANAGER: "Manager",
    RoleLevel.LEAD: "Lead",
    RoleLevel.PRACTITIONER: "Practitioner",
}


class Reader(StrEnum):
    """Who reads a line about a person. Kept texts differ by this, and by nothing else of the viewer."""

    VISITOR = "visitor"
    PROSPECT = "prospect"
    INSIDER = "insider"  # customers, former customers and the vendor's people
    SELLER = "seller"  # sales and service: prospects stay without a name to them


def reader_of(viewer: Viewer) -> Reader:
    """How much of a person this viewer may know; an unconfirmed account as much as a visitor."""
    if not viewer.may(Permission.READ):
        return Reader.VISITOR
    if viewer.duties & {Duty.SALES, Duty.SERVICE}:
        return Reader.SELLER
    return Reader.PROSPECT if viewer.status is Status.PROSPECT else Reader.INSIDER


_MEMBER: tuple[ColumnElement[Any], ...] = (
    Member.name.label("person_name"),
    Member.username.label("person_username"),
    Member.picture.label("person_picture"),
    Member.title.label("person_title"),
    Member.status.label("person_status"),
    Member.state.label("person_state"),
    Member.verified_by.label("person_verified_by"),
    Member.visibility.label("person_visibility"),
    Member.role_level.label("person_role_level"),
    Member.region.label("person_region"),
    Company.name.label("company_name"),
    Company.slug.label("company_slug"),
    Company.industry.label("company_industry"),
    Company.size_band.label("company_size"),
    Company.region.label("company_region"),
    Company.named_in_public.label("company_named"),
    Company.named_until.label("company_named_until"),
)


def person_columns(as_role: ColumnElement[bool]) -> tuple[ColumnElement[Any], ...]:
    """The columns that `person_line` reads. `as_role`: SQL, whether this person stands here without a name,
    as role, industry, size and country."""
    return (*_MEMBER, as_role.label("person_as_role"))


# Of people for themselves. Where somebody stands as an author, `discussions.authors` has the columns.
PERSON = person_columns(literal(False))


def with_person(query: Any, member_id: Any) -> Any:
    """Join the member with this id, and their company, so that `PERSON` can be selected.

    An outer join although everybody is there: it keeps SQLite from beginning a list with the members.
    """
    return query.outerjoin(Member, Member.id == member_id).outerjoin(Company, Company.id == Member.company_id)


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Who speaks. `company` is its name, or "Manufacturer, 500–999 people, Germany"."""

    name: str
    username: str = ""  # "" where there is no page
    picture_url: str = ""
    title: str = ""
    company: str = ""
    company_slug: str = ""  # "" where the company has no page for this reader
    verified_by: str = ""  # mail, moderator, imported
    vendor_name: str = ""  # set for people of the vendor
    former: bool = False
    as_role: bool = False  # chose to appear without a name here

    @property
    def url(self) -> str:
        return f"/members/{self.username}" if self.username else ""

    @property
    def byline(self) -> str:
        """ "Ines Okafor, Castellan Foods": for feeds and structured data."""
        where = self.vendor_name or self.company
        return f"{self.name}, {where}" if where else self.name


def person_line(row: Any, reader: Reader, *, by_vendor: bool = False) -> PersonLine:
    """The line out of a row with `person_columns`. `by_vendor`: spoke for the vendor at that time.

    The one place that decides whether a name is shown: who appears as a role here is one to every reader,
    and prospects are to sales and service.
    """
    if row.person_state is MemberState.ERASED:
        return PersonLine(name=row.person_name)
    if is_masked(row, reader):
        return _masked_line(row)
    chosen, to_members = row.person_visibility or {}, reader is not Reader.VISITOR

    def shown(field: str) -> bool:
        return shows(chosen, field, to_members=to_members)

    is_vendor = by_vendor or row.person_status is Status.VENDOR
    company = company_slug = ""
    if row.company_name and not is_vendor and shown("company"):
        company, company_slug = company_label(row, reader)
    return PersonLine(
        name=row.person_name,
        username=row.person_username,
        picture_url=f"/uploads/{row.person_picture}" if row.person_picture and shown("picture") else "",
        title=row.person_title if shown("title") else "",
        company=company,
        company_slug=company_slug,
        verified_by=row.person_verified_by.value if row.person_verified_by else "",
        vendor_name=(site.current().vendor_name or site.current().name) if is_vendor else "",
        former=row.person_status is Status.FORMER,
    )


def company_label(row: Any, reader: Reader, today: date | None = None) -> tuple[str, str]:
    """(name, slug) of the company for those who may know it, else (what kind of company it is, "")."""
    named_until = row.company_named_until
    named = row.company_named and (named_until is None or named_until >= (today or clock.now().date()))
    if reader in (Reader.INSIDER, Reader.SELLER) or named:
        return row.company_name, row.company_slug
    return company_kind(row.company_industry or "", row.company_size or "", row.company_region or ""), ""


def company_kind(industry: str, size_band: str, region: str) -> str:
    """ "Manufacturer, 500–999 people, Germany": a company without its name."""
    return _company_kind(industry, size_band, region, site.current().version)


@lru_cache(4096)
def _company_kind(industry: str, size_band: str, region: str, _site_version: int) -> str:
    parts = [lists.noun(lists.INDUSTRIES, industry), lists.noun(lists.SIZES, size_band)]
    return ", ".join(part for part in [*parts, lists.country_name(region)] if part)


def shown_to_everyone(visibility: dict[str, Any], field: str) -> bool:
    """Whether a member shows this field of the profile to visitors too."""
    return shows(visibility, field, to_members=False)


def is_masked(row: Any, reader: Reader) -> bool:
    """Whether this person is shown to this reader without name, picture and page."""
    return row.person_as_role or (reader is Reader.SELLER and row.person_status is Status.PROSPECT)


def not_masked(reader: Reader) -> ColumnElement[bool]:
    """SQL: this reader may know the member of the row by name."""
    return Member.status != Status.PROSPECT if reader is Reader.SELLER else true()


def _masked_line(row: Any) -> PersonLine:
    """Role, industry, size and country, and how the person was verified: nothing that names anybody."""
    if row.company_name:
        kind = company_kind(row.company_industry or "", row.company_size or "", row.company_region or "")
    else:
        kind = lists.country_name(row.person_region)
    return PersonLine(
        name=_role_of(row),
        company=kind,
        verified_by=row.person_verified_by.value if row.person_verified_by else "",
        former=row.person_status is Status.FORMER,
        as_role=row.person_as_role,
    )


def _role_of(row: Any) -> str:
    """The title, unless it is hidden or gives away the person or the company; else the level of the role."""
    title = row.person_title if shows(row.person_visibility or {}, "title", to_members=False) else ""
    names = f"{row.person_name} {row.person_username} {row.company_name or ''}"
    telling = {word for word in _words(names) if len(word) > 2}
    if title and not telling & set(_words(title)):
        return title
    other = "A prospect" if row.person_status is Status.PROSPECT else "A customer"
    return ROLE_WORDS.get(row.person_role_level, other)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
