"""What a member's Helpfulness is made of, like a statement of account: every point with its entry.

Each part is read by the page and added up by the database, so that the longest ledger makes no longer page.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select, tuple_

from portal.advocacy import keys
from portal.advocacy.formula import Weights
from portal.advocacy.models import Act, Counts, Damped, Entry, Rule
from portal.advocacy.queries import groups
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import Value, rows_by_receiver, values_at
from portal.advocacy.queries.entries import is_in_force, is_last
from portal.advocacy.queries.groups import MONTH, Giver, Group, Small
from portal.advocacy.queries.places import places
from portal.advocacy.queries.scopes import Part, parts_now
from portal.advocacy.queries.standing import Standing, standing_of
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members.models import Company, MemberState
from portal.members.visibility import NOBODY, chosen

LINES = 40  # entries on a page
NAMED = 6  # people of one company with lines of their own, where it stands among others
LINES_EACH = 4  # entries of each of them
LINES_UNNAMED = 6  # and of all whom nothing names together
FADES = 0.05  # points within a month that are worth a line
HISTORY_STEPS = 24
HISTORY_STEP = timedelta(days=15)
ANSWERS, NOT_COUNTED = "answers", "not-counted"  # parts of the statement beside the companies


@dataclass(slots=True)
class Line:
    """One entry: `worth` is what it is worth now by itself, before any limit, and `then` in 30 days."""

    entry_id: int
    rule: Rule
    at: datetime
    worth: float
    then: float
    counts: Counts
    damped: Damped = Damped.NOTHING
    who: str = ""  # who accepted; votes are not named
    title: str = ""
    address: str = ""
    reversed: bool = False  # by a moderator
    reason: str = ""
    post_id: int | None = None


@dataclass(slots=True)
class PersonPart:
    """Somebody who accepted answers, by name. `worth`: of these alone; votes have no name."""

    member_id: int
    name: str
    accepted: int
    worth: float
    then: float
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class CompanyPart:
    """What the people of one company count. `kind`: named, unnamed, free, imported, unknown or roles.

    `by_itself` is what its entries are worth, `total` what is left when each person is held to their limit,
    `counted` what is left when the company is, `then` the same in 30 days. `lines` are the newest of what has
    no name; `key` leads to all of them, and `company` is how the ledger writes it.
    """

    company: str
    kind: str
    name: str
    key: str
    by_itself: float
    total: float
    counted: float
    then: float
    entries: int
    people: list[PersonPart] = field(default_factory=list)
    more_people: bool = False  # than are named here
    lines: list[Line] = field(default_factory=list)

    @property
    def is_limited(self) -> bool:
        """Whether the limit of the company binds."""
        return self.total > self.counted + 1e-6

    @property
    def has_limited_people(self) -> bool:
        """Whether the limit of a person binds."""
        return self.by_itself > self.total + 1e-6

    @property
    def shown(self) -> int:
        """How many entries have a line here."""
        return len(self.lines) + sum(len(person.lines) for person in self.people)


@dataclass(frozen=True, slots=True)
class Fading:
    """What a part of the number is now, and in 30 days if nothing is added.

    `part` is a company; without one `kind` says what it is: answering or conversations.
    """

    part: CompanyPart | None
    kind: str
    now: float
    then: float


@dataclass(slots=True)
class Months:
    """Conversations found useful: how many in which month, nobody to be read."""

    counted: float = 0.0
    months: list[tuple[datetime, int]] = field(default_factory=list)


@dataclass(slots=True)
class Lines:
    """A page of entries, newest first; `next` is the entry that the next page begins after, 0 for none."""

    lines: list[Line]
    next: int = 0


@dataclass(slots=True)
class Statement:
    """All of it, the first page of each part.

    `companies` are those of this `page`. `history`: moment and number, oldest first. `in_a_month`: the number
    then, if nothing is added. `older`: what counts too little to be listed. `fading`: what loses most until
    then.
    """

    standing: Standing
    weights: Weights
    companies: list[CompanyPart]
    page: int
    has_more: bool
    older: Small
    conversations: Months
    answers: Lines
    answers_total: float  # before the limit
    answers_count: int
    not_counted: Lines  # damped, reversed, or shown only
    fading: list[Fading]
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
            self.companies
            or self.older
            or self.answers_count
            or self.not_counted.lines
            or self.conversations.months
        )


_ENTRY = (
    Entry.id,
    Entry.rule,
    Entry.act,
    Entry.counts,
    Entry.damped,
    Entry.giver_id,
    Entry.occurred_at,
    Entry.post_id,
    Entry.reason,
)


def statement_of(member_id: int, viewer: Viewer | None = None, page: int = 1) -> Statement:
    """The statement of one member now, with the titles of threads that this viewer reads (None: all)."""
    now, weights = clock.now(), weights_queries.current()
    standing = standing_of(member_id)
    found = groups.groups(member_id, weights, now, page)
    past, month = _over_time(member_id, weights, now)
    companies = _parts(member_id, weights, now, [*found.page, *found.fading])
    on_page = [companies[one.company] for one in found.page]
    _give_lines(member_id, weights, now, on_page)
    answers = _page(member_id, weights, now, ANSWERS)
    count, given = _answered(member_id, weights, now)
    conversations = _conversations(member_id, standing.thanks - found.counted)
    told = Statement(
        standing,
        weights,
        on_page,
        page,
        found.has_more,
        found.small,
        conversations,
        answers,
        weights.answer_points * given,
        count,
        _page(member_id, weights, now, NOT_COUNTED),
        _fading(
            [companies[one.company] for one in found.fading],
            (standing.participation, month.participation),
            (conversations.counted, max(0.0, month.thanks - found.then)),
        ),
        past,
        month.helpfulness,
        parts_now(member_id),
    )
    _title(_shown_lines(told), viewer)
    return told


def company_of(
    member_id: int, key: str, viewer: Viewer | None = None, after: int = 0
) -> tuple[CompanyPart, Lines, Weights]:
    """One company with all its people, and a page of its entries. Raises NotFound for an unknown key."""
    now, weights = clock.now(), weights_queries.current()
    company = next((one for one in groups.company_keys(member_id) if _key(member_id, one) == key), None)
    found = groups.group(member_id, weights, now, company) if company is not None else None
    if found is None:
        raise NotFound("no such part")
    part = _parts(member_id, weights, now, [found], most=200)[found.company]
    of = groups.thanks(member_id, weights, now)
    rows = _newest(of.c, select(of).where(of.c.company == company), member_id, after)
    page = _lines(rows, weights)
    names = _names(row.giver_id for row in rows if row.rule is Rule.ACCEPTED)
    for line, row in zip(page.lines, rows, strict=False):
        line.who = names.get(row.giver_id, "") if row.rule is Rule.ACCEPTED else ""
    _title(page.lines, viewer)
    return part, page, weights


def page_of(member_id: int, part: str, viewer: Viewer | None = None, after: int = 0) -> tuple[Lines, Weights]:
    """A page of the answers, or of what does not count. Raises NotFound for another part."""
    if part not in (ANSWERS, NOT_COUNTED):
        raise NotFound("no such part")
    now, weights = clock.now(), weights_queries.current()
    page = _page(member_id, weights, now, part, after)
    _title(page.lines, viewer)
    return page, weights


def _page(member_id: int, weights: Weights, now: datetime, part: str, after: int = 0) -> Lines:
    worth = groups.worth(weights, now).label("worth")
    query = select(*_ENTRY, worth).where(Entry.receiver_id == member_id)
    if part == ANSWERS:
        query = query.where(Entry.counts == Counts.PARTICIPATION, is_in_force())
    else:
        query = query.where(Entry.rule != Rule.CONVERSATION, _is_told_apart(now), is_last())
    return _lines(_newest(Entry, query, member_id, after), weights)


def _is_told_apart(now: datetime) -> ColumnElement[bool]:
    """SQL about Entry: earns nothing and is shown all the same."""
    shown = and_(Entry.counts == Counts.NONE, Entry.occurred_at > now - timedelta(days=365))
    return case((Entry.act == Act.REVERSED, Entry.by_id.is_not(None)), else_=shown)


def _newest(columns: Any, query: Any, member_id: int, after: int) -> list[Any]:
    """One page by the key (moment, id), and one row more where there is another."""
    if after:
        at = db.session.execute(
            select(Entry.occurred_at).where(Entry.id == after, Entry.receiver_id == member_id)
        ).scalar()
        if at is None:
            raise NotFound("no such place")
        query = query.where(tuple_(columns.occurred_at, columns.id) < tuple_(at, after))
    query = query.order_by(columns.occurred_at.desc(), columns.id.desc()).limit(LINES + 1)
    return list(db.session.execute(query))


def _lines(rows: Sequence[Any], weights: Weights) -> Lines:
    lines = [_line(row, weights) for row in rows[:LINES]]
    return Lines(lines, lines[-1].entry_id if len(rows) > LINES else 0)


def _line(row: Any, weights: Weights) -> Line:
    told = row._mapping
    act, counts = told.get("act", Act.MADE), told.get("counts", Counts.THANKS)
    points = weights.answer_points if counts is Counts.PARTICIPATION else 1.0
    worth = row.worth * points
    return Line(
        row.id,
        row.rule,
        row.occurred_at,
        worth,
        worth * float(2.0 ** (-MONTH.days / weights.half_life_days)),
        counts,
        told.get("damped", Damped.NOTHING),
        reversed=act is Act.REVERSED,
        reason=told.get("reason", ""),
        post_id=row.post_id,
    )


def _parts(
    member_id: int, weights: Weights, now: datetime, found: Sequence[Group], most: int = groups.MOST_PEOPLE
) -> dict[str, CompanyPart]:
    """These companies with their names, and with those of their people who accepted by name."""
    by_company: dict[str, list[Giver]] = defaultdict(list)
    wanted = {one.company for one in found} - {keys.UNKNOWN, groups.ROLES}
    for giver in groups.givers(member_id, weights, now, wanted, most):
        by_company[giver.company].append(giver)
    names = _company_names(one.company for one in found)
    parts = {}
    for one in found:
        people = by_company[one.company]
        parts[one.company] = CompanyPart(
            one.company,
            *_called(one.company, people, names),
            _key(member_id, one.company),
            one.by_itself,
            one.total,
            one.counted,
            one.then,
            one.entries,
            [
                PersonPart(giver.member_id, name, giver.accepted, giver.worth, giver.then)
                for giver in people
                if giver.accepted and (name := _shown_name(giver))
            ],
        )
    return parts


def _give_lines(member_id: int, weights: Weights, now: datetime, parts: Sequence[CompanyPart]) -> None:
    """The newest entries of each company, those of its people by name apart, in one statement."""
    if not parts:
        return
    for part in parts:
        part.more_people = len(part.people) > NAMED
        part.people = part.people[:NAMED]
    people = {person.member_id: person for part in parts for person in part.people}
    of = groups.thanks(member_id, weights, now)
    by_name = and_(of.c.rule == Rule.ACCEPTED, of.c.giver_id.in_(sorted(people)))
    whose = case((by_name, of.c.giver_id), else_=0).label("whose")
    place = func.row_number().over(
        partition_by=(of.c.company, whose), order_by=(of.c.occurred_at.desc(), of.c.id.desc())
    )
    wanted = of.c.company.in_(sorted(part.company for part in parts))
    placed = select(of, whose, place.label("place")).where(wanted).cte("placed")
    most = case((placed.c.whose == 0, LINES_UNNAMED), else_=LINES_EACH)
    rows = db.session.execute(
        select(placed)
        .where(placed.c.place <= most)
        .order_by(placed.c.company, placed.c.whose, placed.c.place)
    ).all()
    by_company = {part.company: part for part in parts}
    names = _names(row.giver_id for row in rows if row.rule is Rule.ACCEPTED and not row.whose)
    for row in rows:
        line = _line(row, weights)
        if row.whose:
            line.who = people[row.whose].name
            people[row.whose].lines.append(line)
        else:
            line.who = names.get(row.giver_id, "") if row.rule is Rule.ACCEPTED else ""
            by_company[row.company].lines.append(line)


def _key(member_id: int, company: str) -> str:
    """How a company stands in an address: nothing can be read from it."""
    return keys.hidden(member_id, company)[:16]


def _names(member_ids: Iterable[int | None]) -> dict[int, str]:
    """The names of these people, as far as they stand anywhere."""
    found = groups.people({one for one in member_ids if one is not None})
    return {row.id: name for row in found if (name := _shown_name(row))}


def _shown_name(person: Any) -> str:
    """The name, or "" where the person appears as a role or is gone."""
    return "" if person.is_masked or person.state is MemberState.ERASED else person.name


def _company_names(companies: Iterable[str]) -> dict[int, str]:
    ids = {number for one in companies if (number := keys.company_id(one)) is not None}
    if not ids:
        return {}
    rows = db.session.execute(select(Company.id, Company.name).where(Company.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _called(company: str, people: Sequence[Giver], names: dict[int, str]) -> tuple[str, str]:
    """Kind and name of a company; named as soon as one of its people shows where they work."""
    if company == keys.UNKNOWN:
        return "unknown", ""
    if company == groups.ROLES:
        return "roles", ""
    if company == keys.FREE:
        return "free", ""
    number = keys.company_id(company)
    if number is None:
        return "imported", next((name for one in people if one.accepted and (name := _shown_name(one))), "")
    shows = any(not one.is_masked and chosen(one.visibility, "company") != NOBODY for one in people)
    return ("named", names[number]) if shows and number in names else ("unnamed", "")


def _answered(member_id: int, weights: Weights, now: datetime) -> tuple[int, float]:
    """How many questions, and what their first answers are worth as points."""
    row = db.session.execute(
        select(func.count(), func.coalesce(func.sum(groups.worth(weights, now)), 0.0)).where(
            Entry.receiver_id == member_id, Entry.counts == Counts.PARTICIPATION, is_in_force()
        )
    ).one()
    return row[0], row[1]


def _conversations(member_id: int, counted: float) -> Months:
    rows = db.session.execute(
        select(Entry.occurred_at, func.count())
        .where(
            Entry.receiver_id == member_id,
            Entry.rule == Rule.CONVERSATION,
            Entry.counts == Counts.THANKS,
            is_in_force(),
        )
        .group_by(Entry.occurred_at)
        .order_by(Entry.occurred_at.desc())
    )
    months = [(month, count) for month, count in rows]
    return Months(max(0.0, counted) if months else 0.0, months)


def _fading(
    companies: Sequence[CompanyPart], answering: tuple[float, float], conversations: tuple[float, float]
) -> list[Fading]:
    found = [Fading(part, part.kind, part.counted, part.then) for part in companies]
    found += [Fading(None, "answering", *answering), Fading(None, "conversations", *conversations)]
    found = [one for one in found if one.now - one.then >= FADES]
    return sorted(found, key=lambda one: one.then - one.now)[: groups.MOST_FADING]


def _over_time(member_id: int, weights: Weights, now: datetime) -> tuple[list[tuple[datetime, float]], Value]:
    """The number over time, and what it will be in a month by the numbers in force now."""
    moments = [now - HISTORY_STEP * step for step in range(HISTORY_STEPS, 0, -1)]
    moments.append(now + timedelta(microseconds=1))
    weights_before = weights_queries.in_force()
    for _receiver, rows in rows_by_receiver(Entry.receiver_id == member_id):
        values = values_at(
            member_id, rows, [*moments, now + MONTH], lambda at: weights if at > now else weights_before(at)
        )
        past = [(at, value.helpfulness) for at, value in zip(moments, values[:-1], strict=True)]
        return past, values[-1]
    return [], Value()


def _shown_lines(statement: Statement) -> list[Line]:
    found = [*statement.answers.lines, *statement.not_counted.lines]
    for company in statement.companies:
        found += company.lines
        for person in company.people:
            found += person.lines
    return found


def _title(lines: Sequence[Line], viewer: Viewer | None) -> None:
    """Give the lines the titles and places of their threads."""
    found = places((line.post_id for line in lines), viewer)
    for line in lines:
        if line.post_id in found:
            line.title, line.address = found[line.post_id]
