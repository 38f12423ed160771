"""A person as one line: what stands beside a name, as far as the reader may know it.

Everything comes from the columns of one row (`PERSON`), so lists and pages need no statement of their own.
Being named to outsiders is the company's permission; until it is given they read what kind of company it is.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

import pycountry
from sqlalchemy import ColumnElement

from portal.kernel import clock, site
from portal.kernel.access import Permission, Status, Viewer
from portal.members.models import Company, Member, MemberState


class Reader(StrEnum):
    """Who reads a line about a person. Kept texts differ by this, and by nothing else of the viewer."""

    VISITOR = "visitor"
    PROSPECT = "prospect"
    INSIDER = "insider"  # customers, former customers and the vendor's people


def reader_of(viewer: Viewer) -> Reader:
    """How much of a person this viewer may know; an unconfirmed account as much as a visitor."""
    if not viewer.may(Permission.READ):
        return Reader.VISITOR
    return Reader.PROSPECT if viewer.status is Status.PROSPECT else Reader.INSIDER


PERSON: tuple[ColumnElement[Any], ...] = (
    Member.name.label("person_name"),
    Member.username.label("person_username"),
    Member.picture.label("person_picture"),
    Member.title.label("person_title"),
    Member.status.label("person_status"),
    Member.state.label("person_state"),
    Member.verified_by.label("person_verified_by"),
    Member.visibility.label("person_visibility"),
    Company.name.label("company_name"),
    Company.slug.label("company_slug"),
    Company.industry.label("company_industry"),
    Company.size_band.label("company_size"),
    Company.region.label("company_region"),
    Company.named_in_public.label("company_named"),
    Company.named_until.label("company_named_until"),
)


def with_person(query: Any, member_id: Any) -> Any:
    """Join the member with this id, and their company, so that `PERSON` can be selected."""
    return query.join(Member, Member.id == member_id).outerjoin(Company, Company.id == Member.company_id)


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

    @property
    def url(self) -> str:
        return f"/members/{self.username}" if self.username else ""

    @property
    def byline(self) -> str:
        """ "Ines Okafor, Castellan Foods": for feeds and structured data."""
        where = self.vendor_name or self.company
        return f"{self.name}, {where}" if where else self.name


def person_line(row: Any, reader: Reader, *, by_vendor: bool = False) -> PersonLine:
    """The line out of a row with the columns of `PERSON`. `by_vendor`: spoke for the vendor at that time."""
    if row.person_state is MemberState.ERASED:
        return PersonLine(name=row.person_name)
    shown = _shown_to(reader, row.person_visibility or {})
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
    if reader is Reader.INSIDER or named:
        return row.company_name, row.company_slug
    return company_kind(row.company_industry or "", row.company_size or "", row.company_region or ""), ""


@lru_cache(4096)
def company_kind(industry: str, size_band: str, region: str) -> str:
    """ "Manufacturer, 500–999 people, Germany": a company without its name."""
    parts = [industry_label(industry), size_label(size_band), country_name(region)]
    return ", ".join(part for part in parts if part)


_INDUSTRIES = {
    "11": "Farming, forestry or fishing company",
    "21": "Mining or extraction company",
    "22": "Utility",
    "23": "Construction company",
    "31-33": "Manufacturer",
    "42": "Wholesaler",
    "44-45": "Retailer",
    "48-49": "Transport or logistics company",
    "51": "Information or media company",
    "52": "Bank or insurer",
    "53": "Real estate company",
    "54": "Professional services firm",
    "55": "Holding company",
    "56": "Business services company",
    "61": "School or university",
    "62": "Health or care provider",
    "71": "Arts or leisure organisation",
    "72": "Hotel or restaurant company",
    "81": "Other services company",
    "92": "Public administration",
}


def industry_label(code: str) -> str:
    """The company by its NAICS sector: "Manufacturer" for "31-33"; "" for one that is not known."""
    return _INDUSTRIES.get(code, "")


def size_label(size_band: str) -> str:
    """ "500–999 people" for "500-999", "5,000+ people" for "5000+"."""
    if not size_band:
        return ""
    low, dash, high = size_band.partition("-")
    plus = "+" if low.endswith("+") else ""
    low = low.removesuffix("+")
    if not low.isdigit() or (dash and not high.isdigit()):
        return ""
    return f"{int(low):,}–{int(high):,} people" if dash else f"{int(low):,}{plus} people"


@lru_cache(512)
def country_name(code: str) -> str:
    """The name by which a country is known, for its ISO 3166 code; "" for one that is not known."""
    country = pycountry.countries.get(alpha_2=code.upper()) if code else None
    if country is None:
        return ""
    return str(getattr(country, "common_name", country.name)).partition(",")[0]


def shown_to_everyone(visibility: dict[str, Any], field: str) -> bool:
    """Whether a member shows this field of the profile to visitors too."""
    return _shown_to(Reader.VISITOR, visibility)(field)


def _shown_to(reader: Reader, visibility: dict[str, Any]) -> Any:
    hidden = {"nobody"} if reader is not Reader.VISITOR else {"nobody", "members"}
    return lambda field: visibility.get(field, "everyone") not in hidden
