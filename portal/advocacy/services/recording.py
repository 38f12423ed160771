"""Brings the ledger to what posts, votes, acceptances and ratings say: by rows added, never by edits.

One event and a rebuild go the same way: what should stand (`queries.deeds`) is compared with the last row of
each source, and the difference is written. What a moderator reversed stays so until a moderator restores it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, select

from portal.advocacy.models import Act, Entry, Rule
from portal.advocacy.queries.deeds import Deed, month_of
from portal.kernel import clock
from portal.kernel.db import db, flushed_rows

Source = tuple[Rule, str]

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


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was added, and what its source said before."""

    before: Any | None
    now: Mapping[str, Any]


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
    changes = []
    seen = set()
    now = clock.now()
    for deed in wanted:
        key = (deed.rule, deed.source)
        seen.add(key)
        if (change := _follow(deed, last.get(key), now)) is not None:
            changes.append(change)
    if reverse_others:
        changes += [
            Change(row, _again(row, Act.REVERSED, now))
            for key, row in last.items()
            if key not in seen and row.act is not Act.REVERSED
        ]
    if changes:
        table: Any = Entry.__table__
        db.session.connection().execute(insert(table), [change.now for change in changes])
    return changes


def correct(row: Any, act: Act, *, by_id: int, reason: str, case_id: int | None = None) -> Change:
    """Write a moderator's reversal or restoration of what stands last. Inside a unit of work."""
    values = {**_again(row, act, clock.now()), "by_id": by_id, "reason": reason, "case_id": case_id}
    table: Any = Entry.__table__
    db.session.connection().execute(insert(table), [values])
    return Change(row, values)


def _follow(deed: Deed, row: Any | None, now: datetime) -> Change | None:
    if row is None:
        return Change(None, _values(deed, 0, Act.MADE, deed.occurred_at, now, None))
    same_event = row.receiver_id == deed.receiver_id and row.occurred_at == deed.occurred_at
    if row.act is Act.REVERSED:
        if row.by_id is not None:
            return None
        if not same_event:
            return Change(row, _values(deed, row.turn + 1, Act.MADE, deed.occurred_at, now, None))
        return Change(row, _values(deed, row.turn + 1, Act.RESTORED, now, now, row.id))
    if same_event and (row.counts, row.damped, row.giver_id, row.giver_company, row.receiver_company) == (
        deed.counts,
        deed.damped,
        deed.giver_id,
        deed.giver_company,
        deed.receiver_company,
    ):
        return None
    return Change(row, _values(deed, row.turn + 1, Act.REVISED, now, now, row.id))


def _values(
    deed: Deed, turn: int, act: Act, at: datetime, now: datetime, reverses_id: int | None
) -> dict[str, Any]:
    if deed.rule is Rule.CONVERSATION:  # no row says more than the month
        at, now = month_of(at), month_of(now)
    return {
        "rule": deed.rule,
        "source": deed.source,
        "turn": turn,
        "act": act,
        "reverses_id": reverses_id,
        "counts": deed.counts,
        "damped": deed.damped,
        "receiver_id": deed.receiver_id,
        "receiver_company": deed.receiver_company,
        "giver_id": deed.giver_id,
        "giver_key": deed.giver_key,
        "giver_company": deed.giver_company,
        "post_id": deed.post_id,
        "thread_id": deed.thread_id,
        "occurred_at": deed.occurred_at,
        "at": at,
        "recorded_at": now,
    }


def _again(row: Any, act: Act, now: datetime) -> dict[str, Any]:
    """The same fact with another act."""
    deed = Deed(*(getattr(row, name) for name in _FIELDS))
    return _values(deed, row.turn + 1, act, now, now, row.id)


_FIELDS = tuple(Deed.__dataclass_fields__)
