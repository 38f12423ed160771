"""Brings the ledger to what posts, votes, ratings and the like say: by rows added, never by edits.

One event and a rebuild go the same way: what should stand (`queries.deeds`) is compared with the last row of
each source, and the difference is written. What a moderator reversed stays so until a moderator restores it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, select

from portal.advocacy.models import Act, Counts, Damped, Entry, Rule
from portal.advocacy.queries.deeds import Deed, month_of
from portal.kernel import bulk, clock
from portal.kernel.db import flushed_rows

Source = tuple[Rule, str]

_TABLE: Any = Entry.__table__
_COLUMNS = (
    Entry.id,
    Entry.rule,
    Entry.source,
    Entry.turn,
    Entry.act,
    Entry.counts,
    Entry.damped,
    Entry.receiver_id,
    Entry.receiver_company,
    Entry.giver_id,
    Entry.giver_key,
    Entry.giver_company,
    Entry.post_id,
    Entry.thread_id,
    Entry.occurred_at,
    Entry.at,
    Entry.by_id,
)


_VOTES_ON = (
    select(*_COLUMNS)
    .where(Entry.rule == bindparam("rule"), Entry.post_id.in_(bindparam("posts", expanding=True)))
    .order_by(Entry.turn)
)


class Line(NamedTuple):
    """A row to be added, column by column."""

    rule: Rule
    source: str
    turn: int
    act: Act
    reverses_id: int | None
    counts: Counts
    damped: Damped
    receiver_id: int
    receiver_company: str
    giver_id: int | None
    giver_key: str
    giver_company: str
    post_id: int | None
    thread_id: int | None
    occurred_at: datetime
    at: datetime
    recorded_at: datetime
    by_id: int | None = None
    reason: str = ""
    case_id: int | None = None


class Change(NamedTuple):
    """A row that was added, and what its source said before."""

    before: Any | None
    now: Line


def last_rows(where: ColumnElement[bool]) -> dict[Source, Any]:
    """The row that rules of each source; `where` is about Entry and takes whole chains."""
    return _last(flushed_rows(select(*_COLUMNS).where(where).order_by(Entry.turn)))


def last_votes(post_ids: Sequence[int]) -> dict[Source, Any]:
    """The same for the votes on these posts."""
    return _last(flushed_rows(_VOTES_ON, {"posts": list(post_ids), "rule": Rule.VOTE}))


def _last(rows: Iterable[Any]) -> dict[Source, Any]:
    return {(row.rule, row.source): row for row in rows}


def standing(last: Mapping[Source, Any]) -> dict[Source, tuple[str, str, datetime]]:
    """What `queries.deeds` needs to know of entries that are there."""
    return {key: (row.giver_company, row.receiver_company, row.occurred_at) for key, row in last.items()}


def bring_to(
    wanted: Iterable[Deed], last: Mapping[Source, Any], *, reverse_others: bool = True
) -> list[Change]:
    """Write what is missing in the ledger and reverse what should no longer stand; gives the changes.

    Inside a unit of work. `last` are all chains of the part that `wanted` is about.
    """
    changes = list(_differences(wanted, last, reverse_others))
    _write([change.now for change in changes])
    return changes


def correct(row: Any, act: Act, *, by_id: int, reason: str, case_id: int | None = None) -> Change:
    """Write a moderator's reversal or restoration of what stands last. Inside a unit of work."""
    line = _again(row, act, clock.now())._replace(by_id=by_id, reason=reason, case_id=case_id)
    _write([line])
    return Change(row, line)


def missing(
    wanted: Iterable[Deed], last: Mapping[Source, Any], *, reverse_others: bool = True
) -> list[tuple[Any, ...]]:
    """The rows that `bring_to` would write, for `store`: reads only, perhaps in another process."""
    lines = [change.now for change in _differences(wanted, last, reverse_others)]
    return bulk.written(_TABLE, Line._fields, lines)


def store(rows: Sequence[tuple[Any, ...]]) -> int:
    """Write rows that `missing` gave; gives how many. Inside a unit of work."""
    bulk.store(_TABLE, Line._fields, rows)
    return len(rows)


def _write(lines: Sequence[Line]) -> None:
    bulk.insert_rows(_TABLE, Line._fields, lines)


def _differences(
    wanted: Iterable[Deed], last: Mapping[Source, Any], reverse_others: bool
) -> Iterator[Change]:
    now = clock.now()
    if not last:
        for deed in wanted:
            yield Change(None, _line(deed, 0, Act.MADE, deed.occurred_at, now, None))
        return
    seen = set()
    for deed in wanted:
        key = (deed.rule, deed.source)
        seen.add(key)
        if (change := _follow(deed, last.get(key), now)) is not None:
            yield change
    if reverse_others:
        for key, row in last.items():
            if key not in seen and row.act is not Act.REVERSED:
                yield Change(row, _again(row, Act.REVERSED, now))


def _follow(deed: Deed, row: Any | None, now: datetime) -> Change | None:
    if row is None:
        return Change(None, _line(deed, 0, Act.MADE, deed.occurred_at, now, None))
    same_event = row.receiver_id == deed.receiver_id and row.occurred_at == deed.occurred_at
    if row.act is Act.REVERSED:
        if row.by_id is not None:
            return None
        if not same_event:
            # An older event that comes back, as the first of two answers that were taken down: the ledger is
            # read by moments, so it stands from now on, after the reversal.
            since = deed.occurred_at if deed.occurred_at >= row.at else now
            return Change(row, _line(deed, row.turn + 1, Act.MADE, since, now, None))
        return Change(row, _line(deed, row.turn + 1, Act.RESTORED, now, now, row.id))
    if same_event and (row.counts, row.damped, row.giver_id, row.giver_company, row.receiver_company) == (
        deed.counts,
        deed.damped,
        deed.giver_id,
        deed.giver_company,
        deed.receiver_company,
    ):
        return None
    return Change(row, _line(deed, row.turn + 1, Act.REVISED, now, now, row.id))


def _line(deed: Deed, turn: int, act: Act, at: datetime, now: datetime, reverses_id: int | None) -> Line:
    if deed.rule is Rule.CONVERSATION:  # no row says more than the month
        at, now = month_of(at), month_of(now)
    return Line(
        deed.rule,
        deed.source,
        turn,
        act,
        reverses_id,
        deed.counts,
        deed.damped,
        deed.receiver_id,
        deed.receiver_company,
        deed.giver_id,
        deed.giver_key,
        deed.giver_company,
        deed.post_id,
        deed.thread_id,
        deed.occurred_at,
        at,
        now,
    )


def _again(row: Any, act: Act, now: datetime) -> Line:
    """The same fact with another act."""
    deed = Deed(*(getattr(row, name) for name in _FIELDS))
    return _line(deed, row.turn + 1, act, now, now, row.id)


_FIELDS = tuple(Deed.__dataclass_fields__)
