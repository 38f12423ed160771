"""Every kept counter computed anew from the rows it counts: the definitions, once more, as SQL.

Each table is counted once, grouped by what the counters belong to, and compared with what is stored; only
rows that are wrong are written.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, case, func, or_, select, text, update

from portal.discussions.models import (
    Board,
    Follow,
    Post,
    PostKind,
    PostRevision,
    PostState,
    Tag,
    Thread,
    ThreadTag,
    Vote,
)
from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member


@dataclass(frozen=True)
class Difference:
    """A counter that was wrong, and is now right."""

    counter: str
    rows: int


def recount() -> list[Difference]:
    """Repair every counter of discussions; gives those that were wrong, with how many rows."""
    found: list[Difference] = []
    with unit_of_work():
        if db.session.get_bind().dialect.name == "postgresql":
            db.session.execute(text("SET LOCAL statement_timeout = 0"))
        # In this order: each rests on what was counted before it.
        for counters in (_posts, _threads, _boards, _tags, _members):
            found += counters()
    return found


def _posts() -> list[Difference]:
    by_members = func.sum(case((Vote.member_id.is_not(None) & (Vote.value == 1), 1), else_=0))
    return _repair(
        Post,
        Vote.post_id,
        {"votes_count": by_members, "score": func.sum(Vote.value)},
        added={"score": Post.base_score},
    ) + _repair(Post, PostRevision.post_id, {"revisions_count": func.count(PostRevision.id)})


def _threads() -> list[Difference]:
    visible = Post.state == PostState.VISIBLE
    opening = Post.kind == PostKind.OPENING
    return _repair(
        Thread,
        Post.thread_id,
        {
            "posts_count": _how_many(visible, Post.number.is_not(None)),
            "answers_count": _how_many(visible, Post.kind == PostKind.ANSWER),
            "comments_count": _how_many(visible, Post.kind == PostKind.COMMENT),
            "score": func.sum(case((opening, Post.score), else_=0)),
        },
    ) + _repair(Thread, Follow.thread_id, {"followers_count": func.count(Follow.id)})


def _boards() -> list[Difference]:
    return _repair(
        Board,
        Thread.board_id,
        {"threads_count": func.count(Thread.id), "posts_count": func.sum(Thread.posts_count)},
        Thread.state == PostState.VISIBLE,
    ) + (
        _repair(Board, Follow.board_id, {"followers_count": func.count(Follow.id)})
        + _last_activity_of_boards()
    )


def _last_activity_of_boards() -> list[Difference]:
    """A board's last activity is not before its threads'; it stays when a thread leaves."""
    latest = (
        select(func.max(Thread.last_activity_at))
        .where(Thread.board_id == Board.id, Thread.state == PostState.VISIBLE)
        .correlate(Board)
        .scalar_subquery()
    )
    wrong = db.session.execute(
        select(Board.id, latest.label("right")).where(
            latest.is_not(None), or_(Board.last_activity_at.is_(None), Board.last_activity_at < latest)
        )
    ).all()
    for row in wrong:
        db.session.execute(update(Board).where(Board.id == row.id).values(last_activity_at=row.right))
    return [Difference("boards.last_activity_at", len(wrong))] if wrong else []


def _tags() -> list[Difference]:
    visible = ThreadTag.thread_id.in_(select(Thread.id).where(Thread.state == PostState.VISIBLE))
    return _repair(Tag, ThreadTag.tag_id, {"threads_count": func.count(ThreadTag.thread_id)}, visible)


def _members() -> list[Difference]:
    visible = Post.state == PostState.VISIBLE
    accepted = Post.id.in_(select(Thread.accepted_post_id).where(Thread.accepted_post_id.is_not(None)))
    return (
        _repair(
            Member,
            Thread.author_id,
            {"threads_count": func.count(Thread.id)},
            Thread.state == PostState.VISIBLE,
        )
        + _repair(
            Member,
            Post.author_id,
            {
                "posts_count": func.count(Post.id),
                "answers_count": _how_many(Post.kind == PostKind.ANSWER),
            },
            visible,
        )
        + _repair(Member, Post.author_id, {"accepted_count": func.count(Post.id)}, accepted)
    )


def _how_many(*conditions: Any) -> Any:
    condition = conditions[0]
    for other in conditions[1:]:
        condition = condition & other
    return func.sum(case((condition, 1), else_=0))


def _repair(
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
