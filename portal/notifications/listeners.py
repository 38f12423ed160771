"""What members ask for of the mails."""

from portal.members.events import MailWanted
from portal.notifications.services import mailing


def queue_account_mail(event: MailWanted) -> None:
    """A mail about an account goes out with the change it tells of."""
    mailing.queue_account_mail(
        event.recipient,
        subject=event.subject,
        paragraphs=list(event.paragraphs),
        button=event.button,
        member_id=event.member_id,
    )
