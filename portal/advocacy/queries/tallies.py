"""What stands in the ledger now, added up in one pass: for a rebuild of many members, and by scope.

The same numbers as `accounts`, which follows the chains through time; here only the last row of each source
is looked at, so that a million entries take a minute or so.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import String, bindparam, func, or_, select, type_coerce

from portal.advocacy import keys
from portal.advocacy.formula import KEPT_RECENT, Piece, Weights, company_piece
from portal.advocacy.models import Act, Counts, Entry, Rule
from portal.discussions.models import Post
from portal.kernel.db import flushed_rows

PARTICIPATION, UNKNOWN, GIVEN = range(3)
SUMS = ("fixed", "falling", "unknown", "given", "changes_at", "recent")
_THREAD = func.coalesce(Post.thread_id, Entry.thread_id)
_LAST_ROWS = (
    select(
        Entry.receiver_id,
        type_coerce(Entry.rule, String),
        Entry.source,
        type_coerce(Entry.act, String),
        type_coerce(Entry.counts, String),
        Entry.id,
        Entry.giver_key,
        Entry.giver_company,
        Entry.occurred_at,
        _THREAD,
    )
    .outerjoin(Post, Post.id == Entry.post_id)
    .where(
        Entry.receiver_id.in_(bindparam("ids", expanding=True)),
        or_(Entry.counts != Counts.NONE, Entry.turn > 0),
    )
    .order_by(Entry.receiver_id, Entry.turn)
)


class Item(NamedTuple):
    """One entry that counts. Giver and company are keyed hashes; `worth` is as of the epoch."""

    kind: int
    giver: str
    company: str
    worth: float
    at: datetime
    id: int
    thread_id: int | None


class Giver(NamedTuple):
    """What one person's thanks add up to."""

    total: float
    company: str
    last_at: datetime


class Tally:
    """Items added up: sums of persons, of companies as pieces, and of the rest."""

    __slots__ = ("given", "givers", "latest", "pieces", "unknown", "unknown_at")

    def __init__(self, items: Iterable[Item], weights: Weights, now: datetime) -> None:
        self.given = self.unknown = 0.0
        self.unknown_at: list[datetime] = []
        found: dict[str, list[Any]] = {}  # total, first at, its id, company, last at
        for kind, giver, company, worth, at, id_, _thread in items:
            if kind == GIVEN:
                known = found.get(giver)
                if known is None:
                    found[giver] = [worth, at, id_, company, at]
                    continue
                known[0] += worth
                if at < known[1] or (at == known[1] and id_ < known[2]):
                    known[1:4] = at, id_, company  # whoever moves counts where they first thanked
                if at > known[4]:
                    known[4] = at
            elif kind == PARTICIPATION:
                self.given += worth
            else:
                self.unknown += worth
                self.unknown_at.append(at)
        self.unknown_at.sort()
        self.givers = {key: Giver(one[0], one[3], one[4]) for key, one in found.items()}
        totals: dict[str, list[float]] = {}
        self.latest: dict[str, datetime] = {}
        for total, company, last_at in self.givers.values():
            if company in totals:
                totals[company].append(total)
                self.latest[company] = max(last_at, self.latest[company])
            else:
                totals[company], self.latest[company] = [total], last_at
        decay = weights.decay(now)
        self.pieces: dict[str, Piece] = {
            company: company_piece(weights, of, now, decay) for company, of in totals.items()
        }

    def __bool__(self) -> bool:
        return bool(self.givers or self.unknown_at or self.given)

    @property
    def recent(self) -> list[datetime]:
        """When the latest companies last thanked, newest first, those of unknown voters included."""
        moments = [*self.latest.values(), *self.unknown_at[-KEPT_RECENT:]]
        return sorted(moments, reverse=True)[:KEPT_RECENT]

    @property
    def sums(self) -> tuple[Any, ...]:
        """The columns `SUMS` of the tables of sums."""
        fixed = falling = 0.0
        changes_at: datetime | None = None
        for piece in self.pieces.values():
            fixed += piece.fixed
            falling += piece.falling
            if piece.changes_at is not None and (changes_at is None or piece.changes_at < changes_at):
                changes_at = piece.changes_at
        recent = [moment.isoformat() for moment in self.recent]
        return fixed, falling, self.unknown, self.given, changes_at, recent


def sums_of(items: Sequence[Item], weights: Weights, now: datetime) -> tuple[Any, ...]:
    """The columns `SUMS` of these items."""
    if len(items) == 1:  # as with most tags of a member
        only = items[0]
        if only.kind == PARTICIPATION:
            return 0.0, 0.0, 0.0, only.worth, None, []
        if only.kind == UNKNOWN:
            return 0.0, 0.0, only.worth, 0.0, None, [only.at.isoformat()]
        piece = company_piece(weights, [only.worth], now)
        return piece.fixed, piece.falling, 0.0, 0.0, piece.changes_at, [only.at.isoformat()]
    return Tally(items, weights, now).sums


def items_of(receiver_ids: Sequence[int], weights: Weights) -> Iterator[tuple[int, list[Item]]]:
    """What counts of each of these members who has entries."""
    rows = flushed_rows(_LAST_ROWS, {"ids": list(receiver_ids)}).all()
    for receiver_id, some in groupby(rows, key=itemgetter(0)):
        last = {(row[1], row[2]): row for row in some}
        yield receiver_id, list(_items(receiver_id, last.values(), weights))


def _items(receiver_id: int, rows: Iterable[Any], weights: Weights) -> Iterator[Item]:
    hidden: dict[str, str] = {}
    reversed_, none, thanks = Act.REVERSED.value, Counts.NONE.value, Counts.THANKS.value
    secret = Rule.CONVERSATION.value
    for _receiver, rule, _source, act, counts, id_, giver, company, at, thread_id in rows:
        if act == reversed_ or counts == none:
            continue
        worth = weights.frozen(at)
        if counts != thanks:
            yield Item(PARTICIPATION, "", "", worth, at, id_, thread_id)
        elif keys.is_unknown(giver):
            yield Item(UNKNOWN, "", "", worth, at, id_, thread_id)
        elif rule == secret:
            yield Item(GIVEN, giver, company, worth, at, id_, thread_id)
        else:
            for key in (giver, company):
                if key not in hidden:
                    hidden[key] = keys.hidden(receiver_id, key)
            yield Item(GIVEN, hidden[giver], hidden[company], worth, at, id_, thread_id)
