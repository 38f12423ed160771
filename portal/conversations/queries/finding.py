"""The one way to a conversation: as somebody who takes part in it."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.conversations import policy
from portal.conversations.models import (
    Block,
    Conversation,
    ConversationState,
    Part,
    Participant,
    Report,
)
from portal.kernel import clock
from portal.kernel.access import CUSTOMERS, Permission, Viewer, permissions_of
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.matching.queries.apart import Employer
from portal.members.models import Company, Member, MemberState

OVER_FOR_MEMBER = (ConversationState.DECLINED, ConversationState.RELEASED, ConversationState.WITHDRAWN)
TAKEN_BACK_OFTEN = 2  # requests to the same member, after which it is as if they had said no


def is_remembered(at: datetime) -> ColumnElement[bool]:
    """SQL: not a request that came to nothing longer ago than pages remember it.

    A legal order may keep the row; whoever looks must not be able to tell.
    """
    return or_(Conversation.state.not_in(OVER_FOR_MEMBER), Conversation.ended_at > at - policy.REQUESTS_KEPT)


def find_own(
    viewer: Viewer, conversation_id: str, *, lock: bool = False, invited: bool = False
) -> tuple[Conversation, Participant]:
    """The conversation and how this viewer takes part in it.

    Raises NotFound for everybody else, for who has left, and for ids that do not exist: all look alike.
    `invited`: those who were invited and have not answered yet, too.
    """
    if not policy.may_converse(viewer) or viewer.member_id is None:
        raise NotFound("no such conversation")
    parts = [Part.ACTIVE, Part.INVITED] if invited else [Part.ACTIVE]
    query = (
        select(Conversation, Participant)
        .join(Participant, Participant.conversation_id == Conversation.id)
        .where(
            Conversation.id == conversation_id,
            Participant.member_id == viewer.member_id,
            Participant.part.in_(parts),
            is_remembered(clock.now()),
        )
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound("no such conversation")
    conversation, me = row
    if conversation.state in OVER_FOR_MEMBER and viewer.member_id != conversation.asker_id:
        raise NotFound("no such conversation")
    return conversation, me


def find_to_report(
    viewer: Viewer, conversation_id: str, *, lock: bool = False
) -> tuple[Conversation, Participant]:
    """As `find_own`; beyond it whoever was asked finds a request of which they have read the note, for 30
    days after it came to nothing, and longer where they reported it. Raises NotFound.
    """
    try:
        return find_own(viewer, conversation_id, lock=lock)
    except NotFound:
        if not policy.may_converse(viewer):
            raise
    now = clock.now()
    query = (
        select(Conversation, Participant)
        .join(Participant, Participant.conversation_id == Conversation.id)
        .where(
            Conversation.id == conversation_id,
            Conversation.member_id == viewer.member_id,
            Participant.member_id == viewer.member_id,
            note_is_reportable(now)
            | (
                is_remembered(now)
                & exists().where(
                    Report.conversation_id == Conversation.id, Report.reporter_id == viewer.member_id
                )
            ),
            Conversation.state.in_(OVER_FOR_MEMBER),
        )
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound("no such conversation")
    return row[0], row[1]


def place_of_reports(conversation: Conversation, me: Participant) -> str:
    """Where somebody sees what becomes of their report."""
    place = f"/conversations/{conversation.id}"
    return f"{place}/report" if me.part is Part.LEFT else place


def note_is_reportable(now: datetime) -> ColumnElement[bool]:
    """SQL, beside the row of the member who was asked: it came to nothing, and they had read its note.

    What was taken back before it was read stays unread.
    """
    return and_(
        Conversation.state.in_(OVER_FOR_MEMBER),
        Conversation.ended_at > now - policy.REPORTABLE,
        Conversation.note_box != "",
        Participant.seen_at.is_not(None),
    )


def active_ids(conversation_id: str) -> list[int]:
    """Who takes part now."""
    return list(
        db.session.execute(
            select(Participant.member_id).where(
                Participant.conversation_id == conversation_id, Participant.part == Part.ACTIVE
            )
        ).scalars()
    )


def is_blocked(one_id: int, other_id: int) -> bool:
    """Whether either of the two has blocked the other."""
    return (
        db.session.execute(
            select(Block.at).where(
                or_(
                    (Block.blocker_id == one_id) & (Block.blocked_id == other_id),
                    (Block.blocker_id == other_id) & (Block.blocked_id == one_id),
                )
            )
        ).first()
        is not None
    )


def member_to_ask(username: str) -> int | None:
    """Who is called so and may take part in conversations; None for all others, the vendor's people too."""
    row = db.session.execute(
        select(Member.id, Member.status).where(
            Member.username == username.strip().lower()[:40], Member.state == MemberState.ACTIVE
        )
    ).one_or_none()
    if row is None or Permission.CONVERSE not in permissions_of(row.status, frozenset()):
        return None
    return row.id


def may_be_asked(viewer: Viewer, member_id: int) -> bool:
    """Whether this viewer is offered to ask this member for a conversation: customers of other companies that
    do not compete with the viewer's."""
    if not policy.may_converse(viewer) or viewer.member_id == member_id:
        return False
    own = aliased(Company)
    row = db.session.execute(
        select(Member.company_id, Company.competitors, own.competitors.label("mine"))
        .select_from(Member)
        .outerjoin(Company, Company.id == Member.company_id)
        .outerjoin(own, own.id == viewer.company_id)
        .where(
            Member.id == member_id,
            Member.state == MemberState.ACTIVE,
            Member.email_confirmed_at.is_not(None),
            Member.status.in_(CUSTOMERS),
        )
    ).one_or_none()
    if row is None:
        return False
    return Employer(viewer.company_id, row.mine).is_apart_from(Employer(row.company_id, row.competitors))


def in_touch_with(member_id: int) -> dict[int, str]:
    """By the other's id: the conversation or request with this member that is not over."""
    rows = db.session.execute(
        select(Conversation.id, Conversation.asker_id, Conversation.member_id)
        .where(
            Conversation.state.in_([ConversationState.REQUESTED, ConversationState.OPEN]),
            or_(Conversation.asker_id == member_id, Conversation.member_id == member_id),
        )
        .order_by(Conversation.requested_at)
    )
    return {row.member_id if row.asker_id == member_id else row.asker_id: row.id for row in rows}


def asked_in_vain(asker_id: int, member_id: int | None = None) -> list[int]:
    """Whom this member asked within 90 days and is not to ask again; with `member_id` that one alone, if so.

    A no and no answer are the same here as everywhere, or asking again would tell one from the other. To take
    a request back and send it anew makes a notice each time, so it counts from the second on.
    """
    weight = case((Conversation.state == ConversationState.WITHDRAWN, 1), else_=TAKEN_BACK_OFTEN)
    query = select(Conversation.member_id).where(
        Conversation.asker_id == asker_id,
        Conversation.state.in_(OVER_FOR_MEMBER),
        Conversation.ended_at > clock.now() - policy.REQUESTS_KEPT,
    )
    if member_id is not None:
        query = query.where(Conversation.member_id == member_id)
    return list(
        db.session.execute(
            query.group_by(Conversation.member_id).having(func.sum(weight) >= TAKEN_BACK_OFTEN)
        ).scalars()
    )


def between(one_id: int, other_id: int) -> Conversation | None:
    """The conversation or request of these two that is not over, if there is one."""
    return db.session.execute(
        select(Conversation)
        .where(
            Conversation.state.in_([ConversationState.REQUESTED, ConversationState.OPEN]),
            or_(
                (Conversation.asker_id == one_id) & (Conversation.member_id == other_id),
                (Conversation.asker_id == other_id) & (Conversation.member_id == one_id),
            ),
        )
        .order_by(Conversation.requested_at.desc())
        .limit(1)
    ).scalar_one_or_none()
