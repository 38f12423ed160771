"""What was changed in a thread since a moment: what goes back, and where somebody has to say what stands."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from portal.discussions.house_rules import taken_out_up_to
from portal.discussions.models import Post, PostKind, PostRevision, PostState, Thread
from portal.kernel.db import db


class Changed(NamedTuple):
    """A post that was edited since, with what it said before each of these edits, the oldest first."""

    post: Post
    title: str  # of its thread now
    former: list[PostRevision]

    @property
    def from_author(self) -> list[PostRevision]:
        """These texts from the first edit by the author on; empty where the author changed nothing."""
        own = [one.editor_id == self.post.author_id for one in self.former]
        return self.former[own.index(True) :] if any(own) else []

    @property
    def needs_a_word(self) -> bool:
        """Whether a rule took words out after the author had changed it, and stands: then neither what it
        said before nor what it says now may simply stand.
        """
        rest = self.from_author
        return any(
            one.editor_id != self.post.author_id
            and one.version <= taken_out_up_to(self.post.id)
            and self._said_after(number) != (one.title, one.source)
            for number, one in enumerate(rest)
        )

    def last_by_author(self) -> tuple[str, str]:
        """Title and text as the author left them last."""
        rest = self.from_author
        last = max(number for number, one in enumerate(rest) if one.editor_id == self.post.author_id)
        return self._said_after(last)

    def _said_after(self, number: int) -> tuple[str, str]:
        rest = self.from_author
        if number + 1 < len(rest):
            return rest[number + 1].title, rest[number + 1].source
        title = self.title if self.post.kind is PostKind.OPENING else ""
        return title, self.post.source


class Clash(NamedTuple):
    """What a post said before its author changed it, for who decides what of that stands again."""

    post_id: int
    number: int | None
    title: str  # "" for what opens no thread
    body: str


def changed_since(thread_id: int, moment: datetime, *, lock: bool = False) -> list[Changed]:
    """The posts of a thread that were edited since, and are there."""
    query = (
        select(PostRevision, Post, Thread.title)
        .join(Post, Post.id == PostRevision.post_id)
        .join(Thread, Thread.id == Post.thread_id)
        .where(
            Post.thread_id == thread_id, PostRevision.created_at >= moment, Post.state != PostState.DELETED
        )
        .order_by(Post.id, PostRevision.id)
    )
    if lock:
        query = query.with_for_update(of=Post)
    found: dict[int, Changed] = {}
    for former, post, title in db.session.execute(query):
        found.setdefault(post.id, Changed(post, title, [])).former.append(former)
    return list(found.values())


def clashes_since(thread_id: int, moment: datetime) -> list[Clash]:
    """Where both its author and a rule changed a post that stood there then, with what it said."""
    return [
        Clash(one.post.id, one.post.number, one.from_author[0].title, one.from_author[0].source)
        for one in changed_since(thread_id, moment)
        if one.post.created_at <= moment and one.needs_a_word
    ]
