"""One conversation, as one of its participants reads it."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from portal.conversations import policy
from portal.conversations.models import (
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
from portal.conversations.queries.finding import find_own, find_to_report
from portal.conversations.queries.people import people_of, shown_by_role
from portal.conversations.queries.sealed import key_of, opened
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.vault import Key
from portal.members.display import PersonLine
from portal.moderation.models import Decision
from portal.moderation.queries.evidence import Reading, readings


@dataclass(frozen=True)
class Time:
    """A proposed time."""

    id: str
    starts_at: datetime
    minutes: int
    may_take: bool
    is_agreed: bool
    is_off: bool = False  # agreed on, and called off


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
    messages: int  # beside the note
    with_note: bool
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
    may_deny: bool = False  # the viewer may say that the talk did not take place

    @property
    def is_asker(self) -> bool:
        return self.me.member_id == self.conversation.asker_id

    @property
    def is_over_for_me(self) -> bool:
        """Whether nothing of it is left to the viewer but to report the note."""
        return self.me.part is Part.LEFT

    @property
    def may_report_note(self) -> bool:
        """Whether the viewer can show the note to reviewers now."""
        ended = self.conversation.ended_at
        in_time = not self.is_over_for_me or (
            ended is not None and ended > clock.now() - policy.REPORTABLE and self.me.seen_at is not None
        )
        return bool(self.note) and in_time

    @property
    def may_report(self) -> bool:
        """Whether there are words of somebody else that the viewer can show to reviewers."""
        return (self.may_report_note and not self.is_asker) or any(
            one.reportable and not one.is_own for one in self.letters
        )

    @property
    def title(self) -> str:
        return ", ".join(line.name for _id, line in self.others)


def page(viewer: Viewer, conversation_id: str, *, before: int = 0) -> Page:
    """One conversation, for a participant; the last letters, or those before a number. Raises NotFound."""
    return _page(viewer, *find_own(viewer, conversation_id, invited=True), before)


def page_to_report(viewer: Viewer, conversation_id: str) -> Page:
    """The same for choosing what to report, and for what became of it: also a request that came to nothing,
    of which its member has read the note. Raises NotFound.
    """
    return _page(viewer, *find_to_report(viewer, conversation_id), 0)


def _page(viewer: Viewer, conversation: Conversation, me: Participant, before: int) -> Page:
    conversation_id = conversation.id
    key, locked = key_of(conversation)
    people = people_of(viewer, [conversation], everybody=True)[conversation.id]
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
        note=opened(key, conversation.note_box, "note") if shows_note else "",
        link=opened(key, conversation.link_box, "link") if me.part is Part.ACTIVE else "",
        earlier=earlier,
        reports=_reports(viewer, conversation, people) if me.part is not Part.INVITED else [],
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
        by_role=shown_by_role(viewer, conversation),
        may_deny=policy.may_deny(conversation, clock.now())
        and viewer.member_id in (conversation.asker_id, conversation.member_id),
    )


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
    is_off = conversation.called_off_at is not None
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
                html="" if deleted or not is_text else opened(key, row.html_box, f"html:{row.id}"),
                source="" if deleted or not is_text else opened(key, row.source_box, f"message:{row.id}"),
                sent_at=row.sent_at,
                deleted=deleted,
                seen_at=seen_at if row.number == last_seen else None,
                times=[
                    Time(
                        id=one.id,
                        starts_at=one.starts_at,
                        minutes=one.minutes,
                        may_take=is_open
                        and one.by_id != viewer.member_id
                        and one.starts_at > now
                        and not (is_off and _is_agreed(conversation, one)),
                        is_agreed=not is_off and _is_agreed(conversation, one),
                        is_off=is_off and _is_agreed(conversation, one),
                    )
                    for one in times.get(row.id, ())
                ],
                reportable=is_text
                and bool(row.source_box)
                and (row.deleted_at is None or (not is_own and row.deleted_at > now - policy.REPORTABLE)),
            )
        )
    return letters, rows[0].number if has_more else 0


def _is_agreed(conversation: Conversation, time: TimeProposal) -> bool:
    return (conversation.agreed_at, conversation.agreed_minutes) == (time.starts_at, time.minutes)


def _reports(viewer: Viewer, conversation: Conversation, people: dict[int, PersonLine]) -> list[ReportLine]:
    rows = list(
        db.session.execute(
            select(Report).where(Report.conversation_id == conversation.id).order_by(Report.created_at)
        ).scalars()
    )
    if not rows:
        return []
    counts: dict[str, int] = dict(
        db.session.execute(
            select(ReportedMessage.report_id, func.count())
            .where(ReportedMessage.report_id.in_([row.id for row in rows]))
            .group_by(ReportedMessage.report_id)
        ).all()
    )
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
            messages=counts.get(row.id, 0),
            with_note=row.note_by_id is not None,
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
    return opened(key, row.text_box, f"thanks:{row.id}") if row else ""


def _thanks(
    viewer: Viewer, conversation: Conversation, key: Key | None, people: dict[int, PersonLine]
) -> list[tuple[str, str]]:
    rows = db.session.execute(
        select(Thanks).where(Thanks.conversation_id == conversation.id, Thanks.to_id == viewer.member_id)
    ).scalars()
    return [
        (
            people[row.by_id].name if row.by_id in people else "Somebody",
            opened(key, row.text_box, f"thanks:{row.id}"),
        )
        for row in rows
    ]
