"""Everything about one case: the posts around it, the flags, what was decided, the author's record."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from portal.discussions.authors import BY_POST
from portal.discussions.models import Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import is_wider
from portal.discussions.queries.changed_since import Clash, clashes_since
from portal.kernel import clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members.display import PERSON, PersonLine, person_line, reader_of, with_person
from portal.members.models import Member
from portal.moderation import policy
from portal.moderation.models import (
    Appeal,
    Case,
    CaseKind,
    CaseState,
    Decision,
    Flag,
    FlagOutcome,
    MemberMeasure,
    PostMeasure,
)
from portal.moderation.queries import evidence
from portal.moderation.queries.parties import author_is_role, is_named_second
from portal.moderation.queries.queue import CaseLine, as_lines, for_eyes_of, lines_of_cases, readable


@dataclass(frozen=True)
class FlagLine:
    """One flag, with who made it and how their flags fared before."""

    flag: Flag
    reporter: PersonLine
    upheld: int
    settled: int


@dataclass(frozen=True)
class PostLine:
    """A post as moderators read it, in whatever state."""

    id: int
    number: int | None
    kind: str
    state: PostState
    version: int
    html: str
    source: str
    author: PersonLine
    created_at: datetime
    edited_at: datetime | None
    state_reason: str


@dataclass(frozen=True)
class DecisionLine:
    """One decision, with who took it."""

    decision: Decision
    by: str
    is_own: bool
    is_thread: bool
    title: str = ""


@dataclass(frozen=True)
class Record:
    """What is known of an author: decisions that stand, newest first, and how long they have been here.

    Where the author appears as a role, here or there, nothing is told that leads from one to the other:
    such decisions have no title, and a case about a role says neither since when nor how much was written.
    """

    decisions: list[DecisionLine]
    warnings: int
    joined_at: datetime | None
    posts_count: int
    accepted_count: int
    suspended_until: datetime | None
    is_banned: bool


@dataclass(frozen=True)
class CaseView:
    """Everything about one case."""

    line: CaseLine
    thread_title: str
    thread_closed: bool
    posts_in_thread: int
    post: PostLine | None
    before: list[PostLine]  # the opening and what stands above it
    after: list[PostLine]
    flags: list[FlagLine]
    decisions: list[DecisionLine]  # on this case, oldest first
    earlier: list[DecisionLine]  # on this post, in other cases
    record: Record
    appeal: Appeal | None = None
    appealed: DecisionLine | None = None  # the decision that the appeal is against
    undo_until: datetime | None = None
    members_told: int = 0
    board_audience: str = ""
    notes: list[str] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)  # posts of which the judge says what they read
    disclosed: int = 0  # messages that can be read now, with a record of each reading

    @property
    def case(self) -> Case:
        return self.line.case

    @property
    def waits_for_me(self) -> bool:
        """Whether it is open, and nobody else has taken it."""
        return self.case.state is CaseState.OPEN and (not self.line.claimed_by or self.line.is_mine)


def case_view(viewer: Viewer, case_id: int) -> CaseView:
    """The case, for moderators on boards they read, and an appeal for the named second. Raises NotFound."""
    is_second = is_named_second(viewer) and not viewer.may(Permission.MODERATE)
    visible = and_(Case.kind == CaseKind.APPEAL, for_eyes_of(viewer)) if is_second else readable(viewer)
    if not viewer.may(Permission.MODERATE) and not is_second:
        raise NotFound("no such case")
    row = db.session.execute(lines_of_cases().where(Case.id == case_id, visible)).one_or_none()
    if row is None:
        raise NotFound("no such case")
    line = as_lines(viewer, [row])[0]
    case = line.case
    thread = db.session.get(Thread, case.thread_id) if case.thread_id else None
    around = _posts_around(viewer, case.post_id, thread)
    post = next((one for one in around if one.id == case.post_id), None)
    at = around.index(post) if post else 0
    appeal = db.session.execute(select(Appeal).where(Appeal.case_id == case.id)).scalar_one_or_none()
    all_decisions = _decisions(
        viewer,
        or_(
            Decision.case_id.in_([case.id, case.appeals_case_id or case.id]),
            and_(Decision.post_id == case.post_id, Decision.post_id.is_not(None)),
        ),
    )
    own = [one for one in all_decisions if one.decision.case_id == case.id]
    flags = _flags(viewer, case.appeals_case_id or case.id)
    appealed = next((one for one in all_decisions if appeal and one.decision.id == appeal.decision_id), None)
    undoable = [one for one in own if one.is_own and policy.can_be_undone(one.decision, clock.now())]
    return CaseView(
        line=line,
        thread_title=thread.title if thread else case.title,
        thread_closed=thread is not None and thread.closed_at is not None,
        posts_in_thread=thread.posts_count if thread else 0,
        post=post,
        before=around[:at],
        after=around[at + 1 :],
        flags=flags,
        decisions=own,
        earlier=[one for one in all_decisions if one.decision.case_id not in (case.id, case.appeals_case_id)],
        record=_record(viewer, case.member_id, as_role=line.author.as_role),
        appeal=appeal,
        appealed=appealed,
        clashes=_clashes(appealed.decision, thread) if appealed and case.state is CaseState.OPEN else [],
        undo_until=undoable[-1].decision.decided_at + policy.UNDO if undoable else None,
        members_told=len(flags),
        board_audience=row.audience or "",
        disclosed=evidence.readable_count(viewer, case) if not line.against else 0,
    )


def _clashes(decision: Decision, thread: Thread | None) -> list[Clash]:
    """Where a thread that goes back was changed since by its author and by a rule."""
    if decision.post_measure not in (PostMeasure.MOVE, PostMeasure.MERGE) or thread is None:
        return []
    left, there = (db.session.get(Board, board_id) for board_id in (decision.board_id, thread.board_id))
    if left is None or there is None or not is_wider(there.audience, left.audience):
        return []  # as many read it: everything stays as it is
    return clashes_since(thread.id, decision.decided_at)


def flaggers_of(decision: Decision) -> int:
    """How many others than its author flagged what this decision is about, and are told of it."""
    query = select(func.count(Flag.reporter_id.distinct())).where(
        Flag.case_id == decision.case_id, Flag.stands(), Flag.reporter_id != decision.member_id
    )
    return db.session.execute(query).scalar_one()


def appeal_case_id(appeal_id: int) -> int:
    """The case of an appeal. Raises NotFound."""
    case_id = db.session.execute(select(Appeal.case_id).where(Appeal.id == appeal_id)).scalar_one_or_none()
    if case_id is None:
        raise NotFound("no such appeal")
    return case_id


def last_decision(case_id: int) -> DecisionLine | None:
    """What was decided on a case, for the one who came second."""
    row = db.session.execute(
        select(Decision, Member.name, Post.kind)
        .join(Member, Member.id == Decision.decided_by_id)
        .outerjoin(Post, Post.id == Decision.post_id)
        .where(Decision.case_id == case_id)
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()
    return DecisionLine(row[0], row.name, False, row.kind is PostKind.OPENING) if row else None


def _posts_around(viewer: Viewer, post_id: int | None, thread: Thread | None) -> list[PostLine]:
    """The opening, what the post answers, its neighbours and itself, in their order."""
    if post_id is None or thread is None:
        return []
    at = db.session.execute(
        select(Post.number, Post.parent_id, Post.kind).where(Post.id == post_id)
    ).one_or_none()
    if at is None:
        return []
    wanted: ColumnElement[bool] = or_(Post.id == post_id, and_(Post.thread_id == thread.id, Post.number == 1))
    if at.parent_id is not None:
        wanted = or_(wanted, Post.id == at.parent_id)
    elif at.number is not None:
        near = Post.number.between(at.number - 1, at.number + 1)
        wanted = or_(wanted, and_(Post.thread_id == thread.id, near))
    query = select(
        Post.id,
        Post.number,
        Post.kind,
        Post.state,
        Post.version,
        Post.html,
        Post.source,
        Post.created_at,
        Post.edited_at,
        Post.state_reason,
        Post.by_vendor,
        *BY_POST,
    ).select_from(Post)
    rows = db.session.execute(with_person(query, Post.author_id).where(wanted)).all()
    reader = reader_of(viewer)
    lines = [
        PostLine(
            id=row.id,
            number=row.number,
            kind=row.kind.value,
            state=row.state,
            version=row.version,
            html=row.html,
            source=row.source,
            author=person_line(row, reader, by_vendor=row.by_vendor),
            created_at=row.created_at,
            edited_at=row.edited_at,
            state_reason=row.state_reason,
        )
        for row in rows
    ]
    # A comment stands under its parent, so it comes last of what is shown.
    return sorted(lines, key=lambda line: (line.number is None, line.number or 0, line.id))


def _flags(viewer: Viewer, case_id: int) -> list[FlagLine]:
    query: Any = select(Flag, *PERSON).select_from(Flag)
    rows = db.session.execute(
        with_person(query, Flag.reporter_id).where(Flag.case_id == case_id, Flag.stands()).order_by(Flag.id)
    ).all()
    reporters = {row[0].reporter_id for row in rows}
    records: dict[int, dict[FlagOutcome, int]] = {}
    if reporters:
        for one in db.session.execute(
            select(Flag.reporter_id, Flag.outcome, func.count().label("n"))
            .where(Flag.reporter_id.in_(reporters), Flag.case_id != case_id)
            .group_by(Flag.reporter_id, Flag.outcome)
        ):
            records.setdefault(one.reporter_id, {})[one.outcome] = one.n
    reader = reader_of(viewer)
    lines = []
    for row in rows:
        record = records.get(row[0].reporter_id, {})
        upheld = record.get(FlagOutcome.UPHELD, 0)
        lines.append(
            FlagLine(
                row[0],
                person_line(row, reader),
                upheld,
                upheld + record.get(FlagOutcome.DISMISSED, 0),
            )
        )
    return lines


def _decisions(viewer: Viewer, *conditions: ColumnElement[bool]) -> list[DecisionLine]:
    rows = db.session.execute(
        select(Decision, Member.name, Post.kind, Case.title)
        .join(Member, Member.id == Decision.decided_by_id)
        .join(Case, Case.id == Decision.case_id)
        .outerjoin(Post, Post.id == Decision.post_id)
        .where(*conditions)
        .order_by(Decision.id)
        .limit(50)
    ).all()
    return [
        DecisionLine(
            row[0],
            row.name,
            row[0].decided_by_id == viewer.member_id,
            row.kind is PostKind.OPENING,
            row.title,
        )
        for row in rows
    ]


def _record(viewer: Viewer, member_id: int, *, as_role: bool) -> Record:
    member = db.session.execute(
        select(
            Member.created_at,
            Member.posts_count,
            Member.accepted_count,
            Member.suspended_until,
            Member.state,
        ).where(Member.id == member_id)
    ).one()
    hidden_there = author_is_role(Decision).label("as_role")
    rows = db.session.execute(
        select(Decision, Member.name, Post.kind, Case.title, hidden_there)
        .join(Member, Member.id == Decision.decided_by_id)
        .join(Case, Case.id == Decision.case_id)
        .outerjoin(Post, Post.id == Decision.post_id)
        .outerjoin(Thread, Thread.id == Decision.thread_id)
        .outerjoin(Board, Board.id == func.coalesce(Thread.board_id, Decision.board_id))
        .where(
            Decision.member_id == member_id,
            Decision.undone_at.is_(None),
            Decision.overturned_at.is_(None),
            Decision.appeal_outcome.is_(None),
            readable(viewer),
        )
        .order_by(Decision.id.desc())
        .limit(30)
    ).all()
    lines = [
        DecisionLine(
            row[0], row.name, False, row.kind is PostKind.OPENING, "" if as_role or row.as_role else row.title
        )
        for row in rows
        if policy.can_be_appealed(row[0])
    ]
    now = clock.now()
    return Record(
        decisions=lines,
        warnings=sum(line.decision.member_measure is MemberMeasure.WARN for line in lines),
        joined_at=None if as_role else member.created_at,
        posts_count=0 if as_role else member.posts_count,
        accepted_count=0 if as_role else member.accepted_count,
        suspended_until=member.suspended_until
        if member.suspended_until and member.suspended_until > now
        else None,
        is_banned=member.state.value == "banned",
    )
