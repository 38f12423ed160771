"""Lists: one's own asks, what one was asked, one's invites, and proposals as cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, and_, exists, func, or_, select

from portal.asks.models import (
    AnswerRequest,
    Ask,
    AskMode,
    AskProposal,
    AskState,
    Invite,
    InviteKind,
    Outcome,
    ProposalState,
)
from portal.asks.queries.private import words_of
from portal.conversations.queries.asked import Asked, asked_for
from portal.discussions.authors import BY_THREAD
from portal.discussions.guests import veil_over, with_title
from portal.discussions.models import Board, Post, PostState, Thread
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock
from portal.kernel.access import CUSTOMERS, Viewer
from portal.kernel.db import db
from portal.kernel.vault import CannotOpen
from portal.matching import queries as matching
from portal.members.display import PERSON, PersonLine, person_line, reader_of, with_person
from portal.members.models import Company, Member, MemberState

MOST = 100


@dataclass(frozen=True)
class AskLine:
    """One of one's own asks. A private one has its words only for its asker."""

    ask: Ask
    title: str
    url: str
    answers: int = 0


@dataclass(frozen=True)
class RequestLine:
    """Something one was asked."""

    request: AnswerRequest
    ask: Ask
    title: str
    thread_url: str
    excerpt: str
    asker: PersonLine


@dataclass(frozen=True)
class TalkLine:
    """A request for a conversation, and the proposal by which the asker came to this member."""

    asked: Asked
    proposal: AskProposal | None  # none: from the member's page, or the asker is gone


@dataclass(frozen=True)
class InviteLine:
    """An invite as its sender reads it: what was announced to the guest, and nothing else."""

    id: int
    kind: InviteKind
    reference: str
    email: str
    created_at: datetime
    expires_at: datetime
    is_open: bool
    joined: bool = False
    asked: bool = False
    answered: bool = False
    spoke: bool = False


@dataclass(frozen=True)
class Card:
    """A proposed customer as the asker may know them before they accept."""

    proposal: AskProposal
    card: matching.Card | None  # none: no longer there

    @property
    def is_open(self) -> bool:
        return self.card is not None and self.proposal.state is ProposalState.OPEN


def asks_of(asker: Viewer) -> list[AskLine]:
    """One's own asks, newest first."""
    rows = db.session.execute(
        select(Ask, Thread.title, Thread.answers_count)
        .outerjoin(Thread, Thread.id == Ask.thread_id)
        .where(Ask.asker_id == asker.member_id)
        .order_by(Ask.id.desc())
        .limit(MOST)
    ).all()
    lines = []
    for ask, title, answers in rows:
        lines.append(AskLine(ask, title or _private_title(asker, ask), f"/asks/{ask.id}", answers or 0))
    return lines


def open_asks_count(member_id: Any) -> ScalarSelect[int]:
    """How many of a member's own asks still run: for the menu, read along with the viewer."""
    return (
        select(func.count())
        .select_from(Ask)
        .where(Ask.asker_id == member_id, Ask.mode == AskMode.OPEN, Ask.state == AskState.RUNNING)
        .scalar_subquery()
    )


def requests_of(member: Viewer, request_id: int | None = None) -> list[RequestLine]:
    """What a member was asked, newest first; of asks they still may read."""
    query = (
        select(AnswerRequest, Ask, Thread.title, Thread.id, Thread.slug, Post.excerpt, *BY_THREAD)
        .join(Ask, Ask.id == AnswerRequest.ask_id)
        .join(Thread, Thread.id == Ask.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .join(Post, and_(Post.thread_id == Thread.id, Post.number == 1))
    )
    query = with_person(query, Thread.author_id).where(
        AnswerRequest.member_id == member.member_id,
        AnswerRequest.sent_at.is_not(None),
        thread_is_visible(member),
        Thread.state == PostState.VISIBLE,
    )
    if request_id is not None:
        query = query.where(AnswerRequest.id == request_id)
    rows = db.session.execute(query.order_by(AnswerRequest.id.desc()).limit(MOST)).all()
    reader = reader_of(member)
    # A member who came to sell for the vendor keeps what they were asked, without the name of whoever asked.
    texts = [text for row in rows for text in (row.title, row.excerpt)]
    veil = veil_over(reader, texts, [row.id for row in rows])
    return [
        RequestLine(
            row[0],
            row[1],
            shown.title,
            f"/threads/{shown.id}/{shown.slug}",
            veil(row.excerpt, row.id),
            person_line(row, reader),
        )
        for row in rows
        for shown in [with_title(veil, row)]
    ]


def talks_of(member: Viewer) -> list[TalkLine]:
    """The requests for conversations that a member got, newest first, each with the proposal it came from."""
    asked = asked_for(member)
    ask_ids = [int(one.origin[4:]) for one in asked if one.origin.startswith("ask:")]
    if not ask_ids:
        return [TalkLine(one, None) for one in asked]
    rows = db.session.execute(
        select(AskProposal).where(AskProposal.member_id == member.member_id, AskProposal.ask_id.in_(ask_ids))
    ).scalars()
    proposals = {f"ask:{row.ask_id}": row for row in rows}
    return [TalkLine(one, proposals.get(one.origin)) for one in asked]


def requests_waiting(member_id: Any) -> ScalarSelect[int]:
    """How many requests wait for a member: for the menu, read along with the viewer."""
    return (
        select(func.count())
        .select_from(AnswerRequest)
        .join(Ask, Ask.id == AnswerRequest.ask_id)
        .where(
            AnswerRequest.member_id == member_id,
            AnswerRequest.sent_at.is_not(None),
            AnswerRequest.outcome == Outcome.PENDING,
            Ask.state.in_([AskState.RUNNING, AskState.ANSWERED]),
        )
        .scalar_subquery()
    )


def invites_of(sender: Viewer) -> list[InviteLine]:
    """One's invites, newest first, with what guests let be reported."""
    asked = exists().where(Ask.asker_id == Invite.used_by_id, Ask.created_at >= Invite.used_at)
    answered = exists().where(
        Ask.asker_id == Invite.used_by_id,
        Ask.created_at >= Invite.used_at,
        Ask.mode == AskMode.OPEN,
        Ask.answered_at.is_not(None),
    )
    rows = db.session.execute(
        select(Invite, asked, answered)
        .where(Invite.from_id == sender.member_id)
        .order_by(Invite.id.desc())
        .limit(MOST)
    ).all()
    now = clock.now()
    lines = []
    for invite, has_asked, was_answered in rows:
        reports = invite.kind is InviteKind.GUEST and invite.used_by_id is not None
        lines.append(
            InviteLine(
                invite.id,
                invite.kind,
                invite.reference,
                invite.email if invite.expires_at > now else "",  # an order may keep it longer
                invite.created_at,
                invite.expires_at,
                is_open=invite.withdrawn_at is None and invite.expires_at > now and invite.used_by_id is None,
                joined=reports,
                asked=reports and has_asked,
                answered=reports and was_answered,
                spoke=reports and invite.spoke,
            )
        )
    return lines


def reported_to(member: Viewer) -> list[Any]:
    """The invites by which this member came and that report to somebody: rows of id and sender's name."""
    return list(
        db.session.execute(
            select(Invite.id, Invite.reference, Member.name)
            .join(Member, Member.id == Invite.from_id)
            .where(Invite.used_by_id == member.member_id, Invite.kind == InviteKind.GUEST)
        )
    )


def cards_of(asker: Viewer, proposals: Sequence[AskProposal]) -> list[Card]:
    """Proposals as cards: who, as far as each allows before accepting; those who left have no person."""
    ids = [one.member_id for one in proposals]
    there = set(
        db.session.execute(
            select(Member.id).where(
                Member.id.in_(ids),
                Member.state == MemberState.ACTIVE,
                Member.status.in_(CUSTOMERS),
                or_(Member.suspended_until.is_(None), Member.suspended_until <= clock.now()),
            )
        ).scalars()
    )
    known = matching.cards(asker, sorted(there))
    return [Card(one, known.get(one.member_id)) for one in proposals]


def moderator_people(viewer: Viewer, member_ids: Sequence[int]) -> dict[int, PersonLine]:
    """The same for a moderator, who knows customers by name."""
    query = select(Member.id, *PERSON).outerjoin(Company, Company.id == Member.company_id)
    rows = db.session.execute(
        query.where(Member.id.in_(member_ids), Member.state == MemberState.ACTIVE)
    ).all()
    return {row.id: person_line(row, reader_of(viewer)) for row in rows}


def _private_title(asker: Viewer, ask: Ask) -> str:
    try:
        return words_of(asker, ask)[0]
    except CannotOpen:
        return ""
