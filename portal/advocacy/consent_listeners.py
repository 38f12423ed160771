"""What candidates hear of consents: one taken back counts at once, one given moves them on."""

from portal.advocacy.services import candidates
from portal.consents.events import ConsentGiven, ConsentWithdrawn


def hear_of_withdrawal(event: ConsentWithdrawn) -> None:
    candidates.note_withdrawal(event.member_id)


def hear_of_consent(event: ConsentGiven) -> None:
    candidates.note_consent(event.member_id)
