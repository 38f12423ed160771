"""One ask for one viewer, and rows for writing. What is hidden and what is not there look alike."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import and_, bindparam, false, or_, select

from portal.asks.models import AnswerRequest, Ask, AskMode, AskProposal, ProposalState
from portal.conversations.models import Conversation
from portal.discussions.models import Board, PostState, ShownAs, Thread
from portal.discussions.policy import thread_is_visible
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, NotFound
from portal.moderation.queries.parties import reason_against_member

LARGEST_ID = 2**31 - 1
WEIGHED_AWAY = "weighed away"  # how a proposal went when its asker said what matters most; may come again
ASKED_BEFORE = "asked before"  # how a member came to be set aside: their request came to nothing before


def find_visible_ask(viewer: Viewer, ask_id: int) -> Ask:
    """The ask: an open one for whoever reads its thread, a private one for its asker. Raises NotFound."""
    ask = db.session.execute(_visible(viewer, ask_id)).scalar_one_or_none()
    if ask is None:
        raise NotFound("no such ask")
    return ask


def ask_for(viewer: Viewer, ask_id: int) -> Ask:
    """The same, locked for writing. Raises NotFound."""
    find_visible_ask(viewer, ask_id)
    ask = locked(ask_id)
    if ask is None:
        raise NotFound("no such ask")
    return ask


def own_ask(asker: Viewer, ask_id: int, *, lock: bool = False) -> Ask:
    """The viewer's own ask. Raises NotFound; Forbidden when the viewer may only read it."""
    ask = ask_for(asker, ask_id) if lock else find_visible_ask(asker, ask_id)
    if ask.asker_id != asker.member_id:
        raise Forbidden(_("Only its asker can do this."))
    return ask


def ask_for_moderator(moderator: Viewer, ask_id: int, *, lock: bool = False) -> Ask:
    """An open ask for a moderator. Raises NotFound, Forbidden."""
    if not moderator.may(Permission.MODERATE):
        raise Forbidden(_("Only moderators can do this."))
    ask = ask_for(moderator, ask_id) if lock else find_visible_ask(moderator, ask_id)
    if ask.mode is not AskMode.OPEN:
        raise NotFound("no such ask")
    return ask


def reason_against_asker(moderator: Viewer, ask: Ask) -> str:
    """Why this moderator decides nothing about the ask, as a sentence; "" when they may.

    A peer moderator does not where their own company or a competitor asks; of an asker without a name that
    would tell the company, so peers decide none of those.
    """
    return reason_against_member(moderator, ask.asker_id, by_role=ask.shown_as == ShownAs.ROLE.value)


def ask_of_thread(thread_id: int, *, lock: bool = False) -> Ask | None:
    """The ask that this thread is, whoever looks; None for any other thread."""
    query = _OF_THREAD_TO_WRITE if lock else _OF_THREAD
    return db.session.execute(query, {"thread": thread_id}).scalar_one_or_none()


_OF_THREAD = select(Ask).where(Ask.thread_id == bindparam("thread"))
_OF_THREAD_TO_WRITE = _OF_THREAD.with_for_update().execution_options(populate_existing=True)


def ask_after(conversation: Conversation) -> Ask | None:
    """The ask from which this request came, or which its asker made when it had come to nothing."""
    if conversation.origin.startswith("ask:"):
        return db.session.get(Ask, int(conversation.origin[4:]))
    return db.session.execute(
        select(Ask)
        .join(AskProposal, AskProposal.ask_id == Ask.id)
        .where(
            Ask.asker_id == conversation.asker_id,
            AskProposal.member_id == conversation.member_id,
            AskProposal.chosen_as == ASKED_BEFORE,
            AskProposal.made_at >= conversation.requested_at,
        )
        .order_by(Ask.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def follows_a_request(ask_id: int) -> bool:
    """Whether its asker wrote these words to somebody before, in a request that came to nothing."""
    before = AskProposal.chosen_as == ASKED_BEFORE
    query = select(AskProposal.id).where(AskProposal.ask_id == ask_id, before)
    return db.session.execute(query.limit(1)).first() is not None


def locked(ask_id: int) -> Ask | None:
    """The ask for writing, locked and read anew; nobody is asked whether they may see it."""
    return db.session.execute(
        select(Ask).where(Ask.id == ask_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()


def request_for(member: Viewer, request_id: int, *, lock: bool = False) -> tuple[AnswerRequest, Ask, Any]:
    """(request, ask, thread) of the member's own answer request, as long as they read it. Raises NotFound.

    To write, the ask is locked before its request, as everywhere: whoever answers holds the ask, and closes
    requests.
    """
    if request_id > LARGEST_ID or member.member_id is None:
        raise NotFound("no such request")
    query = (
        select(AnswerRequest, Ask, Thread)
        .join(Ask, Ask.id == AnswerRequest.ask_id)
        .join(Thread, Thread.id == Ask.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            AnswerRequest.id == request_id,
            AnswerRequest.member_id == member.member_id,
            AnswerRequest.sent_at.is_not(None),
            thread_is_visible(member),
            Thread.state == PostState.VISIBLE,
        )
    )
    row = db.session.execute(query).one_or_none()
    if row is None or (lock and (locked(row[1].id) is None or locked_request(request_id) is None)):
        raise NotFound("no such request")
    return row[0], row[1], row[2]


def locked_request(request_id: int) -> AnswerRequest | None:
    """The answer request for writing, read anew; its ask is to be locked before."""
    return db.session.execute(
        select(AnswerRequest)
        .where(AnswerRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def proposals_of(ask_id: int) -> list[AskProposal]:
    """All proposals of an ask, in the order in which they were made."""
    return list(
        db.session.execute(
            select(AskProposal).where(AskProposal.ask_id == ask_id).order_by(AskProposal.id)
        ).scalars()
    )


def proposed_to_moderators(ask_id: int) -> list[AskProposal]:
    """Whom a moderator reads as proposed.

    Whom the asker asked alone stays among them: who is missing there would be one half of a pair.
    """
    return [
        one
        for one in proposals_of(ask_id)
        if one.state is ProposalState.OPEN or (one.state is ProposalState.APPROACHED and one.by_id is None)
    ]


def _visible(viewer: Viewer, ask_id: int) -> Any:
    own = Ask.asker_id == viewer.member_id if viewer.member_id is not None else false()
    # Of a hidden thread a tombstone is left, and nothing of the ask.
    shown = _words_shown(viewer, own)
    return (
        select(Ask)
        .outerjoin(Thread, Thread.id == Ask.thread_id)
        .outerjoin(Board, Board.id == Thread.board_id)
        .where(
            Ask.id == min(ask_id, LARGEST_ID),
            or_(
                and_(Ask.mode == AskMode.OPEN, thread_is_visible(viewer), shown),
                and_(Ask.mode == AskMode.CONVERSATION, own),
            ),
        )
    )


def _words_shown(viewer: Viewer, own: Any) -> Any:
    """SQL: the words of the thread may be shown to this viewer."""
    if viewer.may(Permission.MODERATE):
        return Thread.state != PostState.DELETED
    return or_(Thread.state == PostState.VISIBLE, and_(own, Thread.state != PostState.DELETED))
