"""What somebody gave and received in conversations, and the thanks they keep."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from portal.conversations.models import Conversation, Rating, Thanks
from portal.conversations.queries.sealed import key_of, opened
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.display import PERSON, PersonLine, person_line, reader_of, with_person


@dataclass(frozen=True)
class Kept:
    """A thank-you that the viewer keeps."""

    id: str
    by: PersonLine
    text: str
    at: datetime
    may_be_public: bool
    is_public: bool


@dataclass(frozen=True)
class Contributions:
    """What somebody gave and received in conversations."""

    given: int  # conversations in which the viewer was the one asked
    received: int
    asked: int  # requests received, whatever became of them
    thanks: list[Kept]
    useful: int | None  # of those shared with the viewer, how many were useful; none below five
    rated: int


def contributions(viewer: Viewer) -> Contributions:
    """The viewer's own; nobody else's can be read."""
    me = viewer.member_id
    counted = db.session.execute(
        select(
            func.count().filter(Conversation.member_id == me, Conversation.held_at.is_not(None)),
            func.count().filter(Conversation.asker_id == me, Conversation.held_at.is_not(None)),
            func.count().filter(Conversation.member_id == me),
        ).where(or_(Conversation.member_id == me, Conversation.asker_id == me))
    ).one()
    query: Any = select(Thanks, Conversation, *PERSON).join(
        Conversation, Conversation.id == Thanks.conversation_id
    )
    rows = db.session.execute(
        with_person(query, Thanks.by_id).where(Thanks.to_id == me).order_by(Thanks.at.desc()).limit(100)
    ).all()
    reader = reader_of(viewer)
    thanks = []
    for row in rows:
        key, _locked = key_of(row[1])
        thanks.append(
            Kept(
                id=row[0].id,
                by=person_line(row, reader),
                text=opened(key, row[0].text_box, f"thanks:{row[0].id}"),
                at=row[0].at,
                may_be_public=row[0].may_be_public,
                is_public=bool(row[0].public_text),
            )
        )
    ratings = db.session.execute(
        select(func.count(), func.count().filter(Rating.useful.is_(True)))
        .select_from(Rating)
        .join(Conversation, Conversation.id == Rating.conversation_id)
        .where(Conversation.member_id == me, Rating.by_id != me, Rating.useful.is_not(None), Rating.shared)
    ).one()
    return Contributions(
        given=counted[0],
        received=counted[1],
        asked=counted[2],
        thanks=thanks,
        useful=ratings[1] if ratings[0] >= 5 else None,
        rated=ratings[0],
    )


def has_talked(member_id: int) -> bool:
    """Whether a conversation of this member took place."""
    return (
        db.session.execute(
            select(Conversation.id)
            .where(
                or_(Conversation.member_id == member_id, Conversation.asker_id == member_id),
                Conversation.held_at.is_not(None),
            )
            .limit(1)
        ).first()
        is not None
    )


def public_thanks(member_id: int) -> list[tuple[str, datetime]]:
    """Thank-yous that both sides show to everybody: words and day, without who wrote them."""
    return [
        (row.public_text, row.at)
        for row in db.session.execute(
            select(Thanks.public_text, Thanks.at)
            .where(Thanks.to_id == member_id, Thanks.public_text != "")
            .order_by(Thanks.at.desc())
            .limit(5)
        )
    ]
