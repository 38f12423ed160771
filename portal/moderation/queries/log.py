"""The public log and its numbers, as far as a reader may know of the boards they are about."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from portal.discussions.guests import Veil, veil_over, with_title
from portal.discussions.models import Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import board_is_visible, readable_audiences
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db, one_of
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, decode, encode
from portal.members.display import reader_of
from portal.members.models import Member, MemberState, VerifiedBy
from portal.moderation.models import (
    Appeal,
    AppealOutcome,
    Case,
    CaseKind,
    CaseState,
    Decision,
    MemberMeasure,
    ModeratorAlias,
    PostMeasure,
)

PAGE = 30
YEAR = timedelta(days=365)
WAITS = 5000  # cases whose waiting time goes into the median


@dataclass(frozen=True)
class Entry:
    """One decision in the public log. `title` and `url` only where the thread can be read."""

    case_id: int
    decision: Decision
    is_thread: bool
    moderator: str  # "B"
    board_name: str
    board_slug: str
    board_archived: bool
    title: str
    url: str
    reason: str
    appeal: AppealOutcome | None
    appeal_decided_at: datetime | None


@dataclass(frozen=True)
class Story:
    """Everything that was decided on one case, oldest first, with its appeal."""

    case: Case
    entries: list[Entry]
    appeal: Appeal | None
    answer: Decision | None
    answered_by: str
    answer_reason: str


def entries(
    viewer: Viewer, *, rule: int | None = None, board: str = "", what: str = "", before: str = ""
) -> Page:
    """The newest entries about boards this reader reads."""
    query = _entries(viewer)
    if rule is not None:
        query = query.where(Decision.rule_number == rule)
    if board:
        query = query.where(Board.slug == board)
    if what in WHAT:
        query = query.where(WHAT[what])
    if cursor := decode(before, datetime, int):
        at, last_id = cursor
        query = query.where(
            or_(Decision.decided_at < at, and_(Decision.decided_at == at, Decision.id < last_id))
        )
    rows = db.session.execute(
        query.order_by(Decision.decided_at.desc(), Decision.id.desc()).limit(PAGE + 1)
    ).all()
    last = rows[PAGE - 1][0] if len(rows) > PAGE else None
    return Page(_as_entries(viewer, rows[:PAGE]), next=encode(last.decided_at, last.id) if last else "")


def story(viewer: Viewer, case_id: int) -> Story:
    """The log's page of one case. Raises NotFound where nothing was taken away or the board is hidden."""
    rows = db.session.execute(_entries(viewer).where(Decision.case_id == case_id).order_by(Decision.id)).all()
    if not rows:
        raise NotFound("no such entry")
    appeal = db.session.execute(
        select(Appeal)
        .join(Decision, Decision.id == Appeal.decision_id)
        .where(Decision.case_id == case_id)
        .order_by(Appeal.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    answer = None
    if appeal is not None and appeal.outcome is not AppealOutcome.PENDING:
        answer = db.session.execute(
            select(Decision, ModeratorAlias.letter)
            .outerjoin(ModeratorAlias, ModeratorAlias.member_id == Decision.decided_by_id)
            .where(Decision.case_id == appeal.case_id)
            .order_by(Decision.id.desc())
            .limit(1)
        ).one_or_none()
    return Story(
        case=db.session.get_one(Case, case_id),
        entries=_as_entries(viewer, rows),
        appeal=appeal,
        answer=answer[0] if answer else None,
        answered_by=(answer.letter or "") if answer else "",
        answer_reason=_as_read(viewer, answer[0]) if answer else "",
    )


def has_entry(viewer: Viewer, case_id: int) -> bool:
    """Whether this reader finds the case in the log."""
    query = _entries(viewer).where(Decision.case_id == case_id)
    return db.session.execute(query.limit(1)).first() is not None


@dataclass(frozen=True)
class BoardNumbers:
    """One board's row: posts that stand, and what was taken away in the last twelve months."""

    name: str
    slug: str
    posts: int
    removed: int
    refused: int
    closed: int


@dataclass(frozen=True)
class Numbers:
    """What moderation did in the last twelve months on the boards this reader reads."""

    posts: int
    boards: list[BoardNumbers]
    removed_by_rule: list[tuple[int, int]]  # (number of the rule, removals)
    removed: int
    flagged: int  # cases that members opened by flags
    dismissed: int
    held: int
    released: int
    refused: int
    warned: int
    suspended: int
    banned: int
    undone: int
    appeals: int
    upheld: int
    overturned: int
    waiting: int
    median_seconds: float | None
    decided: int
    confirmed_by_hand: int
    confirmed_by_mail: int


def numbers(viewer: Viewer) -> Numbers:
    """Counted now, in a handful of statements."""
    since = clock.now() - YEAR
    boards = db.session.execute(
        select(Board.id, Board.name, Board.slug, Board.posts_count)
        .where(board_is_visible(viewer))
        .order_by(Board.position, Board.id)
    ).all()
    stands = and_(Decision.undone_at.is_(None), Decision.overturned_at.is_(None))
    rows = db.session.execute(
        _of_boards(
            select(
                Board.id.label("board_id"),
                Case.kind,
                Decision.post_measure,
                Decision.member_measure,
                Decision.appeal_outcome,
                Decision.rule_number,
                stands.label("stands"),
                func.count().label("n"),
            )
            .select_from(Decision)
            .join(Case, Case.id == Decision.case_id)
        )
        .where(Decision.decided_at > since, board_is_visible(viewer))
        .group_by(
            Board.id,
            Case.kind,
            Decision.post_measure,
            Decision.member_measure,
            Decision.appeal_outcome,
            Decision.rule_number,
            stands,
        )
    ).all()

    def count(*measures: PostMeasure, board: int | None = None) -> int:
        return sum(
            row.n
            for row in rows
            if row.stands and row.post_measure in measures and board in (None, row.board_id)
        )

    def of_member(measure: MemberMeasure) -> int:
        return sum(row.n for row in rows if row.stands and row.member_measure is measure)

    by_rule: dict[int, int] = {}
    for row in rows:
        if row.stands and row.rule_number and row.post_measure in (PostMeasure.HIDE, PostMeasure.REFUSE):
            by_rule[row.rule_number] = by_rule.get(row.rule_number, 0) + row.n
    cases = db.session.execute(
        _of_boards(select(Case.kind, Case.state, func.count().label("n")).select_from(Case), of_case=True)
        .where(Case.opened_at > since, board_is_visible(viewer))
        .group_by(Case.kind, Case.state)
    ).all()

    def of_cases(kind: CaseKind, *states: CaseState) -> int:
        return sum(row.n for row in cases if row.kind is kind and (not states or row.state in states))

    waits = db.session.execute(
        _of_boards(select(Case.opened_at, Case.decided_at).select_from(Case), of_case=True)
        .where(
            Case.state == CaseState.DECIDED,
            Case.kind != CaseKind.TOOL,  # nobody waited
            Case.decided_at > since,
            board_is_visible(viewer),
        )
        .order_by(Case.decided_at.desc())
        .limit(WAITS)
    ).all()
    seconds = [(row.decided_at - row.opened_at).total_seconds() for row in waits]
    confirmed = {
        row.verified_by: row.n
        for row in db.session.execute(
            select(Member.verified_by, func.count().label("n"))
            .where(Member.state.in_([MemberState.ACTIVE, MemberState.SUSPENDED]))
            .group_by(Member.verified_by)
        )
    }
    outcomes = {
        outcome: sum(row.n for row in rows if row.appeal_outcome is outcome) for outcome in AppealOutcome
    }
    return Numbers(
        posts=sum(board.posts_count for board in boards),
        boards=[
            BoardNumbers(
                board.name,
                board.slug,
                board.posts_count,
                count(PostMeasure.HIDE, board=board.id),
                count(PostMeasure.REFUSE, board=board.id),
                count(PostMeasure.CLOSE, board=board.id),
            )
            for board in boards
        ],
        removed_by_rule=sorted(by_rule.items()),
        removed=count(PostMeasure.HIDE),
        flagged=of_cases(CaseKind.FLAGS),
        dismissed=sum(
            row.n
            for row in rows
            if row.stands
            and row.kind is CaseKind.FLAGS
            and row.post_measure is PostMeasure.NONE
            and row.member_measure is MemberMeasure.NONE
        ),
        held=of_cases(CaseKind.HELD),
        released=count(PostMeasure.RELEASE),
        refused=count(PostMeasure.REFUSE),
        warned=of_member(MemberMeasure.WARN),
        suspended=of_member(MemberMeasure.SUSPEND),
        banned=of_member(MemberMeasure.BAN),
        undone=sum(row.n for row in rows if not row.stands),
        appeals=of_cases(CaseKind.APPEAL),
        upheld=outcomes[AppealOutcome.UPHELD],
        overturned=outcomes[AppealOutcome.OVERTURNED],
        waiting=sum(row.n for row in cases if row.state is CaseState.OPEN),
        median_seconds=median(seconds) if seconds else None,
        decided=len(seconds),
        confirmed_by_hand=confirmed.get(VerifiedBy.MODERATOR, 0),
        confirmed_by_mail=confirmed.get(VerifiedBy.MAIL, 0),
    )


def boards_of_log(viewer: Viewer) -> list[tuple[str, str]]:
    """(slug, name) of the boards whose entries this reader reads."""
    return [
        (row.slug, row.name)
        for row in db.session.execute(
            select(Board.slug, Board.name).where(board_is_visible(viewer)).order_by(Board.position, Board.id)
        )
    ]


_LOGGED = and_(
    Decision.appeal_outcome.is_(None),
    or_(
        Decision.post_measure.not_in([PostMeasure.NONE, PostMeasure.RELEASE]),
        Decision.member_measure != MemberMeasure.NONE,
    ),
)

_STANDS_ON = aliased(Board)

WHAT: dict[str, ColumnElement[bool]] = {
    "removed": Decision.post_measure == PostMeasure.HIDE,
    "refused": Decision.post_measure == PostMeasure.REFUSE,
    "closed": Decision.post_measure == PostMeasure.CLOSE,
    "edited": Decision.post_measure == PostMeasure.EDIT,
    "placed": Decision.post_measure.in_([PostMeasure.MOVE, PostMeasure.SPLIT, PostMeasure.MERGE]),
    "author": Decision.member_measure != MemberMeasure.NONE,
    "appealed": Appeal.id.is_not(None),
    "corrected": or_(Decision.overturned_at.is_not(None), Decision.undone_at.is_not(None)),
}


def _of_boards(query: Any, *, of_case: bool = False) -> Any:
    """Join the board of that time, else the one under which the thread stands now.

    A thread that is moved out of sight leaves the entries about it with those who could read them.
    """
    table = Case if of_case else Decision
    return query.outerjoin(Thread, Thread.id == table.thread_id).join(
        Board, Board.id == func.coalesce(table.board_id, Thread.board_id)
    )


def _entries(viewer: Viewer) -> Any:
    return (
        _of_boards(
            select(
                Decision,
                Post.kind.label("post_kind"),
                Thread.id.label("thread_id"),
                Thread.title,
                and_(
                    Thread.state == PostState.VISIBLE,
                    one_of(_STANDS_ON.audience, sorted(readable_audiences(viewer))),
                ).label("readable"),
                Board.name.label("board_name"),
                Board.slug.label("board_slug"),
                Board.archived_at,
                ModeratorAlias.letter,
                Appeal.outcome.label("appeal"),
                Appeal.decided_at.label("appeal_decided_at"),
            ).select_from(Decision)
        )
        .outerjoin(_STANDS_ON, _STANDS_ON.id == Thread.board_id)
        .outerjoin(Post, Post.id == Decision.post_id)
        .outerjoin(ModeratorAlias, ModeratorAlias.member_id == Decision.decided_by_id)
        .outerjoin(Appeal, Appeal.decision_id == Decision.id)
        .where(_LOGGED, board_is_visible(viewer))
    )


def _as_read(viewer: Viewer, decision: Decision) -> str:
    thread = decision.thread_id or 0
    return veil_over(reader_of(viewer), [decision.reason], [thread])(decision.reason, thread)


def _as_entries(viewer: Viewer, rows: Iterable[Any]) -> list[Entry]:
    """Titles and reasons as this reader may read them."""
    rows = list(rows)
    texts = [text for row in rows for text in (row.title, row[0].reason)]
    veil = veil_over(reader_of(viewer), texts, [row.thread_id for row in rows])
    return [_entry(with_title(veil, row, "thread_id"), veil) for row in rows]


def _entry(row: Any, veil: Veil) -> Entry:
    decision: Decision = row[0]
    return Entry(
        case_id=decision.case_id,
        decision=decision,
        is_thread=row.post_kind is PostKind.OPENING,
        moderator=row.letter or "",
        board_name=row.board_name,
        board_slug=row.board_slug,
        board_archived=row.archived_at is not None,
        # The title of a thread that was taken away, or out of sight, may be what was wrong with it.
        title=row.title if row.readable else "",
        url=f"/posts/{decision.post_id}" if row.readable and decision.post_id else "",
        reason=veil(decision.reason, row.thread_id or 0),
        appeal=row.appeal,
        appeal_decided_at=row.appeal_decided_at,
    )
