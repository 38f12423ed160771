"""What moderation does when something happens in a thread: cases of held posts, the audit log."""

from sqlalchemy import select

from portal.discussions.events import PostEdited, PostHeld, PostRemoved, ThreadChanged, ToolUsed
from portal.discussions.models import Post, Thread
from portal.kernel import audit
from portal.kernel.db import db
from portal.moderation.services import cases, tooling


def open_case_of_held_post(event: PostHeld) -> None:
    """Every held post is a case in the queue."""
    cases.open_held_case(event.post_id, event.reasons)


def withdraw_case_of_deleted_post(event: PostRemoved) -> None:
    """Its author deleted it, so nobody has to look any more."""
    cases.withdraw_held_case(event.post_id)


def record_change_of_thread(event: ThreadChanged) -> None:
    """What a moderator did to a whole thread stands in the audit log; an author's own new title does not."""
    row = db.session.execute(
        select(Thread.author_id, Thread.board_id).where(Thread.id == event.thread_id)
    ).one()
    if event.what == "retitled" and event.by_id == row.author_id:
        return
    action = {"retitled": "retitle thread", "split": "split thread", "merged": "merge threads"}.get(
        event.what, f"thread {event.what}"
    )
    audit.record(
        event.by_id, action, "thread", event.thread_id, event.reason, area="threads", board_id=row.board_id
    )


def record_edit_by_other(event: PostEdited) -> None:
    """A change of somebody else's words stands in the audit log."""
    row = db.session.execute(
        select(Post.author_id, Thread.board_id)
        .join(Thread, Thread.id == Post.thread_id)
        .where(Post.id == event.post_id)
    ).one()
    if event.editor_id != row.author_id:
        audit.record(
            event.editor_id, "edit post", "post", event.post_id, area="threads", board_id=row.board_id
        )


def note_tool(event: ToolUsed) -> None:
    """The author hears of it with rule and reason, and the public log has it."""
    tooling.note_tool(event)
