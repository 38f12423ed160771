"""What the tables of asks hold about people: exported, erased and kept how long (kernel.personal)."""

from typing import Any

from sqlalchemy import delete, select, update

from portal.asks import policy
from portal.asks.models import AnswerRequest, Ask, AskMode, AskProposal, Invite, PrivateQuestion
from portal.asks.queries.private import words_of
from portal.conversations import services as conversations
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.personal import Personal
from portal.kernel.vault import CannotOpen
from portal.matching import services as matching
from portal.members.queries import viewer_of


def _asks_of(member_id: int) -> Any:
    asker = viewer_of(member_id)
    rows = db.session.execute(select(Ask).where(Ask.asker_id == member_id).order_by(Ask.id)).scalars()
    return [_ask(asker, ask) for ask in rows]


def _ask(asker: Viewer, ask: Ask) -> dict[str, Any]:
    title = text = ""
    if ask.mode is AskMode.CONVERSATION and asker.member_id == ask.asker_id:
        try:
            title, text = words_of(asker, ask)
        except CannotOpen:
            text = "cannot be opened: the key is missing"
    return {
        "thread": ask.thread_id,
        "mode": ask.mode.value,
        "state": ask.state.value,
        "title": title,
        "text": text,
        "shown_as": ask.shown_as,
        "industry": ask.industry,
        "size": ask.size_band,
        "country": ask.region,
        "products": ask.product_ids,
        "use_case": ask.use_case,
        "replacing": ask.replacing,
        "role": ask.role_level.value if ask.role_level else "",
        "matters_most": ask.matters,
        "needed_by": ask.needed_by,
        "asked_at": ask.asked_at,
        "due_at": ask.due_at,
        "answered_at": ask.answered_at,
        "settled_at": ask.settled_at,
        "summary": ask.summary_source,
    }


def _erase_asks(member_id: int, keep_text: bool) -> None:
    """The words go with the thread (discussions decides on those); here who is left is unlinked from details.

    An ask in private is nobody else's: it goes as a whole. Of an open one the clock stays, since the public
    figures are of all asks; what was said about the asker goes.
    """
    private = select(Ask.id).where(Ask.asker_id == member_id, Ask.mode == AskMode.CONVERSATION)
    for ask_id in db.session.execute(private).scalars().all():
        # SQLite gives the number to the next ask; what is remembered of this one is not that one's.
        matching.end_purpose(f"ask:{ask_id}")
        conversations.end_origin(f"ask:{ask_id}", "ask")
    db.session.execute(delete(PrivateQuestion).where(PrivateQuestion.ask_id.in_(private)))
    db.session.execute(delete(Ask).where(Ask.asker_id == member_id, Ask.mode == AskMode.CONVERSATION))
    blank: dict[str, Any] = {
        "industry": "",
        "size_band": "",
        "region": "",
        "product_ids": [],
        "use_case": "",
        "replacing": "",
        "role_level": None,
        "matters": [],
        "needed_by": None,
        "may_connect": False,
    }
    if not keep_text:
        blank |= {"summary_source": "", "summary_html": "", "summary_at": None}
    db.session.execute(update(Ask).where(Ask.asker_id == member_id).values(**blank))
    db.session.execute(
        delete(AskProposal).where(AskProposal.ask_id.in_(select(Ask.id).where(Ask.asker_id == member_id)))
    )


def _requests_of(member_id: int) -> Any:
    rows = db.session.execute(
        select(AnswerRequest).where(AnswerRequest.member_id == member_id).order_by(AnswerRequest.id)
    ).scalars()
    return [
        {
            "ask": row.ask_id,
            "why": list(row.same),
            "sent_at": row.sent_at,
            "seen_at": row.seen_at,
            "outcome": row.outcome.value,
            "outcome_at": row.outcome_at,
        }
        for row in rows
    ]


def _erase_requests(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(AnswerRequest).where(AnswerRequest.member_id == member_id))
    db.session.execute(delete(AskProposal).where(AskProposal.member_id == member_id))


def _invites_of(member_id: int) -> Any:
    rows = db.session.execute(select(Invite).where(Invite.from_id == member_id).order_by(Invite.id)).scalars()
    sent = [
        {
            "kind": row.kind.value,
            "reference": row.reference,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
        }
        for row in rows
    ]
    came = db.session.execute(select(Invite.used_at).where(Invite.used_by_id == member_id)).scalars()
    return {"sent": sent, "reported_since": list(came)}


def _erase_invites(member_id: int, _keep_text: bool) -> None:
    db.session.execute(delete(Invite).where(Invite.from_id == member_id))
    db.session.execute(
        update(Invite)
        .where(Invite.used_by_id == member_id)
        .values(used_by_id=None, used_at=None, spoke=False)
    )


ASKS = Personal(
    name="asks: asks",
    tables=("asks", "private_questions", "ask_stages"),
    export=_asks_of,
    erase=_erase_asks,
)
REQUESTS = Personal(
    name="asks: requests and proposals",
    tables=("answer_requests", "ask_proposals"),
    export=_requests_of,
    erase=_erase_requests,
)
INVITES = Personal(
    name="asks: invites",
    tables=("invites",),
    export=_invites_of,
    erase=_erase_invites,
    retention_days=policy.INVITE_LASTS.days,
    retention_job="forget addresses of invites",
)
CLASSES = (ASKS, REQUESTS, INVITES)
