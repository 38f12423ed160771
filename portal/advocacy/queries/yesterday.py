"""Whom to thank: who was thanked by others in a day, and for what."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import case, func, select

from portal.advocacy.models import Counts, Entry, Rule
from portal.advocacy.queries.entries import is_in_force
from portal.advocacy.queries.standing import shown_members
from portal.kernel.db import db, rows_of
from portal.kernel.page_cache import Dear
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


_Sum = tuple[int, int, int, int]  # member, companies, accepted, answered
_kept: Dear[list[_Sum]] = Dear(most=4, least=0.02)
_ONCE = 50


def helped_between(since: datetime, until: datetime, most: int = 6) -> list[Helped]:
    """Who helped in this time, the most thanked first. Conversations have no day: left out."""
    return _with_names(_added_up(since, until), most)


def helped_on(since: datetime, until: datetime, most: int = 6) -> list[Helped]:
    """The same of a day that is over. In a large community the numbers may be some minutes old; whoever opted
    out or is gone is left out at once.
    """
    return _with_names(_kept.get((since, until), partial(_added_up, since, until)), most)


def keep_ready(since: datetime, until: datetime) -> None:
    """Have this day added up before somebody asks."""
    _kept.renew((since, until), partial(_added_up, since, until))


def _added_up(since: datetime, until: datetime) -> list[_Sum]:
    """What everybody was thanked for, the most thanked first."""
    thanked = Entry.counts == Counts.THANKS
    companies = func.count(func.distinct(case((thanked, Entry.giver_company))))
    accepted = func.sum(case((Entry.rule == Rule.ACCEPTED, 1), else_=0))
    answered = func.sum(case((Entry.rule == Rule.FIRST_ANSWER, 1), else_=0))
    # By a number that no index has: so the database begins with the entries of the day.
    receiver = Entry.receiver_id + 0
    rows = rows_of(
        select(receiver, companies, accepted, answered)
        .where(
            Entry.occurred_at >= since,
            Entry.occurred_at < until,
            Entry.at >= since,
            is_in_force(),
            Entry.counts != Counts.NONE,
            Entry.rule != Rule.CONVERSATION,
        )
        .group_by(receiver)
    )
    found = [(row[0], row[1], row[2], row[3]) for row in rows]
    return sorted(found, key=lambda one: (-one[1], -one[2], -one[3], one[0]))


def _with_names(sums: Sequence[_Sum], most: int) -> list[Helped]:
    """The first of these who may be shown."""
    found: list[Helped] = []
    for start in range(0, len(sums), _ONCE):
        some = sums[start : start + _ONCE]
        people = {
            row.id: row
            for row in db.session.execute(
                select(Member.id, Member.name, Member.username, Company.name.label("company"))
                .outerjoin(Company, Company.id == Member.company_id)
                .where(Member.id.in_([one[0] for one in some]), shown_members())
            )
        }
        for member_id, *numbers in some:
            if row := people.get(member_id):
                found.append(Helped(row.id, row.name, row.username, row.company or "", *numbers))
        if len(found) >= most:
            break
    return found[:most]


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
