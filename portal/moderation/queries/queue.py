"""The queue: the cases a moderator may see, most urgent first, and what waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.orm import aliased

from portal.discussions.models import Board, Post, Thread
from portal.discussions.policy import board_is_visible
from portal.kernel import clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.paging import Page, decode, encode
from portal.members.display import PersonLine, person_columns, person_line, reader_of, with_person
from portal.members.models import Member
from portal.moderation.models import Case, CaseKind, CaseState, Decision
from portal.moderation.queries.parties import author_is_role, reasons_against
from portal.moderation.queries.rules import find_rule

PAGE = 40
COUNTED = 1000
OLDER = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_Claimer = aliased(Member)


@dataclass(frozen=True)
class Filters:
    """The words of the sentence above the queue; each stands in the address."""

    state: str = "open"  # open, decided
    kind: str = ""  # one of CaseKind
    board: str = ""
    older: str = ""  # hour, day, week
    whose: str = ""  # "" me or nobody, mine, nobody, anyone
    sort: str = ""  # "" most urgent first, oldest


@dataclass(frozen=True)
class CaseLine:
    """One row of the queue."""

    case: Case
    author: PersonLine
    author_joined_at: datetime
    board_name: str
    claimed_by: str  # name of who has it now, "" for nobody
    is_mine: bool
    against: str  # why this viewer cannot decide it
    rule_short: str
    last: Decision | None = None  # on a decided case

    @property
    def is_late(self) -> bool:
        return self.case.state is CaseState.OPEN and self.case.due_at < clock.now()


@dataclass(frozen=True)
class Queue:
    """A page of the queue; `total` is all that waits for anybody, counted up to a thousand."""

    page: Page
    shown: int
    total: int


def queue(viewer: Viewer, filters: Filters, after: str = "") -> Queue:
    """The cases that fit the filters, on boards the viewer reads."""
    fits = _conditions(viewer, filters)
    key, newest_first = _order(filters)
    query = _ordered(lines_of_cases().where(*fits), filters)
    if cursor := decode(after, datetime, int):
        moment, number = cursor
        further = and_(key == moment, Case.id < number if newest_first else Case.id > number)
        query = query.where(or_(key < moment if newest_first else key > moment, further))
    rows = db.session.execute(query.limit(PAGE + 1)).all()
    lines = as_lines(viewer, rows[:PAGE])
    last = rows[PAGE - 1][0] if len(rows) > PAGE else None
    next_page = encode(getattr(last, key.key), last.id) if last is not None else ""
    return Queue(
        Page(lines, next=next_page),
        shown=_count(fits) if after or next_page else len(lines),
        total=_count(_conditions(viewer, Filters(state=filters.state, whose="anyone"))),
    )


def everything(
    viewer: Viewer, filters: Filters, most: int | None = None, *, connects: bool | None = None
) -> list[CaseLine]:
    """All that fit the filters, in the order of the page.

    `connects`: none but those about somebody to connect, or all but those.
    """
    fits = _conditions(viewer, filters)
    if connects is not None:
        fits.append(Case.kind == CaseKind.CONNECT if connects else Case.kind != CaseKind.CONNECT)
    rows = db.session.execute(_ordered(lines_of_cases().where(*fits), filters).limit(most)).all()
    return [line for at in range(0, len(rows), 500) for line in as_lines(viewer, rows[at : at + 500])]


def counts(viewer: Viewer, filters: Filters) -> dict[CaseKind, tuple[int, int]]:
    """By kind how many open cases fit the filters, and how many wait for anybody on any board."""
    fits = case((and_(*_conditions(viewer, filters)), 1), else_=0)
    rows = db.session.execute(
        select(Case.kind, func.sum(fits), func.count())
        .outerjoin(Thread, Thread.id == Case.thread_id)
        .outerjoin(Board, Board.id == func.coalesce(Thread.board_id, Case.board_id))
        .where(*_conditions(viewer, Filters(whose="anyone")))
        .group_by(Case.kind)
    )
    return {row[0]: (int(row[1]), row[2]) for row in rows}


def _order(filters: Filters) -> tuple[Any, bool]:
    """By what the cases are ordered, and whether the latest come first."""
    if filters.state == "decided":
        return Case.decided_at, True
    return Case.opened_at if filters.sort == "oldest" else Case.due_at, False


def _ordered(query: Any, filters: Filters) -> Any:
    key, newest_first = _order(filters)
    return query.order_by(key.desc(), Case.id.desc()) if newest_first else query.order_by(key, Case.id)


def waiting_count(viewer: Viewer) -> int:
    """How many open cases wait for this moderator or nobody, counted up to a thousand: for the menu."""
    if not viewer.may(Permission.MODERATE):
        return 0
    return _count(_conditions(viewer, Filters()))


def next_case(viewer: Viewer, except_id: int) -> CaseLine | None:
    """The most urgent open case that this moderator may decide."""
    rows = db.session.execute(
        lines_of_cases()
        .where(*_conditions(viewer, Filters()), Case.id != except_id)
        .order_by(Case.due_at, Case.id)
        .limit(10)
    ).all()
    return next((line for line in as_lines(viewer, rows) if not line.against), None)


@dataclass(frozen=True)
class Yesterday:
    """What went well, for an empty queue."""

    decided: int
    median_seconds: float | None


def yesterday() -> Yesterday:
    """How many cases were decided in the last day, and in what time half of them were."""
    rows = db.session.execute(
        select(Case.opened_at, Case.decided_at)
        .where(Case.state == CaseState.DECIDED, Case.decided_at > clock.now() - timedelta(days=1))
        .limit(COUNTED)
    ).all()
    waits = sorted((row.decided_at - row.opened_at).total_seconds() for row in rows)
    return Yesterday(len(waits), waits[len(waits) // 2] if waits else None)


def lines_of_cases() -> Any:
    """SQL of cases with all that `as_lines` needs; to be narrowed."""
    query = select(
        Case,
        Board.name.label("board_name"),
        Board.audience,
        Member.created_at.label("joined_at"),
        _Claimer.name.label("claimer"),
        *person_columns(author_is_role(Case)),
    ).select_from(Case)
    return (
        with_person(query, Case.member_id)
        .outerjoin(Post, Post.id == Case.post_id)
        .outerjoin(Thread, Thread.id == Case.thread_id)
        .outerjoin(Board, Board.id == func.coalesce(Thread.board_id, Case.board_id))
        .outerjoin(_Claimer, _Claimer.id == Case.claimed_by_id)
    )


def readable(viewer: Viewer) -> ColumnElement[bool]:
    """SQL: the case is of a board that this viewer reads, and not left to others."""
    return and_(or_(Board.id.is_(None), board_is_visible(viewer)), for_eyes_of(viewer))


def for_eyes_of(viewer: Viewer) -> ColumnElement[bool]:
    """A case that its reporter left to peers alone does not exist for accounts of the vendor."""
    return Case.peers_only.is_(False) if viewer.is_staff else true()


def _conditions(viewer: Viewer, filters: Filters) -> list[ColumnElement[bool]]:
    now = clock.now()
    fits: list[ColumnElement[bool]] = [readable(viewer)]
    fits.append(Case.state == (CaseState.DECIDED if filters.state == "decided" else CaseState.OPEN))
    if filters.kind in list(CaseKind):
        fits.append(Case.kind == CaseKind(filters.kind))
    if filters.board:
        fits.append(Board.slug == filters.board)
    if filters.older in OLDER:
        fits.append(Case.opened_at < now - OLDER[filters.older])
    if filters.state != "decided":
        free = or_(Case.claimed_by_id.is_(None), Case.claimed_until <= now)
        mine = and_(Case.claimed_by_id == viewer.member_id, Case.claimed_until > now)
        if filters.whose == "mine":
            fits.append(mine)
        elif filters.whose == "nobody":
            fits.append(free)
        elif filters.whose != "anyone":
            fits.append(or_(mine, free))
    return fits


def _count(fits: list[ColumnElement[bool]]) -> int:
    some = (
        select(Case.id)
        .outerjoin(Thread, Thread.id == Case.thread_id)
        .outerjoin(Board, Board.id == func.coalesce(Thread.board_id, Case.board_id))
        .where(*fits)
        .limit(COUNTED)
        .subquery()
    )
    return db.session.execute(select(func.count()).select_from(some)).scalar_one()


def as_lines(viewer: Viewer, rows: Any) -> list[CaseLine]:
    """Rows of `lines_of_cases` as this viewer reads them."""
    now = clock.now()
    reader = reader_of(viewer)
    against = reasons_against(viewer, [row[0] for row in rows])
    lines = []
    for row in rows:
        case: Case = row[0]
        rule = find_rule(case.rule_number)
        claimed = case.claimed_until is not None and case.claimed_until > now
        lines.append(
            CaseLine(
                case=case,
                author=person_line(row, reader),
                author_joined_at=row.joined_at,
                board_name=row.board_name or "",
                claimed_by=row.claimer or "" if claimed else "",
                is_mine=claimed and case.claimed_by_id == viewer.member_id,
                against=against[case.id],
                rule_short=rule.short if rule else "",
            )
        )
    return lines
