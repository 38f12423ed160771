"""Kept counters computed anew from the rows they count.

Each table is counted once, grouped by what the counters belong to, and compared with what is stored; only
rows that are wrong are written.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, case, func, or_, select, update

from portal.kernel.db import Base, db


@dataclass(frozen=True)
class Difference:
    """A counter that was wrong, and is now right."""

    counter: str
    rows: int


def how_many(*conditions: Any) -> Any:
    """SQL: how many rows of the group meet all conditions."""
    condition = conditions[0]
    for other in conditions[1:]:
        condition = condition & other
    return func.sum(case((condition, 1), else_=0))


def repair(
    model: type[Base], key: Any, counts: dict[str, Any], *conditions: Any, added: dict[str, Any] | None = None
) -> list[Difference]:
    """Set the columns of `model` to the counts over the rows whose `key` names it; none of them: nought.

    `added` is what stands in the row itself and comes on top of a count.
    """
    table: Any = model.__table__
    grouped = (
        select(key.label("key"), *(count.label(name) for name, count in counts.items()))
        .where(key.is_not(None), *conditions)
        .group_by(key)
        .subquery()
    )
    right = {name: func.coalesce(grouped.c[name], 0) + (added or {}).get(name, 0) for name in counts}
    wrong = db.session.execute(
        select(
            table.c.id.label("of"),
            *(table.c[name].label(f"stored_{name}") for name in counts),
            *(value.label(f"right_{name}") for name, value in right.items()),
        )
        .select_from(table)
        .outerjoin(grouped, grouped.c.key == table.c.id)
        .where(or_(*(table.c[name] != value for name, value in right.items())))
    ).all()
    if not wrong:
        return []
    db.session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("of"))
        .values({name: bindparam(f"right_{name}") for name in counts}),
        [
            {"of": row.of} | {f"right_{name}": int(row._mapping[f"right_{name}"]) for name in counts}
            for row in wrong
        ],
    )
    differing = Counter(
        name
        for row in wrong
        for name in counts
        if row._mapping[f"stored_{name}"] != row._mapping[f"right_{name}"]
    )
    return [
        Difference(f"{model.__tablename__}.{name}", differing[name]) for name in counts if differing[name]
    ]


def repair_least(model: type[Base], key: Any, least: dict[str, Any]) -> list[Difference]:
    """Raise the columns of `model` to what the rows whose `key` names it show that they must be at least."""
    differences = []
    table: Any = model.__table__
    for name, value in least.items():
        grouped = (
            select(key.label("key"), value.label("least")).where(key.is_not(None)).group_by(key).subquery()
        )
        right = select(grouped.c.least).where(grouped.c.key == table.c.id).scalar_subquery()
        wrong = table.c.id.in_(
            select(table.c.id)
            .join(grouped, grouped.c.key == table.c.id)
            .where(table.c[name] < grouped.c.least)
        )
        ids = db.session.execute(select(table.c.id).where(wrong)).scalars().all()
        if ids:
            db.session.execute(update(table).where(table.c.id.in_(ids)).values({name: right}))
            differences.append(Difference(f"{table.name}.{name}", len(ids)))
    return differences
