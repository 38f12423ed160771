"""Reads about notices, preferences and mails."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from portal.kernel.access import Viewer, zone_of
from portal.kernel.db import db
from portal.kernel.paging import Page
from portal.notifications import kinds
from portal.notifications.models import Digest, DigestSetting, Mail, Notice, Preference

PAGE = 30
LOOKED_AT = 300  # unread ones, for whether they can still be shown


@dataclass(frozen=True)
class Shown:
    """A notice with its words."""

    id: int
    line: kinds.Line
    created_at: datetime
    is_new: bool
    day_key: str  # the reader's calendar day


def notices_of(viewer: Viewer, before_id: int | None = None, *, only_new: bool = False) -> Page:
    """The viewer's newest notices that can still be shown; `next` is the id to go on from."""
    query = select(Notice).where(Notice.member_id == viewer.member_id).order_by(Notice.id.desc())
    if only_new:
        query = query.where(Notice.read_at.is_(None))
    if before_id is not None:
        query = query.where(Notice.id < before_id)
    rows = list(db.session.execute(query.limit(PAGE + 1)).scalars())
    lines = kinds.resolve(viewer, rows[:PAGE])
    zone = zone_of(viewer)
    shown = [
        Shown(
            row.id,
            lines[row.id],
            row.created_at,
            row.read_at is None,
            row.created_at.astimezone(zone).date().isoformat(),
        )
        for row in rows[:PAGE]
        if row.id in lines
    ]
    return Page(shown, next=str(rows[PAGE - 1].id) if len(rows) > PAGE else "")


def gone_of(viewer: Viewer, page: Page) -> list[int]:
    """Which of the viewer's unread notices can no longer be shown, on this page and beyond it.

    Nothing has to count them. The newest `LOOKED_AT` unread are looked at, none where all stand on the page.
    """
    if viewer.unread_notices == sum(shown.is_new for shown in page.rows):
        return []
    unread = (
        select(Notice)
        .where(Notice.member_id == viewer.member_id, Notice.read_at.is_(None))
        .order_by(Notice.id.desc())
        .limit(LOOKED_AT)
    )
    rows = list(db.session.execute(unread).scalars())
    lines = kinds.resolve(viewer, rows)
    return [row.id for row in rows if row.id not in lines]


def place_of(viewer: Viewer, notice_id: int) -> str | None:
    """Where one of the viewer's notices leads, or None when there is nothing to see any more."""
    notice = db.session.execute(
        select(Notice).where(Notice.id == notice_id, Notice.member_id == viewer.member_id)
    ).scalar_one_or_none()
    if notice is None:
        return None
    line = kinds.resolve(viewer, [notice]).get(notice.id)
    return line.url if line else None


@dataclass(frozen=True)
class Choice:
    """One row of the preferences page."""

    kind: kinds.Kind
    in_app: bool
    by_mail: bool


def choices_of(member_id: int) -> list[Choice]:
    """How the member wants to hear of each kind."""
    stored = {
        row.kind: row
        for row in db.session.execute(select(Preference).where(Preference.member_id == member_id)).scalars()
    }
    return [
        Choice(
            kind,
            stored[kind.name].in_app if kind.name in stored else kind.in_app,
            stored[kind.name].by_mail if kind.name in stored else kind.by_mail,
        )
        for kind in kinds.registered()
    ]


def wants_mail(member_id: int, kind_name: str) -> bool:
    """Whether the member is mailed things of this kind."""
    kind = kinds.find(kind_name)
    stored = db.session.get(Preference, (member_id, kind_name))
    return stored.by_mail if stored is not None else kind is not None and kind.by_mail


def digest_of(member_id: int) -> Digest:
    """How often the member wants to hear of what they missed: weekly unless they said otherwise."""
    every = db.session.execute(
        select(DigestSetting.every).where(DigestSetting.member_id == member_id)
    ).scalar_one_or_none()
    return every or Digest.WEEKLY


@dataclass(frozen=True)
class MailCounts:
    """How many mails wait, and how many were given up."""

    waiting: int
    failed: int


def mail_counts() -> MailCounts:
    waiting = db.session.execute(
        select(func.count()).select_from(Mail).where(Mail.sent_at.is_(None), Mail.failed_at.is_(None))
    ).scalar_one()
    failed = db.session.execute(
        select(func.count()).select_from(Mail).where(Mail.failed_at.is_not(None))
    ).scalar_one()
    return MailCounts(waiting, failed)


def failed_mails(limit: int = 100) -> list[Mail]:
    """The mails that were given up, newest first."""
    return list(
        db.session.execute(
            select(Mail).where(Mail.failed_at.is_not(None)).order_by(Mail.id.desc()).limit(limit)
        ).scalars()
    )
