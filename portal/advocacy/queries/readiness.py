"""Facts beside a score, for the vendor's moderators: what a customer opened, values, does, and is known of.

No number is made of them: nobody rates a person. Each stands with where it comes from.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from portal.advocacy.models import ScoreChoice
from portal.consents import queries as consents
from portal.consents.models import Consent
from portal.conversations.models import Conversation, Rating
from portal.kernel import clock
from portal.kernel.access import CUSTOMERS, Permission, Viewer
from portal.kernel.db import db
from portal.matching.models import Availability
from portal.matching.queries.loads import Load, loads_by_week
from portal.members.models import Member
from portal.relations.queries import NOTHING, Relations, relations_of_company

FEWEST_RATINGS = 5  # below it a count would say who said it


@dataclass(frozen=True, slots=True)
class Rated:
    """How those they spoke with found it: counts, from five on."""

    of_all: int
    useful: int
    honest: int
    again: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """Of one customer. `agreed`: consents in force. `load`: as it was when the week began.

    `not_approached` and `relations` (what is known of the company) only for viewers who may read them.
    """

    agreed: list[Consent]
    availability: Availability | None
    load: Load
    paused_until: datetime | None
    rated: Rated | None
    not_approached: bool
    seen_at: datetime | None
    relations: Relations


def readiness_of(viewer: Viewer, member: Member) -> Readiness | None:
    """The facts of one customer, former ones too; None of anybody else."""
    if member.status not in CUSTOMERS:
        return None
    now = clock.now()
    availability = db.session.get(Availability, member.id)
    paused = availability.paused_until if availability else None
    choice = db.session.get(ScoreChoice, member.id) if viewer.may(Permission.ADVOCACY) else None
    may_read_company = member.company_id is not None and viewer.may(Permission.RELATIONS)
    return Readiness(
        agreed=consents.in_force([member.id]).get(member.id, []),
        availability=availability,
        load=loads_by_week([member.id], now)[member.id],
        paused_until=paused if paused and paused > now else None,
        rated=_rated(member.id),
        not_approached=choice is not None and choice.not_approached,
        seen_at=member.last_seen_at,
        relations=relations_of_company(member.company_id) if may_read_company else NOTHING,
    )


def _rated(member_id: int) -> Rated | None:
    of_member = or_(
        and_(Conversation.member_id == member_id, Rating.by_id == Conversation.asker_id),
        and_(Conversation.asker_id == member_id, Rating.by_id == Conversation.member_id),
    )

    def count(column: Any) -> Any:
        return func.coalesce(func.sum(case((column.is_(True), 1), else_=0)), 0)

    row = db.session.execute(
        select(func.count(), count(Rating.useful), count(Rating.honest), count(Rating.again))
        .select_from(Rating)
        .join(Conversation, Conversation.id == Rating.conversation_id)
        .where(of_member, Rating.useful.is_not(None))
    ).one()
    return Rated(*(int(value) for value in row)) if row[0] >= FEWEST_RATINGS else None
