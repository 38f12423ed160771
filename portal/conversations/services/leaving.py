"""Ways out: leaving, blocking. Old addresses lead nowhere from that moment."""

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, func, or_, select

from portal.conversations import policy
from portal.conversations.models import (
    Block,
    Conversation,
    ConversationState,
    MessageKind,
    Part,
    Participant,
)
from portal.conversations.queries.finding import active_ids, find_own
from portal.conversations.services import messages, requesting
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.moderation.models import CaseKind
from portal.moderation.services.opening import open_case

CASE_ANSWER = timedelta(hours=24)


def leave(member: Viewer, conversation_id: str) -> None:
    """Leave a conversation for good; the others keep their copy. Raises NotFound."""
    with unit_of_work():
        conversation, _me = find_own(member, conversation_id, lock=True)
        if conversation.state is ConversationState.REQUESTED:
            if conversation.asker_id == member.member_id:
                requesting.withdraw(member, conversation_id)
            else:
                requesting.decline(member, conversation_id)
        _leave(conversation, member.member_id or 0)


def block(member: Viewer, conversation_id: str, other_id: int) -> None:
    """Hear nothing of somebody any more: no message, no request, and this conversation is left.

    The other one is not told. When three different people have blocked somebody, moderators get a case
    without a word of what was said. Raises NotFound for who does not take part.
    """
    with unit_of_work():
        conversation, _me = find_own(member, conversation_id, lock=True)
        if other_id == member.member_id or other_id not in [
            conversation.asker_id,
            conversation.member_id,
            *active_ids(conversation_id),
        ]:
            raise NotFound("nobody to block")
        if db.session.get(Block, (member.member_id, other_id)) is None:
            db.session.add(Block(blocker_id=member.member_id or 0, blocked_id=other_id, at=clock.now()))
            db.session.flush()
            _look_at_blocks(other_id)
        if conversation.state is ConversationState.REQUESTED and conversation.member_id == member.member_id:
            requesting.decline(member, conversation_id)
        else:
            leave(member, conversation_id)
        for more in _between(member.member_id or 0, other_id):
            _leave(more, member.member_id or 0)
            if more.state is ConversationState.REQUESTED:
                requesting.end(more)


def unblock(member: Viewer, username: str) -> None:
    """Take a block back. Raises Forbidden, NotFound."""
    if not policy.may_converse(member):
        raise Forbidden(_("This account takes part in no conversations."))
    with unit_of_work():
        blocked = select(Member.id).where(Member.username == username)
        result = db.session.execute(
            delete(Block).where(Block.blocker_id == member.member_id, Block.blocked_id.in_(blocked))
        )
        if not result.rowcount:  # type: ignore[attr-defined]
            raise NotFound("nobody is blocked")


def leave_everything(member_id: int) -> None:
    """An account ends: it leaves every conversation, and the others keep theirs. Inside a unit of work."""
    rows = db.session.execute(
        select(Conversation)
        .join(Participant, Participant.conversation_id == Conversation.id)
        .where(Participant.member_id == member_id, Participant.part != Part.LEFT)
    ).scalars()
    for conversation in list(rows):
        _leave(conversation, member_id)
        if conversation.state is ConversationState.REQUESTED:
            requesting.end(conversation)


def _leave(conversation: Conversation, member_id: int) -> None:
    me = db.session.get_one(Participant, (conversation.id, member_id))
    was_active = me.part is Part.ACTIVE
    me.part, me.left_at, me.unread = Part.LEFT, clock.now(), 0
    db.session.flush()
    if conversation.state is not ConversationState.OPEN or not was_active:
        return
    if len(active_ids(conversation.id)) < 2:
        requesting.end(conversation)
    messages.note_event(conversation, member_id, MessageKind.LEFT)


def _between(one_id: int, other_id: int) -> list[Conversation]:
    """What the two have between them and one still takes part in."""
    return list(
        db.session.execute(
            select(Conversation)
            .join(Participant, Participant.conversation_id == Conversation.id)
            .where(
                Participant.member_id == one_id,
                Participant.part == Part.ACTIVE,
                Conversation.state.in_([ConversationState.REQUESTED, ConversationState.OPEN]),
                or_(
                    (Conversation.asker_id == one_id) & (Conversation.member_id == other_id),
                    (Conversation.asker_id == other_id) & (Conversation.member_id == one_id),
                ),
            )
        ).scalars()
    )


def _look_at_blocks(blocked_id: int) -> None:
    by = db.session.execute(
        select(func.count()).select_from(Block).where(Block.blocked_id == blocked_id)
    ).scalar_one()
    if by == policy.BLOCKS_FOR_A_CASE:
        open_case(
            CaseKind.BLOCKS,
            title="A member whom several people blocked",
            link="",
            why="",
            member_id=blocked_id,
            due_at=clock.now() + CASE_ANSWER,
            open_key=f"blocks:{blocked_id}",
        )
