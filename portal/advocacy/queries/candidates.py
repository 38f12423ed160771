"""Candidates by stage, and everything about one. For vendor moderators alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, or_, select
from sqlalchemy.orm import aliased

from portal.advocacy.models import (
    Asking,
    Candidate,
    CandidateStep,
    MemberScore,
    NominatedBy,
    Nomination,
    ScoreChoice,
    Stage,
)
from portal.advocacy.policy import ASKING_WAITS, REVIEW_EVERY, declined_until
from portal.advocacy.queries import standing, weights
from portal.advocacy.queries.declines import declines
from portal.advocacy.queries.standing import Standing
from portal.consents import queries as consents
from portal.consents.models import Activity, Consent
from portal.discussions.queries.deeds import standing_among
from portal.kernel import clock
from portal.kernel.access import CUSTOMERS, Status
from portal.kernel.audit import AuditEntry
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.matching.queries.loads import loads_by_week
from portal.members.models import Company, Member, MemberState
from portal.members.names import sort_key
from portal.moderation.queries.evidence import moderators
from portal.relations.queries import NOTHING, Relations, relations_of

A_STAGE = 6  # shown in each column of the board
ROWS = 50
MOST_PAGES = 50
MOST_EXPORTED = 10_000
NOBODY = "nobody"
NOTHING_AGREED = "nothing"
NOT_REVIEWED = (Stage.SPOTTED, Stage.RESTING, Stage.RETIRED)
SORTS = ("longest", "name", "helpful", "reviewed")


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to, as the address says it."""

    stage: str = ""
    industry: str = ""
    whose: str = ""  # a user name, or "nobody"
    agreed: str = ""  # an activity, to which their consent is in force; or "nothing"
    words: str = ""
    sort: str = ""  # one of SORTS; "" is the latest move first
    page: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate with the facts that a row or card needs."""

    member_id: int
    username: str
    name: str
    title: str
    company: str
    industry: str
    stage: Stage
    stage_at: datetime
    version: int
    looked_after_by: str
    looked_after_by_username: str
    rests_until: date | None
    declined_until: datetime | None
    standing: Standing | None
    consents: list[Consent]
    load: int
    limit: int
    nominations: list[tuple[NominatedBy, int]]  # in which part, with how many pieces of evidence
    asked_at: datetime | None
    seen: bool
    reason: str  # of the last step
    review: str  # why it should be looked at as a whole: "fallen", "yearly", ""
    lapsed: bool  # counted on once, and nothing they agreed to holds any more
    not_approached: bool  # as they chose
    waits_long: bool  # asked weeks ago, and neither answered nor looked at since
    relations: Relations  # what is known of the company

    @property
    def has_rested(self) -> bool:
        """Whether the rest that somebody chose is over."""
        return (
            self.stage is Stage.RESTING
            and self.rests_until is not None
            and self.rests_until <= clock.now().date()
        )


def counts(wanted: Wanted) -> dict[Stage, int]:
    """How many fit in each stage."""
    stages = _narrowed(select(_stage_now().label("stage")), wanted, any_stage=True).subquery()
    rows = db.session.execute(select(stages.c.stage, func.count()).group_by(stages.c.stage))
    return {row[0]: row[1] for row in rows}


def board(wanted: Wanted) -> dict[Stage, list[Line]]:
    """The latest few of each stage."""
    place = func.row_number().over(
        partition_by=_stage_now(), order_by=(Candidate.stage_at.desc(), Candidate.id)
    )
    numbered = _narrowed(select(Candidate.id, place.label("place")), wanted, any_stage=True).subquery()
    first = select(numbered.c.id).where(numbered.c.place <= A_STAGE)
    query = _columns().where(Candidate.id.in_(first)).order_by(Candidate.stage_at.desc(), Candidate.id)
    found: dict[Stage, list[Line]] = {stage: [] for stage in Stage}
    for line in _lines(db.session.execute(query).all()):
        found[line.stage].append(line)
    return found


def table(wanted: Wanted) -> list[Line]:
    """A page of those who fit, and one more where there is another page."""
    query = _narrowed(_columns(), wanted, joined=True)
    query = _ordered(query, wanted.sort).limit(ROWS + 1)
    return _lines(db.session.execute(query.offset((min(wanted.page, MOST_PAGES) - 1) * ROWS)).all())


def everybody(wanted: Wanted) -> list[Line]:
    """All who fit, for a file."""
    query = _ordered(_narrowed(_columns(), wanted, joined=True), wanted.sort)
    return _lines(db.session.execute(query.limit(MOST_EXPORTED)).all())


def line_of(member_id: int) -> Line | None:
    """One candidate; None for a member nobody has an eye on."""
    rows = db.session.execute(_columns().where(Candidate.member_id == member_id)).all()
    return next(iter(_lines(rows)), None)


def carers() -> list[tuple[int, str, str]]:
    """(id, user name, name) of the vendor's moderators, who can be named to look after somebody."""
    rows = db.session.execute(
        select(Member.id, Member.username, Member.name)
        .where(Member.id.in_(moderators()), Member.status == Status.VENDOR)
        .order_by(Member.sort_name, Member.id)
    )
    return [(row.id, row.username, row.name) for row in rows]


def looked_after() -> list[tuple[str, str]]:
    """(user name, name) of the moderators who look after somebody."""
    ids = select(Candidate.looked_after_by_id).where(Candidate.looked_after_by_id.is_not(None)).distinct()
    rows = db.session.execute(
        select(Member.username, Member.name).where(Member.id.in_(ids)).order_by(Member.sort_name)
    )
    return [(row.username, row.name) for row in rows]


@dataclass(frozen=True)
class NominationLine:
    """One nomination as it is read."""

    id: int
    by: str
    by_username: str
    part: NominatedBy
    note: str
    post_ids: list[int]
    at: datetime
    waits: bool


@dataclass(frozen=True)
class Story:
    """What happened with one member: nominations, questions and answers, and every move."""

    nominations: list[NominationLine] = field(default_factory=list)
    askings: list[tuple[Asking, str]] = field(default_factory=list)  # with who asked
    steps: list[tuple[CandidateStep, str]] = field(default_factory=list)  # with who moved
    not_approached: bool = False
    declined: dict[Activity, datetime] = field(default_factory=dict)  # until when each no stands


def story_of(member_id: int) -> Story:
    """All of it, newest first, each at most fifty."""
    nominations = db.session.execute(
        select(Nomination, Member.name, Member.username)
        .outerjoin(Member, Member.id == Nomination.by_id)
        .where(Nomination.member_id == member_id)
        .order_by(Nomination.id.desc())
        .limit(50)
    )
    askings = db.session.execute(
        select(Asking, Member.name)
        .outerjoin(Member, Member.id == Asking.by_id)
        .where(Asking.member_id == member_id)
        .order_by(Asking.id.desc())
        .limit(50)
    )
    steps = db.session.execute(
        select(CandidateStep, Member.name)
        .join(Candidate, Candidate.id == CandidateStep.candidate_id)
        .outerjoin(Member, Member.id == CandidateStep.by_id)
        .where(Candidate.member_id == member_id)
        .order_by(CandidateStep.id.desc())
        .limit(50)
    )
    return Story(
        nominations=[
            NominationLine(
                row[0].id, row.name or "", row.username or "", row[0].part, row[0].note,
                list(row[0].post_ids), row[0].at, row[0].read_at is None,
            )
            for row in nominations
        ],
        askings=[(row[0], row.name or "") for row in askings],
        steps=[(row[0], row.name or "") for row in steps],
        not_approached=is_not_to_be_approached(member_id),
        declined=declines([member_id]).get(member_id, {}),
    )  # fmt: skip


_ADDED = re.compile(r"post (\d{1,10}), nomination (\d{1,10})")


def added_by_others(member_id: int, notes: Sequence[NominationLine]) -> dict[tuple[int, int], str]:
    """Who added a piece of evidence to another's note, by note and post; "" for a former member.

    It stands in the log alone, where an erasure may have blanked the words.
    """
    by = {note.id: note.by_username for note in notes if note.post_ids}
    if not by:
        return {}
    rows = db.session.execute(
        select(AuditEntry.details, Member.name, Member.username)
        .outerjoin(Member, Member.id == AuditEntry.actor_id)
        .where(
            AuditEntry.target_kind == "member",
            AuditEntry.target_id == member_id,
            AuditEntry.action == "add evidence",
        )
        .order_by(AuditEntry.number)
    )
    found = {}
    for details, name, username in rows:
        said = _ADDED.fullmatch(details)
        if said and by.get(int(said[2]), username or "") != (username or ""):
            found[int(said[2]), int(said[1])] = name or ""
    return found


def is_not_to_be_approached(member_id: int) -> bool:
    """Whether this member chose that nothing is asked of them."""
    choice = db.session.get(ScoreChoice, member_id)
    return choice is not None and choice.not_approached


def notes_of_moderators(member_id: int) -> list[Nomination]:
    """What moderators wrote about why this member should be asked, the latest first."""
    return list(
        db.session.execute(
            select(Nomination)
            .where(Nomination.member_id == member_id, Nomination.part == NominatedBy.MODERATOR)
            .order_by(Nomination.id.desc())
            .execution_options(populate_existing=True)
        ).scalars()
    )


def note_to_add_to(notes: Sequence[Nomination], moderator_id: int | None) -> Nomination | None:
    """The note that takes a further piece of evidence: the moderator's own latest, else the latest of all."""
    own = (one for one in notes if one.by_id == moderator_id)
    return next(own, None) or next(iter(notes), None)


def has_lapsed() -> ColumnElement[bool]:
    """SQL about Candidate and Member: counted on, and nothing that they agreed to holds."""
    return and_(Candidate.stage.in_((Stage.CONSENTED, Stage.ACTIVE)), ~consents.has_consent())


def _stage_now() -> ColumnElement[Stage]:
    """The stage as it is true now: nobody is active on consents that have ended. About Member too."""
    resting = literal(Stage.RESTING, type_=Candidate.stage.type)
    return case((has_lapsed(), resting), else_=Candidate.stage)


def has_a_page() -> ColumnElement[bool]:
    """SQL about Member: a customer or former customer whose account is open has a page as a candidate."""
    active = Member.state == MemberState.ACTIVE
    # As a case, since SQLite would begin with all active members instead of the few candidates.
    return case((active, Member.status.in_(CUSTOMERS)), else_=false())


def may_be_nominated(member_id: int) -> bool:
    """Whether there is a candidate's page for them: a customer or former customer whose account is open."""
    return (
        db.session.execute(select(Member.id).where(Member.id == member_id, has_a_page())).first() is not None
    )


def member_by_name(username: str) -> Member:
    """The member of this page. Raises NotFound."""
    member = db.session.execute(
        select(Member).where(Member.username == username, Member.state != MemberState.ERASED)
    ).scalar_one_or_none()
    if member is None:
        raise NotFound("no such member")
    return member


_looks_after = aliased(Member)


def _columns() -> Select[Any]:
    last = (
        select(CandidateStep.reason)
        .where(CandidateStep.candidate_id == Candidate.id)
        .order_by(CandidateStep.id.desc())
        .limit(1)
        .correlate(Candidate)
        .scalar_subquery()
    )
    return (
        select(
            Candidate,
            Member.username,
            Member.name,
            Member.title,
            Member.company_id,
            Company.name.label("company"),
            Company.industry,
            _looks_after.name.label("looked_after_by"),
            _looks_after.username.label("looked_after_by_username"),
            last.label("reason"),
            _stage_now().label("stage"),
            (~standing.may_be_approached()).label("not_approached"),
        )
        .join(Member, Member.id == Candidate.member_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .outerjoin(_looks_after, _looks_after.id == Candidate.looked_after_by_id)
    )


def _narrowed(
    query: Select[Any], wanted: Wanted, *, any_stage: bool = False, joined: bool = False
) -> Select[Any]:
    if not joined:
        query = (
            query.select_from(Candidate)
            .join(Member, Member.id == Candidate.member_id)
            .outerjoin(Company, Company.id == Member.company_id)
            .outerjoin(_looks_after, _looks_after.id == Candidate.looked_after_by_id)
        )
    where: list[ColumnElement[bool]] = [Member.state != MemberState.ERASED]
    if wanted.stage and not any_stage:
        where.append(_stage_now() == Stage(wanted.stage))
    if wanted.industry:
        where.append(Company.industry == wanted.industry)
    if wanted.whose == NOBODY:
        where.append(Candidate.looked_after_by_id.is_(None))
    elif wanted.whose:
        where.append(_looks_after.username == wanted.whose)
    if wanted.agreed == NOTHING_AGREED:
        where.append(~consents.has_consent())
    elif wanted.agreed:
        where.append(consents.has_consent(Activity(wanted.agreed)))
    if wanted.words:
        where.append(
            or_(
                Member.sort_name.contains(sort_key(wanted.words)[:60], autoescape=True),
                func.lower(Company.name).contains(wanted.words.lower()[:60], autoescape=True),
            )
        )
    return query.where(*where)


def _ordered(query: Select[Any], sort: str) -> Select[Any]:
    if sort == "helpful":
        number = func.coalesce(standing.number_now(weights.current(), clock.now()), 0.0)
        query = query.outerjoin(MemberScore, MemberScore.receiver_id == Candidate.member_id)
        shown = case((standing.shown_members(), number), else_=0.0)  # nobody's place tells of who is left out
        return query.order_by(shown.desc(), Candidate.id)
    orders: dict[str, list[Any]] = {
        "longest": [Candidate.stage_at, Candidate.id],
        "name": [Member.sort_name, Candidate.id],
        "reviewed": [Candidate.reviewed_at, Candidate.id],
    }
    return query.order_by(*orders.get(sort, [Candidate.stage_at.desc(), Candidate.id]))


def _lines(rows: Sequence[Any]) -> list[Line]:
    """The rows with standing, consents, load, nominations, questions and what is known of the company.

    Ten statements, however many. Of the evidence those pieces count that stand.
    """
    ids = [row[0].member_id for row in rows]
    if not ids:
        return []
    now = clock.now()
    known = standing.standings(ids)
    agreed = consents.in_force(ids)
    loads = _loads(ids, now)
    companies = relations_of({row.company_id for row in rows if row.company_id is not None})
    nominated: dict[int, list[tuple[NominatedBy, int]]] = {}
    notes = db.session.execute(
        select(Nomination.member_id, Nomination.part, Nomination.post_ids)
        .where(Nomination.member_id.in_(ids))
        .order_by(Nomination.id.desc())
    ).all()
    stands = standing_among({post_id for note in notes for post_id in note.post_ids})
    for member_id, part, post_ids in notes:
        nominated.setdefault(member_id, []).append((part, len(stands.intersection(post_ids))))
    asked = {
        row.member_id: row
        for row in db.session.execute(
            select(Asking.member_id, Asking.at, Asking.seen_at).where(
                Asking.member_id.in_(ids), Asking.answered_at.is_(None), Asking.withdrawn_at.is_(None)
            )
        )
    }
    found = []
    for row in rows:
        one: Candidate = row[0]
        of = known.get(one.member_id)
        question = asked.get(one.member_id)
        load, limit = loads.get(one.member_id, (0, 0))
        found.append(
            Line(
                member_id=one.member_id,
                username=row.username,
                name=row.name,
                title=row.title,
                company=row.company or "",
                industry=row.industry or "",
                stage=row.stage,
                stage_at=one.stage_at,
                version=one.version,
                looked_after_by=row.looked_after_by or "",
                looked_after_by_username=row.looked_after_by_username or "",
                rests_until=one.rests_until,
                declined_until=_stands(one, now),
                standing=of,
                consents=agreed.get(one.member_id, []),
                load=load,
                limit=limit,
                nominations=nominated.get(one.member_id, []),
                asked_at=question.at if question else None,
                seen=bool(question and question.seen_at),
                reason=row.reason or "",
                review="" if row.stage is Stage.RESTING else _why_review(one, of, now),
                lapsed=row.stage is not one.stage,
                not_approached=row.not_approached,
                waits_long=bool(question and max(question.at, one.reviewed_at) <= now - ASKING_WAITS),
                relations=companies.get(row.company_id, NOTHING),
            )
        )
    return found


def _stands(one: Candidate, now: datetime) -> datetime | None:
    until = declined_until(one.declined_at)
    return until if until is not None and until > now else None


def _why_review(one: Candidate, of: Standing | None, now: datetime) -> str:
    """Reviewed when helpfulness fell under half of what it was, and yearly."""
    if one.stage in NOT_REVIEWED:
        return ""
    if of is not None and one.was_worth > 0 and of.helpfulness < one.was_worth / 2:
        return "fallen"
    return "yearly" if one.reviewed_at <= now - REVIEW_EVERY else ""


def _loads(ids: list[int], now: datetime) -> dict[int, tuple[int, int]]:
    return {id_: (load.taken, load.limit) for id_, load in loads_by_week(ids, now).items()}
