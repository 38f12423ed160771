"""What a member missed: at most eight threads they may read and have not, in one notice a day or a week."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext as _n
from sqlalchemy import func, or_, select

from portal.discussions.guests import veil_titles
from portal.discussions.models import Board, Follow, PostState, ReadMark, Thread
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock
from portal.kernel.access import Permission, Viewer, zone_of
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.display import reader_of
from portal.members.models import Member, MemberState
from portal.members.queries import viewer_of
from portal.notifications.kinds import Kind, Line
from portal.notifications.models import Digest, DigestSetting, Notice
from portal.notifications.services.notifying import notify

MOST = 8
HOUR = 8  # in the member's time zone
NAME = "digest"
_PERIOD = {Digest.DAILY: timedelta(days=1), Digest.WEEKLY: timedelta(days=7)}


def make_due(batch: int = 500) -> int:
    """Make the digests that are due now; gives how many. Safe to repeat: a period has one digest."""
    now = clock.now()
    made = 0
    last_id = 0
    while True:
        rows = db.session.execute(
            select(
                Member.id,
                Member.time_zone,
                Member.created_at,
                DigestSetting.every,
                DigestSetting.last_made_at,
            )
            .outerjoin(DigestSetting, DigestSetting.member_id == Member.id)
            .where(
                Member.id > last_id,
                Member.state == MemberState.ACTIVE,
                Member.email_confirmed_at.is_not(None),
                or_(DigestSetting.every.is_(None), DigestSetting.every != Digest.OFF),
                # nobody can be due twice within 20 hours, so most are left out without a look
                or_(
                    DigestSetting.last_made_at.is_(None),
                    DigestSetting.last_made_at < now - timedelta(hours=20),
                ),
            )
            .order_by(Member.id)
            .limit(batch)
        ).all()
        if not rows:
            return made
        for row in rows:
            last_id = row.id
            every = row.every or Digest.WEEKLY
            start = _period_start(viewer_of(row.id), every, now)
            if start is not None and (row.last_made_at or row.created_at) < start:
                made += _make(
                    row.id, every, start, row.last_made_at or max(row.created_at, start - _PERIOD[every])
                )


def items_for(viewer: Viewer, since: datetime) -> list[dict[str, str]]:
    """The threads with news since then that the viewer may read, has not read and did not write last.

    Those they follow come first, then the boards they follow, then whatever was most active.
    """
    if not viewer.may(Permission.READ):
        return []
    own = viewer.member_id
    followed = select(Follow.thread_id).where(Follow.member_id == own, Follow.thread_id.is_not(None))
    boards = select(Follow.board_id).where(Follow.member_id == own, Follow.board_id.is_not(None))
    rank = Thread.id.in_(followed).cast(db.Integer) * 2 + Thread.board_id.in_(boards).cast(db.Integer)
    rows = db.session.execute(
        select(
            Thread.id, Thread.slug, Thread.title, Thread.answers_count, Thread.posts_count, Thread.created_at,
            Board.name.label("board"),
        )
        .join(Board, Board.id == Thread.board_id)
        .outerjoin(ReadMark, (ReadMark.thread_id == Thread.id) & (ReadMark.member_id == own))
        .where(
            thread_is_visible(viewer),
            Thread.state == PostState.VISIBLE,
            Thread.last_activity_at > since,
            Thread.last_author_id != own,
            func.coalesce(ReadMark.last_number, 0) < Thread.last_number,
        )
        .order_by(rank.desc(), Thread.last_activity_at.desc(), Thread.id.desc())
        .limit(MOST)
    ).all()  # fmt: skip
    return [
        {
            "title": row.title,
            "url": f"/threads/{row.id}/{row.slug}",
            "facts": _facts(row.board, row.posts_count, row.created_at > since),
        }
        for row in veil_titles(reader_of(viewer), rows)
    ]


def resolve(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """The digests' words, found anew: without what was hidden or read meanwhile; an empty one is not sent."""
    lines = {}
    for notice in notices:
        items = items_for(viewer, datetime.fromisoformat(notice.data["since"]))
        if items:
            lines[notice.id] = Line(
                sentence=_n(
                    "%(num)d thread you have not read", "%(num)d threads you have not read", len(items)
                ),
                title="",
                url="/",
                sections=items,
            )
    return lines


KIND = Kind(
    NAME, "there is something you missed", resolve, in_app=False, by_mail=True, order=90, listed=False
)


def _make(member_id: int, every: Digest, start: datetime, since: datetime) -> int:
    viewer = viewer_of(member_id)
    something = bool(items_for(viewer, since))
    with unit_of_work():
        setting = db.session.get(DigestSetting, member_id, with_for_update=True, populate_existing=True)
        if setting is None:
            setting = DigestSetting(member_id=member_id, every=every)
            db.session.add(setting)
        if setting.last_made_at is not None and setting.last_made_at >= start:
            return 0  # another worker was quicker
        if not something:
            return 0  # asked again at the next run: there may be something later in the period
        setting.last_made_at = clock.now()
        return notify(
            NAME, [member_id], source_key=f"digest:{start:%Y-%m-%d}", data={"since": since.isoformat()}
        )


def _period_start(viewer: Viewer, every: Digest, now: datetime) -> datetime | None:
    """When the present period began: 08:00 today or on Monday in the member's zone, if that was today."""
    local = now.astimezone(zone_of(viewer))
    start = datetime.combine(local.date(), time(HOUR), local.tzinfo)
    if every is Digest.WEEKLY and local.weekday() != 0:
        return None
    return start if local >= start else None


def _facts(board: str, posts: int, is_new: bool) -> str:
    if is_new and posts == 1:
        return _("%(board)s · new, no answer yet", board=board)
    answers = _n("%(num)d post", "%(num)d posts", posts)
    return f"{board} · {answers}"
