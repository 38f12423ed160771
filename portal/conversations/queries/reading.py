"""What participants read: their list, one conversation, their requests, what they gave and received."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, func, or_, select

from portal.conversations import policy
from portal.conversations.models import (
    Block,
    Conversation,
    ConversationState,
    Message,
    MessageKind,
    Part,
    Participant,
    Rating,
    Report,
    ReportedMessage,
    Thanks,
    TimeProposal,
)
from portal.conversations.queries.finding import find_own
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.vault import CannotOpen, Key
from portal.matching.queries import cards
from portal.members.display import PERSON, PersonLine, person_line, reader_of, with_person
from portal.members.models import Member
from portal.moderation.models import Decision
from portal.moderation.queries.evidence import Reading, readings

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
    people = _people(viewer, [row[0] for row in rows])
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
            agreed_at=conversation.agreed_at,
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


@dataclass(frozen=True)
class Time:
    """A proposed time."""

    id: str
    starts_at: datetime
    minutes: int
    may_take: bool
    is_agreed: bool


@dataclass(frozen=True)
class Letter:
    """A message as a participant reads it. `html` is clean; empty for what is not a text or was deleted."""

    id: str
    number: int
    kind: MessageKind
    author: PersonLine
    is_own: bool
    html: str
    source: str
    sent_at: datetime
    deleted: bool
    seen_at: datetime | None  # by all others, of one's own last message that was seen
    times: list[Time] = field(default_factory=list)
    reportable: bool = False


@dataclass(frozen=True)
class ReportLine:
    """A report, as both sides see it."""

    report: Report
    is_own: bool
    about: str
    messages: int
    own_messages: int
    readings: list[Reading]
    reason: str  # of the decision in force
    rule: str


@dataclass(frozen=True)
class Page:
    """One conversation. `locked`: the key is missing, so no word of it can be shown."""

    conversation: Conversation
    me: Participant
    others: list[tuple[int, PersonLine]]
    proposed: list[tuple[int, PersonLine, bool]]  # further people: who, and whether the viewer has agreed
    letters: list[Letter]
    note: str
    link: str
    earlier: int  # number of the first letter, when there are some before it
    reports: list[ReportLine]
    rating: Rating | None
    others_rating: Rating | None
    thanked: str
    thanks: list[tuple[str, str]]
    locked: bool = False
    by_role: bool = False

    @property
    def is_asker(self) -> bool:
        return self.me.member_id == self.conversation.asker_id

    @property
    def title(self) -> str:
        return ", ".join(line.name for _id, line in self.others)


def page(viewer: Viewer, conversation_id: str, *, before: int = 0) -> Page:
    """One conversation, for a participant; the last letters, or those before a number. Raises NotFound."""
    conversation, me = find_own(viewer, conversation_id, invited=True)
    key, locked = _key(conversation)
    people = _people(viewer, [conversation], everybody=True)[conversation.id]
    parts = {
        row.member_id: row
        for row in db.session.execute(
            select(Participant).where(Participant.conversation_id == conversation_id)
        ).scalars()
    }
    others = [
        (member_id, people[member_id])
        for member_id, row in parts.items()
        if member_id != viewer.member_id
        and member_id in people
        and (row.part is Part.ACTIVE or member_id in (conversation.asker_id, conversation.member_id))
    ]
    letters: list[Letter] = []
    earlier = 0
    if me.part is Part.ACTIVE:
        letters, earlier = _letters(viewer, conversation, me, parts, people, key, before)
    shows_note = me.from_number == 1
    return Page(
        conversation=conversation,
        me=me,
        others=others,
        proposed=[
            (member_id, people[member_id], viewer.member_id in row.agreed_by)
            for member_id, row in parts.items()
            if row.part in (Part.PROPOSED, Part.INVITED) and member_id != viewer.member_id
        ],
        letters=letters,
        note=_open(key, conversation.note_box, "note") if shows_note else "",
        link=_open(key, conversation.link_box, "link") if me.part is Part.ACTIVE else "",
        earlier=earlier,
        reports=_reports(viewer, conversation, people) if me.part is Part.ACTIVE else [],
        rating=db.session.get(Rating, (conversation_id, viewer.member_id)),
        others_rating=db.session.execute(
            select(Rating).where(
                Rating.conversation_id == conversation_id,
                Rating.by_id != viewer.member_id,
                Rating.shared.is_(True),
            )
        ).scalar(),
        thanked=_thanked(viewer, conversation, key),
        thanks=_thanks(viewer, conversation, key, people),
        locked=locked,
        by_role=_shown_by_role(viewer, conversation),
    )


def export(viewer: Viewer, conversation_id: str) -> dict[str, Any]:
    """One's own copy of a conversation, as plain values. Raises NotFound, CannotOpen."""
    conversation, me = find_own(viewer, conversation_id)
    people = _people(viewer, [conversation], everybody=True)[conversation.id]
    return as_values(conversation, me, {number: line.name for number, line in people.items()})


def as_values(conversation: Conversation, me: Participant, names: dict[int, str]) -> dict[str, Any]:
    """A conversation as a participant may take it along: no addresses of anybody. Raises CannotOpen."""
    key = conversation.key()
    rows = db.session.execute(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.number >= me.from_number)
        .order_by(Message.number)
    ).scalars()
    times: dict[str, list[TimeProposal]] = {}
    for one in db.session.execute(
        select(TimeProposal)
        .where(TimeProposal.conversation_id == conversation.id)
        .order_by(TimeProposal.starts_at)
    ).scalars():
        times.setdefault(one.message_id, []).append(one)
    return {
        "state": conversation.state.value,
        "with": [name for number, name in names.items() if number != me.member_id],
        "asked_by_you": conversation.asker_id == me.member_id,
        "requested_at": conversation.requested_at,
        "accepted_at": conversation.accepted_at,
        "note": _open(key, conversation.note_box, "note") if me.from_number == 1 else "",
        "link": _open(key, conversation.link_box, "link"),
        "speak_at": conversation.agreed_at,
        "messages": [
            {
                "by": "you" if row.author_id == me.member_id else names.get(row.author_id, "somebody"),
                "at": row.sent_at,
                "kind": row.kind.value,
                "deleted": row.deleted_at is not None,
                "text": "" if row.deleted_at is not None else _open(key, row.source_box, f"message:{row.id}"),
                **(
                    {"times": [{"at": one.starts_at, "minutes": one.minutes} for one in times[row.id]]}
                    if row.id in times
                    else {}
                ),
            }
            for row in rows
        ],
    }


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
        key, _locked = _key(row[1])
        thanks.append(
            Kept(
                id=row[0].id,
                by=person_line(row, reader),
                text=_open(key, row[0].text_box, f"thanks:{row[0].id}"),
                at=row[0].at,
                may_be_public=row[0].may_be_public,
                is_public=bool(row[0].public_text),
            )
        )
    ratings = db.session.execute(
        select(func.count(), func.count().filter(Rating.useful.is_(True)))
        .select_from(Rating)
        .join(Conversation, Conversation.id == Rating.conversation_id)
        .where(Conversation.member_id == me, Rating.by_id != me, Rating.useful.is_not(None))
    ).one()
    return Contributions(
        given=counted[0],
        received=counted[1],
        asked=counted[2],
        thanks=thanks,
        useful=ratings[1] if ratings[0] >= 5 else None,
        rated=ratings[0],
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


def _own(viewer: Viewer) -> tuple[Any, ...]:
    over = [ConversationState.DECLINED, ConversationState.RELEASED, ConversationState.WITHDRAWN]
    return (
        Participant.member_id == viewer.member_id,
        Participant.part.in_([Part.ACTIVE, Part.INVITED]),
        or_(Conversation.state.not_in(over), Conversation.asker_id == viewer.member_id),
    )


def _shown_by_role(viewer: Viewer, conversation: Conversation) -> bool:
    """Whether the viewer knows the member only by role: asked by them, and not accepted (yet)."""
    return (
        conversation.by_role
        and conversation.accepted_at is None
        and viewer.member_id == conversation.asker_id
    )


def _people(
    viewer: Viewer, conversations: Iterable[Conversation], *, everybody: bool = False
) -> dict[str, dict[int, PersonLine]]:
    """Who takes part, by conversation and member, as far as the viewer may know them."""
    conversations = list(conversations)
    query: Select[Any] = select(Participant.conversation_id, Participant.member_id, Participant.part, *PERSON)
    rows = db.session.execute(
        with_person(query, Participant.member_id)
        .where(Participant.conversation_id.in_([one.id for one in conversations]))
        .order_by(Participant.joined_at)
    ).all()
    reader = reader_of(viewer)
    found: dict[str, dict[int, PersonLine]] = {one.id: {} for one in conversations}
    by_id = {one.id: one for one in conversations}
    for row in rows:
        conversation = by_id[row.conversation_id]
        one_of_two = row.member_id in (conversation.asker_id, conversation.member_id)
        if everybody or one_of_two or row.part is Part.ACTIVE:
            found[row.conversation_id][row.member_id] = person_line(row, reader)
    by_role = [one for one in conversations if _shown_by_role(viewer, one)]
    if by_role:
        as_asked = cards(viewer, [one.member_id for one in by_role])
        for one in by_role:
            card = as_asked[one.member_id]
            line = card.person
            found[one.id][one.member_id] = (
                line if card.by_role else PersonLine(name="A customer", company=line.company)
            )
    return found


def _key(conversation: Conversation) -> tuple[Key | None, bool]:
    try:
        return conversation.key(), False
    except CannotOpen:
        return None, True


def _open(key: Key | None, box: str, purpose: str) -> str:
    if key is None or not box:
        return ""
    try:
        return key.open(box, purpose=purpose)
    except CannotOpen:
        return ""


def _letters(
    viewer: Viewer,
    conversation: Conversation,
    me: Participant,
    parts: dict[int, Participant],
    people: dict[int, PersonLine],
    key: Key | None,
    before: int,
) -> tuple[list[Letter], int]:
    query = select(Message).where(
        Message.conversation_id == conversation.id, Message.number >= me.from_number
    )
    if before:
        query = query.where(Message.number < before)
    rows = list(db.session.execute(query.order_by(Message.number.desc()).limit(policy.PAGE + 1)).scalars())[
        ::-1
    ]
    has_more = len(rows) > policy.PAGE
    rows = rows[-policy.PAGE :]
    times: dict[str, list[TimeProposal]] = {}
    for one in db.session.execute(
        select(TimeProposal)
        .where(TimeProposal.message_id.in_([row.id for row in rows if row.kind is MessageKind.TIMES]))
        .order_by(TimeProposal.starts_at)
    ).scalars():
        times.setdefault(one.message_id, []).append(one)
    others = [row for row in parts.values() if row.member_id != viewer.member_id and row.part is Part.ACTIVE]
    seen_number = min((row.seen_number for row in others), default=0)
    seen_at = max((row.seen_at for row in others if row.seen_at), default=None)
    last_seen = max(
        (row.number for row in rows if row.author_id == viewer.member_id and row.number <= seen_number),
        default=0,
    )
    now = clock.now()
    is_open = conversation.state is ConversationState.OPEN
    letters = []
    for row in rows:
        is_own = row.author_id == viewer.member_id
        deleted = row.deleted_at is not None
        is_text = row.kind is MessageKind.TEXT
        letters.append(
            Letter(
                id=row.id,
                number=row.number,
                kind=row.kind,
                author=people.get(row.author_id) or PersonLine(name="Somebody"),
                is_own=is_own,
                html="" if deleted or not is_text else _open(key, row.html_box, f"html:{row.id}"),
                source="" if deleted or not is_text else _open(key, row.source_box, f"message:{row.id}"),
                sent_at=row.sent_at,
                deleted=deleted,
                seen_at=seen_at if row.number == last_seen else None,
                times=[
                    Time(
                        id=one.id,
                        starts_at=one.starts_at,
                        minutes=one.minutes,
                        may_take=is_open and one.by_id != viewer.member_id and one.starts_at > now,
                        is_agreed=(conversation.agreed_at, conversation.agreed_minutes)
                        == (one.starts_at, one.minutes),
                    )
                    for one in times.get(row.id, ())
                ],
                reportable=is_text
                and bool(row.source_box)
                and (row.deleted_at is None or (not is_own and row.deleted_at > now - policy.REPORTABLE)),
            )
        )
    return letters, rows[0].number if has_more else 0


def _reports(viewer: Viewer, conversation: Conversation, people: dict[int, PersonLine]) -> list[ReportLine]:
    rows = list(
        db.session.execute(
            select(Report).where(Report.conversation_id == conversation.id).order_by(Report.created_at)
        ).scalars()
    )
    if not rows:
        return []
    counts: dict[str, list[int]] = {}
    for one in db.session.execute(
        select(ReportedMessage.report_id, ReportedMessage.by_id).where(
            ReportedMessage.report_id.in_([row.id for row in rows])
        )
    ):
        counts.setdefault(one.report_id, []).append(one.by_id)
    read = readings([row.case_id for row in rows])
    decided = {
        one.case_id: one
        for one in db.session.execute(
            select(Decision.case_id, Decision.reason, Decision.rule_label)
            .where(
                Decision.case_id.in_([row.case_id for row in rows]),
                Decision.undone_at.is_(None),
                Decision.overturned_at.is_(None),
            )
            .order_by(Decision.id)
        )
    }
    return [
        ReportLine(
            report=row,
            is_own=row.reporter_id == viewer.member_id,
            about=people[row.about_id].name if row.about_id in people else "somebody",
            messages=len(counts.get(row.id, [])),
            own_messages=counts.get(row.id, []).count(viewer.member_id or 0),
            readings=read.get(row.case_id, []),
            reason=decided[row.case_id].reason if row.case_id in decided else "",
            rule=decided[row.case_id].rule_label if row.case_id in decided else "",
        )
        for row in rows
    ]


def _thanked(viewer: Viewer, conversation: Conversation, key: Key | None) -> str:
    row = db.session.execute(
        select(Thanks).where(Thanks.conversation_id == conversation.id, Thanks.by_id == viewer.member_id)
    ).scalar()
    return _open(key, row.text_box, f"thanks:{row.id}") if row else ""


def _thanks(
    viewer: Viewer, conversation: Conversation, key: Key | None, people: dict[int, PersonLine]
) -> list[tuple[str, str]]:
    rows = db.session.execute(
        select(Thanks).where(Thanks.conversation_id == conversation.id, Thanks.to_id == viewer.member_id)
    ).scalars()
    return [
        (
            people[row.by_id].name if row.by_id in people else "Somebody",
            _open(key, row.text_box, f"thanks:{row.id}"),
        )
        for row in rows
    ]


def _blocked(viewer: Viewer) -> list[PersonLine]:
    query: Any = select(Block, *PERSON)
    rows = db.session.execute(
        with_person(query, Block.blocked_id)
        .where(and_(Block.blocker_id == viewer.member_id, Member.id.is_not(None)))
        .order_by(Block.at.desc())
        .limit(ON_LIST)
    ).all()
    return [person_line(row, reader_of(viewer)) for row in rows]
