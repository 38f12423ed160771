"""Whom to thank: who was thanked by others in a day, and for what."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from portal.advocacy.models import Counts, Entry, Rule
from portal.advocacy.queries.entries import is_in_force
from portal.advocacy.queries.standing import shown_members
from portal.kernel.db import db
from portal.members.models import Company, Member


@dataclass(frozen=True, slots=True)
class Helped:
    """A member who helped: how many other companies thanked, how many answers were accepted."""

    member_id: int
    name: str
    username: str
    company: str
    companies: int
    accepted: int
    answered: int


def helped_between(since: datetime, until: datetime, most: int = 6) -> list[Helped]:
    """Who helped in this time, the most thanked first. Conversations have no day: left out."""
    thanked = Entry.counts == Counts.THANKS
    companies = func.count(func.distinct(case((thanked, Entry.giver_company))))
    accepted = func.sum(case((Entry.rule == Rule.ACCEPTED, 1), else_=0))
    answered = func.sum(case((Entry.rule == Rule.FIRST_ANSWER, 1), else_=0))
    # Added up by itself, by a number that no index has: so the database begins with the entries of the day.
    receiver = (Entry.receiver_id + 0).label("helper_id")
    of_day = (
        select(
            receiver,
            companies.label("companies"),
            accepted.label("accepted"),
            answered.label("answered"),
        )
        .where(
            Entry.occurred_at >= since,
            Entry.occurred_at < until,
            Entry.at >= since,
            is_in_force(),
            Entry.counts != Counts.NONE,
            Entry.rule != Rule.CONVERSATION,
        )
        .group_by(receiver)
        .subquery()
    )
    found = of_day.c
    rows = db.session.execute(
        select(
            Member.id,
            Member.name,
            Member.username,
            Company.name.label("company"),
            found.companies,
            found.accepted,
            found.answered,
        )
        .select_from(of_day)
        .join(Member, Member.id == found.helper_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(shown_members())
        .order_by(found.companies.desc(), found.accepted.desc(), found.answered.desc(), Member.id)
        .limit(most)
    )
    return [
        Helped(row.id, row.name, row.username, row.company or "", row.companies, row.accepted, row.answered)
        for row in rows
    ]


def thanks_of(member_ids: Collection[int], since: datetime) -> dict[int, int]:
    """How many other companies thanked each of these since then."""
    rows = db.session.execute(
        select(Entry.receiver_id, func.count(func.distinct(Entry.giver_company)))
        .where(
            Entry.receiver_id.in_(member_ids),
            Entry.counts == Counts.THANKS,
            is_in_force(),
            Entry.occurred_at >= since,
        )
        .group_by(Entry.receiver_id)
    )
    return {row[0]: row[1] for row in rows}
