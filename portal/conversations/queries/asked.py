"""What a member was asked for: requests for conversations, also those that came to nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select

from portal.conversations import policy
from portal.conversations.models import Conversation, ConversationState, Part, Participant, Report
from portal.conversations.queries.finding import OVER_FOR_MEMBER, is_remembered, note_is_reportable
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.display import PERSON, PersonLine, person_line, reader_of, with_person

MOST = 100


@dataclass(frozen=True)
class Asked:
    """A request as the member reads it who got it; `origin` is whatever asked, "" from a profile."""

    id: str
    origin: str
    asker: PersonLine
    state: ConversationState
    requested_at: datetime
    due_at: datetime
    booked: bool  # a time that the member had opened: no answer was needed
    is_there: bool  # the member can open it
    reportable: bool  # it came to nothing, and its note can still be shown to reviewers
    reported: bool  # by the member


def asked_for(viewer: Viewer) -> list[Asked]:
    """The requests that this member got, newest first, in one statement. Nobody else's, and no word of them.

    What came to nothing is there until it is forgotten (`policy.REQUESTS_KEPT`).
    """
    if not policy.may_converse(viewer):
        return []
    takes_part = exists().where(
        Participant.conversation_id == Conversation.id,
        Participant.member_id == Conversation.member_id,
        Participant.part == Part.ACTIVE,
    )
    reportable = exists().where(
        Participant.conversation_id == Conversation.id,
        Participant.member_id == Conversation.member_id,
        note_is_reportable(clock.now()),
    )
    reported = exists().where(
        Report.conversation_id == Conversation.id, Report.reporter_id == viewer.member_id
    )
    query: Select[Any] = select(
        Conversation,
        takes_part.label("takes_part"),
        reportable.label("reportable"),
        reported.label("reported"),
        *PERSON,
    )
    rows = db.session.execute(
        with_person(query, Conversation.asker_id)
        .where(Conversation.member_id == viewer.member_id, is_remembered(clock.now()))
        .order_by(Conversation.requested_at.desc(), Conversation.id)
        .limit(MOST)
    )
    reader = reader_of(viewer)
    return [
        Asked(
            id=one.id,
            origin="" if one.origin in ("profile", "search") else one.origin,
            asker=person_line(row, reader),
            state=one.state,
            requested_at=one.requested_at,
            due_at=one.due_at,
            booked=one.accepted_at == one.requested_at,
            is_there=row.takes_part and one.state not in OVER_FOR_MEMBER,
            reportable=row.reportable,
            reported=row.reported,
        )
        for row in rows
        for one in [row[0]]
    ]
