"""The sources of Today: what waits of each kind, as rows, most urgent first, and how many there are.

Each reads as many rows as are asked for, and says how many there are by a statement that counts only where it
read no more: most days everything that waits is read, and nothing is counted. What a row says is put into
words when it is shown: many are read that stand on a later page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, Protocol

from flask_babel import gettext as _
from flask_babel import ngettext as _n
from sqlalchemy import ColumnElement, Select, select

from portal.advocacy.models import NominatedBy
from portal.advocacy.policy import ANSWERED_WITHIN, REVIEW_EVERY
from portal.advocacy.queries import candidates_waiting, contests
from portal.asks.models import Ask, AskMode, AskState
from portal.consents import queries as consents
from portal.consents.texts import NAMES
from portal.console.queue import row_of
from portal.discussions.addresses import thread_address
from portal.discussions.authors import BY_THREAD
from portal.discussions.models import Board, PostState, Thread, ThreadKind
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock
from portal.kernel.access import Status, Viewer
from portal.kernel.db import count_of, db
from portal.kernel.template_helpers import duration, short_date, until
from portal.members.display import Reader, person_line, reader_of, with_person
from portal.members.models import Member, MemberState
from portal.moderation.models import CaseKind
from portal.moderation.queries import queue as queues
from portal.moderation.queries.queue import Filters

NEAR_PROMISE = timedelta(hours=8)
UNANSWERED_FROM = timedelta(hours=22)
UNANSWERED_TO = timedelta(days=14)
LATELY = timedelta(days=14)
PEOPLE_WAIT = ANSWERED_WITHIN  # a nomination waits no longer than a contested entry
CLAIM_WAITS = timedelta(days=1)
QUESTION_WAITS = timedelta(days=3)

CASES, ASKS, PEOPLE, QUESTIONS = "cases", "asks", "people", "questions"
KINDS = (CASES, ASKS, PEOPLE, QUESTIONS)
OLDER = "older"  # questions that wait for so long that they are no work of a day, counted apart


@dataclass(frozen=True)
class Words:
    """What the rows are narrowed to, and their order, as the address says it."""

    what: str = ""  # one of KINDS, or OLDER
    whose: str = ""  # "" me or nobody, anyone
    board: str = ""  # slug
    sort: str = ""  # "" most urgent first, oldest


@dataclass(frozen=True)
class Row:
    """One thing to do: why it is here, what it is, where it stands, and the one main action."""

    kind: str
    why: str
    title: str
    url: str
    where: str
    since: datetime
    urgent_at: datetime  # the order of the page
    due: Any
    action: str
    late: bool = False
    due_late: bool = False
    taken_by: str = ""


@dataclass(frozen=True)
class Waiting:
    """One thing to do in the order of the page; `row` puts it into words."""

    kind: str
    since: datetime
    urgent_at: datetime
    row: Callable[[], Row]


@dataclass(frozen=True)
class Found:
    """What waits, how many of each kind fit the words, and how many there are whatever the words."""

    rows: list[Waiting] = field(default_factory=list)
    fits: dict[str, int] = field(default_factory=dict)
    total: int = 0


class Source(Protocol):
    """What waits of one or two kinds."""

    def found(self, viewer: Viewer, words: Words, most: int | None) -> Found:
        """The first `most` rows of what fits, all of them for None, and the counts."""


@dataclass(frozen=True)
class _Source:
    """Rows of one kind that nobody takes. Both functions are given a board's slug, "" for any."""

    kind: str
    read: Callable[[Viewer, Words, int | None], list[Waiting]]
    count: Callable[[Viewer, str], int]
    has_boards: bool = False

    def found(self, viewer: Viewer, words: Words, most: int | None) -> Found:
        rows: list[Waiting] = []
        fits = 0
        if self.has_boards or not words.board:
            if words.what and words.what != self.kind:
                most = 0
            rows = self.read(viewer, words, most) if most != 0 else []
            is_all = most is None or len(rows) < most
            fits = len(rows) if is_all else self.count(viewer, words.board)
        return Found(rows, {self.kind: fits}, self.count(viewer, "") if words.board else fits)


class _Cases:
    """Open cases. Those about somebody to connect stand with the asks."""

    def found(self, viewer: Viewer, words: Words, most: int | None) -> Found:
        filters = Filters(whose=words.whose, board=words.board, sort=words.sort)
        connects = {CASES: False, ASKS: True}.get(words.what)
        lines = []
        if words.what in ("", CASES, ASKS):
            lines = queues.everything(viewer, filters, most, connects=connects)
        counted = queues.counts(viewer, filters)
        fits = {CASES: 0, ASKS: 0}
        for kind, (some, _all) in counted.items():
            fits[_kind_of(kind)] += some
        return Found([_case(line) for line in lines], fits, sum(count for _some, count in counted.values()))


def _kind_of(kind: CaseKind) -> str:
    return ASKS if kind is CaseKind.CONNECT else CASES


def _case(line: queues.CaseLine) -> Waiting:
    case = line.case
    return Waiting(_kind_of(case.kind), case.opened_at, case.due_at, partial(_case_row, line))


def _case_row(line: queues.CaseLine) -> Row:
    made = row_of(line)
    return Row(
        kind=_kind_of(line.case.kind),
        why=made.why,
        title=made.title,
        url=made.url,
        where=made.where,
        since=line.case.opened_at,
        urgent_at=line.case.due_at,
        due=made.due,
        action=made.action,
        late=made.due_late and line.case.kind is CaseKind.CONNECT,
        due_late=made.due_late,
        taken_by=line.claimed_by,
    )


def _waiting(at: datetime) -> str:
    return _("for %(time)s", time=duration(clock.now() - at))


def _asks_close(viewer: Viewer, board: str) -> Select[Any]:
    """Open asks whose promise ends soon; those that missed it are cases."""
    now = clock.now()
    columns: list[Any] = [Ask.id, Ask.asked_at, Ask.due_at, Thread.title]
    query = (
        select(*columns)
        .select_from(Ask)
        .join(Thread, Thread.id == Ask.thread_id)
        .join(Board, Board.id == Thread.board_id)
    )
    return query.where(
        Ask.mode == AskMode.OPEN,
        Ask.state == AskState.RUNNING,
        Ask.answered_at.is_(None),
        Ask.due_at > now,
        Ask.due_at <= now + NEAR_PROMISE,
        thread_is_visible(viewer),
        *_on(board),
    )


def _asks(viewer: Viewer, words: Words, most: int | None) -> list[Waiting]:
    now = clock.now()
    order = Ask.asked_at if words.sort == "oldest" else Ask.due_at
    query = _asks_close(viewer, words.board).add_columns(*BY_THREAD)
    reader = reader_of(viewer)
    return [
        Waiting(ASKS, row.asked_at or now, row.due_at, partial(_ask, row, reader))
        for row in db.session.execute(
            with_person(query, Thread.author_id).order_by(order, Ask.id).limit(most)
        )
    ]


def _ask(row: Any, reader: Reader) -> Row:
    return Row(
        kind=ASKS,
        why=_("Ask close to its promise"),
        title=row.title,
        url=f"/console/asks/{row.id}",
        where=_("Ask, %(who)s", who=person_line(row, reader).byline),
        since=row.asked_at or clock.now(),
        urgent_at=row.due_at,
        due=until(row.due_at),
        action=_("Look who fits"),
    )


def _contests(viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    return [_soon(one.made_at, partial(_contest, one)) for one in contests.waiting(viewer, most)]


def _contest(one: contests.ContestLine) -> Row:
    return _person(
        _("Entry contested again") if one.is_second else _("Entry contested"),
        one.words[:120],
        f"/console/contests/{one.id}",
        f"{one.name}, {one.company}" if one.company else one.name,
        one.made_at,
        _("Look into it"),
    )


def _soon(at: datetime, row: Callable[[], Row]) -> Waiting:
    """Somebody who waits since then."""
    return Waiting(PEOPLE, at, at + PEOPLE_WAIT, row)


def _person(why: str, title: str, url: str, where: str, at: datetime, action: str) -> Row:
    urgent_at = at + PEOPLE_WAIT
    return Row(
        kind=PEOPLE,
        why=why,
        title=title,
        url=url,
        where=where,
        since=at,
        urgent_at=urgent_at,
        due=_waiting(at),
        action=action,
        due_late=urgent_at < clock.now(),
    )


def _nominations(_viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    return [_soon(one.at, partial(_nomination, one)) for one in candidates_waiting.nominations_waiting(most)]


def _nomination(one: candidates_waiting.Nominated) -> Row:
    why = {
        NominatedBy.PEER: _("Nominated by a peer"),
        NominatedBy.SELF: _("Nominated themselves"),
        NominatedBy.ACCOUNT_OWNER: _("Nominated by sales or service"),
        NominatedBy.MODERATOR: _("Nominated by a moderator"),
    }
    return _person(
        why[one.part],
        one.name if one.part is NominatedBy.SELF else _("%(name)s, by %(by)s", name=one.name, by=one.by),
        f"/console/candidates/{one.username}",
        one.company,
        one.at,
        _("Read the note"),
    )


def _answers(_viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    since = clock.now() - LATELY
    return [_soon(one.at, partial(_answer, one)) for one in candidates_waiting.answered_lately(since, most)]


def _answer(one: candidates_waiting.Answered) -> Row:
    agreed = ", ".join(str(NAMES[name]).lower() for name in NAMES if name.value in one.agreed)
    return _person(
        _("Said yes to %(some)s of %(all)s", some=len(one.agreed), all=one.asked),
        f"{one.name}: {agreed}",
        f"/console/candidates/{one.username}",
        one.company,
        one.at,
        _("Thank and go on"),
    )


def _askings(_viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    return [_soon(one.since, partial(_asking, one)) for one in candidates_waiting.unanswered(most)]


def _asking(one: candidates_waiting.Unanswered) -> Row:
    return _person(
        _("Asked %(time)s ago, seen and not answered", time=duration(clock.now() - one.asked_at))
        if one.seen
        else _("Asked %(time)s ago, not even seen", time=duration(clock.now() - one.asked_at)),
        one.name,
        f"/console/candidates/{one.username}#ask",
        one.company,
        one.since,
        _("Take it back, or wait on"),
    )


def _consents(_viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    return [
        Waiting(PEOPLE, one.expires_at, one.expires_at, partial(_consent, one))
        for one in consents.ending_soon(most)
    ]


def _consent(one: consents.Ending) -> Row:
    return Row(
        kind=PEOPLE,
        why=_n(
            "Consent ends in %(num)d day",
            "Consent ends in %(num)d days",
            max((one.expires_at - clock.now()).days, 0),
        ),
        title=_("%(name)s: %(what)s", name=one.name, what=str(NAMES[one.activity]).lower()),
        url=f"/console/{'candidates' if one.is_customer else 'members'}/{one.username}",
        where=one.company if one.is_customer else _("No customer any more"),
        since=one.expires_at,
        urgent_at=one.expires_at,
        due=_("ends %(when)s", when=short_date(one.expires_at)),
        action=_("Ask again") if one.is_customer else _("Look at their account"),
    )


def _agreements(_viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    rows = []
    for one in consents.agreements_ending_soon(most):
        ends = datetime.combine(one.expires_on + timedelta(days=1), time(), UTC)
        rows.append(Waiting(PEOPLE, ends, ends, partial(_agreement, one, ends)))
    return rows


def _agreement(one: consents.AgreementEnding, ends: datetime) -> Row:
    days = (one.expires_on - clock.now().date()).days
    return Row(
        kind=PEOPLE,
        why=_n("Agreement ends in %(num)d day", "Agreement ends in %(num)d days", days)
        if days
        else _("Agreement ends today"),
        title=_("%(name)s: %(what)s", name=one.company, what=str(NAMES[one.activity]).lower()),
        url=f"/console/companies/{one.slug}/agreements",
        where=one.given_by,
        since=ends,
        urgent_at=ends,
        due=_("ends %(when)s", when=short_date(one.expires_on)),
        action=_("Ask again"),
    )


def _over(_viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    return [_soon(one.since, partial(_over_now, one)) for one in candidates_waiting.over(most)]


def _over_now(one: candidates_waiting.Over) -> Row:
    return _person(
        _("Nothing agreed to holds any more") if one.lapsed else _("Rest is over"),
        one.name,
        f"/console/candidates/{one.username}",
        one.company,
        one.since,
        _("Ask again") if one.lapsed else _("Look again"),
    )


def _reviews(_viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    """Candidates to look at as a whole: now where the number fell to half, else after a year."""
    now = clock.now()
    rows = []
    for one in candidates_waiting.due_for_review(most):
        since = now if one.has_fallen else one.reviewed_at + REVIEW_EVERY
        rows.append(_soon(since, partial(_review, one, since)))
    return rows


def _review(one: candidates_waiting.DueForReview, since: datetime) -> Row:
    why = _("Helpfulness fell under half") if one.has_fallen else _("A year since the last look")
    url = f"/console/candidates/{one.username}"
    looked = _("looked at %(when)s", when=short_date(one.reviewed_at, clock.now()))
    return Row(PEOPLE, why, one.name, url, one.company, since, since + PEOPLE_WAIT, looked, _("Look again"))


def _claimed() -> Select[Any]:
    columns: list[Any] = [Member.name, Member.username, Member.company_claim, Member.created_at]
    return select(*columns).where(
        Member.company_claim != "",
        Member.company_id.is_(None),
        Member.state == MemberState.ACTIVE,
        Member.status == Status.PROSPECT,
    )


def _claims(_viewer: Viewer, _words: Words, most: int | None) -> list[Waiting]:
    return [
        Waiting(PEOPLE, row.created_at, row.created_at + CLAIM_WAITS, partial(_claim, row))
        for row in db.session.execute(_claimed().order_by(Member.created_at, Member.id).limit(most))
    ]


def _claim(row: Any) -> Row:
    now = clock.now()
    return Row(
        kind=PEOPLE,
        why=_("Customer to confirm"),
        title=_("%(name)s says they work for %(company)s", name=row.name, company=row.company_claim),
        url=f"/console/members/{row.username}",
        where=_("Joined %(when)s", when=short_date(row.created_at, now)),
        since=row.created_at,
        urgent_at=row.created_at + CLAIM_WAITS,
        due=_waiting(row.created_at),
        action=_("Confirm or ask"),
        due_late=row.created_at + CLAIM_WAITS < now,
    )


def _unanswered(viewer: Viewer, board: str, *, older: bool = False) -> Select[Any]:
    """Questions that are no asks and have no answer at all: of the last two weeks, or older ones."""
    now = clock.now()
    is_ask = select(Ask.id).where(Ask.thread_id == Thread.id).exists()
    columns: list[Any] = [Thread.id, Thread.slug, Thread.title, Thread.created_at]
    query = (
        select(*columns, Board.name.label("board_name"))
        .select_from(Thread)
        .join(Board, Board.id == Thread.board_id)
    )
    return query.where(
        Thread.kind == ThreadKind.QUESTION,
        Thread.answers_count == 0,
        Thread.state == PostState.VISIBLE,
        Thread.closed_at.is_(None),
        Thread.created_at <= now - (UNANSWERED_TO if older else UNANSWERED_FROM),
        *([] if older else [Thread.created_at > now - UNANSWERED_TO]),
        Board.archived_at.is_(None),
        ~is_ask,
        thread_is_visible(viewer),
        *_on(board),
    )


def _questions(viewer: Viewer, words: Words, most: int | None, *, older: bool = False) -> list[Waiting]:
    kind, reader = OLDER if older else QUESTIONS, reader_of(viewer)
    query = _unanswered(viewer, words.board, older=older).add_columns(*BY_THREAD)
    query = with_person(query, Thread.author_id)
    return [
        Waiting(kind, row.created_at, row.created_at + QUESTION_WAITS, partial(_question, kind, row, reader))
        for row in db.session.execute(query.order_by(Thread.created_at, Thread.id).limit(most))
    ]


def _question(kind: str, row: Any, reader: Reader) -> Row:
    return Row(
        kind=kind,
        why=_("No answer for %(time)s", time=duration(clock.now() - row.created_at)),
        title=row.title,
        url=thread_address(row.id, row.slug),
        where=_("%(board)s, by %(name)s", board=row.board_name, name=person_line(row, reader).name),
        since=row.created_at,
        urgent_at=row.created_at + QUESTION_WAITS,
        due=_waiting(row.created_at),
        action=_("Find somebody"),
    )


def _on(board: str) -> Sequence[ColumnElement[bool]]:
    """SQL about Board: it is this one; nothing for any."""
    return [Board.slug == board] if board else []


OF_CASES: Source = _Cases()
NEW_QUESTIONS: Source = _Source(
    QUESTIONS, _questions, lambda viewer, board: count_of(_unanswered(viewer, board)), has_boards=True
)
# For the vendor's moderators. Of what is as urgent, that of the earlier source stands first.
OTHERS: Sequence[Source] = (
    _Source(ASKS, _asks, lambda viewer, board: count_of(_asks_close(viewer, board)), has_boards=True),
    _Source(PEOPLE, _contests, lambda _viewer, _board: contests.waiting_count()),
    _Source(PEOPLE, _nominations, lambda _viewer, _board: candidates_waiting.nominations_waiting_count()),
    _Source(
        PEOPLE,
        _answers,
        lambda _viewer, _board: candidates_waiting.answered_lately_count(clock.now() - LATELY),
    ),
    _Source(PEOPLE, _askings, lambda _viewer, _board: candidates_waiting.unanswered_count()),
    _Source(PEOPLE, _consents, lambda _viewer, _board: consents.ending_soon_count()),
    _Source(PEOPLE, _agreements, lambda _viewer, _board: consents.agreements_ending_soon_count()),
    _Source(PEOPLE, _over, lambda _viewer, _board: candidates_waiting.over_count()),
    _Source(PEOPLE, _reviews, lambda _viewer, _board: candidates_waiting.due_for_review_count()),
    _Source(PEOPLE, _claims, lambda _viewer, _board: count_of(_claimed())),
    NEW_QUESTIONS,
)
OLDER_QUESTIONS: Source = _Source(
    OLDER,
    partial(_questions, older=True),
    lambda viewer, board: count_of(_unanswered(viewer, board, older=True)),
    has_boards=True,
)
