"""What conversations do when something is decided about messages that were disclosed."""

from portal.conversations.services import reporting
from portal.moderation.events import CaseDecided, DecisionUndone


def note_decision(event: CaseDecided) -> None:
    """Both sides of a report hear of the decision."""
    reporting.note_decision(event)


def note_undoing(event: DecisionUndone) -> None:
    """Both sides hear that it is looked at again."""
    reporting.note_undoing(event)
