"""How well the community works: who answers, how soon, who comes back, on how few shoulders it rests.

Boards that only the vendor reads are left out, and questions asked by the vendor's own people. A number of
statements that does not depend on the number of boards, members or posts; rows are one a question of the
time looked at.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, case, exists, func, select
from sqlalchemy.orm import aliased

from portal.discussions.addresses import thread_address
from portal.discussions.models import Audience, Board, Post, PostKind, PostState, Thread, ThreadKind
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock, site
from portal.kernel.access import Status, Viewer
from portal.kernel.db import db
from portal.members.models import Member, MemberState

WAITING_SHOWN = 8
WAITS_FROM = timedelta(hours=24)  # from then on a question is called unanswered
SECOND_WITHIN = timedelta(days=30)
COUNTED_TO = 1000


@dataclass
class Answered:
    """Questions by who answered first. Waits are medians in seconds, None where there is none."""

    questions: int = 0
    by_customer: int = 0
    by_staff: int = 0
    wait: float | None = None
    wait_for_customer: float | None = None

    @property
    def none(self) -> int:
        return self.questions - self.by_customer - self.by_staff


@dataclass
class BoardRow(Answered):
    """A board, and how many of its questions of any age wait now."""

    slug: str = ""
    name: str = ""
    waiting: int = 0
    shares: list[float | None] = field(default_factory=list)  # by week, answered by a customer first, percent


@dataclass
class WeekRow(Answered):
    """A week from `begins` on; people are members who are not the vendor's."""

    begins: date = date.min
    joined: int = 0
    newcomers: int = 0  # wrote their first post
    returning: int = 0  # wrote, and had written before


@dataclass(frozen=True)
class Concentration:
    """On how few the answers of customers rest. Shares are of `answers`, in percent."""

    answers: int
    people: int
    top_1: int  # how many people are the busiest 1 %, at least one
    top_10: int
    share_1: float
    share_10: float
    by_staff: int


@dataclass(frozen=True)
class MonthRow:
    """Those who wrote their first post in a month. Still open while the 30 days of some are not over."""

    begins: date
    first: int
    second: int  # wrote again within 30 days
    days: float | None  # median from the first to the second
    is_open: bool


@dataclass(frozen=True)
class Waiting:
    """A question without an answer."""

    title: str
    url: str
    board: str
    since: datetime


@dataclass(frozen=True)
class Vitals:
    """Everything about a time that ends now; the last week is not over."""

    since: datetime
    until: datetime
    all: Answered
    weeks: list[WeekRow]
    boards: list[BoardRow]
    concentration: Concentration
    months: list[MonthRow]
    waiting: list[Waiting]
    waiting_count: int  # counted to 1,000

    @property
    def staff_share(self) -> float:
        """How much of all answers the vendor's people wrote, in percent."""
        written = self.concentration.answers + self.concentration.by_staff
        return 100 * self.concentration.by_staff / written if written else 0.0

    @property
    def staff_answer_most(self) -> bool:
        return self.staff_share > 50


def vitals(viewer: Viewer, weeks: int = 12, board: str = "") -> Vitals:
    """The figures of so many weeks, the present one included, of one board or of all.

    What waits is listed and counted as far as the viewer reads it; the other figures name no thread.
    """
    now = clock.now()
    begins = _mondays(now, weeks)
    bounds = [_midnight(day) for day in begins]
    of_board = [Board.audience != Audience.STAFF, *([Board.slug == board] if board else [])]
    questions = _questions(bounds[0], of_board)
    waiting, waiting_by_board = _waiting(viewer, of_board, now)
    week_rows = _weeks(begins, bounds, questions, of_board)
    return Vitals(
        since=bounds[0],
        until=now,
        all=_answered(Answered(), questions),
        weeks=week_rows,
        boards=_boards(bounds, questions, waiting_by_board),
        concentration=_concentration(bounds[0], of_board),
        months=_months(begins[0], now, of_board),
        waiting=waiting,
        waiting_count=min(sum(waiting_by_board.values()), COUNTED_TO),
    )


def boards_with_questions() -> list[tuple[str, str]]:
    """(slug, name) of the boards that can be looked at."""
    rows = db.session.execute(
        select(Board.slug, Board.name).where(Board.audience != Audience.STAFF).order_by(Board.position)
    )
    return [(row.slug, row.name) for row in rows]


def _zone() -> ZoneInfo:
    return ZoneInfo(site.current().calendar_zone)


def _mondays(now: datetime, weeks: int) -> list[date]:
    today = now.astimezone(_zone()).date()
    this = today - timedelta(days=today.weekday())
    return [this - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _zone()).astimezone(UTC)


def _questions(since: datetime, of_board: list[ColumnElement[bool]]) -> list[Any]:
    """One row a question: board, asked, first answer by a customer, first answer by staff."""
    moment = Post.created_at.type
    customers = func.min(case((~Post.by_vendor, Post.created_at)), type_=moment).label("customer_at")
    staff = func.min(case((Post.by_vendor, Post.created_at)), type_=moment).label("staff_at")
    answer = and_(
        Post.thread_id == Thread.id,
        Post.kind == PostKind.ANSWER,
        Post.state == PostState.VISIBLE,
    )
    return list(
        db.session.execute(
            select(Board.slug, Board.name, Board.position, Thread.created_at, customers, staff)
            .select_from(Thread)
            .join(Board, Board.id == Thread.board_id)
            .join(Member, Member.id == Thread.author_id)
            .outerjoin(Post, answer)
            .where(
                Thread.created_at >= since,
                Thread.kind == ThreadKind.QUESTION,
                Thread.state == PostState.VISIBLE,
                Member.status != Status.VENDOR,
                *of_board,
            )
            .group_by(Thread.id, Board.slug, Board.name, Board.position, Thread.created_at)
        )
    )


def _answered(into: Any, rows: Sequence[Any]) -> Any:
    """Fill the counts and medians of these questions."""
    waits, customer_waits = [], []
    for row in rows:
        firsts = [at for at in (row.customer_at, row.staff_at) if at is not None]
        into.questions += 1
        if firsts:
            waits.append((min(firsts) - row.created_at).total_seconds())
            if row.customer_at is not None and row.customer_at == min(firsts):
                into.by_customer += 1
            else:
                into.by_staff += 1
        if row.customer_at is not None:
            customer_waits.append((row.customer_at - row.created_at).total_seconds())
    into.wait = median(waits) if waits else None
    into.wait_for_customer = median(customer_waits) if customer_waits else None
    return into


def _weeks(
    begins: list[date], bounds: list[datetime], questions: list[Any], of_board: list[ColumnElement[bool]]
) -> list[WeekRow]:
    by_week: dict[int, list[Any]] = defaultdict(list)
    for row in questions:
        by_week[_place(bounds, row.created_at)].append(row)
    joined = _joined(bounds)
    people = _people(bounds, of_board)
    rows = []
    for number, begin in enumerate(begins):
        newcomers, returning = people.get(number, (0, 0))
        row = WeekRow(begins=begin, joined=joined.get(number, 0), newcomers=newcomers, returning=returning)
        rows.append(_answered(row, by_week[number]))
    return rows


def _place(bounds: list[datetime], at: datetime) -> int:
    return sum(bound <= at for bound in bounds) - 1


def _week_of(column: Any, bounds: list[datetime]) -> ColumnElement[int]:
    """SQL: the number of the week; the latest first, so that the first condition that holds is right."""
    whens = [(column >= bound, number) for number, bound in reversed(list(enumerate(bounds)))]
    return case(*whens, else_=-1).cast(Integer)


def _joined(bounds: list[datetime]) -> dict[int, int]:
    week = _week_of(Member.created_at, bounds).label("week")
    rows = db.session.execute(
        select(week, func.count())
        .where(
            Member.created_at >= bounds[0],
            Member.status != Status.VENDOR,
            Member.state != MemberState.ERASED,
            Member.email_confirmed_at.is_not(None),
        )
        .group_by(week)
    )
    return {row[0]: row[1] for row in rows}


def _written(since: datetime, of_board: list[ColumnElement[bool]]) -> Any:
    """SQL: the posts since then that count for people: readable, not the vendor's."""
    return (
        select(Post.author_id, Post.created_at, Post.id)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.created_at >= since, Post.state == PostState.VISIBLE, ~Post.by_vendor, *of_board)
    )


def _before(author: Any, at: Any) -> ColumnElement[bool]:
    """SQL: this author had written before, on whatever board."""
    earlier = aliased(Post)
    return exists().where(earlier.author_id == author, earlier.created_at < at)


def _people(bounds: list[datetime], of_board: list[ColumnElement[bool]]) -> dict[int, tuple[int, int]]:
    """By week: how many wrote for the first time, and how many who had written before."""
    posts = _written(bounds[0], of_board).subquery()
    week = _week_of(posts.c.created_at, bounds)
    active = select(posts.c.author_id, week.label("week")).group_by(posts.c.author_id, week).subquery()
    moment = Post.created_at.type
    first = (
        select(posts.c.author_id, func.min(posts.c.created_at, type_=moment).label("at"))
        .group_by(posts.c.author_id)
        .subquery()
    )
    is_new = and_(_week_of(first.c.at, bounds) == active.c.week, ~_before(first.c.author_id, bounds[0]))
    rows = db.session.execute(
        select(active.c.week, func.count(), func.sum(case((is_new, 1), else_=0)))
        .join(first, first.c.author_id == active.c.author_id)
        .group_by(active.c.week)
    )
    return {row[0]: (int(row[2] or 0), row[1] - int(row[2] or 0)) for row in rows}


def _boards(bounds: list[datetime], questions: list[Any], waiting: dict[str, int]) -> list[BoardRow]:
    by_board: dict[tuple[int, str, str], list[Any]] = defaultdict(list)
    for row in questions:
        by_board[row.position, row.slug, row.name].append(row)
    rows = []
    for (_position, slug, name), of_board in sorted(by_board.items(), key=lambda pair: pair[0]):
        by_week: list[list[Any]] = [[] for _ in bounds]
        for row in of_board:
            by_week[_place(bounds, row.created_at)].append(row)
        made = _answered(BoardRow(slug=slug, name=name, waiting=waiting.get(slug, 0)), of_board)
        for rows_of_week in by_week:
            part = _answered(Answered(), rows_of_week)
            made.shares.append(round(100 * part.by_customer / part.questions) if part.questions else None)
        rows.append(made)
    return rows


def _concentration(since: datetime, of_board: list[ColumnElement[bool]]) -> Concentration:
    rows = db.session.execute(
        select(Post.author_id, Post.by_vendor, func.count().label("answers"))
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Post.created_at >= since, Post.kind == PostKind.ANSWER, Post.state == PostState.VISIBLE, *of_board
        )
        .group_by(Post.author_id, Post.by_vendor)
    ).all()
    counts = sorted((row.answers for row in rows if not row.by_vendor), reverse=True)
    answers, people = sum(counts), len(counts)
    top_1, top_10 = -(-people // 100), -(-people // 10)
    return Concentration(
        answers=answers,
        people=people,
        top_1=top_1,
        top_10=top_10,
        share_1=100 * sum(counts[:top_1]) / answers if answers else 0.0,
        share_10=100 * sum(counts[:top_10]) / answers if answers else 0.0,
        by_staff=sum(row.answers for row in rows if row.by_vendor),
    )


def _months(first_day: date, now: datetime, of_board: list[ColumnElement[bool]]) -> list[MonthRow]:
    """By month of the first post: who wrote a second one within 30 days."""
    since = _midnight(first_day.replace(day=1))
    posts = _written(since, of_board).where(~_before(Post.author_id, since)).subquery()
    number = func.row_number().over(partition_by=posts.c.author_id, order_by=(posts.c.created_at, posts.c.id))
    numbered = select(posts.c.author_id, posts.c.created_at, number.label("number")).subquery()
    moment = Post.created_at.type
    first = func.min(numbered.c.created_at, type_=moment).label("first_at")
    second = func.min(case((numbered.c.number == 2, numbered.c.created_at)), type_=moment).label("second_at")
    rows = db.session.execute(
        select(first, second).where(numbered.c.number <= 2).group_by(numbered.c.author_id)
    ).all()
    by_month: dict[date, list[Any]] = defaultdict(list)
    for row in rows:
        by_month[row.first_at.astimezone(_zone()).date().replace(day=1)].append(row)
    month, found = first_day.replace(day=1), []
    while month <= now.astimezone(_zone()).date():
        of_month = by_month[month]
        waits = [
            (row.second_at - row.first_at).total_seconds() / 86400
            for row in of_month
            if row.second_at is not None and row.second_at - row.first_at <= SECOND_WITHIN
        ]
        following = (month + timedelta(days=32)).replace(day=1)
        found.append(
            MonthRow(
                begins=month,
                first=len(of_month),
                second=len(waits),
                days=median(waits) if waits else None,
                is_open=_midnight(following) + SECOND_WITHIN > now,
            )
        )
        month = following
    return found


def _waiting(
    viewer: Viewer, of_board: list[ColumnElement[bool]], now: datetime
) -> tuple[list[Waiting], dict[str, int]]:
    """The latest questions that wait, and how many wait by board."""
    waits = [
        Thread.kind == ThreadKind.QUESTION,
        Thread.answers_count == 0,
        Thread.state == PostState.VISIBLE,
        Thread.closed_at.is_(None),
        Thread.created_at <= now - WAITS_FROM,
        Board.archived_at.is_(None),
        Member.status != Status.VENDOR,
        thread_is_visible(viewer),
        *of_board,
    ]
    columns = select(Thread.id, Thread.slug, Thread.title, Thread.created_at, Board.name.label("board"))
    rows = db.session.execute(
        columns.join(Board, Board.id == Thread.board_id)
        .join(Member, Member.id == Thread.author_id)
        .where(*waits)
        .order_by(Thread.created_at.desc(), Thread.id.desc())
        .limit(WAITING_SHOWN)
    )
    counts = db.session.execute(
        select(Board.slug, func.count())
        .select_from(Thread)
        .join(Board, Board.id == Thread.board_id)
        .join(Member, Member.id == Thread.author_id)
        .where(*waits)
        .group_by(Board.slug)
    )
    found = [Waiting(row.title, thread_address(row.id, row.slug), row.board, row.created_at) for row in rows]
    return found, {row[0]: row[1] for row in counts}
