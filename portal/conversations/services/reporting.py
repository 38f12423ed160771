"""Reporting: the one way in which words leave a conversation, by the act of a participant."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from portal.conversations import policy
from portal.conversations.models import Message, MessageKind, Participant, Report, ReportedMessage
from portal.conversations.queries.finding import active_ids, find_own
from portal.conversations.services import telling
from portal.kernel import clock, form_keys
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.vault import Key
from portal.moderation.events import CaseDecided, DecisionUndone
from portal.moderation.models import Case, CaseKind, Decision
from portal.moderation.policy import ANSWER, is_dismissal
from portal.moderation.queries.evidence import peers_for
from portal.moderation.queries.rules import rule_in_force
from portal.moderation.services.opening import Exhibit, add_evidence, open_case
from portal.moderation.services.telling import PRESSING, alert_whoever_is_on_duty

TITLE = "Messages of a private conversation"


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

    They are opened here, by the participant's act, and sealed again under the key of the case. Both sides are
    told. Raises NotFound; Invalid beside its field; Repeated; CannotOpen without the key.
    """
    with form_keys.once(form_key, reporter.member_id or 0) as outcome:
        conversation, me = find_own(reporter, conversation_id, lock=True)
        chosen = _chosen(conversation.id, me, message_ids)
        others = {one.author_id for one in chosen if one.author_id != reporter.member_id}
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
            title=TITLE,
            link="",
            why="",
            member_id=about_id,
            due_at=clock.now() + ANSWER[severity],
            open_key=f"report:{report_id}",
            evidence=_opened(conversation.key(), chosen),
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
        _remember(made, chosen, reporter.member_id or 0)
        telling.tell(
            telling.REPORT,
            [one for one in {*active_ids(conversation.id), about_id} if one != reporter.member_id],
            conversation.id,
            "reported",
        )
        if severity >= PRESSING:
            alert_whoever_is_on_duty(case, leave_out=[reporter.member_id or 0, about_id])
        outcome.place = f"/conversations/{conversation.id}"
    return made


def add_messages(
    member: Viewer, conversation_id: str, report_id: str, message_ids: Sequence[str], *, form_key: str = ""
) -> None:
    """The other side adds messages to a report not decided yet. Raises NotFound, Invalid, Conflict."""
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
        chosen = [one for one in _chosen(conversation.id, me, message_ids) if one.id not in there]
        add_evidence(made.case_id, _opened(conversation.key(), chosen), shared_by_id=member.member_id or 0)
        _remember(made, chosen, member.member_id or 0)
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


def _chosen(conversation_id: str, me: Participant, message_ids: Sequence[str]) -> list[Message]:
    """The messages of these ids that this participant may read, a deleted one for 30 days too."""
    ids = list(dict.fromkeys(message_ids))
    if not ids:
        raise Invalid(_("Choose the messages to show."), "messages")
    if len(ids) > policy.MOST_REPORTED:
        raise Invalid(_("At most %(most)s messages at once.", most=policy.MOST_REPORTED), "messages")
    found = list(
        db.session.execute(
            select(Message)
            .where(
                Message.id.in_(ids),
                Message.conversation_id == conversation_id,
                Message.kind == MessageKind.TEXT,
                Message.number >= me.from_number,
            )
            .order_by(Message.number)
        ).scalars()
    )
    before = clock.now() - policy.REPORTABLE
    if len(found) != len(ids) or any(
        not one.source_box or (one.deleted_at is not None and one.deleted_at < before) for one in found
    ):
        raise NotFound("no such message")
    return found


def _opened(key: Key, chosen: list[Message]) -> list[Exhibit]:
    return [
        Exhibit(one.author_id, one.sent_at, key.open(one.source_box, purpose=f"message:{one.id}"))
        for one in chosen
    ]


def _remember(made: Report, chosen: list[Message], by_id: int) -> None:
    db.session.add_all(ReportedMessage(report_id=made.id, message_id=one.id, by_id=by_id) for one in chosen)
