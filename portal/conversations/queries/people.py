"""Who takes part in conversations, as far as a participant may know them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from portal.conversations.models import Conversation, Part, Participant
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.matching.queries import cards
from portal.members.display import PERSON, PersonLine, person_line, reader_of, with_person


def shown_by_role(viewer: Viewer, conversation: Conversation) -> bool:
    """Whether the viewer knows the member only by role: asked by them, and not accepted (yet)."""
    return (
        conversation.by_role
        and conversation.accepted_at is None
        and viewer.member_id == conversation.asker_id
    )


def people_of(
    viewer: Viewer, conversations: Iterable[Conversation], *, everybody: bool = False
) -> dict[str, dict[int, PersonLine]]:
    """Who takes part, by conversation and member, as far as the viewer may know them."""
    conversations = list(conversations)
    query: Select[Any] = select(Participant.conversation_id, Participant.member_id, Participant.part, *PERSON)
    rows = db.session.execute(
        with_person(query, Participant.member_id)
        .where(Participant.conversation_id.in_([one.id for one in conversations]))
        .order_by(Participant.joined_at)
    ).all()
    reader = reader_of(viewer)
    found: dict[str, dict[int, PersonLine]] = {one.id: {} for one in conversations}
    by_id = {one.id: one for one in conversations}
    for row in rows:
        conversation = by_id[row.conversation_id]
        one_of_two = row.member_id in (conversation.asker_id, conversation.member_id)
        if everybody or one_of_two or row.part is Part.ACTIVE:
            found[row.conversation_id][row.member_id] = person_line(row, reader)
    by_role = [one for one in conversations if shown_by_role(viewer, one)]
    if by_role:
        as_asked = cards(viewer, [one.member_id for one in by_role])
        for one in by_role:
            card = as_asked[one.member_id]
            line = card.person
            found[one.id][one.member_id] = (
                line if card.by_role else PersonLine(name="A customer", company=line.company)
            )
    return found
