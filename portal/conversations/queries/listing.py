"""The list of one's own conversations, and how many of them wait."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, and_, func, or_, select

from portal.conversations.models import Block, Conversation, ConversationState, Part, Participant
from portal.conversations.queries.finding import OVER_FOR_MEMBER, is_remembered
from portal.conversations.queries.people import people_of
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.display import PERSON, PersonLine, person_line, reader_of, with_person
from portal.members.models import Member

ON_LIST = 100


@dataclass(frozen=True)
class Row:
    """A conversation in the list."""

    id: str
    who: list[PersonLine]
    state: ConversationState
    is_asker: bool
    part: Part
    unread: int
    last_at: datetime
    due_at: datetime
    agreed_at: datetime | None
    is_available: bool = True  # a request that came to nothing reads "not available now"


@dataclass(frozen=True)
class Lists:
    """What waits for the viewer, what they wait for, what goes on, and what is over."""

    on_me: list[Row]
    on_others: list[Row]
    going_on: list[Row]
    over: list[Row]
    blocked: list[PersonLine]

    @property
    def is_empty(self) -> bool:
        return not (self.on_me or self.on_others or self.going_on or self.over)


def lists(viewer: Viewer) -> Lists:
    """All of the viewer's conversations, newest first, in four statements."""
    mine = (
        select(Conversation, Participant)
        .join(Participant, Participant.conversation_id == Conversation.id)
        .where(*_own(viewer))
        .order_by(Conversation.last_at.desc(), Conversation.id)
        .limit(ON_LIST)
    )
    rows = db.session.execute(mine).all()
    people = people_of(viewer, [row[0] for row in rows])
    found = Lists([], [], [], [], _blocked(viewer))
    for conversation, me in rows:
        row = Row(
            id=conversation.id,
            who=[
                line for member_id, line in people[conversation.id].items() if member_id != viewer.member_id
            ],
            state=conversation.state,
            is_asker=conversation.asker_id == viewer.member_id,
            part=me.part,
            unread=me.unread,
            last_at=conversation.last_at,
            due_at=conversation.due_at,
            agreed_at=conversation.agreed_at if conversation.called_off_at is None else None,
            is_available=conversation.state not in (ConversationState.DECLINED, ConversationState.RELEASED),
        )
        if me.part is Part.INVITED:
            found.on_me.append(row)
        elif conversation.state is ConversationState.REQUESTED:
            (found.on_others if row.is_asker else found.on_me).append(row)
        elif conversation.state is ConversationState.OPEN:
            found.going_on.append(row)
        else:
            found.over.append(row)
    return found


def waiting_count(member_id: Any) -> ScalarSelect[int]:
    """How many conversations hold something new for a member: for the menus, read along with the viewer."""
    return (
        select(func.count())
        .select_from(Participant)
        .where(
            Participant.member_id == member_id,
            Participant.part.in_([Part.ACTIVE, Part.INVITED]),
            Participant.unread > 0,
        )
        .scalar_subquery()
    )


def _own(viewer: Viewer) -> tuple[Any, ...]:
    return (
        Participant.member_id == viewer.member_id,
        Participant.part.in_([Part.ACTIVE, Part.INVITED]),
        or_(Conversation.state.not_in(OVER_FOR_MEMBER), Conversation.asker_id == viewer.member_id),
        is_remembered(clock.now()),
    )


def _blocked(viewer: Viewer) -> list[PersonLine]:
    query: Any = select(Block, *PERSON)
    rows = db.session.execute(
        with_person(query, Block.blocked_id)
        .where(and_(Block.blocker_id == viewer.member_id, Member.id.is_not(None)))
        .order_by(Block.at.desc())
        .limit(ON_LIST)
    ).all()
    return [person_line(row, reader_of(viewer)) for row in rows]
