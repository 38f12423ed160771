"""A conversation as one of its participants may take it along."""

from typing import Any

from sqlalchemy import select

from portal.conversations.models import Conversation, Message, Participant, TimeProposal
from portal.conversations.queries.finding import find_own
from portal.conversations.queries.people import people_of
from portal.conversations.queries.sealed import opened
from portal.kernel.access import Viewer
from portal.kernel.db import db


def export(viewer: Viewer, conversation_id: str) -> dict[str, Any]:
    """One's own copy of a conversation, as plain values. Raises NotFound, CannotOpen."""
    conversation, me = find_own(viewer, conversation_id)
    people = people_of(viewer, [conversation], everybody=True)[conversation.id]
    return as_values(conversation, me, {number: line.name for number, line in people.items()})


def as_values(conversation: Conversation, me: Participant, names: dict[int, str]) -> dict[str, Any]:
    """A conversation as a participant may take it along: no addresses of anybody. Raises CannotOpen."""
    key = conversation.key()
    rows = db.session.execute(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.number >= me.from_number)
        .order_by(Message.number)
    ).scalars()
    times: dict[str, list[TimeProposal]] = {}
    for one in db.session.execute(
        select(TimeProposal)
        .where(TimeProposal.conversation_id == conversation.id)
        .order_by(TimeProposal.starts_at)
    ).scalars():
        times.setdefault(one.message_id, []).append(one)
    return {
        "state": conversation.state.value,
        "with": [name for number, name in names.items() if number != me.member_id],
        "asked_by_you": conversation.asker_id == me.member_id,
        "requested_at": conversation.requested_at,
        "accepted_at": conversation.accepted_at,
        "note": opened(key, conversation.note_box, "note") if me.from_number == 1 else "",
        "link": opened(key, conversation.link_box, "link"),
        "speak_at": conversation.agreed_at,
        "called_off_at": conversation.called_off_at,
        "messages": [
            {
                "by": "you" if row.author_id == me.member_id else names.get(row.author_id, "somebody"),
                "at": row.sent_at,
                "kind": row.kind.value,
                "deleted": row.deleted_at is not None,
                "text": ""
                if row.deleted_at is not None
                else opened(key, row.source_box, f"message:{row.id}"),
                **(
                    {"times": [{"at": one.starts_at, "minutes": one.minutes} for one in times[row.id]]}
                    if row.id in times
                    else {}
                ),
            }
            for row in rows
        ],
    }
