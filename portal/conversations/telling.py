"""The kinds of notice of conversations. Each line says that there is something, never what or by whom."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select

from portal.conversations import policy
from portal.conversations.models import Conversation, ConversationState, Part, Participant, Report
from portal.conversations.queries.finding import OVER_FOR_MEMBER, is_remembered
from portal.conversations.services import telling
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice


def resolve(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """Lines for who still takes part, in one statement; gone with one's part in the conversation."""
    if not policy.may_converse(viewer):
        return {}
    ids = {notice.data.get("conversation") for notice in notices}
    there = {
        row.id: row
        for row in db.session.execute(
            select(
                Conversation.id,
                Conversation.state,
                Conversation.asker_id,
                (Conversation.accepted_at == Conversation.requested_at).label("booked"),
            )
            .join(Participant, Participant.conversation_id == Conversation.id)
            .where(
                Conversation.id.in_(ids),
                is_remembered(clock.now()),
                Participant.member_id == viewer.member_id,
                Participant.part.in_([Part.ACTIVE, Part.INVITED]),
            )
        )
    }
    reported = {
        str(notice.data["conversation"])
        for notice in notices
        if notice.kind == telling.REPORT and notice.data.get("conversation")
    }
    parties = _parties(viewer, reported - there.keys())
    lines = {}
    for notice in notices:
        if notice.kind == telling.REPORT and notice.data.get("conversation") in parties:
            was_request = parties[str(notice.data["conversation"])]
            lines[notice.id] = Line(
                sentence=_sentence_of_report(notice),
                title=_("A request for a private conversation")
                if was_request
                else _("A conversation that you have left"),
                url=f"/conversations/{notice.data['conversation']}/report"
                if was_request
                else "/conversations",
            )
            continue
        row = there.get(notice.data.get("conversation"))
        if row is None or (row.state in OVER_FOR_MEMBER and row.asker_id != viewer.member_id):
            continue
        lines[notice.id] = Line(
            sentence=_sentence(notice, row), title=_("Private conversation"), url=f"/conversations/{row.id}"
        )
    return lines


def _parties(viewer: Viewer, conversation_ids: set[str]) -> dict[str, bool]:
    """Those of these conversations in which the viewer reported or was reported, though they take part no
    more; and whether it was a request to them that came to nothing, and that they reported."""
    if not conversation_ids:
        return {}
    mine = or_(Report.reporter_id == viewer.member_id, Report.about_id == viewer.member_id)
    rows = db.session.execute(
        select(Report.conversation_id, Report.reporter_id, Conversation.member_id, Conversation.state)
        .join(Conversation, Conversation.id == Report.conversation_id)
        .where(Report.conversation_id.in_(conversation_ids), mine)
    )
    return {
        row.conversation_id: row.state in OVER_FOR_MEMBER
        and row.reporter_id == row.member_id == viewer.member_id
        for row in rows
    }


def _sentence_of_report(notice: Notice) -> str:
    return {
        "reported": _("Messages of a conversation of yours were shown to reviewers"),
        "note reported": _("The note of a request of yours was shown to reviewers"),
        "added": _("More messages were added to a report"),
        "undone": _("A decision about a report was taken back"),
    }.get(notice.data.get("what", ""), _("A report was decided"))


def _sentence(notice: Notice, row: Any) -> str:
    if notice.kind == telling.REQUEST:
        if row.state is ConversationState.OPEN and row.booked and notice.data.get("what") != "invited":
            return _("A time that you opened was booked")
        return _("You have a request for a conversation")
    if notice.kind == telling.MESSAGE:
        return _("You have a message")
    if notice.kind == telling.REPORT:
        return _sentence_of_report(notice)
    return {
        "accepted": _("Your request for a conversation was accepted"),
        "unavailable": _("A request of yours came to nothing: not available now"),
        "thanks": _("Somebody thanks you"),
        "called_off": _("A time that you had agreed on was called off"),
        "missed": _("Somebody says that a talk of yours did not take place"),
        "person": _("A further person was proposed for a conversation"),
    }.get(notice.data.get("what", ""), _("There is news in a conversation"))


KINDS = (
    Kind(telling.REQUEST, "somebody asks you for a private conversation", resolve, order=12),
    Kind(telling.MESSAGE, "you have a message in a private conversation", resolve, order=13),
    Kind(telling.NEWS, "a request of yours is answered, or somebody thanks you", resolve, order=14),
    Kind(
        telling.REPORT,
        "messages of a conversation of yours are reported",
        resolve,
        required=True,
        order=15,
    ),
)
