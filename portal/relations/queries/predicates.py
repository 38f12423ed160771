"""Named SQL predicates over companies. `of` is the id they are about: Company.id, or Member.company_id.

Each is true or false, never NULL: of no company nothing is known, and it is approachable.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_
from sqlalchemy.orm import aliased

from portal.kernel import clock
from portal.members.models import Company, CompanyKind
from portal.relations.models import CompanyHealth, Escalation, Health, Hold

# Whose companies sales and service see: a prospect's is in none of their lists.
KNOWN_KINDS = (CompanyKind.CUSTOMER, CompanyKind.FORMER)


def is_known() -> ColumnElement[bool]:
    """SQL about Company: it is, or was, a customer."""
    return Company.kind.in_(KNOWN_KINDS)


def is_open(at: datetime | None = None) -> ColumnElement[bool]:
    """SQL about Hold: neither ended nor over."""
    return and_(Hold.ended_at.is_(None), Hold.expires_at > (at or clock.now()))


def is_held(at: datetime | None = None, of: Any = Company.id) -> ColumnElement[bool]:
    """SQL: sales or service asked not to approach it, and that holds at the moment."""
    return exists().where(Hold.company_id == of, is_open(at))


def has_health(health: Health, of: Any = Company.id) -> ColumnElement[bool]:
    """SQL: the latest word of service about it is this."""
    latest, later = aliased(CompanyHealth), aliased(CompanyHealth)
    none_later = not_(exists().where(later.company_id == latest.company_id, later.id > latest.id))
    return exists().where(latest.company_id == of, latest.health == health, none_later)


def is_red(of: Any = Company.id) -> ColumnElement[bool]:
    """SQL: the latest word of service about it is red."""
    return has_health(Health.RED, of)


def has_open_escalation(of: Any = Company.id) -> ColumnElement[bool]:
    """SQL: service is putting something right for it."""
    return exists().where(Escalation.company_id == of, Escalation.closed_at.is_(None))


def approachable(at: datetime | None = None, of: Any = Company.id) -> ColumnElement[bool]:
    """SQL: the vendor may ask it for something: no hold, not red, no open escalation."""
    return and_(not_(is_held(at, of)), not_(is_red(of)), not_(has_open_escalation(of)))
