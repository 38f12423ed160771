"""The kinds of notice of moderation, and the words in which each is read."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from portal.discussions.guests import Veil, veil_over
from portal.discussions.models import Board, Post, PostKind, Thread
from portal.discussions.policy import board_is_visible
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.members.display import reader_of
from portal.moderation import words
from portal.moderation.models import Appeal, Case, Decision, Flag
from portal.moderation.policy import is_dismissal
from portal.moderation.services import telling
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Notice


def resolve_own(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """Lines about decisions on the viewer's own posts, in one statement."""
    rows = _decisions(
        [notice.data.get("decision") for notice in notices], Decision.member_id == viewer.member_id
    )
    veil = _veil(viewer, rows.values())
    lines = {}
    for notice in notices:
        row = rows.get(notice.data.get("decision"))
        if row is None:
            continue
        undone = bool(notice.data.get("undone"))
        if row.undone_at is not None and not undone:
            continue  # the later notice says all there is to say
        sentence = (
            _("A decision about your post was taken back")
            if undone
            else words.to_author(row, is_thread=row.post_kind is PostKind.OPENING)
        )
        reason = f"{row.rule_label}: “{row.reason}”" if row.rule_label else row.reason
        lines[notice.id] = Line(
            sentence=sentence,
            title=veil(row.title, row.thread_id or 0),
            url=f"/decisions/{row.id}",
            # Of what is private nothing goes out by mail, a moderator's words about it neither.
            excerpt="" if undone or row.post_id is None else veil(reason, row.thread_id or 0),
            thread_key=f"thread-{row.thread_id}" if row.thread_id else "",
        )
    return lines


def resolve_flagged(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """Lines for those who flagged, as long as they may read the board."""
    flagged = select(Flag.case_id).where(Flag.reporter_id == viewer.member_id, Flag.stands())
    rows = _decisions(
        [notice.data.get("decision") for notice in notices],
        Decision.case_id.in_(flagged),
        board_is_visible(viewer),
    )
    veil = _veil(viewer, rows.values())
    lines = {}
    for notice in notices:
        row, what = rows.get(notice.data.get("decision")), notice.data.get("what", "")
        if row is None or (row.undone_at is not None and what != "undone"):
            continue
        # An overturned or undone measure has its entry in the log too; a dismissal has none.
        lines[notice.id] = Line(
            sentence=words.to_flagger(row, what=what),
            title=veil(row.title, row.thread_id or 0),
            url=f"/posts/{row.post_id}" if is_dismissal(row) or what else f"/transparency/log/{row.case_id}",
            excerpt="" if what else veil(row.reason, row.thread_id or 0),
            thread_key=f"thread-{row.thread_id}",
        )
    return lines


def resolve_second(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """Lines for the named second: appeals that wait."""
    ids = [notice.data.get("appeal") for notice in notices]
    waiting = {
        row.id: row
        for row in db.session.execute(
            select(Appeal.id, Case.title, Case.thread_id)
            .join(Case, Case.id == Appeal.case_id)
            .where(Appeal.id.in_(ids))
        )
    }
    veil = veil_over(
        reader_of(viewer),
        [row.title for row in waiting.values()],
        [row.thread_id for row in waiting.values()],
    )
    return {
        notice.id: Line(
            sentence=_("An appeal waits for you"),
            title=veil(waiting[notice.data["appeal"]].title, waiting[notice.data["appeal"]].thread_id or 0),
            url=f"/appeals/{notice.data['appeal']}",
        )
        for notice in notices
        if notice.data.get("appeal") in waiting
    }


def resolve_alert(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """Lines for whoever is on duty: a case that cannot wait, without a word of what it is about."""
    ids = [notice.data.get("case") for notice in notices]
    found = {
        row.id: row.title
        for row in db.session.execute(
            select(Case.id, Case.title).where(
                Case.id.in_(ids), *([Case.peers_only.is_(False)] if viewer.is_staff else [])
            )
        )
        if viewer.may(Permission.MODERATE)
    }
    return {
        notice.id: Line(
            sentence=_("Something that cannot wait was reported"),
            title=found[notice.data["case"]],
            url=f"/console/cases/{notice.data['case']}",
        )
        for notice in notices
        if notice.data.get("case") in found
    }


def _veil(viewer: Viewer, rows: Iterable[Any]) -> Veil:
    rows = list(rows)
    texts = [text for row in rows for text in (row.title, row.reason)]
    return veil_over(reader_of(viewer), texts, [row.thread_id for row in rows])


def _decisions(ids: list[int | None], *conditions: Any) -> dict[int | None, Any]:
    rows = db.session.execute(
        select(
            Decision.id,
            Decision.case_id,
            Decision.post_id,
            Decision.thread_id,
            Decision.post_measure,
            Decision.member_measure,
            Decision.appeal_outcome,
            Decision.rule_label,
            Decision.reason,
            Decision.undone_at,
            Case.title,
            Post.kind.label("post_kind"),
        )
        .join(Case, Case.id == Decision.case_id)
        .outerjoin(Post, Post.id == Decision.post_id)
        .outerjoin(Thread, Thread.id == Decision.thread_id)
        .outerjoin(Board, Board.id == Thread.board_id)
        .where(Decision.id.in_([number for number in ids if number is not None]), *conditions)
    ).all()
    return {row.id: row for row in rows}


KINDS = (
    Kind(
        telling.AUTHOR,
        "a moderator decides something about your posts or account",
        resolve_own,
        required=True,
        order=5,
    ),
    Kind(telling.FLAGGER, "a moderator decides on something you flagged", resolve_flagged, order=60),
    Kind(
        telling.ALERT,
        "something that cannot wait was reported, and you moderate",
        resolve_alert,
        required=True,
        listed=False,
    ),
    Kind(telling.SECOND, "an appeal waits for you as the named second", resolve_second, order=70),
)
