"""The place of the limit that a conversation takes: kept, taken anew, held."""

from datetime import datetime

from portal.conversations.models import Conversation
from portal.matching import services as matching


def keep(conversation: Conversation, *, until: datetime | None = None) -> None:
    """The place of the limit stands, for good or until a moment; taken anew where it was given back.

    Inside a unit of work. Raises NoCapacity.
    """
    if matching.confirm(conversation.purpose, expires_at=until):
        return
    matching.reserve(
        conversation.place_of_id,
        purpose=conversation.purpose,
        expires_at=until or conversation.due_at,
        offered=True,
    )
    matching.confirm(conversation.purpose, expires_at=until)
