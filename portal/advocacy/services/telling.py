"""What members are told about their entries."""

from portal.kernel import clock
from portal.notifications.services.notifying import notify

ANSWERED = "score answered"
CORRECTED = "score corrected"
ENGAGED = "engaged"


def tell_of_answer(contest_id: int, member_id: int) -> None:
    """A contested entry was answered. Inside a unit of work."""
    notify(ANSWERED, [member_id], source_key=f"contest:{contest_id}", data={"contest": contest_id})


def tell_of_correction(entry_id: int, member_id: int) -> None:
    """A moderator reversed or restored an entry. Inside a unit of work."""
    key = f"entry:{entry_id}:{clock.now().isoformat()}"  # it may be taken out and put back
    notify(CORRECTED, [member_id], source_key=key, data={"entry": entry_id})


def tell_of_engagement(engagement_id: int, member_id: int) -> None:
    """What a member did was written down. Inside a unit of work."""
    key = f"engagement:{engagement_id}"
    notify(ENGAGED, [member_id], source_key=key, data={"engagement": engagement_id})
