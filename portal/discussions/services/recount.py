"""Every kept counter of discussions computed anew: the definitions, once more, as SQL."""

from sqlalchemy import case, func, or_, select, text, update

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
from portal.kernel.db import db
from portal.kernel.recounting import Difference, how_many, repair, repair_least
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member


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
    return repair(
        Post,
        Vote.post_id,
        {"votes_count": by_members, "score": func.sum(Vote.value)},
        added={"score": Post.base_score},
    ) + repair(Post, PostRevision.post_id, {"revisions_count": func.count(PostRevision.id)})


def _threads() -> list[Difference]:
    visible = Post.state == PostState.VISIBLE
    opening = Post.kind == PostKind.OPENING
    return repair(
        Thread,
        Post.thread_id,
        {
            "posts_count": how_many(visible, Post.number.is_not(None)),
            "answers_count": how_many(visible, Post.kind == PostKind.ANSWER),
            "comments_count": how_many(visible, Post.kind == PostKind.COMMENT),
            "score": func.sum(case((opening, Post.score), else_=0)),
        },
    ) + (
        repair(Thread, Follow.thread_id, {"followers_count": func.count(Follow.id)})
        # A number that was given once is never given again, so it may be above what is there.
        + repair_least(Thread, Post.thread_id, {"last_number": func.max(Post.number)})
    )


def _boards() -> list[Difference]:
    return repair(
        Board,
        Thread.board_id,
        {"threads_count": func.count(Thread.id), "posts_count": func.sum(Thread.posts_count)},
        Thread.state == PostState.VISIBLE,
    ) + (
        repair(Board, Follow.board_id, {"followers_count": func.count(Follow.id)})
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
    return repair(Tag, ThreadTag.tag_id, {"threads_count": func.count(ThreadTag.thread_id)}, visible)


def _members() -> list[Difference]:
    visible = Post.state == PostState.VISIBLE
    accepted = Post.id.in_(select(Thread.accepted_post_id).where(Thread.accepted_post_id.is_not(None)))
    return (
        repair(
            Member,
            Thread.author_id,
            {"threads_count": func.count(Thread.id)},
            Thread.state == PostState.VISIBLE,
        )
        + repair(
            Member,
            Post.author_id,
            {
                "posts_count": func.count(Post.id),
                "answers_count": how_many(Post.kind == PostKind.ANSWER),
            },
            visible,
        )
        + repair(Member, Post.author_id, {"accepted_count": func.count(Post.id)}, accepted)
    )
