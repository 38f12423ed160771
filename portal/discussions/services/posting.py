"""Opening threads, answering, replying, commenting."""

from flask_babel import gettext as _
from sqlalchemy import bindparam, select

from portal.discussions.addresses import comment_address, post_address, thread_address
from portal.discussions.events import PostHeld, PostPublished, ThreadOpened
from portal.discussions.models import Board, Post, PostKind, PostState, ShownAs, Thread, ThreadKind
from portal.discussions.screening import Submission, reasons_to_hold
from portal.discussions.services.counting import count_post, count_thread, note_activity
from portal.discussions.services.drafts import drop_draft
from portal.discussions.services.following import follow_silently
from portal.discussions.services.lookup import board_for, check_may_write, post_for, thread_for
from portal.discussions.services.tagging import parse_tags, set_tags
from portal.discussions.services.text import Prepared, prepare, prepare_war_story
from portal.discussions.services.uploads import attach_uploads
from portal.kernel import clock, events, form_keys, markup
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db, flushed_rows
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.numbers import number
from portal.kernel.slugs import slugify

LONGEST_TITLE = 200
SHORTEST_TITLE = 8
LONGEST_COMMENT = 1200


def clean_title(title: str) -> str:
    """One line of 8 to 200 characters. Raises Invalid."""
    title = " ".join(title.replace("\x00", "").split())
    if len(title) < SHORTEST_TITLE:
        raise Invalid(_("Say in the title what it is about, in at least 8 characters."), "title")
    if len(title) > LONGEST_TITLE:
        raise Invalid(
            _(
                "The title has %(length)s characters; at most %(most)s fit.",
                length=len(title),
                most=LONGEST_TITLE,
            ),
            "title",
        )
    return title


def open_thread(
    author: Viewer,
    board_id: int,
    *,
    kind: ThreadKind,
    title: str,
    body: str = "",
    sections: dict[str, str] | None = None,
    tags: str = "",
    author_shown_as: str = ShownAs.NAME,
    form_key: str = "",
) -> Thread:
    """A new thread with its opening post, visible at once or held for a moderator.

    A war story takes `sections` (happened, cost, differently) instead of `body`. `author_shown_as` ("name" or
    "role") holds for all that the author writes in this thread; people of the vendor always appear by name.
    Raises Invalid beside the field, NotFound for a board out of sight, Forbidden for an archived one,
    Repeated when this form was taken before.
    """
    title = clean_title(title)
    names = parse_tags(tags)
    is_story = kind is ThreadKind.WAR_STORY
    prepared = prepare_war_story(sections or {}, author) if is_story else prepare(body, by=author)
    reasons = look_at(author, title, prepared)
    now = clock.now()
    with form_keys.once(form_key, author.member_id or 0) as outcome:
        board = board_for(author, board_id)
        if not author.may(Permission.POST):
            raise Forbidden(_("You cannot write here."))
        if board.archived_at is not None:
            raise Forbidden(_("This board is archived: it can be read, but nothing can be added."))
        thread = Thread(
            board_id=board.id,
            kind=kind,
            title=title,
            slug=slugify(title),
            author_id=author.member_id or 0,
            author_shown_as=ShownAs.NAME if author.is_staff else ShownAs(author_shown_as),
            state=PostState.HELD,  # until show_thread
            created_at=now,
            last_activity_at=now,
            last_author_id=author.member_id,
            tags=[],
            **_zero_counters(),
        )
        db.session.add(thread)
        db.session.flush()  # the opening and the tags need its id
        set_tags(thread, names)
        post = _store(
            author,
            thread,
            PostKind.OPENING,
            prepared,
            PostState.HELD,
            sections=sections if is_story else None,
        )
        follow_silently(author.member_id or 0, thread)
        if reasons:
            hold_post(post, thread, reasons)
        else:
            show_thread(thread, board, post)
        outcome.place = thread_address(thread.id, thread.slug)
    return thread


def post_reply(author: Viewer, thread_id: int, body: str, *, form_key: str = "") -> Post:
    """A numbered post: an answer when somebody else's question, else a reply. Its draft is dropped.

    Raises Invalid, NotFound, Forbidden (closed, archived), Repeated.
    """
    prepared = prepare(body, by=author)
    reasons = look_at(author, "", prepared)
    with form_keys.once(form_key, author.member_id or 0) as outcome:
        thread, board = thread_for(author, thread_id)
        check_may_write(author, thread, board)
        is_answer = thread.kind is ThreadKind.QUESTION and thread.author_id != author.member_id
        state = PostState.HELD if reasons else PostState.VISIBLE
        follow_silently(author.member_id or 0, thread)
        drop_draft(author.member_id or 0, f"thread:{thread.id}")
        post = _store(author, thread, PostKind.ANSWER if is_answer else PostKind.REPLY, prepared, state)
        if reasons:
            hold_post(post, thread, reasons)
        else:
            show_post(post, thread, board)
        outcome.place = post_address(thread.id, thread.slug, post.number or 1)
    return post


def post_comment(author: Viewer, parent_id: int, body: str, *, form_key: str = "") -> Post:
    """A comment under one post: no number, no votes, not acceptable. At most 1,200 characters.
    Its draft is dropped.

    Raises Invalid, NotFound, Forbidden, Repeated.
    """
    if len(body.strip()) > LONGEST_COMMENT:
        raise Invalid(
            _(
                "A comment has at most %(most)s characters, this one %(length)s. Write an answer instead.",
                most=number(LONGEST_COMMENT),
                length=number(len(body.strip())),
            ),
            "body",
        )
    prepared = prepare(body, by=author)
    reasons = look_at(author, "", prepared)
    with form_keys.once(form_key, author.member_id or 0) as outcome:
        parent, thread, board = post_for(author, parent_id)
        if parent.kind is PostKind.COMMENT and parent.parent_id is not None:
            parent, thread, board = post_for(author, parent.parent_id)
        check_may_write(author, thread, board)
        if parent.state is not PostState.VISIBLE:
            raise Forbidden(_("This post waits for a moderator; it cannot be commented on yet."))
        state = PostState.HELD if reasons else PostState.VISIBLE
        drop_draft(author.member_id or 0, f"comment:{parent_id}")
        post = _store(author, thread, PostKind.COMMENT, prepared, state, parent_id=parent.id)
        if reasons:
            hold_post(post, thread, reasons)
        else:
            show_post(post, thread, board)
        outcome.place = comment_address(thread.id, thread.slug, parent.number or 1, post.id)
    return post


def show_thread(thread: Thread, board: Board, opening: Post) -> None:
    """Make a thread visible with its opening, count it, tell everybody. Inside a unit of work."""
    thread.state = opening.state = PostState.VISIBLE
    count_post(opening, thread, board, 1)
    board.posts_count -= 1  # count_thread adds all posts of the thread at once
    count_thread(thread, board, 1)
    note_activity(thread, board, opening)
    db.session.flush()
    events.publish(ThreadOpened(thread.id, opening.id, opening.author_id))
    events.publish(PostPublished(opening.id, thread.id, opening.author_id))


def show_post(post: Post, thread: Thread, board: Board) -> None:
    """Make a post other than an opening visible, count it, tell everybody. Inside a unit of work."""
    post.state = PostState.VISIBLE
    count_post(post, thread, board, 1)
    note_activity(thread, board, post)
    db.session.flush()
    events.publish(PostPublished(post.id, thread.id, post.author_id))


def hold_post(post: Post, thread: Thread, reasons: tuple[str, ...]) -> None:
    """Have a post wait for a moderator, who reads these reasons, like its author. Inside a unit of work."""
    post.state_reason = " ".join(reasons)[:600]
    thread.content_version += 1
    events.publish(PostHeld(post.id, thread.id, post.author_id, reasons))


def look_at(author: Viewer, title: str, prepared: Prepared, post_id: int | None = None) -> tuple[str, ...]:
    """Why a moderator should look before others do; `post_id`: it would be the new text of this post."""
    return reasons_to_hold(Submission(author, title, prepared.text, prepared.html, post_id))


def _store(
    author: Viewer,
    thread: Thread,
    kind: PostKind,
    prepared: Prepared,
    state: PostState,
    *,
    parent_id: int | None = None,
    sections: dict[str, str] | None = None,
) -> Post:
    """Store a post. Whoever appears as a role in a thread does so in all of it, a merged part included."""
    number = None if kind is PostKind.COMMENT else thread.last_number + 1
    post = Post(
        thread_id=thread.id,
        number=number,
        parent_id=parent_id,
        kind=kind,
        author_id=author.member_id or 0,
        author_shown_as=_appears_as(author, thread),
        source=prepared.source,
        sections=sections,
        html=prepared.html,
        excerpt=prepared.excerpt,
        renderer_version=markup.RENDERER_VERSION,
        state=state,
        created_at=clock.now(),
        by_vendor=author.is_staff,
        mentions=prepared.mentions,
        source_format="markdown",
        base_score=0,
        score=0,
        votes_count=0,
        revisions_count=0,
    )
    db.session.add(post)
    db.session.flush()  # its id goes into events and addresses
    if number is not None:
        thread.last_number = number
    attach_uploads(author.member_id or 0, post)
    return post


def _appears_as(author: Viewer, thread: Thread) -> ShownAs:
    if author.is_staff:
        return ShownAs.NAME
    if thread.author_id == author.member_id:
        return thread.author_shown_as
    before = flushed_rows(_AS_ROLE, {"thread": thread.id, "author": author.member_id}).first()
    return ShownAs.ROLE if before else ShownAs.NAME


_AS_ROLE = (
    select(Post.id)
    .where(
        Post.thread_id == bindparam("thread"),
        Post.author_id == bindparam("author"),
        Post.author_shown_as == ShownAs.ROLE,
    )
    .limit(1)
)


def _zero_counters() -> dict[str, int]:
    names = ("last_number", "posts_count", "answers_count", "comments_count", "score")
    return dict.fromkeys((*names, "followers_count", "views_count", "content_version"), 0)
