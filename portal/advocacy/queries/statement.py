"""What a member's Helpfulness is made of, like a statement of account: every point with its entry."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, true

from portal.advocacy import keys
from portal.advocacy.formula import Weights
from portal.advocacy.models import Act, Counts, Damped, Entry, Rule
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import Account, rows_by_receiver, values_at
from portal.advocacy.queries.scopes import Part, parts_from
from portal.advocacy.queries.standing import Standing, standing_of
from portal.discussions.addresses import post_address
from portal.discussions.guests import veil_titles
from portal.discussions.models import Board, Post, PostState, ShownAs, Thread
from portal.discussions.policy import board_is_visible
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.display import reader_of
from portal.members.models import Company, Member, MemberState
from portal.members.visibility import NOBODY, chosen

MONTH = timedelta(days=30)
SMALLEST = 0.01  # points; what counts less is summed up
MOST_LINES = 200
HISTORY_STEPS = 24
HISTORY_STEP = timedelta(days=15)


@dataclass(slots=True)
class Line:
    """One entry: `worth` is what it is worth now by itself, before any limit."""

    entry_id: int
    rule: Rule
    at: datetime
    worth: float
    counts: Counts
    damped: Damped = Damped.NOTHING
    who: str = ""  # who accepted; votes are not named
    title: str = ""
    address: str = ""
    reversed: bool = False  # by a moderator
    reason: str = ""


@dataclass(slots=True)
class CompanyPart:
    """What the people of one company count. `kind`: named, unnamed, free, imported or unknown.

    `by_itself` is what its entries are worth, `total` what is left when each person is held to their limit,
    `counted` what is left when the company is. Votes are not named, so nothing is told apart by person.
    """

    kind: str
    name: str
    counted: float = 0.0
    total: float = 0.0
    by_itself: float = 0.0
    people: int = 0
    lines: list[Line] = field(default_factory=list)
    smaller: int = 0  # entries that count too little to be listed

    @property
    def is_limited(self) -> bool:
        """Whether the limit of the company binds."""
        return self.total > self.counted + 1e-9

    @property
    def has_limited_people(self) -> bool:
        """Whether the limit of a person binds."""
        return self.by_itself > self.total + 1e-9


@dataclass(slots=True)
class Months:
    """Conversations found useful: how many in which month, nobody to be read."""

    counted: float = 0.0
    months: list[tuple[datetime, int]] = field(default_factory=list)


@dataclass(slots=True)
class Statement:
    """All of it.

    `history`: moment and number, oldest first. `in_a_month`: the number then, if nothing is added. `older`:
    how many companies and persons count too little each to be listed, and their points together.
    """

    standing: Standing
    weights: Weights
    companies: list[CompanyPart]
    older: tuple[int, float]
    conversations: Months
    answers: list[Line]
    answers_total: float  # before the limit
    answers_count: int
    not_counted: list[Line]  # damped, reversed, or shown only
    history: list[tuple[datetime, float]]
    in_a_month: float
    parts: list[Part]  # within each product and tag

    @property
    def companies_to_go(self) -> int:
        """How many more companies until the member ranks."""
        return max(0, self.weights.companies_to_rank - self.standing.companies)

    @property
    def answers_are_limited(self) -> bool:
        return self.answers_total > self.weights.answer_limit

    @property
    def is_empty(self) -> bool:
        return not (
            self.companies or self.older[0] or self.answers or self.not_counted or self.conversations.months
        )


_ALL = (
    Entry.id,
    Entry.rule,
    Entry.source,
    Entry.turn,
    Entry.act,
    Entry.counts,
    Entry.damped,
    Entry.giver_id,
    Entry.giver_key,
    Entry.giver_company,
    Entry.occurred_at,
    Entry.at,
    Entry.post_id,
    Entry.thread_id,
    Entry.by_id,
    Entry.reason,
)


def statement_of(member_id: int, viewer: Viewer | None = None) -> Statement:
    """The statement of one member now, with the titles of threads that this viewer reads (None: all)."""
    now = clock.now()
    weights = weights_queries.current()
    decay = weights.decay(now)
    last = _last_rows(member_id)
    standing = standing_of(member_id)
    open_rows = [row for row in last if _stands(row) and row.rule is not Rule.CONVERSATION]
    public = Account(member_id, weights, hashed=False)
    for row in open_rows:
        public.take(row)
    lines = {row.id: _line(row, weights, decay) for row in last}
    thanks = [row for row in open_rows if row.counts is Counts.THANKS]
    companies = _companies(public, thanks, lines, weights, decay)
    small = [part for part in companies if part.counted < SMALLEST]
    answers = [row for row in open_rows if row.counts is Counts.PARTICIPATION]
    listed = [lines[row.id] for row in answers if lines[row.id].worth * weights.answer_points >= SMALLEST]
    not_counted = [
        lines[row.id] for row in last if row.rule is not Rule.CONVERSATION and _is_told_apart(row, now)
    ]
    open_points = public.value(now).thanks
    found = Statement(
        standing,
        weights,
        [part for part in companies if part.counted >= SMALLEST],
        (len(small), sum(part.counted for part in small)),
        _conversations(last, standing.thanks - open_points),
        sorted(listed, key=_newest)[:MOST_LINES],
        weights.answer_points * sum(lines[row.id].worth for row in answers),
        len(answers),
        sorted(not_counted, key=_newest)[:MOST_LINES],
        *_over_time(member_id, weights, now),
    )
    _title(_shown_lines(found), {row.id: row.post_id for row in last}, viewer)
    return found


def _last_rows(member_id: int) -> list[Any]:
    rows = db.session.execute(
        select(*_ALL).where(Entry.receiver_id == member_id).order_by(Entry.turn, Entry.id)
    )
    return list({(row.rule, row.source): row for row in rows}.values())


def _stands(row: Any) -> bool:
    return row.act is not Act.REVERSED


def _is_told_apart(row: Any, now: datetime) -> bool:
    """Entries that earn nothing and are shown all the same."""
    if not _stands(row):
        return row.by_id is not None
    return row.counts is Counts.NONE and row.occurred_at > now - timedelta(days=365)


def _line(row: Any, weights: Weights, decay: float) -> Line:
    worth = weights.frozen(row.occurred_at) * decay
    reversed_ = row.act is Act.REVERSED
    return Line(
        row.id, row.rule, row.occurred_at, worth, row.counts, row.damped, "", "", "", reversed_, row.reason
    )


def _newest(line: Line) -> tuple[float, int]:
    return -line.at.timestamp(), -line.entry_id


def _companies(
    account: Account, thanks: Sequence[Any], lines: dict[int, Line], weights: Weights, decay: float
) -> list[CompanyPart]:
    by_person: dict[str, list[Any]] = defaultdict(list)
    for row in thanks:
        by_person[row.giver_key].append(row)
    names = _Names(thanks)
    parts: dict[str, CompanyPart] = {}
    for key, rows in by_person.items():
        company = keys.UNKNOWN if keys.is_unknown(key) else account.pairs[key].company
        part = parts.setdefault(company, CompanyPart(*names.company(company)))
        for row in rows:
            if row.rule is Rule.ACCEPTED:
                lines[row.id].who = names.person(row.giver_id)
        shown = [lines[row.id] for row in rows]
        total = sum(line.worth for line in shown)
        part.people += 1
        part.by_itself += total
        part.total += min(weights.person_limit, total)
        part.lines += [line for line in shown if line.worth >= SMALLEST]
        part.smaller += sum(line.worth < SMALLEST for line in shown)
    for company, part in parts.items():
        # Each of those who are unknown is a company of its own.
        limit = part.total if company == keys.UNKNOWN else weights.company_limit
        part.counted = min(limit, part.total)
        part.lines = sorted(part.lines, key=_newest)[:MOST_LINES]
    return sorted(parts.values(), key=lambda part: -part.counted)


class _Names:
    """Who gave, as far as they show it: never the name of somebody who asked as a role."""

    def __init__(self, rows: Sequence[Any]) -> None:
        givers = sorted({row.giver_id for row in rows if row.giver_id is not None})
        companies = {keys.company_id(row.giver_company) for row in rows} - {None}
        self.members: dict[int, Any] = {}
        self.companies: dict[int, str] = {}
        self.masked: set[int] = set()
        for some in _chunks(givers):
            found = db.session.execute(
                select(
                    Member.id,
                    Member.name,
                    Member.username,
                    Member.state,
                    Member.visibility,
                    Member.company_id,
                ).where(Member.id.in_(some))
            )
            self.members |= {row.id: row for row in found}
            self.masked |= set(
                db.session.execute(
                    select(Thread.author_id)
                    .where(Thread.author_id.in_(some), Thread.author_shown_as == ShownAs.ROLE)
                    .distinct()
                ).scalars()
            )
        for some in _chunks(sorted(one for one in companies if one)):
            for row in db.session.execute(select(Company.id, Company.name).where(Company.id.in_(some))):
                self.companies[row.id] = row.name
        self.shown = {keys.company_id(row.giver_company) for row in rows if self._shows_company(row.giver_id)}

    def _shows_company(self, member_id: int | None) -> bool:
        member = self.members.get(member_id or 0)
        return (
            member is not None
            and member.id not in self.masked
            and chosen(member.visibility, "company") != NOBODY
        )

    def company(self, key: str) -> tuple[str, str]:
        """Kind and name of a company."""
        if key == keys.UNKNOWN:
            return "unknown", ""
        if key == keys.FREE:
            return "free", ""
        number = keys.company_id(key)
        if number is None:
            member = self.members.get(int(key[1:]) if key[1:].isdigit() else 0)
            return "imported", member.name if member else ""
        if number in self.shown and number in self.companies:
            return "named", self.companies[number]
        return "unnamed", ""

    def person(self, member_id: int | None) -> str:
        """The name, or "" where the person appears as a role or is gone."""
        member = self.members.get(member_id or 0)
        if member is None or member.id in self.masked or member.state is MemberState.ERASED:
            return ""
        return member.name


def _conversations(last: Sequence[Any], counted: float) -> Months:
    counts: dict[datetime, int] = defaultdict(int)
    for row in last:
        if row.rule is Rule.CONVERSATION and _stands(row) and row.counts is Counts.THANKS:
            counts[row.occurred_at] += 1
    return Months(max(0.0, counted) if counts else 0.0, sorted(counts.items(), reverse=True))


def _over_time(
    member_id: int, weights: Weights, now: datetime
) -> tuple[list[tuple[datetime, float]], float, list[Part]]:
    """The number over time, what it will be in a month by the numbers in force now, and its parts now."""
    moments = [now - HISTORY_STEP * step for step in range(HISTORY_STEPS, 0, -1)]
    moments.append(now + timedelta(microseconds=1))
    weights_before = weights_queries.in_force()
    for _receiver, rows in rows_by_receiver(Entry.receiver_id == member_id, places=True):
        values = values_at(
            member_id, rows, [*moments, now + MONTH], lambda at: weights if at > now else weights_before(at)
        )
        past = [(at, value.helpfulness) for at, value in zip(moments, values[:-1], strict=True)]
        return past, values[-1].helpfulness, parts_from(member_id, rows, moments[-1], weights)
    return [], 0.0, []


def _shown_lines(statement: Statement) -> list[Line]:
    found = [*statement.answers, *statement.not_counted]
    for company in statement.companies:
        found += company.lines
    return found


def _title(lines: Iterable[Line], posts: dict[int, int | None], viewer: Viewer | None) -> None:
    """Give the lines the titles and places of their threads."""
    readable = board_is_visible(viewer) if viewer is not None else true()
    lines = [line for line in lines if posts.get(line.entry_id)]
    places: dict[int, Any] = {}
    for some in _chunks(sorted({posts[line.entry_id] or 0 for line in lines})):
        found = db.session.execute(
            select(Post.id, Post.number, Thread.id.label("thread_id"), Thread.slug, Thread.title)
            .join(Thread, Thread.id == Post.thread_id)
            .join(Board, Board.id == Thread.board_id)
            .where(Post.id.in_(some), Thread.state == PostState.VISIBLE, readable)
        )
        readable_rows = found.all()
        if viewer is not None:
            readable_rows = veil_titles(reader_of(viewer), readable_rows, "thread_id")
        places |= {row.id: row for row in readable_rows}
    for line in lines:
        row = places.get(posts[line.entry_id] or 0)
        if row is not None:
            line.title, line.address = row.title, post_address(row.thread_id, row.slug, row.number or 1)


def _chunks(ids: Sequence[int]) -> Iterable[list[int]]:
    for start in range(0, len(ids), 500):
        yield list(ids[start : start + 500])
