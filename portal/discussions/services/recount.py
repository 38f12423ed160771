"""Every kept counter computed anew from the rows it counts: the definitions, once more, as SQL."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

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


def _visible_posts(*conditions: Any) -> Any:
    return select(func.count(Post.id)).where(Post.state == PostState.VISIBLE, *conditions)


def recount() -> list[Difference]:
    """Repair every counter of discussions; gives those that were wrong, with how many rows."""
    numbered = Post.number.is_not(None)
    found: list[Difference] = []

    def repair(model: type[Base], column: Any, right: ColumnElement[Any]) -> None:
        result = db.session.execute(
            update(model).where(column != right).values({column: right}),
            execution_options={"synchronize_session": False},
        )
        if result.rowcount:  # type: ignore[attr-defined]
            found.append(Difference(f"{model.__tablename__}.{column.key}", result.rowcount))  # type: ignore[attr-defined]

    with unit_of_work():
        repair(
            Post,
            Post.votes_count,
            _count_of(Vote, Vote.post_id == Post.id, Vote.value == 1, Vote.member_id.is_not(None)),
        )
        votes = select(func.sum(Vote.value)).where(Vote.post_id == Post.id).correlate(Post).scalar_subquery()
        repair(Post, Post.score, Post.base_score + func.coalesce(votes, 0))
        repair(Post, Post.revisions_count, _count_of(PostRevision, PostRevision.post_id == Post.id))
        in_thread = Post.thread_id == Thread.id
        for column, query in (
            (Thread.posts_count, _visible_posts(in_thread, numbered)),
            (Thread.answers_count, _visible_posts(in_thread, Post.kind == PostKind.ANSWER)),
            (Thread.comments_count, _visible_posts(in_thread, Post.kind == PostKind.COMMENT)),
            (Thread.score, select(Post.score).where(in_thread, Post.kind == PostKind.OPENING)),
        ):
            repair(Thread, column, func.coalesce(query.correlate(Thread).scalar_subquery(), 0))
        repair(Thread, Thread.followers_count, _count_of(Follow, Follow.thread_id == Thread.id))
        repair(Board, Board.followers_count, _count_of(Follow, Follow.board_id == Board.id))
        visible = Thread.state == PostState.VISIBLE
        on_board = Thread.board_id == Board.id
        threads = select(func.count(Thread.id)).where(on_board, visible).correlate(Board).scalar_subquery()
        posts = (
            select(func.sum(Thread.posts_count)).where(on_board, visible).correlate(Board).scalar_subquery()
        )
        repair(Board, Board.threads_count, threads)
        repair(Board, Board.posts_count, func.coalesce(posts, 0))
        tagged = (
            select(func.count(Thread.id))
            .join(ThreadTag, ThreadTag.thread_id == Thread.id)
            .where(ThreadTag.tag_id == Tag.id, visible)
            .correlate(Tag)
            .scalar_subquery()
        )
        repair(Tag, Tag.threads_count, tagged)
        _members(repair)
    return found


def _members(repair: Any) -> None:
    own = Post.author_id == Member.id
    opened = select(func.count(Thread.id)).where(
        Thread.author_id == Member.id, Thread.state == PostState.VISIBLE
    )
    accepted = select(func.count(Thread.id)).join(Post, Post.id == Thread.accepted_post_id).where(own)
    for column, query in (
        (Member.threads_count, opened),
        (Member.posts_count, _visible_posts(own)),
        (Member.answers_count, _visible_posts(own, Post.kind == PostKind.ANSWER)),
        (Member.accepted_count, accepted),
    ):
        repair(Member, column, query.correlate(Member).scalar_subquery())


def _count_of(model: type[Base], *conditions: Any) -> ColumnElement[int]:
    key = next(iter(model.__table__.primary_key))
    return select(func.count(key)).where(*conditions).correlate_except(model).scalar_subquery()
