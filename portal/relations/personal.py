"""Who entered what about a company: the words are the vendor's business, the name goes with the account."""

from typing import Any

from sqlalchemy import select, update

from portal.kernel.db import db
from portal.kernel.personal import Personal
from portal.relations.models import CompanyHealth, Escalation, Hold, Satisfaction
from portal.relations.services.forgetting import FORGET_JOB, KEPT

# By what was done: who did it, and when.
_DEEDS: dict[str, tuple[Any, Any]] = {
    "placed a hold": (Hold.placed_by_id, Hold.created_at),
    "ended a hold": (Hold.ended_by_id, Hold.ended_at),
    "set the health of a company": (CompanyHealth.set_by_id, CompanyHealth.at),
    "opened an escalation": (Escalation.opened_by_id, Escalation.opened_at),
    "closed an escalation": (Escalation.closed_by_id, Escalation.closed_at),
    "entered a survey": (Satisfaction.entered_by_id, Satisfaction.at),
}


def _done_by(member_id: int) -> Any:
    """What one did and when; of which company, and in which words, is the vendor's business."""
    return [
        {"what": what, "at": at}
        for what, (by, when) in _DEEDS.items()
        for at in db.session.execute(select(when).where(by == member_id).order_by(when)).scalars()
    ]


def _forget_name(member_id: int, _keep_text: bool) -> None:
    for by, _when in _DEEDS.values():
        db.session.execute(update(by.class_).where(by == member_id).values({by.key: None}))


CLASSES = (
    Personal(
        "what you entered about companies",
        ("holds", "company_health", "escalations", "satisfaction"),
        _done_by,
        _forget_name,
        retention_days=KEPT.days,
        retention_job=FORGET_JOB,
    ),
)
