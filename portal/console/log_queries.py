"""Reads of the audit log, as far as the reader may know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from portal.discussions.models import Board, Thread
from portal.discussions.policy import board_is_visible
from portal.kernel.access import Permission, Viewer
from portal.kernel.audit import AuditEntry
from portal.kernel.db import db
from portal.kernel.numbers import number_in
from portal.kernel.paging import Page
from portal.members.models import Company, Member
from portal.moderation.models import Case

PAGE = 50
MOST_EXPORTED = 20_000
PEER_AREAS = ("moderation", "threads")
AREAS = ("moderation", "threads", "people", "settings")
BY_NUMBER = {
    "case": "/console/cases/{}",
    "rule": "/rules#rule-{}",
    "thread": "/threads/{}",
    "post": "/posts/{}",
}
BY_KEY = {"member": "/members/{}", "company": "/console/companies/{}", "board": "/boards/{}"}
NAMED = ("case", "thread", *BY_KEY)


@dataclass(frozen=True)
class LogFilters:
    area: str = ""
    action: str = ""
    actor: str = ""  # user name
    target: str = ""  # "case 12"
    since: datetime | None = None
    until: datetime | None = None
    sort: str = ""  # "oldest" first, or the newest


@dataclass(frozen=True)
class LogLine:
    """One action, with the name of who did it ("" for the command line), and what it was done to and where.

    `said` are the words of the entry as people read them: names in place of numbers.
    """

    entry: AuditEntry
    actor: str
    username: str
    title: str
    url: str
    said: str


def areas_of(viewer: Viewer) -> tuple[str, ...]:
    """A peer moderator reads what was done to posts and threads; the vendor's people read all."""
    return AREAS if viewer.is_staff else PEER_AREAS


def entries(viewer: Viewer, filters: LogFilters, before: int | None = None) -> Page:
    """Actions that fit, on boards the viewer reads; `before` is the last number of the page before this."""
    query, oldest = _fitting(viewer, filters), filters.sort == "oldest"
    if before is not None and 0 < before < 2**62:
        query = query.where(AuditEntry.number > before if oldest else AuditEntry.number < before)
    rows = db.session.execute(query.limit(PAGE + 1)).all()
    lines = _lines(viewer, rows[:PAGE])
    return Page(lines, next=str(lines[-1].entry.number) if len(rows) > PAGE else "")


def everything(viewer: Viewer, filters: LogFilters) -> Iterator[LogLine]:
    """All that fit, for a file, in the order of the page."""
    rows = db.session.execute(_fitting(viewer, filters).limit(MOST_EXPORTED)).all()
    for start in range(0, len(rows), 500):
        yield from _lines(viewer, rows[start : start + 500])


def _fitting(viewer: Viewer, filters: LogFilters) -> Any:
    whom, company = aliased(Member), aliased(Company)
    title = func.coalesce(Case.title, whom.name, company.name, Thread.title, Board.name)
    query: Any = (
        select(
            AuditEntry,
            Member.name,
            Member.username,
            title.label("title"),
            func.coalesce(whom.username, company.slug, Board.slug).label("key"),
        )
        .outerjoin(Member, Member.id == AuditEntry.actor_id)
        .outerjoin(Board, Board.id == AuditEntry.board_id)
        .outerjoin(Case, _is_of("case", Case.id))
        .outerjoin(whom, _is_of("member", whom.id))
        .outerjoin(company, _is_of("company", company.id))
        .outerjoin(Thread, _is_of("thread", Thread.id))
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
        if (target_id := number_in(number)) is not None:
            query = query.where(AuditEntry.target_id == target_id)
    if filters.since:
        query = query.where(AuditEntry.at >= filters.since)
    if filters.until:
        query = query.where(AuditEntry.at <= filters.until)
    column = AuditEntry.number
    return query.order_by(column if filters.sort == "oldest" else column.desc())


def _lines(viewer: Viewer, rows: Sequence[Any]) -> list[LogLine]:
    named = _companies_in([row[0].details for row in rows])
    return [
        LogLine(
            row[0],
            row.name or "",
            row.username or "",
            row.title or "" if row[0].target_kind in NAMED else "",
            _url(viewer, row[0], row.key or ""),
            named.get(row[0].details) or row[0].details,
        )
        for row in rows
    ]


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


def _is_of(kind: str, column: Any) -> ColumnElement[bool]:
    return and_(AuditEntry.target_kind == kind, column == AuditEntry.target_id)


def _companies_in(details: list[str]) -> dict[str, str]:
    """Words such as "company 12", with the name of that company."""
    numbers = {
        int(words.removeprefix("company ")): words
        for words in details
        if words.startswith("company ") and words.removeprefix("company ").isdecimal()
    }
    if not numbers:
        return {}
    rows = db.session.execute(select(Company.id, Company.name).where(Company.id.in_(numbers)))
    return {numbers[row.id]: row.name for row in rows}


def _url(viewer: Viewer, entry: AuditEntry, key: str) -> str:
    """Where the target stands; `key` is its name in addresses, for what has one."""
    if entry.target_kind == "member" and key and viewer.may(Permission.CONFIRM_MEMBERS):
        return f"/console/members/{key}"
    if entry.target_kind in BY_KEY:
        return BY_KEY[entry.target_kind].format(key) if key else ""
    if entry.target_id is None or entry.target_kind not in BY_NUMBER:
        return ""
    return BY_NUMBER[entry.target_kind].format(entry.target_id)
