"""Proposed customers as the asker may see them before anybody has accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.kernel.access import Status, Viewer
from portal.kernel.db import db
from portal.matching.models import Availability, Identity
from portal.members.display import (
    PERSON,
    ROLE_WORDS,
    PersonLine,
    Reader,
    company_kind,
    person_line,
    reader_of,
)
from portal.members.models import Company, Member
from portal.members.visibility import shows


@dataclass(frozen=True)
class Card:
    """One proposed customer. By role only, `person` is a role without page, picture and company name."""

    member_id: int
    person: PersonLine
    by_role: bool
    time_zone: str  # "" where the country is not shown
    talk_about: str
    company_address_required: bool


def cards(viewer: Viewer, member_ids: Sequence[int], *, by_role: bool = False) -> dict[int, Card]:
    """Cards by member id, in one statement: each shows as much as that customer allows; `by_role` no name."""
    rows = db.session.execute(
        select(
            Member.id,
            *PERSON,
            Member.time_zone,
            Availability.identity,
            Availability.talk_about,
            Availability.company_address_required,
        )
        .select_from(Member)
        .outerjoin(Company, Company.id == Member.company_id)
        .outerjoin(Availability, Availability.member_id == Member.id)
        .where(Member.id.in_(member_ids))
    )
    reader = reader_of(viewer)
    return {row.id: _card(row, reader, by_role=by_role or row.identity is Identity.ROLE) for row in rows}


def _card(row: Any, reader: Reader, *, by_role: bool) -> Card:
    return Card(
        member_id=row.id,
        person=_by_role(row) if by_role else person_line(row, reader),
        by_role=by_role,
        time_zone=row.time_zone if shows(row.person_visibility or {}, "region", to_members=True) else "",
        talk_about=row.talk_about or "",
        company_address_required=bool(row.company_address_required),
    )


def _by_role(row: Any) -> PersonLine:
    chosen = row.person_visibility or {}
    title = row.person_title if shows(chosen, "title", to_members=True) else ""
    kind = ""
    if shows(chosen, "company", to_members=True):
        kind = company_kind(row.company_industry or "", row.company_size or "", row.company_region or "")
    return PersonLine(
        name=title or ROLE_WORDS.get(row.person_role_level, "A customer"),
        company=kind,
        verified_by=row.person_verified_by.value if row.person_verified_by else "",
        former=row.person_status is Status.FORMER,
    )
