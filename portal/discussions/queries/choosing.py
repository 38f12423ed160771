"""What moderators choose from: posts to split off, threads to merge with."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import select

from portal.discussions.authors import BY_POST, named_in_post
from portal.discussions.models import Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import is_wider, thread_is_visible
from portal.discussions.queries.places import ThreadPlace
from portal.discussions.queries.similar import resembling
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.display import person_line, reader_of, with_person

POSTS_A_PAGE = 100
_ADDRESS = re.compile(r"/(threads|posts)/(\d{1,10})(?:/|$)")


class Choosable(NamedTuple):
    """A numbered post that can go into a thread of its own."""

    id: int
    number: int
    author: str
    excerpt: str
    state: str


class Target(NamedTuple):
    """A thread that could take the posts of another."""

    id: int
    slug: str
    title: str
    posts_count: int
    board_name: str


def posts_to_split(viewer: Viewer, thread: ThreadPlace, after: int = 1) -> tuple[list[Choosable], int]:
    """A hundred posts of the thread behind number `after`, and the number to go on from (0: no more)."""
    query = select(Post.id, Post.number, Post.excerpt, Post.state, *BY_POST).select_from(Post)
    rows = db.session.execute(
        with_person(query, Post.author_id)
        .where(
            Post.thread_id == thread.id,
            Post.number > max(after, 1),
            Post.state.in_([PostState.VISIBLE, PostState.HELD]),
        )
        .order_by(Post.number)
        .limit(POSTS_A_PAGE + 1)
    ).all()
    reader = reader_of(viewer)
    posts = [
        Choosable(row.id, row.number, person_line(row, reader).name, row.excerpt, row.state)
        for row in rows[:POSTS_A_PAGE]
    ]
    return posts, posts[-1].number if len(rows) > POSTS_A_PAGE else 0


def author_of_first(viewer: Viewer, thread_id: int, post_ids: list[int]) -> int | None:
    """Who wrote the first of these posts; None where none is chosen, or who it is is not shown."""
    row = db.session.execute(
        select(Post.author_id, named_in_post(viewer).label("named"))
        .where(Post.thread_id == thread_id, Post.id.in_(post_ids), Post.number.is_not(None))
        .order_by(Post.number)
        .limit(1)
    ).one_or_none()
    return row.author_id if row is not None and row.named else None


def begun_by(viewer: Viewer, thread_id: int) -> int | None:
    """Who began the thread; None where who it is is not shown."""
    return db.session.execute(
        select(Post.author_id).where(
            Post.thread_id == thread_id, Post.kind == PostKind.OPENING, named_in_post(viewer)
        )
    ).scalar_one_or_none()


def target_named(moderator: Viewer, text: str) -> Target | None:
    """The thread meant by an address of it, of a post in it, or by its number; None when it is neither."""
    text = text.strip()
    number = re.fullmatch(r"#?(\d{1,10})", text)
    if number:
        return _target(moderator, int(number[1]))
    found = _ADDRESS.match(urlsplit(text).path) if "/" in text else None
    if found is None:
        return None
    if found[1] == "threads":
        return _target(moderator, int(found[2]))
    thread_id = db.session.execute(
        select(Post.thread_id).where(Post.id == int(found[2]), Post.id < 2**31)
    ).scalar_one_or_none()
    return _target(moderator, thread_id) if thread_id else None


def targets_like(moderator: Viewer, thread: ThreadPlace, text: str = "") -> list[Target]:
    """Threads whose titles resemble the text (the thread's own title without one), fit to take its posts."""
    ids = [int(line.url.split("/")[2]) for line in resembling(moderator, text or thread.title)]
    found = {row.id: row for row in _targets(moderator, ids) if row.id != thread.id}
    return [
        Target(*found[id][:5]) for id in ids if id in found and not is_wider(thread.audience, found[id][5])
    ]


def _target(moderator: Viewer, thread_id: int) -> Target | None:
    rows = _targets(moderator, [thread_id] if thread_id < 2**31 else [])
    return Target(*rows[0][:5]) if rows else None


def _targets(moderator: Viewer, ids: list[int]) -> list:
    if not ids:
        return []
    return list(
        db.session.execute(
            select(Thread.id, Thread.slug, Thread.title, Thread.posts_count, Board.name, Board.audience)
            .join(Board, Board.id == Thread.board_id)
            .where(Thread.id.in_(ids), Thread.state == PostState.VISIBLE, thread_is_visible(moderator))
        )
    )
