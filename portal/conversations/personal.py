"""What the tables of conversations hold about people: exported, erased, kept how long (kernel.personal)."""

from typing import Any

from sqlalchemy import delete, or_, select, update

from portal.conversations import policy
from portal.conversations.models import (
    Block,
    Conversation,
    ConversationState,
    Part,
    Participant,
    Rating,
    Report,
    Thanks,
)
from portal.conversations.queries import copies
from portal.conversations.queries.finding import is_remembered
from portal.conversations.services.leaving import leave_everything
from portal.conversations.services.messages import FORGET_JOB
from portal.kernel import clock
from portal.kernel.access import Status
from portal.kernel.db import db
from portal.kernel.personal import Personal
from portal.kernel.preserving import KeptWords, PostponedErasure, Preservation
from portal.kernel.vault import CannotOpen
from portal.members.models import Member


def _conversations_of(member_id: int) -> Any:
    status = db.session.execute(select(Member.status).where(Member.id == member_id)).scalar_one()
    if status is Status.VENDOR:
        return []  # nobody from the vendor in the room, not even with what they said before
    rows = db.session.execute(
        select(Conversation, Participant)
        .join(Participant, Participant.conversation_id == Conversation.id)
        .where(
            Participant.member_id == member_id,
            Participant.part == Part.ACTIVE,
            is_remembered(clock.now()),
        )
        .order_by(Conversation.requested_at)
    ).all()
    names: dict[str, dict[int, str]] = {}
    for one in db.session.execute(
        select(Participant.conversation_id, Participant.member_id, Member.name)
        .join(Member, Member.id == Participant.member_id)
        .where(Participant.conversation_id.in_([conversation.id for conversation, _me in rows]))
    ):
        names.setdefault(one.conversation_id, {})[one.member_id] = one.name
    found = []
    for conversation, me in rows:
        known = dict(names[conversation.id])
        if conversation.by_role and conversation.accepted_at is None and conversation.asker_id == member_id:
            known[conversation.member_id] = "somebody who has not accepted"
        try:
            found.append(copies.as_values(conversation, me, known))
        except CannotOpen:
            found.append({"state": conversation.state.value, "cannot be opened": "the key is missing"})
    return found


def _erase_conversations(member_id: int, _keep_text: bool) -> None:
    # The other side's copy remains; the name goes with the account.
    leave_everything(member_id)
    db.session.execute(
        update(Conversation)
        .where(
            Conversation.asker_id == member_id,
            Conversation.state.in_(
                [ConversationState.DECLINED, ConversationState.RELEASED, ConversationState.WITHDRAWN]
            ),
        )
        .values(note_box="")
    )


def _reports_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(Report).where(Report.reporter_id == member_id).order_by(Report.created_at)
    ).scalars()
    return [
        {
            "at": row.created_at,
            "with the note of the request": row.note_by_id is not None,
            "peers only": row.peers_only,
            "decided": row.decided_at,
        }
        for row in rows
    ]


def _keep(_member_id: int, _keep_text: bool) -> None:
    """Holds numbers; the name goes with the account."""


def _blocks_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(Member.name, Block.at)
        .join(Member, Member.id == Block.blocked_id)
        .where(Block.blocker_id == member_id)
    )
    return [{"blocked": row.name, "at": row.at} for row in rows]


def _erase_blocks(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Block).where(or_(Block.blocker_id == member_id, Block.blocked_id == member_id)))


def _ratings_of(member_id: int) -> Any:
    rows = db.session.execute(select(Rating).where(Rating.by_id == member_id)).scalars()
    return [
        {
            "useful": row.useful,
            "honest": row.honest,
            "again": row.again,
            "decided": row.decided.value if row.decided else None,
            "shared": row.shared,
            "at": row.at,
        }
        for row in rows
    ]


def _erase_ratings(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Rating).where(Rating.by_id == member_id))


def _thanks_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(Thanks, Conversation)
        .join(Conversation, Conversation.id == Thanks.conversation_id)
        .where(or_(Thanks.to_id == member_id, Thanks.by_id == member_id))
        .order_by(Thanks.at)
    ).all()
    found = []
    for row, conversation in rows:
        try:
            text = conversation.key().open(row.text_box, purpose=f"thanks:{row.id}")
        except CannotOpen:
            text = ""
        found.append(
            {"yours": row.by_id == member_id, "text": text, "public": bool(row.public_text), "at": row.at}
        )
    return found


def _erase_thanks(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Thanks).where(Thanks.to_id == member_id))
    db.session.execute(update(Thanks).where(Thanks.by_id == member_id).values(public_text=""))


def _orders_about(member_id: int) -> Any:
    rows = db.session.execute(
        select(Preservation).where(Preservation.member_id == member_id, Preservation.silent.is_(False))
    ).scalars()
    return [{"from": row.created_at, "until": row.until, "reason": row.reason} for row in rows]


def _erase_orders(member_id: int, _keep_text: bool) -> None:
    # Only once no order holds any more is an account erased.
    db.session.execute(delete(PostponedErasure).where(PostponedErasure.member_id == member_id))
    db.session.execute(delete(KeptWords).where(KeptWords.member_id == member_id))


CLASSES = (
    Personal(
        "private conversations",
        ("conversations", "conversation_participants", "conversation_messages", "conversation_times"),
        _conversations_of,
        _erase_conversations,
        policy.REPORTABLE.days,
        FORGET_JOB,
    ),
    Personal("reports of messages", ("conversation_reports", "conversation_reported"), _reports_of, _keep),
    Personal("whom you blocked", ("conversation_blocks",), _blocks_of, _erase_blocks),
    Personal("how conversations were", ("conversation_ratings",), _ratings_of, _erase_ratings),
    Personal("thanks", ("conversation_thanks",), _thanks_of, _erase_thanks),
    Personal(
        "legal orders to keep your data",
        ("preservations", "postponed_erasures", "kept_words"),
        _orders_about,
        _erase_orders,
    ),
)
