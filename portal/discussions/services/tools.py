"""What moderators do to whole threads: close, pin, move, split, merge."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select, update

from portal.discussions.addresses import thread_address
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
from portal.discussions.services.giving_back import Words, give_back_as_of
from portal.discussions.services.lookup import any_thread, board_for, check_moderator, thread_for
from portal.discussions.services.posting import clean_title
from portal.discussions.services.tagging import set_tags
from portal.kernel import clock, events, form_keys
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid
from portal.kernel.slugs import slugify
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member


def close_thread(
    moderator: Viewer, thread_id: int, reason: str, *, rule: int | None = None, form_key: str = ""
) -> None:
    """Take no more posts; the reason stands on the thread, and its author is told.

    Without a rule it is closed as settled, and its author can open it again; by a rule the author can appeal.
    Raises NotFound, Forbidden, Invalid, Repeated.
    """
    reason = _said(reason, _("Say why the thread is closed; it stands on the page."))
    with form_keys.once(form_key, moderator.member_id or 0) as outcome:
        thread, board = _for(moderator, thread_id)
        stands = f"{cited(rule).label}: {reason}" if rule is not None else reason
        thread.closed_at, thread.closed_reason = clock.now(), stands[:400]
        _changed(thread, board, moderator.member_id or 0, "closed", stands)
        _tell(moderator, thread.id, _opening_of(thread), "closed", reason, rule)
        outcome.place = thread_address(thread.id, thread.slug)


def reopen_thread(moderator: Viewer, thread_id: int) -> None:
    """Take posts again. Raises NotFound, Forbidden."""
    with unit_of_work():
        thread, board = _for(moderator, thread_id)
        if thread.closed_at is None:
            return
        thread.closed_at, thread.closed_reason = None, ""
        _changed(thread, board, moderator.member_id or 0, "reopened")
        _tell(moderator, thread.id, _opening_of(thread), "reopened")


def close_decided(thread_id: int, reason: str, *, by_id: int) -> None:
    """Take no more posts, as a decision on a case says; on a closed thread its reason is the one shown.

    Inside its unit of work. Raises NotFound.
    """
    thread, board = any_thread(thread_id)
    thread.closed_at, thread.closed_reason = thread.closed_at or clock.now(), reason[:400]
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
        if (thread.pinned_at is not None) == pinned:
            return
        thread.pinned_at = clock.now() if pinned else None
        _changed(thread, board, moderator.member_id or 0, "pinned" if pinned else "unpinned")


def move_thread(
    moderator: Viewer,
    thread_id: int,
    board_id: int,
    reason: str,
    *,
    rule: int | None = None,
    form_key: str = "",
) -> None:
    """File a thread under another board, for a reason that its author reads; its audience changes with it.

    Never to where more people read: whoever wrote in it wrote for those who could read it then.
    To where fewer read only by a rule, so that its author can appeal.
    Raises NotFound, Forbidden, Invalid, Repeated.
    """
    reason = _said(reason, _("Say why the thread is moved; its author reads it."), "move_reason")
    with form_keys.once(form_key, moderator.member_id or 0) as outcome:
        thread, board = _for(moderator, thread_id)
        target = board_for(moderator, board_id)
        if target.archived_at is not None:
            raise Invalid(_("That board is archived."), "board")
        if target.id == board.id:
            raise Invalid(_("It stands on that board already."), "board")
        if is_wider(board.audience, target.audience):
            raise Invalid(
                _(
                    "More people read “%(name)s” than those for whom this was written. "
                    "Ask whoever wrote it to post it there.",
                    name=target.name,
                ),
                "board",
            )
        _check_rule(rule, board, target, "move_rule")
        _file_under(thread, board, target)
        _changed(thread, target, moderator.member_id or 0, "moved", reason)
        hides = is_wider(target.audience, board.audience)
        _tell(moderator, thread.id, _opening_of(thread), "moved", reason, rule, left=board, hides=hides)
        outcome.place = thread_address(thread.id, thread.slug)


def put_back_decided(
    post_id: int,
    board_id: int,
    since: datetime,
    *,
    by_id: int,
    tags: list[str] | None = None,
    words: Mapping[int, Words] | None = None,
) -> None:
    """File the thread that this post opens where it stood until `since`, as the decision was overturned.

    What was changed in it since, for fewer readers, reads as it did then (`tags` as well), and whoever wrote
    it has it as a draft; comments written since stay behind in a thread of their own. `words`: what a post
    reads that a rule changed since, too. Inside its unit of work. Raises NotFound; Invalid while it stands in
    another thread, while there are numbered posts in it that were written since, or without the words.
    """
    post = db.session.get_one(Post, post_id)
    thread, board = any_thread(post.thread_id)
    target = db.session.get(Board, board_id)
    if target is None or target.id == board.id or thread.state is PostState.DELETED:
        return
    if post.kind is not PostKind.OPENING:
        raise Invalid(
            _("Its words stand in another thread now. Split them off first, then decide."), "outcome"
        )
    later = select(Post.id).where(
        Post.thread_id == thread.id,
        Post.created_at > since,
        Post.number.is_not(None),
        Post.state.in_([PostState.VISIBLE, PostState.HELD]),
    )
    if is_wider(board.audience, target.audience) and db.session.execute(later.limit(1)).first():
        raise Invalid(
            _("Posts in it were written since, for fewer readers. Split them off first, then decide."),
            "outcome",
        )
    if is_wider(board.audience, target.audience):
        _leave_comments(thread, board, since, by_id)
        give_back_as_of(thread, since, by_id=by_id, words=words)
        if tags is not None and tags != thread.tags:
            set_tags(thread, tags)
    _file_under(thread, board, target)
    _changed(thread, target, by_id, "moved")


def split_thread(
    moderator: Viewer, thread_id: int, post_ids: list[int], title: str, reason: str, *, form_key: str = ""
) -> Thread:
    """Make a new thread of some posts; the first becomes its opening, comments come along.

    Followers of the old thread and the authors of the moved posts follow the new one. The author of the old
    thread and of the first post taken along read the reason.
    Raises NotFound, Forbidden; Invalid without reason or posts, with the opening, or posts from elsewhere;
    Repeated.
    """
    title = clean_title(title)
    reason = _said(reason, _("Say why the thread is split; those who wrote in it read it."))
    with form_keys.once(form_key, moderator.member_id or 0) as outcome:
        thread, board = _for(moderator, thread_id)
        posts = _numbered(thread.id, only=post_ids)
        if not posts or len(posts) != len(set(post_ids)):
            raise Invalid(_("Choose the posts to take along."), "posts")
        if any(post.kind is PostKind.OPENING for post in posts):
            raise Invalid(_("The opening stays: move the whole thread instead."), "posts")
        if posts[0].state is not PostState.VISIBLE:
            raise Invalid(
                _("The first post taken along becomes the opening, so it must be visible."), "posts"
            )
        if thread.accepted_post_id in post_ids:
            drop_acceptance(thread, board, moderator.member_id or 0)
        first = posts[0]
        kind = thread.kind if thread.kind is not ThreadKind.WAR_STORY else ThreadKind.DISCUSSION
        new = _part(thread, board, posts, first, kind, title)
        if thread.state is not PostState.VISIBLE:
            board.posts_count += new.posts_count  # they went with the thread, and come back with the new one
        db.session.flush()
        move_follows(thread.id, new)
        _changed(new, board, moderator.member_id or 0, "split", reason)
        _changed(thread, board, moderator.member_id or 0, "split", reason)
        _tell(moderator, new.id, first, "split", reason)
        if thread.author_id != first.author_id:
            _tell(moderator, thread.id, _opening_of(thread), "split", reason)
        outcome.place = thread_address(new.id, new.slug)
    return new


def _part(
    thread: Thread, board: Board, posts: list[Post], first: Post, kind: ThreadKind, title: str
) -> Thread:
    """A new thread on the board that `first` opens; every author in it follows it. Counts of posts follow."""
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
    return new


def _leave_comments(thread: Thread, board: Board, since: datetime, by_id: int) -> None:
    """Comments written since the moment stay where the thread stands now, as a thread of their own.

    They cannot be split off by hand, and would keep the thread here. Raises Invalid while one of them waits
    for a moderator.
    """
    comments = list(
        db.session.execute(
            select(Post)
            .where(Post.thread_id == thread.id, Post.kind == PostKind.COMMENT, Post.created_at > since)
            .where(Post.state != PostState.DELETED)
            .order_by(Post.id)
            .with_for_update()
        ).scalars()
    )
    if any(post.state is PostState.HELD for post in comments):
        raise Invalid(_("A comment in it waits for a moderator. Decide on that first."), "outcome")
    shown = [post for post in comments if post.state is PostState.VISIBLE]
    if not shown:
        return
    title = clean_title(_("Comments on “%(title)s”", title=thread.title[:160]))
    new = _part(thread, board, comments, shown[0], ThreadKind.DISCUSSION, title)
    board.posts_count += new.posts_count  # comments are counted by no board
    if board.last_activity_at is None or new.last_activity_at > board.last_activity_at:
        board.last_activity_at = new.last_activity_at
    reason = _("The thread they stood in went back to where more people read it.")
    _changed(new, board, by_id, "split", reason)
    if shown[0].author_id != by_id:
        events.publish(ToolUsed(new.id, shown[0].id, by_id, "split", reason))


def merge_threads(
    moderator: Viewer,
    source_id: int,
    target_id: int,
    reason: str,
    *,
    rule: int | None = None,
    form_key: str = "",
) -> Thread:
    """Append a duplicate's posts to another thread; the old address leads there from now on.

    Followers are carried along, votes stay with their posts. The authors of both threads read the reason.
    To where fewer people read only by a rule, so that whoever began it can appeal.
    Raises NotFound, Forbidden, Conflict, Invalid, Repeated.
    """
    reason = _said(reason, _("Say why the threads are merged; whoever began them reads it."))
    with form_keys.once(form_key, moderator.member_id or 0) as outcome:
        if source_id == target_id:
            raise Invalid(_("A thread cannot be merged with itself."), "target")
        source, source_board = _for(moderator, source_id)
        target, target_board = _for(moderator, target_id)
        if source.state is not PostState.VISIBLE or target.state is not PostState.VISIBLE:
            raise Conflict(_("Both threads must be visible."))
        if is_wider(source_board.audience, target_board.audience):
            raise Invalid(
                _(
                    "More people read “%(name)s” than those for whom this was written.",
                    name=target_board.name,
                ),
                "target",
            )
        _check_rule(rule, source_board, target_board, "rule")
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
        hides = is_wider(target_board.audience, source_board.audience)
        _tell(
            moderator,
            target.id,
            opening,
            "merged",
            reason,
            rule,
            left=source_board,
            source=source,
            hides=hides,
        )
        if target.author_id != source.author_id:
            _tell(moderator, target.id, _opening_of(target), "merged", reason)
        outcome.place = thread_address(target.id, target.slug)
    return target


def _said(reason: str, without: str, field: str = "reason") -> str:
    reason = " ".join(reason.split())[:400]
    if not reason:
        raise Invalid(without, field)
    return reason


def _for(moderator: Viewer, thread_id: int) -> tuple[Thread, Board]:
    thread, board = thread_for(moderator, thread_id)
    check_moderator(moderator)
    check_impartial(moderator, thread.id)
    if board.archived_at is not None:
        raise Forbidden(_("This board is archived: nothing in it can be changed."))
    return thread, board


def _check_rule(rule: int | None, source: Board, target: Board, field: str) -> None:
    """Out of somebody's sight only by a rule in force."""
    if rule is not None:
        cited(rule, field)
    elif is_wider(target.audience, source.audience):
        raise Invalid(
            _(
                "Fewer people read “%(name)s”: that takes it away from some. Choose the rule it breaks.",
                name=target.name,
            ),
            field,
        )


def _file_under(thread: Thread, board: Board, target: Board) -> None:
    if thread.state is PostState.VISIBLE:
        count_thread(thread, board, -1)
    thread.board_id = target.id
    if thread.state is PostState.VISIBLE:
        count_thread(thread, target, 1)
        if target.last_activity_at is None or thread.last_activity_at > target.last_activity_at:
            target.last_activity_at = thread.last_activity_at


def _changed(thread: Thread, board: Board, by_id: int, what: str, reason: str = "") -> None:
    thread.version += 1
    touch(thread, board)
    reason = " ".join(reason.split())[:400]
    events.publish(ThreadChanged(thread.id, by_id, what, reason))


def _opening_of(thread: Thread) -> Post | None:
    query = select(Post).where(Post.thread_id == thread.id, Post.kind == PostKind.OPENING)
    return db.session.execute(query).scalar_one_or_none()


def _tell(
    by: Viewer,
    thread_id: int,
    post: Post | None,
    what: str,
    reason: str = "",
    rule: int | None = None,
    *,
    left: Board | None = None,
    source: Thread | None = None,
    hides: bool = False,
) -> None:
    """Say to those above whose post is concerned, and which board or thread it left.

    One's own needs none, unless the tool hides it from some of its readers: those find out where it was.
    """
    if post is not None and (hides or post.author_id != by.member_id):
        board_id = left.id if left is not None else None
        from_id = source.id if source is not None else None
        used = ToolUsed(
            thread_id, post.id, by.member_id or 0, what, reason, rule, board_id=board_id, from_id=from_id
        )
        events.publish(used)


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
        post.thread_id, post.number, post.parent_id = target.id, target.last_number, None
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
