"""Whom a case is about, and whether somebody may decide it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from portal.discussions.models import Post, PostState, ShownAs, Thread
from portal.kernel import site
from portal.kernel.access import Duty, Viewer
from portal.kernel.db import db
from portal.members.models import Company, Member
from portal.moderation import policy
from portal.moderation.models import Appeal, Case, CaseState, Decision, Evidence, Flag
from portal.moderation.policy import Party


def reason_against(viewer: Viewer, case: Case) -> str:
    """Why this viewer cannot decide the case, as a sentence; "" when they can."""
    return reasons_against(viewer, [case])[case.id]


def reason_against_member(viewer: Viewer, member_id: int, *, by_role: bool = False) -> str:
    """Why this viewer decides nothing about this member where there is no case; "" when they may.

    `by_role`: the member appears there without a name.
    """
    rivals: Iterable[int] = ()
    parties: list[Party] = []
    if policy.is_peer(viewer) and viewer.company_id is not None and not by_role:
        rows = db.session.execute(
            select(Member.id, Member.company_id, Company.competitors)
            .outerjoin(Company, Company.id == Member.company_id)
            .where(Member.id.in_([member_id, viewer.member_id]))
        ).all()
        for row in rows:
            if row.id == viewer.member_id:
                rivals = row.competitors or ()
            else:
                parties.append(Party(row.id, row.company_id, tuple(row.competitors or ())))
    return policy.why_not_decide(
        viewer, author_id=member_id, parties=parties, own_competitors=rivals, author_is_role=by_role
    )


def reasons_against(viewer: Viewer, cases: Iterable[Case]) -> dict[int, str]:
    """The same for several cases, by id, in at most six statements however many they are."""
    cases = list(cases)
    ids = [case.id for case in cases]
    decided_by = {
        row.case_id: row.decided_by_id
        for row in db.session.execute(
            select(Appeal.case_id, Decision.decided_by_id)
            .join(Decision, Decision.id == Appeal.decision_id)
            .where(Appeal.case_id.in_(ids))
        )
    }
    parties: dict[int, list[Party]] = {}
    rivals: Iterable[int] = ()
    nameless: set[int] = set()
    if policy.is_peer(viewer):
        nameless = _about_a_role(ids)
    if policy.is_peer(viewer) and viewer.company_id is not None:
        rivals = _rivals(viewer)
        parties = _parties(cases)
    return {
        case.id: policy.why_not_decide(
            viewer,
            author_id=case.member_id,
            parties=parties.get(case.id, ()),
            own_competitors=rivals,
            decided_before_by=decided_by.get(case.id),
            is_named_second=is_named_second(viewer),
            author_is_role=case.id in nameless,
        )
        for case in cases
    }


def reason_against_tool(viewer: Viewer, thread_id: int, post_id: int | None = None) -> str:
    """Why a peer moderator uses no tool on a thread, or changes not this post of it; "" when they may.

    Of a thread everybody is a party who wrote in it, and who flagged something there that is not decided.
    """
    if not policy.is_peer(viewer):
        return ""
    about = (
        Post.id == post_id
        if post_id is not None
        else and_(Post.thread_id == thread_id, Post.state != PostState.DELETED)
    )
    by_others = Post.author_id != (viewer.member_id or 0)
    author_id = db.session.execute(
        select(Thread.author_id).where(Thread.id == thread_id)
        if post_id is None
        else select(Post.author_id).where(Post.id == post_id)
    ).scalar_one()
    nameless = db.session.execute(
        select(Post.id).where(about, by_others, Post.author_shown_as == ShownAs.ROLE).limit(1)
    ).first()
    flaggers = (
        select(Flag.reporter_id)
        .join(Case, Case.id == Flag.case_id)
        .join(Post, Post.id == Flag.post_id)
        .where(about, Flag.stands(), Case.state == CaseState.OPEN)
    )
    rows = db.session.execute(
        select(Member.id, Member.company_id, Company.competitors)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(
            or_(Member.id.in_(select(Post.author_id).where(about, by_others)), Member.id.in_(flaggers)),
            Member.company_id.is_not(None),
        )
    ).all()
    return policy.why_not_decide(
        viewer,
        author_id=author_id,
        parties=[Party(row.id, row.company_id, tuple(row.competitors or ())) for row in rows],
        own_competitors=_rivals(viewer),
        author_is_role=nameless is not None,
    )


def _rivals(viewer: Viewer) -> Iterable[int]:
    return (
        db.session.execute(
            select(Company.competitors).where(Company.id == viewer.company_id)
        ).scalar_one_or_none()
        or ()
    )


def due_of_open_case(open_key: str) -> datetime | None:
    """Until when moderators mean to have dealt with the open case of this key; None where there is none."""
    return db.session.execute(select(Case.due_at).where(Case.open_key == open_key)).scalar_one_or_none()


def author_is_role(about: type[Case] | type[Decision]) -> ColumnElement[bool]:
    """SQL: whom this is about appears as a role there. Use with a query that outer joins Post and Thread."""
    of_thread = and_(Thread.author_shown_as == ShownAs.ROLE, Thread.author_id == about.member_id)
    return func.coalesce(or_(Post.author_shown_as == ShownAs.ROLE, of_thread), false())


def _about_a_role(ids: list[int]) -> set[int]:
    query = (
        select(Case.id)
        .outerjoin(Post, Post.id == Case.post_id)
        .outerjoin(Thread, Thread.id == Case.thread_id)
        .where(Case.id.in_(ids), author_is_role(Case))
    )
    return set(db.session.scalars(query))


def is_named_second(viewer: Viewer) -> bool:
    """Whether this is the member whom an admin named to decide appeals; never one of sales or service, to
    whom cases would name prospects."""
    if not viewer.username or viewer.duties & {Duty.SALES, Duty.SERVICE}:
        return False
    return viewer.username == site.current().appeal_second


def _parties(cases: list[Case]) -> dict[int, list[Party]]:
    found: dict[int, list[Party]] = {}
    # An appeal has the parties of the case it is about.
    flagged = {case.appeals_case_id or case.id: case.id for case in cases}
    authors = {case.member_id for case in cases}
    rows = db.session.execute(
        select(Flag.case_id, Member.id, Member.company_id, Company.competitors)
        .join(Member, Member.id == Flag.reporter_id)
        .outerjoin(Company, Company.id == Member.company_id)
        .where(Flag.case_id.in_(flagged), Flag.stands())
    ).all()
    for row in rows:
        found.setdefault(flagged[row.case_id], []).append(
            Party(row.id, row.company_id, tuple(row.competitors or ()))
        )
    # Of reported messages both sides are parties.
    for whose in (Evidence.author_id, Evidence.shared_by_id):
        for row in db.session.execute(
            select(Evidence.case_id, Member.id, Member.company_id, Company.competitors)
            .join(Member, Member.id == whose)
            .outerjoin(Company, Company.id == Member.company_id)
            .where(Evidence.case_id.in_(flagged))
        ):
            found.setdefault(flagged[row.case_id], []).append(
                Party(row.id, row.company_id, tuple(row.competitors or ()))
            )
    by_id = {
        row.id: Party(row.id, row.company_id, tuple(row.competitors or ()))
        for row in db.session.execute(
            select(Member.id, Member.company_id, Company.competitors)
            .outerjoin(Company, Company.id == Member.company_id)
            .where(Member.id.in_(authors))
        )
    }
    for case in cases:
        found.setdefault(case.id, []).append(by_id[case.member_id])
    return found
