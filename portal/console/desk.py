"""What waits for a moderator, of every kind, most urgent first: for the page and for the mail of the morning.

Each source gives at most fifty rows, so a day's work stands on one page whatever the community's size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext as _n
from sqlalchemy import select

from portal.advocacy.models import NominatedBy
from portal.advocacy.policy import ANSWERED_WITHIN, REVIEW_EVERY
from portal.advocacy.queries import candidates, contests
from portal.asks.models import Ask, AskMode, AskState
from portal.consents.queries import ending_soon
from portal.consents.texts import NAMES
from portal.console.queue import row_of
from portal.discussions.addresses import thread_address
from portal.discussions.authors import BY_THREAD
from portal.discussions.models import Board, PostState, Thread, ThreadKind
from portal.discussions.policy import thread_is_visible
from portal.kernel import clock
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import db
from portal.kernel.template_helpers import duration, short_date, until
from portal.members.display import person_line, reader_of, with_person
from portal.members.models import Member, MemberState
from portal.moderation.queries import queue as queues
from portal.moderation.queries.queue import Filters

EACH = 50
NEAR_PROMISE = timedelta(hours=8)
UNANSWERED_FROM = timedelta(hours=22)
UNANSWERED_TO = timedelta(days=14)
LATELY = timedelta(days=14)
PEOPLE_WAIT = ANSWERED_WITHIN  # a nomination waits no longer than a contested entry
CLAIM_WAITS = timedelta(days=1)

CASES, ASKS, PEOPLE, QUESTIONS = "cases", "asks", "people", "questions"
KINDS = (CASES, ASKS, PEOPLE, QUESTIONS)
# What somebody waits for under a promise or a rule comes before people, and people before old questions.
TIERS = {CASES: 0, ASKS: 0, PEOPLE: 1, QUESTIONS: 2}


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
    board: str = ""  # slug
    board_name: str = ""
    taken_by: str = ""
    is_mine: bool = False


def rows_for(viewer: Viewer) -> list[Row]:
    """Everything that waits and that this moderator may see, most urgent first."""
    sources: list[Callable[[Viewer], list[Row]]] = [_cases]
    if viewer.may(Permission.ADVOCACY):
        sources += [
            _asks,
            _contests,
            _nominations,
            _answers,
            _askings,
            _consents,
            _over,
            _reviews,
            _claims,
            _questions,
        ]
    found = [row for source in sources for row in source(viewer)]
    return sorted(found, key=lambda row: (TIERS[row.kind], row.urgent_at, row.title))


def _waiting(at: datetime) -> str:
    return _("for %(time)s", time=duration(clock.now() - at))


def _cases(viewer: Viewer) -> list[Row]:
    found = queues.queue(viewer, Filters(whose="anyone"))
    rows = []
    for line in found.page.rows:
        made = row_of(line)
        rows.append(
            Row(
                kind=ASKS if line.case.kind.value == "connect" else CASES,
                why=made.why,
                title=made.title,
                url=made.url,
                where=made.where,
                since=line.case.opened_at,
                urgent_at=line.case.due_at,
                due=made.due,
                action=made.action,
                late=made.due_late and line.case.kind.value == "connect",
                due_late=made.due_late,
                board_name=line.board_name,
                taken_by=line.claimed_by,
                is_mine=line.is_mine,
            )
        )
    return rows


def _asks(viewer: Viewer) -> list[Row]:
    """Open asks whose promise ends soon; those that missed it are cases."""
    now = clock.now()
    query = (
        select(Ask.id, Ask.asked_at, Ask.due_at, Thread.title, Board.slug, *BY_THREAD)
        .select_from(Ask)
        .join(Thread, Thread.id == Ask.thread_id)
        .join(Board, Board.id == Thread.board_id)
    )
    rows = db.session.execute(
        with_person(query, Thread.author_id)
        .where(
            Ask.mode == AskMode.OPEN,
            Ask.state == AskState.RUNNING,
            Ask.answered_at.is_(None),
            Ask.due_at > now,
            Ask.due_at <= now + NEAR_PROMISE,
            thread_is_visible(viewer),
        )
        .order_by(Ask.due_at, Ask.id)
        .limit(EACH)
    )
    reader = reader_of(viewer)
    return [
        Row(
            kind=ASKS,
            why=_("Ask close to its promise"),
            title=row.title,
            url=f"/console/asks/{row.id}",
            where=_("Ask, %(who)s", who=person_line(row, reader).byline),
            since=row.asked_at or now,
            urgent_at=row.due_at,
            due=until(row.due_at),
            action=_("Look who fits"),
            board=row.slug,
        )
        for row in rows
    ]


def _contests(viewer: Viewer) -> list[Row]:
    return [
        _person(
            _("Entry contested again") if one.is_second else _("Entry contested"),
            one.words[:120],
            f"/console/contests/{one.id}",
            f"{one.name}, {one.company}" if one.company else one.name,
            one.made_at,
            _("Look into it"),
        )
        for one in contests.waiting(viewer, EACH)
    ]


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


def _nominations(_viewer: Viewer) -> list[Row]:
    why = {
        NominatedBy.PEER: _("Nominated by a peer"),
        NominatedBy.SELF: _("Nominated themselves"),
        NominatedBy.ACCOUNT_OWNER: _("Nominated by sales or service"),
        NominatedBy.MODERATOR: _("Nominated by a moderator"),
    }
    return [
        _person(
            why[one.part],
            one.name if one.part is NominatedBy.SELF else _("%(name)s, by %(by)s", name=one.name, by=one.by),
            f"/console/candidates/{one.username}",
            one.company,
            one.at,
            _("Read the note"),
        )
        for one in candidates.nominations_waiting(EACH)
    ]


def _answers(_viewer: Viewer) -> list[Row]:
    rows = []
    for one in candidates.answered_lately(clock.now() - LATELY):
        agreed = ", ".join(str(NAMES[name]).lower() for name in NAMES if name.value in one.agreed)
        rows.append(
            _person(
                _("Said yes to %(some)s of %(all)s", some=len(one.agreed), all=one.asked),
                f"{one.name}: {agreed}",
                f"/console/candidates/{one.username}",
                one.company,
                one.at,
                _("Thank and go on"),
            )
        )
    return rows


def _askings(_viewer: Viewer) -> list[Row]:
    return [
        _person(
            _("Asked %(time)s ago, seen and not answered", time=duration(clock.now() - one.asked_at))
            if one.seen
            else _("Asked %(time)s ago, not even seen", time=duration(clock.now() - one.asked_at)),
            one.name,
            f"/console/candidates/{one.username}#ask",
            one.company,
            one.since,
            _("Take it back, or wait on"),
        )
        for one in candidates.unanswered(EACH)
    ]


def _consents(_viewer: Viewer) -> list[Row]:
    now = clock.now()
    return [
        Row(
            kind=PEOPLE,
            why=_n(
                "Consent ends in %(num)d day",
                "Consent ends in %(num)d days",
                max((one.expires_at - now).days, 0),
            ),
            title=_("%(name)s: %(what)s", name=one.name, what=str(NAMES[one.activity]).lower()),
            url=f"/console/candidates/{one.username}",
            where=one.company,
            since=one.expires_at,
            urgent_at=one.expires_at,
            due=_("ends %(when)s", when=short_date(one.expires_at)),
            action=_("Ask again"),
        )
        for one in ending_soon(EACH)
    ]


def _over(_viewer: Viewer) -> list[Row]:
    return [
        _person(
            _("Nothing agreed to holds any more") if one.lapsed else _("Rest is over"),
            one.name,
            f"/console/candidates/{one.username}",
            one.company,
            one.since,
            _("Ask again") if one.lapsed else _("Look again"),
        )
        for one in candidates.over(EACH)
    ]


def _reviews(_viewer: Viewer) -> list[Row]:
    """Candidates to look at as a whole: now where the number fell to half, else after a year."""
    now = clock.now()
    rows = []
    for one in candidates.due_for_review(EACH):
        since = now if one.has_fallen else one.reviewed_at + REVIEW_EVERY
        why = _("Helpfulness fell under half") if one.has_fallen else _("A year since the last look")
        url = f"/console/candidates/{one.username}"
        looked = _("looked at %(when)s", when=short_date(one.reviewed_at, now))
        rows.append(
            Row(PEOPLE, why, one.name, url, one.company, since, since + PEOPLE_WAIT, looked, _("Look again"))
        )
    return rows


def _claims(_viewer: Viewer) -> list[Row]:
    now = clock.now()
    rows = db.session.execute(
        select(Member.name, Member.username, Member.company_claim, Member.created_at)
        .where(
            Member.company_claim != "",
            Member.company_id.is_(None),
            Member.state == MemberState.ACTIVE,
            Member.status == Status.PROSPECT,
        )
        .order_by(Member.created_at, Member.id)
        .limit(EACH)
    )
    return [
        Row(
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
        for row in rows
    ]


def _questions(viewer: Viewer) -> list[Row]:
    """Questions that are no asks and have no answer at all, of the last two weeks."""
    now = clock.now()
    is_ask = select(Ask.id).where(Ask.thread_id == Thread.id).exists()
    query = (
        select(
            Thread.id,
            Thread.slug,
            Thread.title,
            Thread.created_at,
            Board.slug.label("board"),
            Board.name.label("board_name"),
            *BY_THREAD,
        )
        .select_from(Thread)
        .join(Board, Board.id == Thread.board_id)
    )
    rows = db.session.execute(
        with_person(query, Thread.author_id)
        .where(
            Thread.kind == ThreadKind.QUESTION,
            Thread.answers_count == 0,
            Thread.state == PostState.VISIBLE,
            Thread.closed_at.is_(None),
            Thread.created_at <= now - UNANSWERED_FROM,
            Thread.created_at > now - UNANSWERED_TO,
            Board.archived_at.is_(None),
            ~is_ask,
            thread_is_visible(viewer),
        )
        .order_by(Thread.created_at, Thread.id)
        .limit(EACH)
    )
    reader = reader_of(viewer)
    return [
        Row(
            kind=QUESTIONS,
            why=_("No answer for %(time)s", time=duration(now - row.created_at)),
            title=row.title,
            url=thread_address(row.id, row.slug),
            where=_("%(board)s, by %(name)s", board=row.board_name, name=person_line(row, reader).name),
            since=row.created_at,
            urgent_at=row.created_at + timedelta(days=3),
            due=_waiting(row.created_at),
            action=_("Find somebody"),
            board=row.board,
            board_name=row.board_name,
        )
        for row in rows
    ]
