"""Threads and posts made through the services, in one line each. Call inside an application context."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from portal.discussions.models import Board, Post, PostKind, PostState, Thread, ThreadKind
from portal.discussions.services.posting import open_thread, post_comment, post_reply
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.queries import viewer_of


def make_thread(
    author: int | Viewer,
    board_id: int,
    title: str = "How do you isolate one bad partner?",
    body: str = "One is down, and all are late.",
    *,
    kind: ThreadKind = ThreadKind.QUESTION,
    **fields: Any,
) -> Thread:
    """A visible thread with its opening."""
    if kind is ThreadKind.WAR_STORY:
        fields.setdefault(
            "sections",
            {
                "happened": "The partner said “connected” for eleven hours.",
                "cost": "340 shops without prices on a Saturday.",
                "differently": "Watch the age of files, not errors.",
            },
        )
    return open_thread(_viewer(author), board_id, kind=kind, title=title, body=body, **fields)


def make_post(author: int | Viewer, thread: int | Thread, body: str = "Use a lane for each partner.") -> Post:
    """An answer or reply."""
    return post_reply(_viewer(author), thread if isinstance(thread, int) else thread.id, body)


def make_comment(author: int | Viewer, post: int | Post, body: str = "How many workers have you?") -> Post:
    """A comment under a post."""
    return post_comment(_viewer(author), post if isinstance(post, int) else post.id, body)


def opening_of(thread: int | Thread) -> Post:
    """The opening post of a thread."""
    thread_id = thread if isinstance(thread, int) else thread.id
    return db.session.execute(
        db.select(Post).where(Post.thread_id == thread_id, Post.number == 1)
    ).scalar_one()


def hold(post_id: int) -> None:
    """Keep a visible post back as screening does: for its author and moderators only."""
    with unit_of_work():
        post = db.session.get_one(Post, post_id)
        thread = db.session.get_one(Thread, post.thread_id)
        post.state = PostState.HELD
        if post.kind is PostKind.OPENING:
            thread.state = PostState.HELD
        thread.content_version += 1
        db.session.get_one(Board, thread.board_id).content_version += 1


def fill_thread(thread: Thread, author_id: int, numbers: int) -> None:
    """Bring a thread up to so many numbered posts, in bulk."""
    now = clock.now()
    with unit_of_work():
        thread = db.session.get_one(Thread, thread.id)
        first = thread.last_number + 1
        db.session.execute(
            insert(Post),
            [
                {
                    "thread_id": thread.id,
                    "number": number,
                    "kind": PostKind.REPLY,
                    "author_id": author_id,
                    "source": f"Post {number} of many.",
                    "html": f"<p>Post {number} of many.</p>",
                    "excerpt": f"Post {number} of many.",
                    "created_at": now,
                }
                for number in range(first, numbers + 1)
            ],
        )
        thread.last_number = thread.posts_count = numbers
        thread.content_version += 1


def fill_board(board_id: int, author_id: int, threads: int) -> None:
    """Bring so many threads with their openings onto a board, in bulk, a second apart."""
    now = clock.now()
    with unit_of_work():
        for number in range(1, threads + 1):
            moment = now - timedelta(seconds=threads - number)
            thread = Thread(
                board_id=board_id,
                kind=ThreadKind.QUESTION,
                title=f"Question number {number}",
                slug=f"question-number-{number}",
                author_id=author_id,
                created_at=moment,
                last_activity_at=moment,
                last_number=1,
                posts_count=1,
                tags=[],
            )
            db.session.add(thread)
        db.session.flush()
        board = db.session.get_one(Board, board_id)
        board.threads_count += threads
        board.content_version += 1


def _viewer(author: int | Viewer) -> Viewer:
    return viewer_of(author) if isinstance(author, int) else author
