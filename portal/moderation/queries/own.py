"""What an author reads of decisions about themselves."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Text, cast, func, select

from portal.discussions.models import Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock, site
from portal.kernel.access import Duty, Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members.models import Member, MemberState
from portal.moderation import policy
from portal.moderation.models import (
    Appeal,
    AppealOutcome,
    Case,
    Decision,
    MemberMeasure,
    ModeratorAlias,
    PostMeasure,
)


@dataclass(frozen=True)
class OwnDecision:
    """A decision as its author reads it, with their own text."""

    decision: Decision
    case: Case
    is_thread: bool
    source: str  # what they wrote, to be copied; "" once it is deleted
    html: str
    by: str  # "Moderator B"
    appeal: Appeal | None
    answer: Decision | None  # to the appeal
    answered_by: str
    may_appeal: bool
    may_reopen: bool


def own_decision(author_id: int, decision_id: int) -> OwnDecision:
    """Raises NotFound for a decision about somebody else, and for a dismissal."""
    row = db.session.execute(
        select(Decision, Case, Post.kind, Post.source, Post.html, Post.state, ModeratorAlias.letter)
        .join(Case, Case.id == Decision.case_id)
        .outerjoin(Post, Post.id == Decision.post_id)
        .outerjoin(ModeratorAlias, ModeratorAlias.member_id == Decision.decided_by_id)
        .where(Decision.id == decision_id, Decision.member_id == author_id)
    ).one_or_none()
    if row is None or policy.is_dismissal(row[0]):
        raise NotFound("no such decision")
    decision: Decision = row[0]
    if decision.appeal_outcome is not None:  # the answer to an appeal: show the decision it is about
        return own_decision(
            author_id,
            db.session.execute(
                select(Appeal.decision_id).where(Appeal.case_id == decision.case_id)
            ).scalar_one(),
        )
    appeal = db.session.execute(select(Appeal).where(Appeal.decision_id == decision.id)).scalar_one_or_none()
    answer = None
    if appeal is not None and appeal.outcome is not AppealOutcome.PENDING:
        answer = db.session.execute(
            select(Decision, ModeratorAlias.letter)
            .outerjoin(ModeratorAlias, ModeratorAlias.member_id == Decision.decided_by_id)
            .where(Decision.case_id == appeal.case_id)
            .order_by(Decision.id.desc())
            .limit(1)
        ).one_or_none()
    gone = row.state is None or row.state is PostState.DELETED
    return OwnDecision(
        decision=decision,
        case=row[1],
        is_thread=row.kind is PostKind.OPENING,
        source="" if gone else row.source,
        html="" if gone else row.html,
        by=row.letter or "",
        appeal=appeal,
        answer=answer[0] if answer else None,
        answered_by=(answer.letter or "") if answer else "",
        may_appeal=(
            appeal is None
            and decision.undone_at is None
            and policy.can_be_appealed(decision)
            and clock.now() <= policy.appeal_until(decision)
        ),
        may_reopen=row.state is PostState.VISIBLE and not why_not_reopen(decision),
    )


def is_in_sight(viewer: Viewer, post_id: int | None) -> bool:
    """Whether the viewer may read the thread in which the post stands now."""
    there = (
        select(Post.id)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.id == post_id, thread_is_visible(viewer))
    )
    return post_id is not None and db.session.execute(there).first() is not None


def why_not_reopen(decision: Decision) -> str:
    """Why the author cannot open the thread again that this decision closed; "" when they can."""
    if not policy.author_may_reopen(decision):
        return _("Only a thread that was closed as settled can be opened again here.")
    by_rule = select(Decision.id).where(
        Decision.thread_id == decision.thread_id,
        Decision.post_measure == PostMeasure.CLOSE,
        Decision.rule_number.is_not(None),
        Decision.undone_at.is_(None),
        Decision.overturned_at.is_(None),
    )
    if db.session.execute(by_rule.limit(1)).first():
        return _("A rule closed this thread since, so it stays closed.")
    archived = (
        select(Board.archived_at)
        .join(Thread, Thread.board_id == Board.id)
        .where(Thread.id == decision.thread_id)
    )
    if db.session.execute(archived).scalar_one_or_none():
        return _("This board is archived: nothing in it can be changed.")
    return ""


def barred_from_conversations(member_id: int) -> datetime | None:
    """Until when a decision that stands lets this member begin no new conversations; None when it may."""
    return db.session.execute(
        select(func.max(Decision.suspended_until)).where(
            Decision.member_id == member_id,
            Decision.member_measure == MemberMeasure.NO_CONVERSATIONS,
            Decision.suspended_until > clock.now(),
            Decision.undone_at.is_(None),
            Decision.overturned_at.is_(None),
        )
    ).scalar_one()


def appeals_have_a_second() -> bool:
    """Whether somebody else than the moderator who decided can look at an appeal."""
    if site.current().appeal_second:
        return True
    duties = db.session.execute(
        select(Member.duties)
        .where(
            Member.state == MemberState.ACTIVE,
            Member.email_confirmed_at.is_not(None),
            Member.email.is_not(None),
        )
        # few members have duties; the JSON text of an empty list is two characters on both databases
        .where(cast(Member.duties, Text) != "[]")
    ).scalars()
    moderating = {Duty.MODERATOR.value, Duty.ADMIN.value}
    return sum(bool(moderating & set(one)) for one in duties) >= 2


def appeal_of(author_id: int, appeal_id: int) -> int | None:
    """The decision that the author's own appeal is against; None for another's."""
    return db.session.execute(
        select(Appeal.decision_id).where(Appeal.id == appeal_id, Appeal.member_id == author_id)
    ).scalar_one_or_none()
