"""Reporting: the one way in which words leave a conversation, by the act of a participant."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from portal.conversations import policy
from portal.conversations.models import (
    Conversation,
    Message,
    MessageKind,
    Part,
    Participant,
    Report,
    ReportedMessage,
)
from portal.conversations.queries.finding import active_ids, find_own, find_to_report, place_of_reports
from portal.conversations.services import telling
from portal.kernel import clock, form_keys
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.moderation.events import CaseDecided, DecisionUndone
from portal.moderation.models import Case, CaseKind, Decision
from portal.moderation.policy import ANSWER, is_dismissal
from portal.moderation.queries.evidence import peers_for
from portal.moderation.queries.rules import rule_in_force
from portal.moderation.services.opening import Exhibit, add_evidence, open_case
from portal.moderation.services.telling import PRESSING, alert_whoever_is_on_duty

TITLE = "Messages of a private conversation"
TITLE_OF_NOTE = "The note of a request for a private conversation"
NOTE = "note"  # stands for the note where messages are chosen; no message is called so


@dataclass(frozen=True)
class _Chosen:
    """What of a conversation is to be disclosed."""

    conversation: Conversation
    with_note: bool
    messages: list[Message]

    @property
    def authors(self) -> set[int]:
        by_note = {self.conversation.asker_id} if self.with_note else set()
        return by_note | {one.author_id for one in self.messages}

    def opened(self) -> list[Exhibit]:
        key, conversation = self.conversation.key(), self.conversation
        note = [
            Exhibit(
                conversation.asker_id,
                conversation.requested_at,
                key.open(conversation.note_box, purpose="note"),
            )
        ]
        return (note if self.with_note else []) + [
            Exhibit(one.author_id, one.sent_at, key.open(one.source_box, purpose=f"message:{one.id}"))
            for one in self.messages
        ]

    def remember(self, made: Report, by_id: int) -> None:
        if self.with_note:
            made.note_by_id = by_id
        db.session.add_all(
            ReportedMessage(report_id=made.id, message_id=one.id, by_id=by_id) for one in self.messages
        )


def report(
    reporter: Viewer,
    conversation_id: str,
    message_ids: Sequence[str],
    *,
    rule_number: int | None,
    peers_only: bool = False,
    form_key: str = "",
) -> Report:
    """Disclose chosen messages, and no others, to reviewers: the vendor's and peers, or peers alone.

    `NOTE` among their ids is the note that came with the request; whoever got it can show that, once they
    have read it, for 30 days after the request came to nothing too.
    They are opened here, by the participant's act, and sealed again under the key of the case. Both sides are
    told. Raises NotFound; Invalid beside its field; Repeated; CannotOpen without the key.
    """
    with form_keys.once(form_key, reporter.member_id or 0) as outcome:
        conversation, me = find_to_report(reporter, conversation_id, lock=True)
        chosen = _chosen(conversation, me, message_ids)
        others = chosen.authors - {reporter.member_id}
        if len(others) != 1:
            raise Invalid(
                _("Choose messages of the one person you report; your own may be among them."), "messages"
            )
        about_id = others.pop()
        rule = rule_in_force(rule_number) if rule_number is not None else None
        if peers_only and not peers_for([reporter.member_id or 0, about_id]):
            raise Invalid(_("There is no peer moderator who could decide this at present."), "reviewers")
        severity = rule.severity if rule is not None else 2
        report_id = clock.token(16)
        case = open_case(
            CaseKind.CONVERSATION,
            title=TITLE if chosen.messages else TITLE_OF_NOTE,
            link="",
            why="",
            member_id=about_id,
            due_at=clock.now() + ANSWER[severity],
            open_key=f"report:{report_id}",
            evidence=chosen.opened(),
            shared_by_id=reporter.member_id or 0,
            peers_only=peers_only,
            rule_number=rule.number if rule is not None else None,
        )
        made = Report(
            id=report_id,
            conversation_id=conversation.id,
            case_id=case.id,
            reporter_id=reporter.member_id or 0,
            about_id=about_id,
            peers_only=peers_only,
            created_at=clock.now(),
        )
        db.session.add(made)
        db.session.flush()
        chosen.remember(made, reporter.member_id or 0)
        telling.tell(
            telling.REPORT,
            [one for one in {*active_ids(conversation.id), about_id} if one != reporter.member_id],
            conversation.id,
            "reported" if chosen.messages else "note reported",
        )
        if severity >= PRESSING:
            alert_whoever_is_on_duty(case, leave_out=[reporter.member_id or 0, about_id])
        outcome.place = place_of_reports(conversation, me)
    return made


def add_messages(
    member: Viewer, conversation_id: str, report_id: str, message_ids: Sequence[str], *, form_key: str = ""
) -> None:
    """The other side adds messages, or the note, to a report not decided yet.

    Raises NotFound, Invalid, Conflict; Repeated.
    """
    with form_keys.once(form_key, member.member_id or 0) as outcome:
        conversation, me = find_own(member, conversation_id, lock=True)
        made = db.session.get(Report, report_id)
        if made is None or made.conversation_id != conversation.id:
            raise NotFound("no such report")
        there = set(
            db.session.execute(
                select(ReportedMessage.message_id).where(ReportedMessage.report_id == report_id)
            ).scalars()
        )
        wanted = _chosen(conversation, me, message_ids)
        chosen = _Chosen(
            conversation,
            with_note=wanted.with_note and made.note_by_id is None,
            messages=[one for one in wanted.messages if one.id not in there],
        )
        add_evidence(made.case_id, chosen.opened(), shared_by_id=member.member_id or 0)
        chosen.remember(made, member.member_id or 0)
        telling.tell(
            telling.REPORT,
            [one for one in {*active_ids(conversation.id), *_both(made)} if one != member.member_id],
            conversation.id,
            "added",
        )
        outcome.place = f"/conversations/{conversation.id}"


def note_decision(event: CaseDecided) -> None:
    """Both sides hear that a report, or an appeal, was decided; how, they read in the conversation."""
    made = _report_of(event.case_id)
    if made is not None:
        decision = db.session.get_one(Decision, event.decision_id)
        if decision.appeal_outcome is None:
            made.decided_at, made.nothing_done = decision.decided_at, is_dismissal(decision)
        telling.tell(telling.REPORT, _both(made), made.conversation_id, "decided")


def note_undoing(event: DecisionUndone) -> None:
    """A decision was taken back: it is looked at again."""
    made = _report_of(event.case_id)
    if made is not None:
        made.decided_at = made.nothing_done = None
        telling.tell(telling.REPORT, _both(made), made.conversation_id, "undone")


def _report_of(case_id: int) -> Report | None:
    case = db.session.get_one(Case, case_id)
    return db.session.execute(
        select(Report).where(Report.case_id == (case.appeals_case_id or case.id))
    ).scalar_one_or_none()


def _both(made: Report) -> list[int]:
    """Reporter and reported, also when they have left: they hear of it, and read nothing more there."""
    return [made.reporter_id, made.about_id]


def _chosen(conversation: Conversation, me: Participant, message_ids: Sequence[str]) -> _Chosen:
    """The note and messages of these ids that this participant may read, a deleted one for 30 days too."""
    ids = list(dict.fromkeys(message_ids))
    if not ids:
        raise Invalid(_("Choose the messages to show."), "messages")
    if len(ids) > policy.MOST_REPORTED:
        raise Invalid(_("At most %(most)s messages at once.", most=policy.MOST_REPORTED), "messages")
    before = clock.now() - policy.REPORTABLE
    with_note = NOTE in ids
    if with_note:
        ids.remove(NOTE)
        if me.from_number != 1 or not conversation.note_box:
            raise NotFound("no such note")
    if me.part is Part.LEFT and (ids or conversation.ended_at is None or conversation.ended_at <= before):
        raise NotFound("too late, or nothing they had")
    found = list(
        db.session.execute(
            select(Message)
            .where(
                Message.id.in_(ids),
                Message.conversation_id == conversation.id,
                Message.kind == MessageKind.TEXT,
                Message.number >= me.from_number,
            )
            .order_by(Message.number)
        ).scalars()
    )
    if len(found) != len(ids) or any(
        not one.source_box or (one.deleted_at is not None and one.deleted_at < before) for one in found
    ):
        raise NotFound("no such message")
    return _Chosen(conversation, with_note, found)
