"""What is known of a company now, each fact with who entered it and when."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Member
from portal.relations.models import CompanyHealth, Escalation, Health, Hold, Measure, PlacedAs, Satisfaction
from portal.relations.queries.predicates import is_open

GREY_AFTER = timedelta(days=90)  # a survey older than this is shown in grey


@dataclass(frozen=True, slots=True)
class Entered:
    """Where a fact came from. Without a name: the account is gone."""

    name: str
    username: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A hold in force."""

    id: int
    reason: str
    placed_as: PlacedAs
    expires_at: datetime
    entered: Entered

    @property
    def last_day(self) -> date:
        """The last day it holds."""
        return last_day_of(self.expires_at)


@dataclass(frozen=True, slots=True)
class HealthNow:
    """The latest word of service about the company."""

    health: Health
    reason: str
    entered: Entered


@dataclass(frozen=True, slots=True)
class OpenEscalation:
    """Something that is being put right."""

    id: int
    what: str
    entered: Entered


@dataclass(frozen=True, slots=True)
class Survey:
    """What one survey gave: CSAT in percent, NPS from −100 to 100, of `sample` people."""

    measure: Measure
    value: int
    sample: int
    surveyed_on: date
    source: str
    entered: Entered

    @property
    def is_old(self) -> bool:
        """Older than 90 days: shown in grey."""
        return is_old(self.surveyed_on)


def last_day_of(expires_at: datetime) -> date:
    """The last day of a hold, in UTC: it ends as the next one begins."""
    return (expires_at - timedelta(microseconds=1)).date()


def is_old(surveyed_on: date) -> bool:
    """Whether a survey of this day is shown in grey."""
    return clock.now().date() - surveyed_on > GREY_AFTER


@dataclass(frozen=True, slots=True)
class Relations:
    """What is known of one company now. Nothing known: no health, no satisfaction, approachable."""

    health: HealthNow | None = None
    holds: tuple[OpenHold, ...] = ()  # the one that lasts longest first
    escalations: tuple[OpenEscalation, ...] = ()  # the oldest first
    csat: Survey | None = None
    nps: Survey | None = None

    @property
    def held_until(self) -> datetime | None:
        return self.holds[0].expires_at if self.holds else None

    @property
    def last_day_held(self) -> date | None:
        return self.holds[0].last_day if self.holds else None

    @property
    def is_held(self) -> bool:
        return bool(self.holds)

    @property
    def is_red(self) -> bool:
        return self.health is not None and self.health.health is Health.RED

    @property
    def has_open_escalation(self) -> bool:
        return bool(self.escalations)

    @property
    def is_approachable(self) -> bool:
        """Whether the vendor may ask it for something; says the same as `approachable` in SQL."""
        return not (self.is_held or self.is_red or self.has_open_escalation)


NOTHING = Relations()


def relations_of_company(company_id: int | None) -> Relations:
    """What is known of this company now; of none, nothing."""
    return NOTHING if company_id is None else relations_of([company_id])[company_id]


def relations_of(company_ids: Collection[int]) -> dict[int, Relations]:
    """What is known of these companies now, by id, all of them there: four statements for any number."""
    wanted = set(company_ids)
    if not wanted:
        return {}
    holds, health = _holds(wanted), _health(wanted)
    escalations, surveys = _escalations(wanted), _surveys(wanted)
    return {
        company_id: Relations(
            health=health.get(company_id),
            holds=tuple(holds[company_id]),
            escalations=tuple(escalations[company_id]),
            csat=surveys.get((company_id, Measure.CSAT)),
            nps=surveys.get((company_id, Measure.NPS)),
        )
        for company_id in wanted
    }


_BY = (Member.name.label("by_name"), Member.username.label("by_username"))


def _entered(row: object, at: datetime) -> Entered:
    return Entered(getattr(row, "by_name", None) or "", getattr(row, "by_username", None) or "", at)


def _holds(company_ids: set[int]) -> dict[int, list[OpenHold]]:
    found: dict[int, list[OpenHold]] = defaultdict(list)
    rows = db.session.execute(
        select(Hold, *_BY)
        .outerjoin(Member, Member.id == Hold.placed_by_id)
        .where(Hold.company_id.in_(company_ids), is_open())
        .order_by(Hold.expires_at.desc(), Hold.id)
    )
    for row in rows:
        one: Hold = row.Hold
        by = _entered(row, one.created_at)
        found[one.company_id].append(OpenHold(one.id, one.reason, one.placed_as, one.expires_at, by))
    return found


def _health(company_ids: set[int]) -> dict[int, HealthNow]:
    latest = (
        select(func.max(CompanyHealth.id))
        .where(CompanyHealth.company_id.in_(company_ids))
        .group_by(CompanyHealth.company_id)
    )
    rows = db.session.execute(
        select(CompanyHealth, *_BY)
        .outerjoin(Member, Member.id == CompanyHealth.set_by_id)
        .where(CompanyHealth.id.in_(latest))
    )
    return {
        row.CompanyHealth.company_id: HealthNow(
            row.CompanyHealth.health, row.CompanyHealth.reason, _entered(row, row.CompanyHealth.at)
        )
        for row in rows
    }


def _escalations(company_ids: set[int]) -> dict[int, list[OpenEscalation]]:
    found: dict[int, list[OpenEscalation]] = defaultdict(list)
    rows = db.session.execute(
        select(Escalation, *_BY)
        .outerjoin(Member, Member.id == Escalation.opened_by_id)
        .where(Escalation.company_id.in_(company_ids), Escalation.closed_at.is_(None))
        .order_by(Escalation.id)
    )
    for row in rows:
        one: Escalation = row.Escalation
        found[one.company_id].append(OpenEscalation(one.id, one.what, _entered(row, one.opened_at)))
    return found


def _surveys(company_ids: set[int]) -> dict[tuple[int, Measure], Survey]:
    """The latest of each measure; of two of one day, the one entered last."""
    place = func.row_number().over(
        partition_by=(Satisfaction.company_id, Satisfaction.measure),
        order_by=(Satisfaction.surveyed_on.desc(), Satisfaction.id.desc()),
    )
    ranked = (
        select(Satisfaction, place.label("place")).where(Satisfaction.company_id.in_(company_ids)).subquery()
    )
    of = aliased(Satisfaction, ranked)
    rows = db.session.execute(
        select(of, *_BY).outerjoin(Member, Member.id == of.entered_by_id).where(ranked.c.place == 1)
    )
    found = {}
    for row in rows:
        one: Satisfaction = row[0]
        found[one.company_id, one.measure] = Survey(
            one.measure, one.value, one.sample, one.surveyed_on, one.source, _entered(row, one.at)
        )
    return found
