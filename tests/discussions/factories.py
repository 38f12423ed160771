"""Threads and posts made through the services, in one line each. Call inside an application context."""

from typing import Any

from portal.discussions.models import Post, Thread, ThreadKind
from portal.discussions.services.posting import open_thread, post_comment, post_reply
from portal.kernel.access import Viewer
from portal.kernel.db import db
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


def opening_of(thread: Thread) -> Post:
    """The opening post of a thread."""
    return db.session.execute(
        db.select(Post).where(Post.thread_id == thread.id, Post.number == 1)
    ).scalar_one()


def _viewer(author: int | Viewer) -> Viewer:
    return viewer_of(author) if isinstance(author, int) else author
