"""Whom other numbers would move: worked out from the ledger, nothing is written."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.advocacy.formula import Weights
from portal.advocacy.models import Act, Counts, Damped, Entry, Rule
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.queries.accounts import COLUMNS, Account
from portal.advocacy.queries.standing import ranking, rising
from portal.kernel import clock
from portal.kernel.db import db
from portal.members.models import Member

LOOKED_AT = 300  # members of the ranking, and a third as many who are rising
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Moved:
    """One member under both: rank (None: not ranked) and number."""

    name: str
    username: str
    rank_now: int | None
    rank_then: int | None
    now: float
    then: float


@dataclass(frozen=True)
class Preview:
    """What would change: of how many that were looked at, how many move, and those who move most."""

    looked_at: int
    enter: int
    leave: int
    move: int
    most: list[Moved]


@dataclass(slots=True)
class _Row:
    rule: Rule
    source: str
    act: Act
    counts: Counts
    giver_key: str
    giver_company: str
    occurred_at: Any
    id: int


def preview(then: Weights, most: int = SHOWN) -> Preview:
    """How the ranking would change today: how many move, and the `most` that move farthest."""
    now = weights_queries.current()
    ids = [one.member_id for one in [*ranking(LOOKED_AT), *rising(LOOKED_AT // 3, approachable=False)]]
    ids = list(dict.fromkeys(ids))
    if not ids:
        return Preview(0, 0, 0, 0, [])
    names = {
        row.id: row
        for row in db.session.execute(
            select(Member.id, Member.name, Member.username).where(Member.id.in_(ids))
        )
    }
    by_member: dict[int, dict[Any, Any]] = defaultdict(dict)
    query = (
        select(*COLUMNS, Entry.damped, Entry.post_id).where(Entry.receiver_id.in_(ids)).order_by(Entry.turn)
    )
    for row in db.session.execute(query):
        by_member[row.receiver_id][row.rule, row.source] = row
    before = [_value(one, by_member[one].values(), now, None) for one in ids]
    after = [_value(one, by_member[one].values(), then, then.votes_per_post) for one in ids]
    ranks_now, ranks_then = _ranks(before), _ranks(after)
    moved = [
        Moved(
            names[one].name,
            names[one].username,
            ranks_now.get(one),
            ranks_then.get(one),
            value_now[1],
            value_then[1],
        )
        for one, value_now, value_then in zip(ids, before, after, strict=True)
        if ranks_now.get(one) != ranks_then.get(one)
    ]
    moved.sort(key=_how_far, reverse=True)
    return Preview(
        len(ids),
        sum(one.rank_now is None for one in moved),
        sum(one.rank_then is None for one in moved),
        len(moved),
        moved[:most],
    )


def _how_far(one: Moved) -> tuple[int, float]:
    if one.rank_now is None or one.rank_then is None:
        return LOOKED_AT * 10, max(one.now, one.then)
    return abs(one.rank_now - one.rank_then), max(one.now, one.then)


def _value(
    member_id: int, rows: Iterable[Any], weights: Weights, votes: int | None
) -> tuple[int, float, bool]:
    """Member, number, and whether ranked; with `votes` as many upvotes a post count."""
    kept = [row for row in rows if row.act is not Act.REVERSED]
    taken = kept if votes is None else _with_votes(kept, votes)
    account = Account(member_id, weights, hashed=any(row.rule is Rule.CONVERSATION for row in kept))
    for row in taken:
        account.take(row)
    value = account.value(clock.now())
    return member_id, value.helpfulness, value.companies >= weights.companies_to_rank


def _with_votes(rows: Sequence[Any], most: int) -> list[Any]:
    by_post: dict[int | None, list[Any]] = defaultdict(list)
    found = []
    for row in rows:
        if row.rule is Rule.VOTE and row.damped in (Damped.NOTHING, Damped.FIVE):
            by_post[row.post_id].append(row)
        else:
            found.append(row)
    for votes in by_post.values():
        votes.sort(key=lambda row: (row.occurred_at, row.id))
        found += [
            _Row(
                row.rule,
                row.source,
                row.act,
                Counts.THANKS,
                row.giver_key,
                row.giver_company,
                row.occurred_at,
                row.id,
            )
            for row in votes[:most]
        ]
    return found


def _ranks(values: Sequence[tuple[int, float, bool]]) -> dict[int, int]:
    ordered = sorted((one for one in values if one[2]), key=lambda one: (-one[1], one[0]))
    return {member_id: place for place, (member_id, _number, _ranked) in enumerate(ordered, start=1)}
