"""The running sums: what one event changes is worked out again from few rows, the rest stays as it is.

A person's sum follows from that person's entries, a company's from its persons' sums, the member's from the
companies'. Time alone changes nothing but the moment at which a limit stops to bind; `renew_due` looks then.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.advocacy import keys
from portal.advocacy.formula import HIGH_CONFIDENCE, KEPT_RECENT, YEAR_DAYS, Weights, company_piece
from portal.advocacy.models import Act, CompanySum, Counts, Entry, GiverSum, MemberScore, Rule, ScopeScore
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import account_of, rows_by_receiver, rows_of_pair
from portal.advocacy.queries.scopes import Threads
from portal.advocacy.queries.tallies import Tally, items_of
from portal.advocacy.services import scoping
from portal.advocacy.services.recording import Change
from portal.kernel import clock
from portal.kernel.db import db, flushed_rows
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work

RENEW_JOB = "renew scores whose limits changed"
_ONCE = 200  # members rebuilt in one transaction
YEAR = timedelta(days=YEAR_DAYS)
# Made once: at every event the making would cost as much as the running.
_OF_COMPANY = select(GiverSum.total, GiverSum.last_at).where(
    GiverSum.receiver_id == bindparam("receiver"), GiverSum.company == bindparam("company")
)
_GIVER_AND_COMPANY = select(GiverSum.giver, GiverSum.company, GiverSum.total, GiverSum.last_at).where(
    GiverSum.receiver_id == bindparam("receiver"),
    or_(GiverSum.giver == bindparam("giver"), GiverSum.company == bindparam("company")),
)
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
    """Let no other unit of work write entries or sums of these members. Inside a unit of work."""
    for receiver_id in sorted(set(receiver_ids)):
        one_at_a_time(f"score:{receiver_id}")


def fold(changes: Sequence[Change], weights: Weights | None = None) -> None:
    """Have the sums follow what was written to the ledger. Inside the same unit of work."""
    if not changes:
        return
    touched: dict[int, _Touched] = defaultdict(_Touched)
    weights = weights or weights_queries.current()
    for change in changes:
        for row, sign in ((_plain(change.before), -1), (_plain(change.now), 1)):
            if row is None or row["act"] is Act.REVERSED or row["counts"] is Counts.NONE:
                continue
            part = touched[row["receiver_id"]]
            worth = sign * weights.frozen(row["occurred_at"])
            if row["counts"] is Counts.PARTICIPATION:
                part.given += worth
            elif keys.is_unknown(row["giver_key"]):
                part.unknown += worth
                part.unknown_changed = True
            else:
                part.pairs.add((row["giver_key"], row["rule"] is Rule.CONVERSATION))
    for receiver_id, part in touched.items():
        _fold_member(receiver_id, part, weights)
    scoping.note(change.now for change in changes)


class _Touched:
    def __init__(self) -> None:
        self.given = self.unknown = 0.0
        self.unknown_changed = False
        self.pairs: set[tuple[str, bool]] = set()


def _plain(row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    return row if isinstance(row, dict) else row._asdict()


def _fold_member(receiver_id: int, part: _Touched, weights: Weights) -> None:
    now = clock.now()
    score = db.session.get(MemberScore, receiver_id)
    if score is None:
        score = MemberScore(
            receiver_id=receiver_id,
            fixed=0.0,
            falling=0.0,
            unknown=0.0,
            given=0.0,
            recent=[],
            unknown_recent=[],
        )
        db.session.add(score)
    elif score.changes_at is not None and score.changes_at <= now:
        _renew_companies(receiver_id, weights, now)
    score.given = max(0.0, score.given + part.given)
    score.unknown = max(0.0, score.unknown + part.unknown)
    for key, is_hidden in part.pairs:
        _renew_pair(receiver_id, key, is_hidden, weights, now)
    if part.unknown_changed:
        score.unknown_recent = [moment.isoformat() for moment in _unknown_recent(receiver_id)]
    _renew_member(score, weights)
    db.session.flush()  # the next event of this unit reads these rows


def _renew_pair(receiver_id: int, key: str, is_hidden: bool, weights: Weights, now: datetime) -> None:
    """One person's sum anew from the entries, and those of the companies concerned."""
    giver = key if is_hidden else keys.hidden(receiver_id, key)
    plain = _plain_key(receiver_id, giver) if is_hidden else key
    rows = rows_of_pair(receiver_id, *(one for one in (giver, plain) if one))
    pair = account_of(receiver_id, rows, weights, hashed=True).pairs.get(giver)
    company = pair.company if pair is not None else ""
    about = {"receiver": receiver_id, "giver": giver, "company": company}
    found = flushed_rows(_GIVER_AND_COMPANY, about).all()
    before = next((row.company for row in found if row.giver == giver), None)
    if pair is not None:
        flushed_rows(
            _upsert(GiverSum, "giver"),
            {
                "receiver_id": receiver_id,
                "giver": giver,
                "company": company,
                "total": pair.total,
                "last_at": pair.last_at,
            },
        )
        givers = [(row.total, row.last_at) for row in found if row.company == company and row.giver != giver]
        _store_company(receiver_id, company, [*givers, (pair.total, pair.last_at)], weights, now)
    elif before is not None:
        flushed_rows(delete(GiverSum).where(GiverSum.receiver_id == receiver_id, GiverSum.giver == giver))
    if before is not None and before != company:
        _renew_company(receiver_id, before, weights, now)


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
        _store_company(receiver_id, company, [(row.total, row.last_at) for row in rows], weights, now)
    else:
        flushed_rows(
            delete(CompanySum).where(CompanySum.receiver_id == receiver_id, CompanySum.company == company)
        )


def _store_company(
    receiver_id: int, company: str, givers: Sequence[tuple[float, datetime]], weights: Weights, now: datetime
) -> None:
    piece = company_piece(weights, [total for total, _last_at in givers], now)
    flushed_rows(
        _upsert(CompanySum, "company"),
        {
            "receiver_id": receiver_id,
            "company": company,
            "fixed": piece.fixed,
            "falling": piece.falling,
            "changes_at": piece.changes_at,
            "last_at": max(last_at for _total, last_at in givers),
        },
    )


@cache
def _upsert_for(dialect_name: str, model: Any, key: str) -> Any:
    dialect: Any = postgresql if dialect_name == "postgresql" else sqlite
    statement = dialect.insert(model.__table__)
    own = {"receiver_id", key}
    changed = {column.name: statement.excluded[column.name] for column in model.__table__.c}
    return statement.on_conflict_do_update(
        index_elements=["receiver_id", key],
        set_={name: value for name, value in changed.items() if name not in own},
    )


def _upsert(model: Any, key: str) -> Any:
    """Write a row, or the other columns of the one that is there."""
    return _upsert_for(db.engine.dialect.name, model, key)


def _renew_companies(receiver_id: int, weights: Weights, now: datetime) -> None:
    """The companies whose limits have stopped to bind."""
    due = db.session.execute(
        select(CompanySum.company).where(CompanySum.receiver_id == receiver_id, CompanySum.changes_at <= now)
    ).scalars()
    for company in list(due):
        _renew_company(receiver_id, company, weights, now)


def _renew_member(score: MemberScore, weights: Weights) -> None:
    about = {"receiver": score.receiver_id}
    fixed, falling, changes_at = flushed_rows(_SUM_OF_COMPANIES, about).one()
    latest = [row.last_at for row in flushed_rows(_LATEST_COMPANIES, about)]
    score.fixed, score.falling, score.changes_at = float(fixed), float(falling), changes_at
    moments = [*latest, *(datetime.fromisoformat(one) for one in score.unknown_recent)]
    _set_recent(score, sorted(moments, reverse=True)[:KEPT_RECENT], weights)


def _set_recent(score: MemberScore, moments: list[datetime], weights: Weights) -> None:
    score.recent = [moment.isoformat() for moment in moments]
    score.ranked_until = _until(moments, weights.companies_to_rank)
    score.high_until = _until(moments, HIGH_CONFIDENCE)


def _until(moments: Sequence[datetime], companies: int) -> datetime | None:
    return moments[companies - 1] + YEAR if len(moments) >= companies else None


def _unknown_recent(receiver_id: int) -> list[datetime]:
    rows = rows_by_receiver((Entry.receiver_id == receiver_id) & Entry.giver_key.startswith(keys.UNKNOWN))
    for _receiver, found in rows:
        return account_of(receiver_id, found, Weights()).unknown_at[-KEPT_RECENT:]
    return []


def renew_due(most: int = 500) -> int:
    """Look again at members for whom a limit has stopped to bind; gives how many."""
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
            score = db.session.get(MemberScore, receiver_id)
            if score is not None:
                weights = weights_queries.current()
                _renew_companies(receiver_id, weights, now)
                _renew_member(score, weights)
    return len(due)


def rebuild(progress: Any = lambda _done, _of: None, *, weights: Weights | None = None) -> int:
    """Work out every sum anew from the ledger; gives how many members have entries."""
    ids = list(db.session.execute(select(Entry.receiver_id).distinct().order_by(Entry.receiver_id)).scalars())
    with unit_of_work():
        for table in (GiverSum, CompanySum, MemberScore, ScopeScore):
            db.session.execute(delete(table).where(table.receiver_id.not_in(select(Entry.receiver_id))))
    weights = weights or weights_queries.current()
    threads = Threads()
    threads.load_all()
    for start in range(0, len(ids), _ONCE):
        some = ids[start : start + _ONCE]
        with unit_of_work():
            lock(some)
            _rebuild(some, weights, threads)
        progress(min(start + _ONCE, len(ids)), len(ids))
    return len(ids)


def _rebuild(ids: Sequence[int], weights: Weights, threads: Threads) -> None:
    now = clock.now()
    givers: list[dict[str, Any]] = []
    companies: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    by_scope: list[dict[str, Any]] = []
    for table in (GiverSum, CompanySum, MemberScore, ScopeScore):
        db.session.execute(delete(table).where(table.receiver_id.in_(ids)))
    for receiver_id, items in items_of(ids, weights):
        by_scope += scoping.made_of(receiver_id, items, threads, weights, now)
        tally = Tally(items, weights, now)
        givers += [
            {
                "receiver_id": receiver_id,
                "giver": giver,
                "company": company,
                "total": total,
                "last_at": last_at,
            }
            for giver, (total, company, last_at) in tally.givers.items()
        ]
        companies += [
            {
                "receiver_id": receiver_id,
                "company": company,
                "fixed": piece.fixed,
                "falling": piece.falling,
                "changes_at": piece.changes_at,
                "last_at": tally.latest[company],
            }
            for company, piece in tally.pieces.items()
        ]
        scores.append(_score_row(receiver_id, tally, weights))
    made = ((GiverSum, givers), (CompanySum, companies), (MemberScore, scores), (ScopeScore, by_scope))
    for model, found in made:
        if found:
            plain: Any = model.__table__
            db.session.connection().execute(insert(plain), found)


def _score_row(receiver_id: int, tally: Tally, weights: Weights) -> dict[str, Any]:
    recent = tally.recent
    return {
        "receiver_id": receiver_id,
        **tally.sums,
        "unknown_recent": [moment.isoformat() for moment in tally.unknown_at[-KEPT_RECENT:]],
        "ranked_until": _until(recent, weights.companies_to_rank),
        "high_until": _until(recent, HIGH_CONFIDENCE),
    }
