"""Reads of the audit log, as far as the reader may know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from portal.discussions.models import Board
from portal.discussions.policy import board_is_visible
from portal.kernel.access import Viewer
from portal.kernel.audit import AuditEntry
from portal.kernel.db import db
from portal.kernel.paging import Page
from portal.members.models import Member
from portal.moderation.models import Case

PAGE = 50
PEER_AREAS = ("moderation", "threads")
AREAS = ("moderation", "threads", "people", "settings")


@dataclass(frozen=True)
class LogFilters:
    area: str = ""
    action: str = ""
    actor: str = ""  # user name
    target: str = ""  # "case 12"
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class LogLine:
    """One action, with the name of who did it ("" for the command line) and where its target stands."""

    entry: AuditEntry
    actor: str
    username: str
    title: str
    url: str


def areas_of(viewer: Viewer) -> tuple[str, ...]:
    """A peer moderator reads what was done to posts and threads; the vendor's people read all."""
    return AREAS if viewer.is_staff else PEER_AREAS


def entries(viewer: Viewer, filters: LogFilters, before: int | None = None) -> Page:
    """Actions that fit, newest first, on boards the viewer reads."""
    query: Any = (
        select(AuditEntry, Member.name, Member.username, Case.title)
        .outerjoin(Member, Member.id == AuditEntry.actor_id)
        .outerjoin(Case, and_(AuditEntry.target_kind == "case", Case.id == AuditEntry.target_id))
        .outerjoin(Board, Board.id == AuditEntry.board_id)
        .where(*_visible(viewer))
    )
    if filters.area:
        query = query.where(AuditEntry.area == filters.area)
    if filters.action:
        query = query.where(AuditEntry.action == filters.action)
    if filters.actor:
        query = query.where(Member.username == filters.actor)
    if filters.target:
        kind, _space, number = filters.target.partition(" ")
        query = query.where(AuditEntry.target_kind == kind)
        if number.isdigit() and len(number) < 15:
            query = query.where(AuditEntry.target_id == int(number))
    if filters.since:
        query = query.where(AuditEntry.at >= filters.since)
    if filters.until:
        query = query.where(AuditEntry.at <= filters.until)
    if before is not None and 0 < before < 2**62:
        query = query.where(AuditEntry.number < before)
    rows = db.session.execute(query.order_by(AuditEntry.number.desc()).limit(PAGE + 1)).all()
    lines = [
        LogLine(row[0], row.name or "", row.username or "", row.title or "", _url(row[0]))
        for row in rows[:PAGE]
    ]
    return Page(lines, next=str(lines[-1].entry.number) if len(rows) > PAGE else "")


def actions(viewer: Viewer) -> list[str]:
    """The names of actions that occur."""
    return list(
        db.session.execute(
            select(AuditEntry.action)
            .outerjoin(Board, Board.id == AuditEntry.board_id)
            .where(*_visible(viewer))
            .distinct()
            .order_by(AuditEntry.action)
            .limit(100)
        ).scalars()
    )


def actors(viewer: Viewer) -> list[tuple[str, str]]:
    """(user name, name) of who did something."""
    ids = (
        select(AuditEntry.actor_id)
        .outerjoin(Board, Board.id == AuditEntry.board_id)
        .where(*_visible(viewer))
        .distinct()
    )
    rows = db.session.execute(
        select(Member.username, Member.name).where(Member.id.in_(ids)).order_by(Member.name).limit(100)
    )
    return [(row.username, row.name) for row in rows]


def _visible(viewer: Viewer) -> list[ColumnElement[bool]]:
    return [
        AuditEntry.area.in_(areas_of(viewer)),
        or_(AuditEntry.board_id.is_(None), board_is_visible(viewer)),
    ]


def _url(entry: AuditEntry) -> str:
    places = {
        "case": "/console/cases/{}",
        "rule": "/rules#rule-{}",
        "thread": "/threads/{}",
        "post": "/posts/{}",
    }
    if entry.target_id is None or entry.target_kind not in places:
        return ""
    return places[entry.target_kind].format(entry.target_id)
