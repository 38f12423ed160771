"""How well the community works: who answers, how soon, who comes back, on how few shoulders it rests.

Boards that only the vendor reads are left out, and questions asked by the vendor's own people. A number of
statements that does not depend on the number of boards, members or posts; rows are one a question of the
time looked at.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, case, func, select

from portal.discussions.models import Audience, Board, Post, PostKind, PostState, Thread, ThreadKind
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock, page_cache, site
from portal.kernel.access import Status, Viewer
from portal.kernel.db import db, rows_of
from portal.members.models import Member, MemberState

WEEKS = 12  # unless somebody chooses more
MOST_BY_STAFF = 50  # percent of the answers: above it, customers do not yet answer each other
WAITS_FROM = timedelta(hours=24)  # from then on a question is called unanswered
SECOND_WITHIN = timedelta(days=30)


@dataclass
class Answered:
    """Questions by who answered first. Waits are medians in seconds, None where there is none."""

    questions: int = 0
    by_customer: int = 0
    by_staff: int = 0
    wait: float | None = None
    wait_for_customer: float | None = None
    wait_for_staff: float | None = None

    @property
    def none(self) -> int:
        return self.questions - self.by_customer - self.by_staff


@dataclass
class BoardRow(Answered):
    """A board, week by week too, and how many of its questions of any age wait now."""

    slug: str = ""
    name: str = ""
    position: int = 0
    waiting: int = 0
    weeks: list[Answered] = field(default_factory=list)


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
class Vitals:
    """Everything about a time that ends now; the last week is not over."""

    since: datetime
    until: datetime
    all: Answered
    weeks: list[WeekRow]
    boards: list[BoardRow]
    concentration: Concentration
    months: list[MonthRow]

    @property
    def staff_share(self) -> float:
        """How much of all answers the vendor's people wrote, in percent."""
        written = self.concentration.answers + self.concentration.by_staff
        return 100 * self.concentration.by_staff / written if written else 0.0

    @property
    def staff_answer_most(self) -> bool:
        return self.staff_share > MOST_BY_STAFF


_kept: page_cache.Dear[Vitals] = page_cache.Dear(40)
_kept_shares: page_cache.Dear[float] = page_cache.Dear(4, least=0.02)


def staff_share(weeks: int = WEEKS) -> float:
    """How much of the answers of so many weeks the vendor's people wrote, in percent; in one statement."""
    return _kept_shares.get(weeks, lambda: _staff_share(weeks))


def _staff_share(weeks: int) -> float:
    since = _midnight(_mondays(clock.now(), weeks)[0])
    row = db.session.execute(
        select(func.count(), func.coalesce(func.sum(case((Post.by_vendor.is_(True), 1), else_=0)), 0))
        .select_from(Post)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(
            Post.created_at >= since,
            Post.kind == PostKind.ANSWER,
            Post.state == PostState.VISIBLE,
            Board.audience != Audience.STAFF,
        )
    ).one()
    return 100 * float(row[1]) / row[0] if row[0] else 0.0


def keep_ready() -> None:
    """Have the figures that most look at worked out before they do."""
    _kept_shares.renew(WEEKS, lambda: _staff_share(WEEKS))
    _kept.renew((WEEKS, ""), lambda: _figures(WEEKS, _boards_looked_at("")))


def _boards_looked_at(slug: str) -> list[ColumnElement[bool]]:
    return [Board.audience != Audience.STAFF, *([Board.slug == slug] if slug else [])]


def vitals(viewer: Viewer, weeks: int = WEEKS, board: str = "") -> Vitals:
    """The figures of so many weeks, the present one included, of one board or of all.

    What waits on a board is counted as far as the viewer reads it.
    """
    of_board = _boards_looked_at(board)
    figures = _kept.get((weeks, board), lambda: _figures(weeks, of_board))
    waiting = _waiting(viewer, of_board, clock.now())
    return replace(figures, boards=_with_waiting(figures.boards, waiting, weeks))


def _with_waiting(
    rows: Sequence[BoardRow], waiting: Mapping[str, tuple[int, str, int]], weeks: int
) -> list[BoardRow]:
    """The boards of the time with what waits on each, and those on which older questions alone wait."""
    found = {row.slug: row for row in rows}
    nothing = [Answered()] * weeks
    for slug, (position, name, _count) in waiting.items():
        if slug not in found:
            found[slug] = BoardRow(slug=slug, name=name, position=position, weeks=nothing)
    return [
        replace(row, waiting=waiting.get(row.slug, (0, "", 0))[2])
        for row in sorted(found.values(), key=lambda row: (row.position, row.slug))
    ]


def _figures(weeks: int, of_board: list[ColumnElement[bool]]) -> Vitals:
    """All that is the same for everybody who reads it."""
    now = clock.now()
    begins = _mondays(now, weeks)
    bounds = [_midnight(day) for day in begins]
    questions = _questions(bounds, of_board)
    writers = _writers(begins[0], bounds[0], of_board)
    return Vitals(
        since=bounds[0],
        until=now,
        all=_answered(Answered(), questions),
        weeks=_weeks(begins, bounds, questions, writers),
        boards=_boards(weeks, questions),
        concentration=_concentration(bounds[0], of_board),
        months=_months(begins[0], now, writers),
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


@dataclass(frozen=True, slots=True)
class _Question:
    """A question: where and in which week it was asked, and who was first after how many seconds."""

    board: tuple[int, str, str]  # position, slug, name
    week: int
    wait: float | None
    wait_for_customer: float | None
    wait_for_staff: float | None
    customer_was_first: bool


def _questions(bounds: list[datetime], of_board: list[ColumnElement[bool]]) -> list[_Question]:
    moment = Post.created_at.type
    customers = func.min(case((~Post.by_vendor, Post.created_at)), type_=moment).label("customer_at")
    staff = func.min(case((Post.by_vendor, Post.created_at)), type_=moment).label("staff_at")
    answer = and_(
        Post.thread_id == Thread.id,
        Post.kind == PostKind.ANSWER,
        Post.state == PostState.VISIBLE,
    )
    rows = rows_of(
        select(Board.position, Board.slug, Board.name, Thread.created_at, customers, staff)
        .select_from(Thread)
        .join(Board, Board.id == Thread.board_id)
        .join(Member, Member.id == Thread.author_id)
        .outerjoin(Post, answer)
        .where(
            Thread.created_at >= bounds[0],
            Thread.kind == ThreadKind.QUESTION,
            Thread.state == PostState.VISIBLE,
            Member.status != Status.VENDOR,
            *of_board,
        )
        .group_by(Thread.id, Board.position, Board.slug, Board.name, Thread.created_at)
    )
    found = []
    for position, slug, name, asked_at, customer_at, staff_at in rows.all():
        by_customer = None if customer_at is None else (customer_at - asked_at).total_seconds()
        by_staff = None if staff_at is None else (staff_at - asked_at).total_seconds()
        first = by_customer is not None and (by_staff is None or by_customer <= by_staff)
        wait = by_customer if first else by_staff
        week = bisect_right(bounds, asked_at) - 1
        found.append(_Question((position, slug, name), week, wait, by_customer, by_staff, first))
    return found


def _answered(into: Any, questions: Sequence[_Question]) -> Any:
    """Fill the counts and medians of these questions."""
    waits = [one.wait for one in questions if one.wait is not None]
    of_customers = [one.wait_for_customer for one in questions if one.wait_for_customer is not None]
    of_staff = [one.wait_for_staff for one in questions if one.wait_for_staff is not None]
    into.questions = len(questions)
    into.by_customer = sum(one.customer_was_first for one in questions)
    into.by_staff = len(waits) - into.by_customer
    into.wait = median(waits) if waits else None
    into.wait_for_customer = median(of_customers) if of_customers else None
    into.wait_for_staff = median(of_staff) if of_staff else None
    return into


def _weeks(
    begins: list[date], bounds: list[datetime], questions: list[_Question], writers: "_Writers"
) -> list[WeekRow]:
    by_week: dict[int, list[_Question]] = defaultdict(list)
    for one in questions:
        by_week[one.week].append(one)
    joined = _joined(bounds)
    people = _people(bounds, writers)
    rows = []
    for number, begin in enumerate(begins):
        newcomers, returning = people.get(number, (0, 0))
        row = WeekRow(begins=begin, joined=joined.get(number, 0), newcomers=newcomers, returning=returning)
        rows.append(_answered(row, by_week[number]))
    return rows


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


@dataclass(frozen=True)
class _Writers:
    """Who wrote since the month began in which the time looked at begins."""

    since: datetime
    posts: dict[int, list[datetime]]  # by author, in order; readable and not the vendor's
    earliest: dict[
        int, datetime
    ]  # the very first post, on whatever board, of those who wrote before the time


def _writers(begins: date, bound: datetime, of_board: list[ColumnElement[bool]]) -> _Writers:
    since = _midnight(begins.replace(day=1))
    posts: dict[int, list[datetime]] = defaultdict(list)
    written = rows_of(
        select(Post.author_id, Post.created_at)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.created_at >= since, Post.state == PostState.VISIBLE, ~Post.by_vendor, *of_board)
    )
    for author_id, created_at in written.all():  # all at once: one by one takes twice as long
        posts[author_id].append(created_at)
    for moments in posts.values():
        moments.sort()
    earliest = func.min(Post.created_at, type_=Post.created_at.type)
    before = rows_of(select(Post.author_id, earliest).group_by(Post.author_id).having(earliest < bound))
    return _Writers(since, posts, {row[0]: row[1] for row in before.all()})


def _people(bounds: list[datetime], writers: _Writers) -> dict[int, tuple[int, int]]:
    """By week: how many wrote for the first time, and how many who had written before."""
    newcomers: Counter[int] = Counter()
    active: Counter[int] = Counter()
    for author_id, moments in writers.posts.items():
        weeks = {week for at in moments if (week := bisect_right(bounds, at) - 1) >= 0}
        active.update(weeks)
        if weeks and author_id not in writers.earliest:
            newcomers[min(weeks)] += 1
    return {week: (newcomers[week], count - newcomers[week]) for week, count in active.items()}


def _boards(weeks: int, questions: list[_Question]) -> list[BoardRow]:
    by_board: dict[tuple[int, str, str], list[_Question]] = defaultdict(list)
    for one in questions:
        by_board[one.board].append(one)
    rows = []
    for (position, slug, name), of_board in sorted(by_board.items(), key=lambda pair: pair[0]):
        made = _answered(BoardRow(slug=slug, name=name, position=position), of_board)
        by_week: dict[int, list[_Question]] = defaultdict(list)
        for one in of_board:
            by_week[one.week].append(one)
        made.weeks = [_answered(Answered(), by_week[week]) for week in range(weeks)]
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


def _months(first_day: date, now: datetime, writers: _Writers) -> list[MonthRow]:
    """By month of the first post: who wrote a second one within 30 days."""
    by_month: dict[date, list[list[datetime]]] = defaultdict(list)
    for author_id, moments in writers.posts.items():
        earliest = writers.earliest.get(author_id)
        if earliest is None or earliest >= writers.since:
            by_month[moments[0].astimezone(_zone()).date().replace(day=1)].append(moments[:2])
    month, found = first_day.replace(day=1), []
    while month <= now.astimezone(_zone()).date():
        of_month = by_month[month]
        waits = [
            (moments[1] - moments[0]).total_seconds() / 86400
            for moments in of_month
            if len(moments) > 1 and moments[1] - moments[0] <= SECOND_WITHIN
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
) -> dict[str, tuple[int, str, int]]:
    """By board its position, its name and how many questions wait there."""
    counts = db.session.execute(
        select(Board.slug, Board.position, Board.name, func.count())
        .select_from(Thread)
        .join(Board, Board.id == Thread.board_id)
        .join(Member, Member.id == Thread.author_id)
        .where(
            Thread.kind == ThreadKind.QUESTION,
            Thread.answers_count == 0,
            Thread.state == PostState.VISIBLE,
            Thread.closed_at.is_(None),
            Thread.created_at <= now - WAITS_FROM,
            Board.archived_at.is_(None),
            Member.status != Status.VENDOR,
            thread_is_visible(viewer),
            *of_board,
        )
        .group_by(Board.slug, Board.position, Board.name)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in counts}
