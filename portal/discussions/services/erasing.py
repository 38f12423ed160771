"""What an erased account leaves in threads: texts without a name, or none; nobody's name in others' texts."""

import re
from collections.abc import Callable

from sqlalchemy import delete, select, update

from portal.discussions.events import PostEdited
from portal.discussions.models import (
    Board,
    Bookmark,
    Draft,
    Post,
    PostKind,
    PostRevision,
    PostState,
    ReadMark,
    Thread,
    Upload,
)
from portal.discussions.services.counting import touch
from portal.discussions.services.editing import forget_history, forget_words, take_back
from portal.discussions.services.following import unfollow_everything
from portal.discussions.services.removal import refresh_threads_by
from portal.discussions.services.text import prepare
from portal.kernel import events, markup
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member

NAMELESS = "former-member"
GONE = "*The text was removed together with the account of its author.*"


def erase_keepsakes(member_id: int, _keep_text: bool) -> None:
    """Drafts, kept posts, read marks and follows go; so do pictures that no post has."""
    with unit_of_work():
        for model in (Draft, Bookmark, ReadMark):
            db.session.execute(delete(model).where(model.member_id == member_id))
        unfollow_everything(member_id)
        db.session.execute(delete(Upload).where(Upload.member_id == member_id, Upload.post_id.is_(None)))


def erase_words(member_id: int, keep_text: bool) -> None:
    """One's posts stay without a name or lose their words; mentions and quotes by others lose the name.

    The history of one's posts goes in both cases: it may hold what the author took out. An opening that
    others have answered keeps its thread; its text goes.
    """
    with unit_of_work():
        username = db.session.execute(select(Member.username).where(Member.id == member_id)).scalar_one()
        for post, thread, board in _rows_of(member_id):
            if post.state in (PostState.DELETED, PostState.HIDDEN):
                forget_words(post)
            elif keep_text:
                forget_history(post)
            elif post.kind is PostKind.OPENING and _others_wrote_in(thread, member_id):
                _empty(post, thread, board)
            else:
                take_back(post, thread, board)
        if not keep_text:
            db.session.execute(delete(Upload).where(Upload.member_id == member_id))
        _take_name_out(member_id, username)
        refresh_threads_by(select(Member.id).where(Member.id == member_id))


def _rows_of(member_id: int) -> list[tuple[Post, Thread, Board]]:
    """The member's posts, openings last: a thread goes after what its author wrote in it."""
    rows = db.session.execute(
        select(Post, Thread, Board)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.author_id == member_id)
        .order_by(Post.id.desc())
        .with_for_update(of=Post)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _others_wrote_in(thread: Thread, member_id: int) -> bool:
    found = db.session.execute(
        select(Post.id)
        .where(
            Post.thread_id == thread.id,
            Post.author_id != member_id,
            Post.state.in_([PostState.VISIBLE, PostState.HELD]),
        )
        .limit(1)
    ).first()
    return found is not None


def _empty(post: Post, thread: Thread, board: Board) -> None:
    forget_words(post)
    prepared = prepare(GONE)
    post.source, post.html, post.excerpt = prepared.source, prepared.html, prepared.excerpt
    touch(thread, board)
    events.publish(PostEdited(post.id, thread.id, post.author_id))


def _take_name_out(member_id: int, username: str) -> None:
    """In posts and former texts of others: @name becomes @former-member, in quotations as well."""
    sign = f"@{username}"
    named = re.compile(rf"@{re.escape(username)}(?![\w.-]*\w)", re.IGNORECASE)

    def nameless(text: str) -> str:
        return named.sub(f"@{NAMELESS}", text)

    posts = db.session.execute(
        select(Post, Thread, Board)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.source.icontains(sign, autoescape=True))
    ).all()
    for post, thread, board in posts:
        _rewrite(post, nameless, member_id)
        touch(thread, board)
        events.publish(PostEdited(post.id, thread.id, post.author_id))
    former = db.session.execute(
        select(PostRevision.id, PostRevision.source).where(
            PostRevision.source.icontains(sign, autoescape=True)
        )
    ).all()
    for row in former:
        text = nameless(row.source)
        db.session.execute(update(PostRevision).where(PostRevision.id == row.id).values(source=text))


def _rewrite(post: Post, nameless: Callable[[str], str], member_id: int) -> None:
    post.source = nameless(post.source)
    post.mentions = [one for one in post.mentions if one != member_id]
    if post.sections:
        post.sections = {name: nameless(str(text)) for name, text in post.sections.items()}
    if post.source_format != "markdown":
        post.html, post.excerpt = nameless(post.html), nameless(post.excerpt)
        return
    try:
        prepared = prepare(post.source)
    except Invalid:  # longer than a text may be today
        post.html, post.excerpt = nameless(post.html), nameless(post.excerpt)
        return
    post.html, post.excerpt = prepared.html, prepared.excerpt
    post.renderer_version = markup.RENDERER_VERSION
