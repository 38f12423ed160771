"""The kinds of notice of asks, and the words in which each is read."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from portal.asks import wording
from portal.asks.models import AnswerRequest, Ask, AskMode, Outcome
from portal.asks.services.telling import ASK, REQUEST, RESPONSIBLE
from portal.discussions.guests import veil_over
from portal.discussions.models import Board, Post, PostState, Thread
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.template_helpers import exact
from portal.members.display import reader_of
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice


def resolve_requests(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """Answer requests that still wait, with the reason why they came to this member."""
    ids = [notice.data.get("request") for notice in notices]
    rows = db.session.execute(
        select(AnswerRequest, Ask, Thread.title, Thread.id.label("thread_id"), Post.excerpt, Post.html)
        .join(Ask, Ask.id == AnswerRequest.ask_id)
        .join(Thread, Thread.id == Ask.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .join(Post, (Post.thread_id == Thread.id) & (Post.number == 1))
        .where(
            AnswerRequest.id.in_(ids),
            AnswerRequest.member_id == viewer.member_id,
            AnswerRequest.outcome != Outcome.OVER,
            thread_is_visible(viewer),
            Thread.state == PostState.VISIBLE,
        )
    ).all()
    found = {row[0].id: row for row in rows}
    texts = [text for row in rows for text in (row.title, row.html)]
    veil = veil_over(reader_of(viewer), texts, [row.thread_id for row in rows])
    lines = {}
    for notice in notices:
        row = found.get(notice.data.get("request", 0))
        if row is None:
            continue
        request = row[0]
        lines[notice.id] = Line(
            sentence=_("Can you answer this?"),
            title=veil(row.title, row.thread_id),
            url=f"/requests/{request.id}",
            excerpt=_(
                "%(why)s %(more)s", why=wording.why_asked(request), more=veil(row.excerpt, row.thread_id)
            ),
            html=veil(row.html, row.thread_id),
            thread_key=f"thread-{row.thread_id}",
            sections=[
                {
                    "title": _("Answer it"),
                    "url": f"/requests/{request.id}",
                    "facts": wording.why_asked(request),
                },
                {"title": _("I would rather talk"), "url": f"/requests/{request.id}#talk", "facts": ""},
                {"title": _("Not now"), "url": f"/requests/{request.id}#not-now", "facts": ""},
                {
                    "title": _("A colleague knows better"),
                    "url": f"/requests/{request.id}#colleague",
                    "facts": "",
                },
            ],
        )
    return lines


def resolve_own(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """What the asker is told of their own ask. Of one in private: that there is something, no word of it."""
    ids = [notice.data.get("ask") for notice in notices]
    rows = db.session.execute(
        select(Ask, Thread.title)
        .outerjoin(Thread, Thread.id == Ask.thread_id)
        .where(Ask.id.in_(ids), Ask.asker_id == viewer.member_id)
    ).all()
    found = {row[0].id: row for row in rows}
    lines = {}
    for notice in notices:
        row = found.get(notice.data.get("ask", 0))
        if row is None:
            continue
        ask = row[0]
        what, _dash, _number = str(notice.data.get("what", "")).partition("-")
        sentence = wording.told_asker(what)
        if not sentence:
            continue
        is_open = ask.mode is AskMode.OPEN
        lines[notice.id] = Line(
            sentence=sentence,
            title=row.title if is_open else "",
            url=f"/asks/{ask.id}" if what in ("settled",) else f"/asks/{ask.id}/connect",
            thread_key=f"ask-{ask.id}",
        )
    return lines


def resolve_responsible(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """Asks that wait for a moderator, for the person named in the settings."""
    if not viewer.may(Permission.MODERATE):
        return {}
    ids = [notice.data.get("ask") for notice in notices]
    rows = db.session.execute(
        select(Ask.id, Ask.due_at, Thread.title)
        .join(Thread, Thread.id == Ask.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Ask.id.in_(ids), thread_is_visible(viewer))
    ).all()
    found = {row.id: row for row in rows}
    return {
        notice.id: Line(
            sentence=_("An ask waits to be connected"),
            title=found[notice.data["ask"]].title,
            url=f"/console/asks/{notice.data['ask']}",
            excerpt=_due(found[notice.data["ask"]].due_at),
        )
        for notice in notices
        if notice.data.get("ask") in found
    }


def _due(at: datetime | None) -> str:
    if at is None:
        return ""
    # A case may be there long before: nobody to ask, or an asker who does not want to wait.
    if at > clock.now():
        return _("The asker is promised an answer by %(when)s.", when=exact(at))
    return _("It was due %(when)s.", when=exact(at))


KINDS = (
    Kind(REQUEST, "somebody who is deciding asks what you may know", resolve_requests, order=8),
    Kind(ASK, "something happens to what you asked", resolve_own, order=9),
    Kind(
        RESPONSIBLE, "an ask waits to be connected and you are responsible", resolve_responsible, listed=False
    ),
)
