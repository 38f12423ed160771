"""Telling participants that there is something. Never what, never by whom: notices go through mail."""

from collections.abc import Iterable

from sqlalchemy import delete, select

from portal.kernel import clock
from portal.kernel.db import db
from portal.notifications.models import Mail, Notice
from portal.notifications.services.notifying import mark_read, notify

REQUEST = "conversation_request"
MESSAGE = "conversation_message"
NEWS = "conversation_news"
REPORT = "conversation_report"
KINDS = (REQUEST, MESSAGE, NEWS, REPORT)


def tell(kind: str, member_ids: Iterable[int], conversation_id: str, what: str = "") -> None:
    """Tell these members that there is something in their conversation. Inside a unit of work.

    The row names the conversation and no person: who has a database and no key learns no pair from notices.
    """
    notify(
        kind,
        member_ids,
        source_key=f"conversation:{clock.token(12)}",
        data={"conversation": conversation_id, "what": what},
    )


def tell_of_request(member_id: int, conversation_id: str, *, by_mail: bool) -> None:
    """Somebody asks them for a conversation; without a mail where they want none when they are asked."""
    key = f"conversation:{clock.token(12)}"
    notify(REQUEST, [member_id], source_key=key, data={"conversation": conversation_id, "what": ""})
    if not by_mail:
        told = select(Notice.id).where(Notice.member_id == member_id, Notice.source_key == key)
        db.session.execute(delete(Mail).where(Mail.notice_id.in_(told)))


def seen(member_id: int, conversation_id: str) -> None:
    """What was told of this conversation is on the screen now."""
    unread = db.session.execute(
        select(Notice.id, Notice.data).where(
            Notice.member_id == member_id, Notice.kind.in_(KINDS), Notice.read_at.is_(None)
        )
    )
    ids = [row.id for row in unread if row.data.get("conversation") == conversation_id]
    if ids:
        mark_read(member_id, ids)
