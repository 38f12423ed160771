"""The running sums: what one event changes is worked out again from few rows, the rest stays as it is.

A person's sum follows from that person's entries, a company's from its persons' sums, the member's from the
companies'. Time alone changes nothing but the moment at which a limit stops to bind; `renew_due` looks then.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.advocacy import keys
from portal.advocacy.formula import HIGH_CONFIDENCE, KEPT_RECENT, YEAR_DAYS, Weights, company_piece
from portal.advocacy.models import Act, CompanySum, Counts, Entry, GiverSum, MemberScore, Rule, ScopeScore
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import account_of, rows_by_receiver, rows_of_pair
from portal.advocacy.queries.scopes import Threads
from portal.advocacy.queries.tallies import SUMS, Tally, items_of
from portal.advocacy.services import scoping
from portal.advocacy.services.recording import Change
from portal.kernel import bulk, clock
from portal.kernel.db import db, flushed_rows
from portal.kernel.unit_of_work import beside_others, one_at_a_time, unit_of_work

RENEW_JOB = "renew scores whose limits changed"
NUMBERS = "score:numbers"  # the part that a unit has to itself while it puts others in force
YEAR = timedelta(days=YEAR_DAYS)
_OF_THE_PAST = ("before", "before_at")
# Made once: at every event the making would cost as much as the running.
_OF_COMPANY = select(GiverSum.total, GiverSum.last_at).where(
    GiverSum.receiver_id == bindparam("receiver"), GiverSum.company == bindparam("company")
)
_GIVER_AND_COMPANY = (
    select(
        GiverSum.giver,
        GiverSum.company,
        GiverSum.total,
        GiverSum.last_at,
        CompanySum.fixed,
        CompanySum.falling,
        CompanySum.changes_at,
        CompanySum.last_at.label("company_last_at"),
    )
    .join(
        CompanySum,
        and_(CompanySum.receiver_id == GiverSum.receiver_id, CompanySum.company == GiverSum.company),
    )
    .where(
        GiverSum.receiver_id == bindparam("receiver"),
        or_(GiverSum.giver == bindparam("giver"), GiverSum.company == bindparam("company")),
    )
)
_SCORE = select(
    MemberScore.fixed,
    MemberScore.falling,
    MemberScore.unknown,
    MemberScore.given,
    MemberScore.changes_at,
    MemberScore.recent,
    MemberScore.unknown_recent,
).where(MemberScore.receiver_id == bindparam("receiver"))
_SUM_OF_COMPANIES = select(
    func.coalesce(func.sum(CompanySum.fixed), 0.0),
    func.coalesce(func.sum(CompanySum.falling), 0.0),
    func.min(CompanySum.changes_at),
).where(CompanySum.receiver_id == bindparam("receiver"))
_LATEST_COMPANIES = (
    select(CompanySum.last_at)
    .where(CompanySum.receiver_id == bindparam("receiver"))
    .order_by(CompanySum.last_at.desc())
    .limit(KEPT_RECENT)
)


def lock(receiver_ids: Iterable[int]) -> None:
    """Let no other unit of work write entries or sums of these members. Inside a unit of work.

    Which numbers are in force is asked only after this: until the unit ends no others come into force.
    """
    first, *others = [f"score:{receiver_id}" for receiver_id in sorted(set(receiver_ids))] or [""]
    beside_others(NUMBERS, and_alone=first)
    one_at_a_time(*others)


def fold(changes: Sequence[Change], weights: Weights | None = None) -> None:
    """Have the sums follow what was written to the ledger. Inside the same unit of work."""
    if not changes:
        return
    touched: dict[int, _Touched] = defaultdict(_Touched)
    weights = weights or weights_queries.current()
    for change in changes:
        for row, sign in ((change.before, -1), (change.now, 1)):
            if row is None or row.act is Act.REVERSED or row.counts is Counts.NONE:
                continue
            part = touched[row.receiver_id]
            worth = sign * weights.frozen(row.occurred_at)
            if row.counts is Counts.PARTICIPATION:
                part.given += worth
            elif keys.is_unknown(row.giver_key):
                part.unknown += worth
                part.unknown_changed = True
            else:
                part.pairs.add((row.giver_key, row.rule is Rule.CONVERSATION))
                part.taken = part.taken or sign < 0
    waiting = _Waiting()
    for receiver_id, part in touched.items():
        _fold_member(receiver_id, part, weights, waiting)
    waiting.add(ScopeScore, scoping.marks(change.now for change in changes))
    waiting.write()


class _Touched:
    def __init__(self) -> None:
        self.given = self.unknown = 0.0
        self.unknown_changed = False
        self.taken = False  # thanks of a person, or what they counted
        self.pairs: set[tuple[str, bool]] = set()


@dataclass(slots=True)
class _Score:
    """The row of a member while it is worked on."""

    fixed: float = 0.0
    falling: float = 0.0
    unknown: float = 0.0
    given: float = 0.0
    changes_at: datetime | None = None
    recent: list[datetime] = field(default_factory=list)
    unknown_recent: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, receiver_id: int) -> "_Score | None":
        row = flushed_rows(_SCORE, {"receiver": receiver_id}).one_or_none()
        if row is None:
            return None
        recent = [datetime.fromisoformat(one) for one in row.recent]
        return cls(row.fixed, row.falling, row.unknown, row.given, row.changes_at, recent, row.unknown_recent)

    def add(self, before: Any | None, after: dict[str, Any]) -> None:
        """A company counts more than before: the others need not be looked at."""
        self.fixed += after["fixed"] - (before.fixed if before else 0.0)
        self.falling = max(0.0, self.falling + after["falling"] - (before.falling if before else 0.0))
        moments = [one for one in (self.changes_at, after["changes_at"]) if one]
        self.changes_at = min(moments, default=None)  # at worst too early: then everything is looked at
        if before is not None and before.company_last_at in self.recent:
            self.recent.remove(before.company_last_at)
        self.recent = sorted([*self.recent, after["last_at"]], reverse=True)[:KEPT_RECENT]

    def add_up(self, receiver_id: int) -> None:
        """All companies anew."""
        about = {"receiver": receiver_id}
        fixed, falling, self.changes_at = flushed_rows(_SUM_OF_COMPANIES, about).one()
        self.fixed, self.falling = float(fixed), float(falling)
        moments = [row.last_at for row in flushed_rows(_LATEST_COMPANIES, about)]
        moments += [datetime.fromisoformat(one) for one in self.unknown_recent]
        self.recent = sorted(moments, reverse=True)[:KEPT_RECENT]

    def row(self, receiver_id: int, weights: Weights) -> dict[str, Any]:
        return {
            "receiver_id": receiver_id,
            "fixed": self.fixed,
            "falling": self.falling,
            "unknown": self.unknown,
            "given": self.given,
            "changes_at": self.changes_at,
            "recent": [moment.isoformat() for moment in self.recent],
            "unknown_recent": self.unknown_recent,
            "ranked_until": _until(self.recent, weights.companies_to_rank),
            "high_until": _until(self.recent, HIGH_CONFIDENCE),
        }


class _Waiting:
    """Rows of sums that are written before the next read of them: on PostgreSQL, where each way to the
    database and back takes as long as the writing, those of one event by one statement.
    """

    def __init__(self) -> None:
        self._rows: dict[Any, list[dict[str, Any]]] = {}

    def add(self, model: Any, rows: Iterable[dict[str, Any]]) -> None:
        self._rows.setdefault(model, []).extend(rows)

    def write(self) -> None:
        waiting = {model: rows for model, rows in self._rows.items() if rows}
        self._rows = {}
        singly = len(waiting) > 1 and all(len(rows) == 1 for rows in waiting.values())
        if singly and db.engine.dialect.name == "postgresql":
            values = ((model, *rows[0].items()) for model, rows in waiting.items())
            flushed_rows(
                _upsert_all(tuple(waiting)),
                {_named(model, name): value for model, *row in values for name, value in row},
            )
            return
        for model, rows in waiting.items():
            flushed_rows(_upsert(model), rows)


def _fold_member(receiver_id: int, part: _Touched, weights: Weights, waiting: _Waiting) -> None:
    now = clock.now()
    score = _Score.of(receiver_id) or _Score()
    # What only grows is added; where something was taken away, or time did, all companies are looked at, so
    # that no remainder of a subtraction stays.
    anew = part.taken or part.unknown_changed
    if score.changes_at is not None and score.changes_at <= now:
        _renew_companies(receiver_id, weights, now)
        anew = True
    score.given = max(0.0, score.given + part.given)
    score.unknown = max(0.0, score.unknown + part.unknown)
    for key, is_hidden in part.pairs:
        grown = _renew_pair(receiver_id, key, is_hidden, weights, now, waiting)
        if grown is None:
            anew = True
        else:
            score.add(*grown)
    if part.unknown_changed:
        score.unknown_recent = [moment.isoformat() for moment in _unknown_recent(receiver_id)]
    if anew:
        waiting.write()
        score.add_up(receiver_id)
    waiting.add(MemberScore, [score.row(receiver_id, weights)])


def _renew_pair(
    receiver_id: int, key: str, is_hidden: bool, weights: Weights, now: datetime, waiting: _Waiting
) -> tuple[Any | None, dict[str, Any]] | None:
    """One person's sum anew from the entries, and those of the companies concerned.

    Gives what their company counted before and counts now; None where another one lost something.
    """
    giver = key if is_hidden else keys.hidden(receiver_id, key)
    plain = _plain_key(receiver_id, giver) if is_hidden else key
    rows = rows_of_pair(receiver_id, *(one for one in (giver, plain) if one))
    pair = account_of(receiver_id, rows, weights, hashed=True).pairs.get(giver)
    company = pair.company if pair is not None else ""
    about = {"receiver": receiver_id, "giver": giver, "company": company}
    waiting.write()
    found = flushed_rows(_GIVER_AND_COMPANY, about).all()
    before = next((row.company for row in found if row.giver == giver), None)
    grown = None
    if pair is not None:
        given = {"receiver_id": receiver_id, "giver": giver, "company": company}
        waiting.add(GiverSum, [{**given, "total": pair.total, "last_at": pair.last_at}])
        givers = [(row.total, row.last_at) for row in found if row.company == company and row.giver != giver]
        counted = next((row for row in found if row.company == company), None)
        totals = [*givers, (pair.total, pair.last_at)]
        row = _company_row(receiver_id, company, totals, weights, now)
        waiting.add(CompanySum, [row])
        grown = counted, row
    elif before is not None:
        flushed_rows(delete(GiverSum).where(GiverSum.receiver_id == receiver_id, GiverSum.giver == giver))
    if before is not None and before != company:
        waiting.write()
        _renew_company(receiver_id, before, weights, now)
        return None
    return grown


def _plain_key(receiver_id: int, giver: str) -> str | None:
    """Under which key a person whom only a hash names stands in this member's open entries, if any."""
    found = db.session.execute(
        select(Entry.giver_key)
        .where(Entry.receiver_id == receiver_id, Entry.giver_id.is_not(None))
        .distinct()
    ).scalars()
    return next((key for key in found if keys.hidden(receiver_id, key) == giver), None)


def _renew_company(receiver_id: int, company: str, weights: Weights, now: datetime) -> None:
    rows = flushed_rows(_OF_COMPANY, {"receiver": receiver_id, "company": company}).all()
    if rows:
        givers = [(row.total, row.last_at) for row in rows]
        flushed_rows(_upsert(CompanySum), _company_row(receiver_id, company, givers, weights, now))
    else:
        flushed_rows(
            delete(CompanySum).where(CompanySum.receiver_id == receiver_id, CompanySum.company == company)
        )


def _company_row(
    receiver_id: int, company: str, givers: Sequence[tuple[float, datetime]], weights: Weights, now: datetime
) -> dict[str, Any]:
    piece = company_piece(weights, [total for total, _last_at in givers], now)
    return {
        "receiver_id": receiver_id,
        "company": company,
        "fixed": piece.fixed,
        "falling": piece.falling,
        "changes_at": piece.changes_at,
        "last_at": max(last_at for _total, last_at in givers),
    }


def _or_update(statement: Any, model: Any) -> Any:
    if model is ScopeScore:
        return scoping.or_mark(statement)
    table = model.__table__
    changed = [
        column.name for column in table.c if not column.primary_key and column.name not in _OF_THE_PAST
    ]
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: statement.excluded[name] for name in changed},
    )


@cache
def _upsert_for(dialect_name: str, model: Any) -> Any:
    dialect: Any = postgresql if dialect_name == "postgresql" else sqlite
    return _or_update(dialect.insert(model.__table__), model)


def _upsert(model: Any) -> Any:
    """Write a row, or the other columns of the one that is there; what tells of the past stays."""
    return _upsert_for(db.engine.dialect.name, model)


@cache
def _upsert_all(models: tuple[Any, ...]) -> Any:
    """PostgreSQL: the same for one row of each of these, whose values are `_named`."""
    statements = []
    for model in models:
        columns = model.__table__.c
        values = {name: bindparam(_named(model, name), type_=columns[name].type) for name in _TABLES[model]}
        statements.append(_or_update(postgresql.insert(model.__table__).values(values), model))
    *others, last = statements
    return last.add_cte(*(one.cte(f"row_{number}") for number, one in enumerate(others)))


def _named(model: Any, column: str) -> str:
    return f"{model.__tablename__}_{column}"


def _renew_companies(receiver_id: int, weights: Weights, now: datetime) -> None:
    """The companies whose limits have stopped to bind."""
    due = db.session.execute(
        select(CompanySum.company).where(CompanySum.receiver_id == receiver_id, CompanySum.changes_at <= now)
    ).scalars()
    for company in list(due):
        _renew_company(receiver_id, company, weights, now)


def _until(moments: Sequence[datetime], companies: int) -> datetime | None:
    return moments[companies - 1] + YEAR if len(moments) >= companies else None


def _unknown_recent(receiver_id: int) -> list[datetime]:
    rows = rows_by_receiver((Entry.receiver_id == receiver_id) & Entry.giver_key.startswith(keys.UNKNOWN))
    for _receiver, found in rows:
        return account_of(receiver_id, found, Weights()).unknown_at[-KEPT_RECENT:]
    return []


def renew_due(most: int = 500) -> int:
    """Look again at members for whom a limit has stopped to bind; gives how many.

    Nobody while other numbers wait to be applied: all sums are worked out again then.
    """
    if weights_queries.waiting():
        return 0
    now = clock.now()
    due = list(
        db.session.execute(
            select(MemberScore.receiver_id)
            .where(MemberScore.changes_at <= now)
            .order_by(MemberScore.changes_at)
            .limit(most)
        ).scalars()
    )
    for receiver_id in due:
        with unit_of_work():
            lock([receiver_id])
            score = _Score.of(receiver_id)
            if score is not None:
                weights = weights_queries.current()
                _renew_companies(receiver_id, weights, now)
                score.add_up(receiver_id)
                flushed_rows(_upsert(MemberScore), score.row(receiver_id, weights))
    return len(due)


def renew(receiver_ids: Collection[int], weights: Weights) -> None:
    """Work out the sums of a few members anew from the ledger. Inside a unit of work."""
    lock(receiver_ids)
    ids = sorted(receiver_ids)
    threads = Threads()
    for receiver_id in ids:
        threads.load_of(receiver_id)
    clear(ids)
    store(made_of(ids, weights, threads, clock.now()))


def clear(receiver_ids: Sequence[int]) -> None:
    """Take away every sum of these members. Inside a unit of work that has locked them."""
    for table in _TABLES:
        db.session.execute(delete(table).where(table.receiver_id.in_(receiver_ids)))


def clear_others() -> None:
    """Take away the sums of members who have no entry any more. Inside a unit of work."""
    for table in _TABLES:
        db.session.execute(delete(table).where(table.receiver_id.not_in(select(Entry.receiver_id))))


# The rows of each of the tables of sums, as the driver takes them.
Made = tuple[list[tuple[Any, ...]], ...]


def made_of(ids: Sequence[int], weights: Weights, threads: Threads, now: datetime) -> Made:
    """All sums of these members from the ledger, for `store`: reads only, perhaps in another process."""
    givers: list[tuple[Any, ...]] = []
    companies: list[tuple[Any, ...]] = []
    scores: list[tuple[Any, ...]] = []
    by_scope: list[tuple[Any, ...]] = []
    for receiver_id, items in items_of(ids, weights):
        by_scope += scoping.made_of(receiver_id, items, threads, weights, now)
        tally = Tally(items, weights, now)
        givers += [(receiver_id, giver, *sum_) for giver, sum_ in tally.givers.items()]
        companies += [
            (receiver_id, company, piece.fixed, piece.falling, piece.changes_at, tally.latest[company])
            for company, piece in tally.pieces.items()
        ]
        scores.append(_score_row(receiver_id, tally, weights))
    return tuple(
        bulk.written(table.__table__, columns, rows)
        for (table, columns), rows in zip(_TABLES.items(), (givers, companies, scores, by_scope), strict=True)
    )


def store(made: Made) -> None:
    """Write sums that `made_of` gave, after `clear`. Inside the same unit of work."""
    for (table, columns), rows in zip(_TABLES.items(), made, strict=True):
        bulk.store(table.__table__, columns, rows)


_TABLES: dict[Any, Sequence[str]] = {
    GiverSum: ("receiver_id", "giver", "total", "company", "last_at"),
    CompanySum: ("receiver_id", "company", "fixed", "falling", "changes_at", "last_at"),
    MemberScore: ("receiver_id", *SUMS, "unknown_recent", "ranked_until", "high_until"),
    ScopeScore: scoping.COLUMNS,
}


def _score_row(receiver_id: int, tally: Tally, weights: Weights) -> tuple[Any, ...]:
    recent = tally.recent
    return (
        receiver_id,
        *tally.sums,
        [moment.isoformat() for moment in tally.unknown_at[-KEPT_RECENT:]],
        _until(recent, weights.companies_to_rank),
        _until(recent, HIGH_CONFIDENCE),
    )
