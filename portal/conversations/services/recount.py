"""Kept counters of conversations, counted anew; no message is opened for it."""

from sqlalchemy import func

from portal.conversations.models import Conversation, Message
from portal.kernel.recounting import Difference, repair_least
from portal.kernel.unit_of_work import unit_of_work


def recount() -> list[Difference]:
    """Repair the highest number given to a message; gives what was wrong.

    A number that was given once is never given again, so it may be above what is there.
    """
    with unit_of_work():
        return repair_least(
            Conversation, Message.conversation_id, {"messages_count": func.max(Message.number)}
        )
