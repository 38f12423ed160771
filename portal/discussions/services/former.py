"""The texts that a post had before: what its history shows."""

from datetime import datetime

from portal.discussions.models import Post, PostKind, PostRevision, Thread
from portal.discussions.source_formats import markdown_of
from portal.kernel.db import db


def keep_former(post: Post, thread: Thread, *, editor_id: int, reason: str, at: datetime) -> None:
    """Keep what a post says in its history and mark it as edited, before it says something else.

    A reason over 200 characters is cut. Inside a unit of work.
    """
    db.session.add(
        PostRevision(
            post_id=post.id,
            version=post.version,
            title=thread.title if post.kind is PostKind.OPENING else "",
            source=markdown_of(post.source, post.source_format),
            editor_id=editor_id,
            reason=reason[:200],
            created_at=at,
        )
    )
    post.revisions_count += 1
    post.edited_at = at
