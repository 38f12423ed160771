"""Times and sizes of conversations, and who may take part."""

from datetime import datetime, timedelta

from portal.conversations.models import Conversation, ConversationState
from portal.kernel.access import Permission, Viewer

ANSWER_DAYS = 2  # working days in which a request is answered
AT_ONCE = 2  # members approached at once for one origin
LONGEST_NOTE = 2000
LONGEST_MESSAGE = 20_000
LONGEST_THANKS = 600
MOST_TIMES = 5
LENGTHS = (15, 20, 30, 45, 60)
MOST_PEOPLE = 8
PAGE = 60  # messages on a page
TOOK_PLACE = timedelta(minutes=15)  # after the agreed time began, it counts as held
CAN_BE_DENIED = timedelta(days=14)  # after the agreed time, "it did not take place"
ARRANGING = 2  # messages of the one whose place it is that only arrange a time: no talk in writing yet
REPORTABLE = timedelta(days=30)  # how long who received it can report a deleted message, or a request's note
REQUESTS_KEPT = timedelta(days=90)  # requests that came to nothing
MOST_REPORTED = 40
BLOCKS_FOR_A_CASE = 3
REQUESTS_A_DAY = "20 per day"
MESSAGES_AN_HOUR = "120 per hour"
REPORTS_A_DAY = "8 per day"  # each is a case, and may wake whoever is on duty


def may_converse(viewer: Viewer) -> bool:
    """Prospects, customers and former ones. No duty gives it, and an account of the vendor never has it."""
    return viewer.may(Permission.CONVERSE) and not viewer.is_staff


def may_deny(conversation: Conversation, now: datetime) -> bool:
    """Whether it is the time to say that somebody did not come."""
    began = conversation.agreed_at
    return (
        conversation.state is ConversationState.OPEN
        and began is not None
        and conversation.called_off_at is None
        and began + TOOK_PLACE <= now <= began + CAN_BE_DENIED
    )
