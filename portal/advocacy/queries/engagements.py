"""What members did for the vendor: on a candidate's page, beside entries of the ledger, and in short."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.advocacy.models import Act, Engagement, Entry, Rule
from portal.advocacy.queries.entries import is_last
from portal.consents import queries as consents
from portal.consents.models import Activity
from portal.consents.texts import NAMES
from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Member

NEWEST = 10  # on a candidate's page, unless all are asked for
MOST = 200
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Told:
    """One engagement as it stands beside its entry; of a record that was taken back without its words."""

    activity: Activity
    done_on: date
    words: str
    is_withdrawn: bool

    def __str__(self) -> str:
        name = str(NAMES[self.activity])
        return _("%(what)s, taken back", what=name) if self.is_withdrawn else f"{name}: {self.words}"


def told(entries: Iterable[Any]) -> dict[int, Told]:
    """What these entries (id, rule, source) are of, by entry: one statement where some are of engagements."""
    ids = {entry.id: int(entry.source) for entry in entries if entry.rule is Rule.ENGAGEMENT}
    if not ids:
        return {}
    rows = db.session.execute(
        select(
            Engagement.id, Engagement.activity, Engagement.done_on, Engagement.words, Engagement.withdrawn_at
        ).where(Engagement.id.in_(sorted(set(ids.values()))))
    )
    known = {row.id: Told(row.activity, row.done_on, row.words, row.withdrawn_at is not None) for row in rows}
    return {entry_id: known[of] for entry_id, of in ids.items() if of in known}


@dataclass(frozen=True, slots=True)
class EngagementLine:
    """One engagement with who wrote it down, and what became of the record.

    `agreed`: whether an agreement to that activity held on that day. `taken_out` is the reason of a moderator
    who took its entry out of what the member reads.
    """

    id: int
    activity: Activity
    done_on: date
    words: str
    recorded_by: str
    recorded_at: datetime
    agreed: bool
    withdrawn_at: datetime | None
    withdrawn_by: str
    withdrawn_reason: str
    taken_out: str


def of_member(member_id: int, most: int = NEWEST) -> list[EngagementLine]:
    """The newest of a member, those taken back included, and one more where there are more."""
    by, withdrawn_by = aliased(Member), aliased(Member)
    rows = db.session.execute(
        select(Engagement, by.name.label("by"), withdrawn_by.name.label("withdrawn_by"))
        .outerjoin(by, by.id == Engagement.recorded_by_id)
        .outerjoin(withdrawn_by, withdrawn_by.id == Engagement.withdrawn_by_id)
        .where(Engagement.member_id == member_id)
        .order_by(Engagement.done_on.desc(), Engagement.id.desc())
        .limit(most + 1)
    ).all()
    if not rows:
        return []
    held = consents.held_on(member_id, {(row[0].activity, row[0].done_on) for row in rows})
    out = _taken_out([row[0].id for row in rows])
    return [
        EngagementLine(
            one.id,
            one.activity,
            one.done_on,
            one.words,
            by_name or "",
            one.recorded_at,
            (one.activity, one.done_on) in held,
            one.withdrawn_at,
            withdrawn_name or "",
            one.withdrawn_reason,
            out.get(one.id, ""),
        )
        for one, by_name, withdrawn_name in rows
    ]


def newest_of(member_id: int) -> list[tuple[datetime, Activity, date, str]]:
    """The newest that stand: when written down, which activity, on which day, where and for whom."""
    rows = db.session.execute(
        select(Engagement.recorded_at, Engagement.activity, Engagement.done_on, Engagement.words)
        .where(Engagement.member_id == member_id, Engagement.withdrawn_at.is_(None))
        .order_by(Engagement.recorded_at.desc(), Engagement.id.desc())
        .limit(NEWEST)
    )
    return [(row.recorded_at, row.activity, row.done_on, row.words) for row in rows]


def is_of(engagement_id: int, member_id: int) -> bool:
    """Whether this engagement is this member's."""
    found = select(Engagement.id).where(Engagement.id == engagement_id, Engagement.member_id == member_id)
    return db.session.execute(found).first() is not None


def _taken_out(ids: Collection[int]) -> dict[int, str]:
    """Of these the ones whose entry a moderator reversed, with the reason."""
    rows = db.session.execute(
        select(Entry.source, Entry.reason).where(
            Entry.rule == Rule.ENGAGEMENT,
            Entry.source.in_([str(one) for one in ids]),
            Entry.act == Act.REVERSED,
            Entry.by_id.is_not(None),
            is_last(),
        )
    )
    return {int(row.source): row.reason for row in rows}


@dataclass(frozen=True, slots=True)
class Summary:
    """How many stand, how many of them within a year, and when the last one was."""

    count: int
    in_a_year: int
    last: date


def summaries(member_ids: Collection[int]) -> dict[int, Summary]:
    """Of those of these members who did something; what was taken back is not counted. One statement."""
    since = clock.now().date() - YEAR
    rows = db.session.execute(
        select(
            Engagement.member_id,
            func.count().label("all"),
            func.count().filter(Engagement.done_on > since).label("in_a_year"),
            func.max(Engagement.done_on).label("last"),
        )
        .where(Engagement.member_id.in_(member_ids), Engagement.withdrawn_at.is_(None))
        .group_by(Engagement.member_id)
    )
    return {row.member_id: Summary(row.all, row.in_a_year, row.last) for row in rows}
