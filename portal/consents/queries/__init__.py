"""Reads of consents: in force, ending soon, and a member's own."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, select

from portal.consents.models import Activity, CompanyConsent, Consent
from portal.kernel import clock
from portal.kernel.access import CUSTOMERS
from portal.kernel.db import db
from portal.members.models import Company, Member

SOON = timedelta(days=14)


def is_in_force(at: datetime | None = None) -> ColumnElement[bool]:
    """SQL about Consent: it holds at the moment."""
    return and_(Consent.ended_at.is_(None), Consent.expires_at > (at or clock.now()))


def has_consent(activity: Activity | None = None, at: datetime | None = None) -> ColumnElement[bool]:
    """SQL about Member: agreed to this activity (or to any), and it holds."""
    which = [Consent.activity == activity] if activity else []
    return exists().where(Consent.member_id == Member.id, is_in_force(at), *which)


def in_force(member_ids: Collection[int]) -> dict[int, list[Consent]]:
    """The consents of these members that hold now, in the order of activities."""
    rows = db.session.execute(
        select(Consent)
        .where(Consent.member_id.in_(member_ids), is_in_force())
        .order_by(Consent.member_id, Consent.activity)
    ).scalars()
    found: dict[int, list[Consent]] = defaultdict(list)
    for row in rows:
        found[row.member_id].append(row)
    return found


def history(member_id: int) -> list[Consent]:
    """Every consent a member ever gave, newest first."""
    return list(
        db.session.execute(
            select(Consent).where(Consent.member_id == member_id).order_by(Consent.id.desc()).limit(100)
        ).scalars()
    )


def held_on(member_id: int, days: Collection[tuple[Activity, date]]) -> set[tuple[Activity, date]]:
    """For which of these activities and days (UTC) a consent of the member held at some time of the day."""
    if not days:
        return set()
    rows = db.session.execute(
        select(Consent.activity, Consent.given_at, Consent.expires_at, Consent.ended_at).where(
            Consent.member_id == member_id,
            Consent.activity.in_({activity for activity, _day in days}),
        )
    ).all()
    return {
        (activity, day)
        for activity, day in days
        for row in rows
        if row.activity is activity
        and row.given_at.date() <= day <= min(row.expires_at, row.ended_at or row.expires_at).date()
    }


@dataclass(frozen=True, slots=True)
class Ending:
    """A consent that ends soon."""

    member_id: int
    name: str
    username: str
    company: str
    activity: Activity
    expires_at: datetime
    is_customer: bool  # now, or formerly: others have no page as a candidate


def ending_soon(most: int | None = 50) -> list[Ending]:
    """Consents in force that end within two weeks, the soonest first."""
    rows = db.session.execute(
        select(
            Consent.member_id,
            Member.name,
            Member.username,
            Company.name.label("company"),
            Consent.activity,
            Consent.expires_at,
            Member.status.in_(CUSTOMERS).label("is_customer"),
        )
        .join(Member, Member.id == Consent.member_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(_ends_soon())
        .order_by(Consent.expires_at, Consent.id)
        .limit(most)
    )
    return [
        Ending(
            row.member_id,
            row.name,
            row.username,
            row.company or "",
            row.activity,
            row.expires_at,
            bool(row.is_customer),
        )
        for row in rows
    ]


def ending_soon_count() -> int:
    """How many they are."""
    return db.session.execute(select(func.count()).select_from(Consent).where(_ends_soon())).scalar_one()


def _ends_soon() -> ColumnElement[bool]:
    now = clock.now()
    return and_(is_in_force(now), Consent.expires_at <= now + SOON)


@dataclass(frozen=True, slots=True)
class AgreementEnding:
    """An agreement of a company that ends soon; `expires_on` is its last day."""

    company: str
    slug: str
    activity: Activity
    given_by: str
    expires_on: date


def agreements_ending_soon(most: int | None = 50) -> list[AgreementEnding]:
    """Agreements of companies in force that end within two weeks, the soonest first."""
    rows = db.session.execute(
        select(
            Company.name,
            Company.slug,
            CompanyConsent.activity,
            CompanyConsent.given_by,
            CompanyConsent.expires_on,
        )
        .join(Company, Company.id == CompanyConsent.company_id)
        .where(_agreement_ends_soon())
        .order_by(CompanyConsent.expires_on, CompanyConsent.id)
        .limit(most)
    )
    return [AgreementEnding(row.name, row.slug, row.activity, row.given_by, row.expires_on) for row in rows]


def agreements_ending_soon_count() -> int:
    """How many they are."""
    return db.session.execute(
        select(func.count()).select_from(CompanyConsent).where(_agreement_ends_soon())
    ).scalar_one()


def _agreement_ends_soon() -> ColumnElement[bool]:
    today = clock.now().date()
    return and_(
        CompanyConsent.ended_at.is_(None),
        CompanyConsent.expires_on >= today,
        CompanyConsent.expires_on <= today + SOON,
    )


def history_of_company(company_id: int) -> list[CompanyConsent]:
    """Every agreement of a company, newest first."""
    return list(
        db.session.execute(
            select(CompanyConsent)
            .where(CompanyConsent.company_id == company_id)
            .order_by(CompanyConsent.id.desc())
            .limit(100)
        ).scalars()
    )


def of_company(company_id: int | None, today: date | None = None) -> list[CompanyConsent]:
    """What the company agreed to and holds now."""
    if company_id is None:
        return []
    return list(
        db.session.execute(
            select(CompanyConsent)
            .where(
                CompanyConsent.company_id == company_id,
                CompanyConsent.ended_at.is_(None),
                CompanyConsent.expires_on >= (today or clock.now().date()),
            )
            .order_by(CompanyConsent.activity, CompanyConsent.id)
        ).scalars()
    )
