"""What is over and no longer told apart is forgotten; what is in force never."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select

from portal.kernel import clock, preserving
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.relations.models import CompanyHealth, Escalation, Hold, Satisfaction

FORGET_JOB = "forget old relations"
KEPT = timedelta(days=730)  # after its end; a year of holds is what lists look back on


def forget_old() -> int:
    """Remove holds and escalations two years after their end, surveys and former health of that age.

    Rows by somebody for whom a legal order holds stay. Gives how many.
    """
    before = clock.now() - KEPT
    latest = select(func.max(CompanyHealth.id)).group_by(CompanyHealth.company_id)
    old = (
        delete(Hold).where(
            Hold.expires_at < before, _by_others(Hold.placed_by_id), _by_others(Hold.ended_by_id)
        ),
        delete(CompanyHealth).where(
            CompanyHealth.at < before, CompanyHealth.id.not_in(latest), _by_others(CompanyHealth.set_by_id)
        ),
        delete(Escalation).where(
            Escalation.closed_at < before,
            _by_others(Escalation.opened_by_id),
            _by_others(Escalation.closed_by_id),
        ),
        delete(Satisfaction).where(
            Satisfaction.surveyed_on < before.date(), _by_others(Satisfaction.entered_by_id)
        ),
    )
    with unit_of_work():
        done = [db.session.execute(one.execution_options(synchronize_session=False)) for one in old]
    return sum(result.rowcount for result in done)  # type: ignore[attr-defined]


def _by_others(column: Any) -> Any:
    return or_(column.is_(None), column.not_in(preserving.preserved_ids()))
