"""What about candidates waits for a moderator: nominations, answers, silence, a rest that is over, reviews.

Each list has its count. They name only those whose page as a candidate is there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from portal.advocacy.models import Asking, Candidate, MemberScore, NominatedBy, Nomination, Stage
from portal.advocacy.policy import ASKING_WAITS, REVIEW_EVERY
from portal.advocacy.queries import standing, weights
from portal.advocacy.queries.candidates import NOT_REVIEWED, has_a_page, has_lapsed
from portal.consents.models import Consent
from portal.kernel import clock
from portal.kernel.db import count_of, db
from portal.members.models import Company, Member


@dataclass(frozen=True, slots=True)
class Over:
    """Somebody to look at again: a rest is over, or nothing they agreed to holds any more."""

    name: str
    username: str
    company: str
    lapsed: bool
    since: datetime


def over(most: int | None = 50) -> list[Over]:
    """Whose rest is over, and on whom was counted until the last consent ended; the longest ago first."""
    now = clock.now()
    found = []
    for row in db.session.execute(_over()):
        lapsed = row.stage is not Stage.RESTING
        rest = datetime.combine(row.rests_until, time(), UTC) if row.rests_until else row.stage_at
        since = (row.ended or row.stage_at) if lapsed else rest
        found.append(Over(row.name, row.username, row.company or "", lapsed, min(since, now)))
    return sorted(found, key=lambda one: one.since)[:most]


def over_count() -> int:
    """How many they are."""
    return count_of(_over())


def _over() -> Select[Any]:
    ended = (
        select(func.max(Consent.expires_at))
        .where(Consent.member_id == Candidate.member_id)
        .correlate(Candidate)
        .scalar_subquery()
    )
    rested = and_(
        Candidate.stage == Stage.RESTING,
        Candidate.rests_until <= clock.now().date(),
        standing.may_be_approached(),
    )
    columns = (Candidate.stage, Candidate.rests_until, Candidate.stage_at, ended.label("ended"))
    return _called(Candidate, *columns).where(or_(rested, has_lapsed())).order_by(Candidate.id)


@dataclass(frozen=True, slots=True)
class DueForReview:
    """Somebody to look at as a whole: a year after the last time, or at half of what they were worth."""

    name: str
    username: str
    company: str
    has_fallen: bool
    reviewed_at: datetime


def due_for_review(most: int | None = 50) -> list[DueForReview]:
    """Candidates due for review, longest not looked at first: the same as their cards say."""
    query, fallen = _due_for_review()
    # Whoever fell is due now, and so after those whose year was over before.
    rows = db.session.execute(query.order_by(fallen, Candidate.reviewed_at, Candidate.id).limit(most))
    return [
        DueForReview(row.name, row.username, row.company or "", bool(row.has_fallen), row.reviewed_at)
        for row in rows
    ]


def due_for_review_count() -> int:
    """How many they are."""
    return count_of(_due_for_review()[0])


def _due_for_review() -> tuple[Select[Any], ColumnElement[bool]]:
    """And whether one fell."""
    now = clock.now()
    worth = func.coalesce(standing.number_now(weights.current(), now), 0.0)
    fell = and_(standing.shown_members(), Candidate.was_worth > 0, worth < Candidate.was_worth / 2)
    fallen = case((fell, True), else_=False)
    query = (
        _called(Candidate, Candidate.reviewed_at, fallen.label("has_fallen"))
        .outerjoin(MemberScore, MemberScore.receiver_id == Candidate.member_id)
        .where(
            Candidate.stage.not_in(NOT_REVIEWED),
            ~has_lapsed(),
            or_(fell, Candidate.reviewed_at <= now - REVIEW_EVERY),
        )
    )
    return query, fallen


@dataclass(frozen=True, slots=True)
class Nominated:
    """A nomination that nobody has dealt with."""

    name: str
    username: str
    company: str
    by: str
    part: NominatedBy
    at: datetime


def nominations_waiting(most: int | None = 50) -> list[Nominated]:
    """Nominations by members and account owners that no moderator has read, the oldest first."""
    by = aliased(Member)
    rows = db.session.execute(
        _nominations_waiting(by.name.label("by"), Nomination.part, Nomination.at)
        .outerjoin(by, by.id == Nomination.by_id)
        .order_by(Nomination.at, Nomination.id)
        .limit(most)
    )
    return [
        Nominated(row.name, row.username, row.company or "", row.by or "", row.part, row.at) for row in rows
    ]


def nominations_waiting_count() -> int:
    """How many they are."""
    return count_of(_nominations_waiting())


def _nominations_waiting(*columns: Any) -> Select[Any]:
    return _called(Nomination, *columns).where(Nomination.read_at.is_(None))


@dataclass(frozen=True, slots=True)
class Answered:
    """A member answered what a moderator asked; it is to be thanked for and put to use."""

    name: str
    username: str
    company: str
    asked: int
    agreed: list[str]
    at: datetime


def answered_lately(since: datetime, most: int | None = None) -> list[Answered]:
    """Those who said yes and whom nobody moved since, the longest ago first."""
    not_moved = or_(
        Candidate.stage == Stage.CONSENTED,
        and_(Candidate.stage == Stage.ACTIVE, Candidate.stage_at < Asking.answered_at),
    )
    rows = db.session.execute(
        _called(Asking, Asking.activities, Asking.agreed, Asking.answered_at)
        .join(Candidate, Candidate.member_id == Asking.member_id)
        .where(Asking.answered_at >= since, not_moved)
        .order_by(Asking.answered_at, Asking.id)
    )
    return [
        Answered(
            row.name, row.username, row.company or "", len(row.activities), list(row.agreed), row.answered_at
        )
        for row in rows
        if row.agreed
    ][:most]


def answered_lately_count(since: datetime) -> int:
    """How many they are."""
    return len(answered_lately(since))


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that somebody has not answered; `since` it was asked, or they were last looked at."""

    name: str
    username: str
    company: str
    asked_at: datetime
    since: datetime
    seen: bool


def unanswered(most: int | None = 50) -> list[Unanswered]:
    """Whom was asked and neither answered nor was looked at for weeks; the longest ago first."""
    query, since = _unanswered()
    rows = db.session.execute(query.order_by(since, Asking.id).limit(most))
    return [
        Unanswered(row.name, row.username, row.company or "", row.at, row.since, row.seen_at is not None)
        for row in rows
    ]


def unanswered_count() -> int:
    """How many they are."""
    return count_of(_unanswered()[0])


def _unanswered() -> tuple[Select[Any], ColumnElement[datetime]]:
    """And since when it waits."""
    since = case((Candidate.reviewed_at > Asking.at, Candidate.reviewed_at), else_=Asking.at)
    query = (
        _called(Asking, Asking.at, Asking.seen_at, since.label("since"))
        .join(Candidate, Candidate.member_id == Asking.member_id)
        .where(
            Asking.answered_at.is_(None),
            Asking.withdrawn_at.is_(None),
            since <= clock.now() - ASKING_WAITS,
        )
    )
    return query, since


def _called(of: Any, *columns: Any) -> Select[Any]:
    """SQL: these columns `of` rows about members, whose page is there, with name, username and company."""
    return (
        select(Member.name, Member.username, Company.name.label("company"), *columns)
        .select_from(of)
        .join(Member, Member.id == of.member_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(has_a_page())
    )
