"""One ask for one viewer, and rows for writing. What is hidden and what is not there look alike."""

from collections import Counter
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import and_, bindparam, false, func, or_, select

from portal.asks.models import (
    AnswerRequest,
    Ask,
    AskMode,
    AskProposal,
    AskStage,
    ProposalState,
    StageKind,
)
from portal.conversations.models import Conversation
from portal.discussions.models import Board, PostState, ShownAs, Thread
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, NotFound
from portal.matching.queries import week_began
from portal.moderation.queries.parties import reason_against_member

LARGEST_ID = 2**31 - 1
WEIGHED_AWAY = "weighed away"  # how a proposal went when its asker said what matters most; may come again
INTRODUCED = "introduced"  # a moderator asked them for the asker
ALONE = "alone"  # the asker asked them, which a moderator who chose them is not told
TRIED = "tried"  # a moderator chose them, and they could not be asked
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


def proposed_to_moderator(moderator: Viewer, ask: Ask) -> list[AskProposal]:
    """Whom this moderator reads as proposed.

    What the asker does alone, and what comes of it, changes nothing here before the next week: who is missing
    the next moment, or comes in their place, would tell whom they asked and that it was a no.
    """
    found = [one for one in proposals_of(ask.id) if one.chosen_as not in (WEIGHED_AWAY, ASKED_BEFORE, TRIED)]
    if all(one.state is ProposalState.GONE for one in found):
        return []  # moderators were told that there is nobody
    since = _list_began(ask.id)
    found = [one for one in found if one.state is not ProposalState.GONE or one.state_at >= since]
    later: set[int] = set()
    for moment, gone in Counter(one.state_at for one in found if one.state is ProposalState.GONE).items():
        later.update([one.id for one in found if one.made_at == moment][-gone:])
    return [
        one
        for one in found
        if one.id not in later and one.chosen_as != ALONE and not _is_introduced_by(moderator, one)
    ]


def introduced_by(moderator: Viewer, ask_id: int) -> list[int]:
    """The members whom this moderator asked for the asker; what came of it is not theirs to know."""
    return [one.member_id for one in proposals_of(ask_id) if _is_introduced_by(moderator, one)]


def _is_introduced_by(moderator: Viewer, one: AskProposal) -> bool:
    return one.chosen_as == INTRODUCED and one.by_id == moderator.member_id


def _list_began(ask_id: int) -> datetime:
    """As of when moderators read who is proposed: when the case was due or wanted, or the week began."""
    told = db.session.execute(
        select(func.max(AskStage.at)).where(
            AskStage.ask_id == ask_id, AskStage.kind.in_([StageKind.DUE, StageKind.CONNECT])
        )
    ).scalar()
    monday = week_began(clock.now())
    return max(told, monday) if told is not None else monday


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
