"""Who is told of what happens to an ask. In the caller's unit of work; the words stand in asks.telling."""

from sqlalchemy import delete, select

from portal.asks.models import AnswerRequest, Ask
from portal.kernel.db import db
from portal.notifications.models import Mail, Notice
from portal.notifications.services.notifying import notify

REQUEST = "answer_request"
ASK = "ask"
RESPONSIBLE = "ask_waits"


def tell_of_request(request: AnswerRequest, *, by_mail: bool = True) -> None:
    """A customer is asked whether they know; without a mail where they want none of these."""
    notify(
        REQUEST,
        [request.member_id],
        source_key=f"request:{request.id}",
        data={"request": request.id},
    )
    if not by_mail:
        told = select(Notice.id).where(
            Notice.member_id == request.member_id, Notice.source_key == f"request:{request.id}"
        )
        db.session.execute(delete(Mail).where(Mail.notice_id.in_(told)))


def tell_asker(ask: Ask, what: str) -> None:
    """What following the thread does not show: due, introduced-1, settled-1, next-3, talk-4."""
    notify(ASK, [ask.asker_id], source_key=f"ask:{ask.id}:{what}", data={"ask": ask.id, "what": what})


def tell_responsible(ask: Ask, member_id: int, case_id: int) -> None:
    """The person named in the settings hears of each case at once."""
    notify(
        RESPONSIBLE,
        [member_id],
        source_key=f"ask:{ask.id}:case:{case_id}",
        data={"ask": ask.id},
    )
