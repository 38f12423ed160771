"""What a member's Helpfulness is made of, like a statement of account: every point with its entry.

What it adds up to comes out of the member's book, which is kept; entries are read by the page. So the longest
ledger makes no longer page.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select

from portal.advocacy import keys
from portal.advocacy.formula import Weights
from portal.advocacy.models import Act, Counts, Damped, Entry, Rule
from portal.advocacy.queries import engagements, groups
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.books import ROLES, Book, book_of
from portal.advocacy.queries.engagements import Told
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
    source: str = ""
    engagement: Told | None = None

    @property
    def id(self) -> int:
        return self.entry_id

    @property
    def called(self) -> str:
        """What it is about, for whoever hears the page: a thread, or what the member did."""
        return str(self.engagement) if self.engagement else self.title

    @property
    def day(self) -> date | datetime:
        """When it was; of what a member did the day alone is known, whatever the reader's zone."""
        return self.engagement.done_on if self.engagement else self.at


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


_ENTRY = select(
    Entry.id,
    Entry.rule,
    Entry.act,
    Entry.counts,
    Entry.damped,
    Entry.giver_id,
    Entry.occurred_at,
    Entry.post_id,
    Entry.reason,
    Entry.source,
)


def statement_of(member_id: int, viewer: Viewer | None = None, page: int = 1) -> Statement:
    """The statement of one member now, with the titles of threads that this viewer reads (None: all)."""
    now, weights = clock.now(), weights_queries.current()
    standing, book = standing_of(member_id), book_of(member_id, weights)
    found = groups.groups(book, weights, now, page)
    companies = _parts(member_id, book, weights, now, [*found.page, *found.fading])
    on_page = [companies[one.company] for one in found.page]
    answers, not_counted = _ids(book, now, ANSWERS), _ids(book, now, NOT_COUNTED)
    of_companies = _chosen(book, on_page)
    rows = _rows([*answers, *not_counted, *(id_ for _lines, ids in of_companies for id_ in ids)])
    _fill(of_companies, rows, weights, now)
    months = book.conversations
    conversations = Months(max(0.0, standing.thanks - found.counted) if months else 0.0, months)
    settled, later = book.settled, now + MONTH
    thanks_then, answering_then = settled.thanks(later, weights), settled.participation(later, weights)
    history = [*book.past, (now, settled.thanks(now, weights) + settled.participation(now, weights))]
    told = Statement(
        standing,
        weights,
        on_page,
        page,
        found.has_more,
        found.small,
        conversations,
        _lines(answers, rows, weights, now),
        weights.answer_points * book.given * weights.decay(now),
        len(book.answers),
        _lines(not_counted, rows, weights, now),
        _fading(
            [companies[one.company] for one in found.fading],
            (standing.participation, answering_then),
            (conversations.counted, max(0.0, thanks_then - found.then)),
        ),
        history if book.past else [],
        thanks_then + answering_then,
        parts_now(member_id),
    )
    _title(_shown_lines(told), viewer)
    return told


def company_of(
    member_id: int, key: str, viewer: Viewer | None = None, after: int = 0
) -> tuple[CompanyPart, Lines, Weights]:
    """One company with all its people, and a page of its entries. Raises NotFound for an unknown key."""
    now, weights = clock.now(), weights_queries.current()
    book = book_of(member_id, weights)
    company = next((one for one in book.companies if _key(member_id, one) == key), None)
    if company is None:
        raise NotFound("no such part")
    found = groups.group(book, company, weights, now)
    part = _parts(member_id, book, weights, now, [found], most=200)[company]
    entries = book.companies[company].entries
    begin = entries.place_after(*_place(member_id, after)) if after else 0
    ids = entries.ids[begin : begin + LINES + 1]
    rows = _rows(ids)
    page = _lines(ids, rows, weights, now)
    names = _names(rows)
    for line in page.lines:
        line.who = names.get(line.entry_id, "")
    _title(page.lines, viewer)
    return part, page, weights


def page_of(member_id: int, part: str, viewer: Viewer | None = None, after: int = 0) -> tuple[Lines, Weights]:
    """A page of the answers, or of what does not count. Raises NotFound for another part."""
    if part not in (ANSWERS, NOT_COUNTED):
        raise NotFound("no such part")
    now, weights = clock.now(), weights_queries.current()
    place = _place(member_id, after) if after else None
    ids = _ids(book_of(member_id, weights), now, part, place)
    page = _lines(ids, _rows(ids), weights, now)
    _title(page.lines, viewer)
    return page, weights


def _ids(book: Book, now: datetime, part: str, place: tuple[datetime, int] | None = None) -> Sequence[int]:
    """The entries of one page by the key (moment, id), and one more where there is another page."""
    if part == ANSWERS:
        begin = book.answers.place_after(*place) if place else 0
        return book.answers.ids[begin : begin + LINES + 1]
    since = now - timedelta(days=365)
    told = (
        number
        for at, number, whatever_age in book.not_counted
        if (whatever_age or at > since) and (place is None or (at, number) < place)
    )
    return list(islice(told, LINES + 1))


def _place(member_id: int, after: int) -> tuple[datetime, int]:
    """Where an entry of this member stands. Raises NotFound."""
    at = db.session.execute(
        select(Entry.occurred_at).where(Entry.id == after, Entry.receiver_id == member_id)
    ).scalar()
    if at is None:
        raise NotFound("no such place")
    return at, after


def _rows(ids: Sequence[int]) -> dict[int, Any]:
    """These entries by their ids, in one statement."""
    if not ids:
        return {}
    return {row.id: row for row in db.session.execute(_ENTRY.where(Entry.id.in_(list(ids))))}


def _lines(ids: Sequence[int], rows: Mapping[int, Any], weights: Weights, now: datetime) -> Lines:
    lines = [_line(rows[one], weights, now) for one in ids[:LINES] if one in rows]
    return Lines(lines, ids[LINES - 1] if len(ids) > LINES else 0)


def _line(row: Any, weights: Weights, now: datetime) -> Line:
    points = weights.answer_points if row.counts is Counts.PARTICIPATION else 1.0
    points *= weights.frozen(row.occurred_at)
    return Line(
        row.id,
        row.rule,
        row.occurred_at,
        points * weights.decay(now),
        points * weights.decay(now + MONTH),
        row.counts,
        row.damped,
        reversed=row.act is Act.REVERSED,
        reason=row.reason,
        post_id=row.post_id,
        source=row.source,
    )


def _parts(
    member_id: int,
    book: Book,
    weights: Weights,
    now: datetime,
    found: Sequence[Group],
    most: int = groups.MOST_PEOPLE,
) -> dict[str, CompanyPart]:
    """These companies with their names, and with those of their people who accepted by name."""
    by_company: dict[str, list[Giver]] = defaultdict(list)
    wanted = {one.company for one in found} - {keys.UNKNOWN, ROLES}
    for giver in groups.givers(book, weights, now, wanted, most):
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


def _chosen(book: Book, parts: Sequence[CompanyPart]) -> list[tuple[list[Line], list[int]]]:
    """The newest entries of each company, those of its people by name apart: where they go, and their ids."""
    chosen = []
    for part in parts:
        part.more_people = len(part.people) > NAMED
        part.people = part.people[:NAMED]
        entries = book.companies[part.company].entries
        named = {person.member_id for person in part.people}
        for person in part.people:
            of_person = (one for one, by in entries if by == person.member_id)
            chosen.append((person.lines, list(islice(of_person, LINES_EACH))))
        others = (one for one, by in entries if by not in named)
        chosen.append((part.lines, list(islice(others, LINES_UNNAMED))))
    return chosen


def _fill(
    chosen: Sequence[tuple[list[Line], list[int]]], rows: Mapping[int, Any], weights: Weights, now: datetime
) -> None:
    names = _names({id_: rows[id_] for _lines, ids in chosen for id_ in ids if id_ in rows})
    for lines, ids in chosen:
        for row in (rows[id_] for id_ in ids if id_ in rows):
            line = _line(row, weights, now)
            line.who = names.get(row.id, "")
            lines.append(line)


def _key(member_id: int, company: str) -> str:
    """How a company stands in an address: nothing can be read from it."""
    return keys.hidden(member_id, company)[:16]


def _names(rows: Mapping[int, Any]) -> dict[int, str]:
    """By entry, who accepted, as far as their name stands anywhere."""
    by = {id_: row.giver_id for id_, row in rows.items() if row.rule is Rule.ACCEPTED and row.giver_id}
    known = {row.id: _shown_name(row) for row in groups.people(set(by.values()))}
    return {id_: known[giver] for id_, giver in by.items() if giver in known}


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
    if company == ROLES:
        return "roles", ""
    if company == keys.FREE:
        return "free", ""
    number = keys.company_id(company)
    if number is None:
        return "imported", next((name for one in people if one.accepted and (name := _shown_name(one))), "")
    shows = any(not one.is_masked and chosen(one.visibility, "company") != NOBODY for one in people)
    return ("named", names[number]) if shows and number in names else ("unnamed", "")


def _fading(
    companies: Sequence[CompanyPart], answering: tuple[float, float], conversations: tuple[float, float]
) -> list[Fading]:
    found = [Fading(part, part.kind, part.counted, part.then) for part in companies]
    found += [Fading(None, "answering", *answering), Fading(None, "conversations", *conversations)]
    found = [one for one in found if one.now - one.then >= FADES]
    return sorted(found, key=lambda one: one.then - one.now)[: groups.MOST_FADING]


def _shown_lines(statement: Statement) -> list[Line]:
    found = [*statement.answers.lines, *statement.not_counted.lines]
    for company in statement.companies:
        found += company.lines
        for person in company.people:
            found += person.lines
    return found


def _title(lines: Sequence[Line], viewer: Viewer | None) -> None:
    """Give the lines the titles and places of their threads, or what the member did."""
    done = engagements.told(lines)
    for line in lines:
        line.engagement = done.get(line.entry_id)
    found = places((line.post_id for line in lines), viewer)
    for line in lines:
        if line.post_id in found:
            line.title, line.address = found[line.post_id]
