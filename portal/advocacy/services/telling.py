"""What members are told about their entries."""

from portal.notifications.services.notifying import notify

ANSWERED = "score answered"
CORRECTED = "score corrected"
WEIGHTS = "score weights"


def tell_of_answer(contest_id: int, member_id: int, by_id: int | None) -> None:
    """A contested entry was answered. Inside a unit of work."""
    notify([member_id], ANSWERED, source_key=f"contest:{contest_id}", data={"contest": contest_id})


def tell_of_correction(entry_id: int, member_id: int, by_id: int | None) -> None:
    """A moderator reversed or restored an entry. Inside a unit of work."""
    notify([member_id], CORRECTED, source_key=f"entry:{entry_id}", data={"entry": entry_id})
