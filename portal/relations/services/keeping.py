"""What service keeps of a company: its health, escalations, and what surveys gave."""

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import audit, clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.form_keys import once
from portal.kernel.lines import line_of
from portal.kernel.unit_of_work import unit_of_work
from portal.relations.models import (
    LONGEST_SOURCE,
    LONGEST_WORDS,
    CompanyHealth,
    Escalation,
    Health,
    Measure,
    Satisfaction,
)
from portal.relations.queries.companies import find_survey
from portal.relations.services.common import lock_company

LOWEST = {Measure.CSAT: 0, Measure.NPS: -100}
HIGHEST = 100
LARGEST_SAMPLE = 1_000_000


def set_health(
    actor: Viewer, company_id: int, health: Health, reason: str, *, form_key: str = ""
) -> CompanyHealth:
    """Say how the company is doing, with the reason; what was said before stays.

    Red pauses what the vendor asks. Raises Forbidden, NotFound, Invalid beside `reason`.
    """
    _check(actor)
    reason = line_of(reason, "reason", _("Say what makes it so."), LONGEST_WORDS)
    with once(form_key, actor.member_id or 0) as outcome:
        slug = lock_company(company_id)
        row = CompanyHealth(
            company_id=company_id, health=health, reason=reason, set_by_id=actor.member_id, at=clock.now()
        )
        db.session.add(row)
        audit.record(actor, "set health", "company", company_id, f"{health.value}: {reason}", area="people")
        db.session.flush()
        outcome.place = f"/console/relations/{slug}"
        return row


def open_escalation(actor: Viewer, company_id: int, what: str, *, form_key: str = "") -> Escalation:
    """Note that something is being put right; until it is closed the vendor asks the company for nothing.

    Raises Forbidden, NotFound, Invalid beside `what`.
    """
    _check(actor)
    what = line_of(what, "what", _("Say what has to be put right."), LONGEST_WORDS)
    with once(form_key, actor.member_id or 0) as outcome:
        slug = lock_company(company_id)
        row = Escalation(
            company_id=company_id, what=what, opened_by_id=actor.member_id, opened_at=clock.now()
        )
        db.session.add(row)
        audit.record(actor, "open escalation", "company", company_id, what, area="people")
        db.session.flush()
        outcome.place = f"/console/relations/{slug}"
        return row


def close_escalation(
    actor: Viewer, company_id: int, escalation_id: int, outcome: str, *, version: int
) -> Escalation:
    """Close one of this company with what came of it.

    Raises Forbidden, NotFound, Conflict, Invalid beside `outcome`.
    """
    _check(actor)
    outcome = line_of(outcome, "outcome", _("Say what came of it."), LONGEST_WORDS)
    with unit_of_work():
        row = db.session.execute(
            select(Escalation)
            .where(Escalation.id == escalation_id, Escalation.company_id == company_id)
            .with_for_update()
        ).scalar_one_or_none()
        if row is None:
            raise NotFound("no such escalation")
        lock_company(company_id)
        if row.closed_at is not None:
            raise Conflict(_("This escalation is closed already."), row.version)
        if row.version != version:
            raise Conflict(_("Somebody changed this escalation meanwhile."), row.version)
        row.closed_at, row.closed_by_id, row.outcome = clock.now(), actor.member_id, outcome
        row.version += 1
        audit.record(actor, "close escalation", "company", company_id, outcome, area="people")
        return row


def record_satisfaction(
    actor: Viewer | None,
    company_id: int,
    measure: Measure,
    value: int,
    *,
    sample: int,
    surveyed_on: date,
    source: str,
    form_key: str = "",
) -> Satisfaction:
    """Enter what a survey gave. The same measure, day and source again takes the place of what was entered.

    `actor` None is the command line. Raises Forbidden, NotFound, Invalid beside `value`, `sample`,
    `surveyed_on` and `source`.
    """
    if actor is not None:
        _check(actor)
    source = line_of(source, "source", _("Say which survey it was, and where it stands."), LONGEST_SOURCE)
    check_figures(measure, value, sample, surveyed_on)
    by = actor.member_id if actor else None
    with once(form_key, by or 0) as outcome:
        slug = lock_company(company_id)
        row = find_survey(company_id, measure, surveyed_on, source)
        details = f"{measure.value} {value}, {sample} people, {surveyed_on}: {source}"
        if row is None:
            row = Satisfaction(company_id=company_id, measure=measure, surveyed_on=surveyed_on, source=source)
            db.session.add(row)
        else:
            details += f" (was {row.value}, {row.sample} people)"
        row.value, row.sample, row.entered_by_id, row.at = value, sample, by, clock.now()
        audit.record(actor, "record satisfaction", "company", company_id, details, area="people")
        db.session.flush()
        outcome.place = f"/console/relations/{slug}"
        return row


def check_figures(measure: Measure, value: int, sample: int, surveyed_on: date) -> None:
    """Raises Invalid where a survey cannot have given this."""
    if not LOWEST[measure] <= value <= HIGHEST:
        raise Invalid(
            _("CSAT is a percentage from 0 to 100.")
            if measure is Measure.CSAT
            else _("NPS is a number from −100 to 100."),
            "value",
        )
    if not 1 <= sample <= LARGEST_SAMPLE:
        raise Invalid(_("Say how many people answered: at least one."), "sample")
    if surveyed_on > clock.now().date():
        raise Invalid(_("A survey cannot be of the future."), "surveyed_on")


def delete_satisfaction(actor: Viewer, company_id: int, satisfaction_id: int) -> None:
    """Take out what was entered of this company by mistake; the log keeps what it said.

    Raises Forbidden, NotFound.
    """
    _check(actor)
    with unit_of_work():
        row = db.session.get(Satisfaction, satisfaction_id)
        if row is None or row.company_id != company_id:
            raise NotFound("no such survey")
        lock_company(company_id)
        details = f"{row.measure.value} {row.value}, {row.sample} people, {row.surveyed_on}: {row.source}"
        audit.record(actor, "delete satisfaction", "company", company_id, details, area="people")
        db.session.delete(row)


def _check(actor: Viewer) -> None:
    if not actor.may(Permission.KEEP_HEALTH):
        raise Forbidden(_("Only service keeps the health of companies."))
