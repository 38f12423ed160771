"""Cases: one open for each target; claimed by one moderator at a time."""

from flask_babel import gettext as _
from sqlalchemy import or_, select, true

from portal.discussions.models import Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import board_is_visible
from portal.kernel import audit, clock, events
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.moderation import policy
from portal.moderation.events import CaseOpened
from portal.moderation.models import Case, CaseKind, CaseState


def title_of(post: Post, thread: Thread) -> str:
    """How a post is called in lists: "#7 in Who do you call when support is closed?"."""
    if post.kind is PostKind.OPENING:
        return thread.title
    if post.kind is PostKind.COMMENT:
        return _("Comment in %(title)s", title=thread.title)
    return f"#{post.number} in {thread.title}"


def case_about(post: Post, thread: Thread, kind: CaseKind) -> Case:
    """The open case about a post, opened now if there is none. Inside a unit of work."""
    key = f"post:{post.id}"
    case = db.session.execute(select(Case).where(Case.open_key == key).with_for_update()).scalar_one_or_none()
    if case is not None:
        return case
    case = new_case(post, thread, kind, open_key=key)
    case.due_at = case.opened_at + (policy.HELD_ANSWER if kind is CaseKind.HELD else policy.ANSWER[1])
    db.session.add(case)
    db.session.flush()  # flags and the address of the page need its id
    events.publish(CaseOpened(case.id))
    return case


def new_case(post: Post, thread: Thread, kind: CaseKind, *, open_key: str | None) -> Case:
    """A case about a post, due at once and not stored yet; without `open_key` it is decided already."""
    now = clock.now()
    return Case(
        kind=kind,
        state=CaseState.OPEN if open_key is not None else CaseState.DECIDED,
        open_key=open_key,
        post_id=post.id,
        thread_id=thread.id,
        board_id=thread.board_id,
        member_id=post.author_id,
        title=title_of(post, thread)[:240],
        link=f"/posts/{post.id}",
        why="",
        reasons=[],
        flags_count=0,
        weight=0,
        opened_at=now,
        due_at=now,
        decided_at=now if open_key is None else None,
    )


def open_held_case(post_id: int, reasons: tuple[str, ...]) -> Case:
    """A case for a post that screening kept back. Inside a unit of work."""
    post = db.session.get_one(Post, post_id)
    thread = db.session.get_one(Thread, post.thread_id)
    case = case_about(post, thread, CaseKind.HELD)
    if case.kind is CaseKind.FLAGS:  # it was flagged, and then edited: what is left is to show it or not
        case.kind = CaseKind.HELD
        case.due_at = min(case.due_at, clock.now() + policy.HELD_ANSWER)
    if case.reasons != list(reasons):
        case.version += 1
    case.reasons = list(reasons)
    return case


def withdraw_held_case(post_id: int) -> None:
    """The author deleted a post that waited: there is nothing left to decide. Inside a unit of work."""
    case = db.session.execute(
        select(Case).where(Case.open_key == f"post:{post_id}", Case.kind == CaseKind.HELD).with_for_update()
    ).scalar_one_or_none()
    post = db.session.get(Post, post_id)
    if case is not None and post is not None and post.state is PostState.DELETED:
        case.state, case.open_key, case.decided_at = CaseState.WITHDRAWN, None, clock.now()
        case.version += 1


def withdraw(case: Case) -> None:
    """Nothing is left to decide: whoever opened the case took it back. Inside a unit of work."""
    case.state, case.open_key, case.decided_at = CaseState.WITHDRAWN, None, clock.now()
    case.claimed_by_id = case.claimed_until = None
    case.version += 1


def case_for(moderator: Viewer, case_id: int) -> Case:
    """The case, locked, when this moderator may read its board. Raises NotFound, Forbidden."""
    if not moderator.may(Permission.MODERATE):
        raise Forbidden(_("Only moderators can do this."))
    case = db.session.execute(
        select(Case)
        .outerjoin(Thread, Thread.id == Case.thread_id)
        .outerjoin(Board, Board.id == Thread.board_id)
        .where(
            Case.id == case_id,
            or_(Board.id.is_(None), board_is_visible(moderator)),
            Case.peers_only.is_(False) if moderator.is_staff else true(),
        )
        .with_for_update(of=Case)
    ).scalar_one_or_none()
    if case is None:
        raise NotFound("no such case")
    return case


def claim(moderator: Viewer, case_id: int) -> Case:
    """Take a case: for twenty minutes nobody else decides it unless they take it over.

    Raises NotFound, Forbidden; Conflict when it is decided.
    """
    with unit_of_work():
        case = case_for(moderator, case_id)
        check_open(case)
        if case.claimed_by_id != moderator.member_id:
            held_by_other = (
                case.claimed_by_id is not None and (case.claimed_until or case.opened_at) > clock.now()
            )
            audit.record(
                moderator,
                "take over case" if held_by_other else "take case",
                "case",
                case.id,
                board_id=case.board_id,
            )
            case.version += 1
        case.claimed_by_id = moderator.member_id
        case.claimed_until = clock.now() + policy.CLAIM
    return case


def hand_back(moderator: Viewer, case_id: int) -> None:
    """Give a case back to whoever comes next. Raises NotFound, Forbidden, Conflict."""
    with unit_of_work():
        case = case_for(moderator, case_id)
        check_open(case)
        if case.claimed_by_id == moderator.member_id:
            case.claimed_by_id = case.claimed_until = None
            case.version += 1


def check_open(case: Case) -> None:
    """Raises Conflict for a case that is decided."""
    if case.state is not CaseState.OPEN:
        raise Conflict(_("Somebody has decided this case meanwhile."), case.version)


def check_claim(moderator: Viewer, case: Case) -> None:
    """Raises Conflict while another moderator has taken the case."""
    if (
        case.claimed_by_id is not None
        and case.claimed_by_id != moderator.member_id
        and case.claimed_until is not None
        and case.claimed_until > clock.now()
    ):
        name = db.session.execute(select(Member.name).where(Member.id == case.claimed_by_id)).scalar_one()
        raise Conflict(
            _("%(name)s has taken this case. Take it over first if you want to decide it.", name=name),
            case.version,
        )
