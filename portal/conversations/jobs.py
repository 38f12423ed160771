"""What the worker does for conversations: each safe to repeat, and by two at once."""

from portal.conversations.services import requesting, times

RELEASE_JOB = "move on from requests nobody answered"
HOLD_JOB = "note conversations that took place"
DELIVER_JOB = "bring requests for conversations"
FORGET_REQUESTS_JOB = "forget requests that came to nothing"


def release_due() -> int:
    """Free the places of requests that nobody answered; gives how many."""
    return requesting.release_due()


def deliver_due() -> int:
    """Tell members of requests that waited for the end of their quiet hours; gives how many."""
    return requesting.deliver_due()


def hold_due() -> int:
    """Count conversations whose agreed time has passed; gives how many."""
    return times.hold_due()
