"""What moderators do to whole threads: close, pin, move, split, merge."""

from sqlalchemy import select, update

from portal.discussions.events import ThreadChanged, ToolUsed
from portal.discussions.house_rules import cited
from portal.discussions.impartiality import check_impartial
from portal.discussions.models import (
    Board,
    Post,
    PostKind,
    PostState,
    Thread,
    ThreadKind,
)
from portal.discussions.policy import is_wider
from portal.discussions.services.acceptance import drop_acceptance
from portal.discussions.services.counting import count_thread, find_activity, touch
from portal.discussions.services.following import follow_silently, move_follows
from portal.discussions.services.lookup import any_thread, board_for, check_moderator, thread_for
from portal.discussions.services.posting import clean_title
from portal.discussions.services.tagging import set_tags
from portal.kernel import clock, events
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid
from portal.kernel.slugs import slugify
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member


def close_thread(moderator: Viewer, thread_id: int, reason: str, *, rule: int | None = None) -> None:
    """Take no more posts; the reason stands on the thread, and its author is told.

    Without a rule it is closed as settled, and its author can open it again; by a rule the author can appeal.
    Raises NotFound, Forbidden, Invalid.
    """
    reason = " ".join(reason.split())[:400]
    if not reason:
        raise Invalid("Say why the thread is closed; it stands on the page.", "reason")
    with unit_of_work():
        thread, board = _for(moderator, thread_id)
        stands = f"{cited(rule).label}: {reason}" if rule is not None else reason
        thread.closed_at, thread.closed_reason = clock.now(), stands[:400]
        _changed(thread, board, moderator.member_id or 0, "closed", stands)
        _tell(moderator, thread.id, _opening_of(thread), "closed", reason, rule)


def reopen_thread(moderator: Viewer, thread_id: int) -> None:
    """Take posts again. Raises NotFound, Forbidden."""
    with unit_of_work():
        thread, board = _for(moderator, thread_id)
        thread.closed_at, thread.closed_reason = None, ""
        _changed(thread, board, moderator.member_id or 0, "reopened")
        _tell(moderator, thread.id, _opening_of(thread), "reopened")


def close_decided(thread_id: int, reason: str, *, by_id: int) -> None:
    """Take no more posts, as a decision on a case says. Inside its unit of work. Raises NotFound."""
    thread, board = any_thread(thread_id)
    thread.closed_at, thread.closed_reason = clock.now(), reason[:400]
    _changed(thread, board, by_id, "closed", reason)


def reopen_decided(thread_id: int, *, by_id: int) -> None:
    """Take posts again, as a decision was taken back. Inside its unit of work. Raises NotFound."""
    thread, board = any_thread(thread_id)
    thread.closed_at, thread.closed_reason = None, ""
    _changed(thread, board, by_id, "reopened")


def pin_thread(moderator: Viewer, thread_id: int, *, pinned: bool = True) -> None:
    """Keep a thread at the top of its board, or no longer. Raises NotFound, Forbidden."""
    with unit_of_work():
        thread, board = _for(moderator, thread_id)
        thread.pinned_at = clock.now() if pinned else None
        _changed(thread, board, moderator.member_id or 0, "pinned" if pinned else "unpinned")


def move_thread(moderator: Viewer, thread_id: int, board_id: int, reason: str = "") -> None:
    """File a thread under another board; from then on that board's audience reads it.

    Never to where more people read: whoever wrote in it wrote for those who could read it then.
    Raises NotFound, Forbidden, Invalid.
    """
    with unit_of_work():
        thread, board = _for(moderator, thread_id)
        target = board_for(moderator, board_id)
        if target.archived_at is not None:
            raise Invalid("That board is archived.", "board")
        if target.id == board.id:
            return
        if is_wider(board.audience, target.audience):
            raise Invalid(
                f"More people read “{target.name}” than those for whom this was written. "
                "Ask whoever wrote it to post it there.",
                "board",
            )
        if thread.state is PostState.VISIBLE:
            count_thread(thread, board, -1)
        thread.board_id = target.id
        if thread.state is PostState.VISIBLE:
            count_thread(thread, target, 1)
            if target.last_activity_at is None or thread.last_activity_at > target.last_activity_at:
                target.last_activity_at = thread.last_activity_at
        _changed(thread, target, moderator.member_id or 0, "moved", reason)
        _tell(moderator, thread.id, _opening_of(thread), "moved", reason)


def split_thread(
    moderator: Viewer, thread_id: int, post_ids: list[int], title: str, reason: str = ""
) -> Thread:
    """Make a new thread of some posts; the first becomes its opening, comments come along.

    Followers of the old thread and the authors of the moved posts follow the new one.
    Raises NotFound, Forbidden; Invalid without posts, with the opening, or with posts from elsewhere.
    """
    title = clean_title(title)
    with unit_of_work():
        thread, board = _for(moderator, thread_id)
        posts = _numbered(thread.id, only=post_ids)
        if not posts or len(posts) != len(set(post_ids)):
            raise Invalid("Choose the posts to take along.", "posts")
        if any(post.kind is PostKind.OPENING for post in posts):
            raise Invalid("The opening stays: move the whole thread instead.", "posts")
        if posts[0].state is not PostState.VISIBLE:
            raise Invalid("The first post taken along becomes the opening, so it must be visible.", "posts")
        if thread.accepted_post_id in post_ids:
            drop_acceptance(thread, board, moderator.member_id or 0)
        first = posts[0]
        kind = thread.kind if thread.kind is not ThreadKind.WAR_STORY else ThreadKind.DISCUSSION
        new = Thread(
            board_id=board.id,
            kind=kind,
            title=title,
            slug=slugify(title),
            author_id=first.author_id,
            author_shown_as=first.author_shown_as,
            created_at=first.created_at,
            last_activity_at=first.created_at,
            state=PostState.VISIBLE,
            tags=[],
            score=first.score,
            **dict.fromkeys(
                (
                    "last_number",
                    "posts_count",
                    "answers_count",
                    "comments_count",
                    "followers_count",
                    "content_version",
                ),
                0,
            ),
        )
        db.session.add(new)
        db.session.flush()
        set_tags(new, list(thread.tags))
        _carry(posts, new, opening=first)
        for part in (thread, new):
            _recount(part)
            find_activity(part)
        board.threads_count += 1
        _count_member_threads(new.author_id, 1)
        for author_id in sorted({post.author_id for post in posts}):
            follow_silently(author_id, new)
        db.session.flush()
        move_follows(thread.id, new)
        _changed(new, board, moderator.member_id or 0, "split", reason)
        _changed(thread, board, moderator.member_id or 0, "split", reason)
        _tell(moderator, new.id, first, "split", reason)
        if thread.author_id != first.author_id:
            _tell(moderator, thread.id, _opening_of(thread), "split", reason)
    return new


def merge_threads(moderator: Viewer, source_id: int, target_id: int, reason: str = "") -> Thread:
    """Append a duplicate's posts to another thread; the old address leads there from now on.

    Followers are carried along, votes stay with their posts. Raises NotFound, Forbidden, Invalid.
    """
    with unit_of_work():
        if source_id == target_id:
            raise Invalid("A thread cannot be merged with itself.", "target")
        source, source_board = _for(moderator, source_id)
        target, target_board = _for(moderator, target_id)
        if source.state is not PostState.VISIBLE or target.state is not PostState.VISIBLE:
            raise Conflict("Both threads must be visible.")
        if is_wider(source_board.audience, target_board.audience):
            raise Invalid(
                f"More people read “{target_board.name}” than those for whom this was written.", "target"
            )
        if source.accepted_post_id is not None:
            drop_acceptance(source, source_board, moderator.member_id or 0)
        count_thread(source, source_board, -1)
        source.state = PostState.DELETED
        source.merged_into_id = target.id
        source.score = 0  # its opening is a post of the target now
        before = target.posts_count
        opening = _opening_of(source)
        _carry(_numbered(source.id), target, opening=None)
        for part in (source, target):
            _recount(part)
        find_activity(target)
        target_board.posts_count += target.posts_count - before
        move_follows(source.id, target)
        _changed(source, source_board, moderator.member_id or 0, "merged", reason)
        _changed(target, target_board, moderator.member_id or 0, "merged", reason)
        _tell(moderator, target.id, opening, "merged", reason)
    return target


def _for(moderator: Viewer, thread_id: int) -> tuple[Thread, Board]:
    thread, board = thread_for(moderator, thread_id)
    check_moderator(moderator)
    check_impartial(moderator, thread.id)
    if board.archived_at is not None:
        raise Forbidden("This board is archived: nothing in it can be changed.")
    return thread, board


def _changed(thread: Thread, board: Board, by_id: int, what: str, reason: str = "") -> None:
    thread.version += 1
    touch(thread, board)
    reason = " ".join(reason.split())[:400]
    events.publish(ThreadChanged(thread.id, by_id, what, reason))


def _opening_of(thread: Thread) -> Post | None:
    query = select(Post).where(Post.thread_id == thread.id, Post.kind == PostKind.OPENING)
    return db.session.execute(query).scalar_one_or_none()


def _tell(
    by: Viewer, thread_id: int, post: Post | None, what: str, reason: str = "", rule: int | None = None
) -> None:
    """Say to those above whose post is concerned; one's own needs no telling."""
    if post is not None and post.author_id != by.member_id:
        reason = " ".join(reason.split())[:400]
        events.publish(ToolUsed(thread_id, post.id, by.member_id or 0, what, reason, rule))


def _numbered(thread_id: int, only: list[int] | None = None) -> list[Post]:
    query = select(Post).where(Post.thread_id == thread_id, Post.number.is_not(None)).order_by(Post.number)
    if only is not None:
        query = query.where(Post.id.in_(only))
    return list(db.session.execute(query).scalars())


def _carry(posts: list[Post], target: Thread, opening: Post | None) -> None:
    """Bring posts and their comments into `target`, numbered on from its last one."""
    for post in posts:
        target.last_number += 1
        was_answer = post.kind is PostKind.ANSWER
        post.thread_id, post.number = target.id, target.last_number
        if post is opening:
            post.kind = PostKind.OPENING
        elif target.kind is ThreadKind.QUESTION and post.author_id != target.author_id:
            post.kind = PostKind.ANSWER
        else:
            post.kind = PostKind.REPLY
        more = (post.kind is PostKind.ANSWER) - was_answer
        if more and post.state is PostState.VISIBLE:
            db.session.execute(
                update(Member)
                .where(Member.id == post.author_id)
                .values(answers_count=Member.answers_count + more)
            )
        db.session.execute(update(Post).where(Post.parent_id == post.id).values(thread_id=target.id))
    db.session.flush()


def _recount(thread: Thread) -> None:
    rows = db.session.execute(
        select(Post.kind, db.func.count())
        .where(Post.thread_id == thread.id, Post.state == PostState.VISIBLE)
        .group_by(Post.kind)
    ).all()
    counts: dict[PostKind, int] = dict(rows)
    thread.comments_count = counts.pop(PostKind.COMMENT, 0)
    thread.answers_count = counts.get(PostKind.ANSWER, 0)
    thread.posts_count = sum(counts.values())


def _count_member_threads(member_id: int, by: int) -> None:
    db.session.execute(
        update(Member).where(Member.id == member_id).values(threads_count=Member.threads_count + by)
    )
