"""Who may read and do what in a thread. The audience of a board is the only thing that opens it."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_

from portal.discussions.models import Audience, Board, Post, PostState, Thread
from portal.kernel.access import Permission, Status, Viewer
from portal.kernel.db import one_of

READABLE: dict[Status, frozenset[Audience]] = {
    Status.VISITOR: frozenset({Audience.PUBLIC}),
    Status.PROSPECT: frozenset({Audience.PUBLIC, Audience.PROSPECTS}),
    Status.CUSTOMER: frozenset({Audience.PUBLIC, Audience.PROSPECTS, Audience.CUSTOMERS}),
    Status.FORMER: frozenset({Audience.PUBLIC, Audience.PROSPECTS, Audience.CUSTOMERS}),
    Status.VENDOR: frozenset(Audience),
}


def readable_audiences(viewer: Viewer) -> frozenset[Audience]:
    """The audiences whose boards this viewer reads; only the public ones until the mail is confirmed."""
    if not viewer.may(Permission.READ):
        return READABLE[Status.VISITOR]
    return READABLE[viewer.status]


def board_is_visible(viewer: Viewer) -> ColumnElement[bool]:
    """SQL: this viewer may read the board. Use with a query that joins Board."""
    return one_of(Board.audience, sorted(readable_audiences(viewer)))


def thread_is_visible(viewer: Viewer) -> ColumnElement[bool]:
    """SQL: this viewer may read the thread. Use with a query that joins Board and Thread.

    A held thread is there for its author and for moderators; a hidden one keeps its place as a tombstone
    for those who could read it, without its text; a deleted one is gone for everybody.
    """
    shown = one_of(Thread.state, [PostState.VISIBLE, PostState.HIDDEN])
    if viewer.may(Permission.MODERATE):
        shown = Thread.state != PostState.DELETED
    elif viewer.member_id is not None:
        shown = or_(shown, and_(Thread.state == PostState.HELD, Thread.author_id == viewer.member_id))
    return and_(board_is_visible(viewer), shown)


def title_is_visible(viewer: Viewer) -> ColumnElement[bool]:
    """SQL: this viewer may read the title of the thread. Use with a query that joins Board and Thread.

    Of a hidden thread the tombstone stays; its title, which may be what was wrong with it, is for moderators.
    """
    if viewer.may(Permission.MODERATE):
        return thread_is_visible(viewer)
    return and_(thread_is_visible(viewer), Thread.state != PostState.HIDDEN)


def text_is_visible(viewer: Viewer) -> ColumnElement[bool]:
    """SQL: this viewer may read the words of the post. Use with a query that joins Board, Thread and Post.

    The one visibility query: every list, count, feed, digest, job and search result of posts goes through it.
    """
    readable: ColumnElement[bool] = and_(Post.state == PostState.VISIBLE, Thread.state == PostState.VISIBLE)
    if viewer.may(Permission.MODERATE):
        readable = and_(Post.state != PostState.DELETED, Thread.state != PostState.DELETED)
    elif viewer.member_id is not None:
        own_held = and_(Post.state == PostState.HELD, Post.author_id == viewer.member_id)
        there = one_of(Thread.state, [PostState.VISIBLE, PostState.HELD])
        readable = or_(readable, and_(own_held, there))
    return and_(board_is_visible(viewer), readable)


# How long its author may appeal against a removal: promised on the tombstone, kept by moderation.
APPEAL = timedelta(days=14)


def may_write_in(viewer: Viewer, board_archived: bool, thread_closed: bool, thread_state: PostState) -> bool:
    """Whether the viewer may add a post: closed threads take moderators' only, archived boards none."""
    if not viewer.may(Permission.POST) or board_archived or thread_state is not PostState.VISIBLE:
        return False
    return not thread_closed or viewer.may(Permission.MODERATE)


def edit_needs_reason(
    viewer: Viewer, author_id: int, created_at: datetime, now: datetime, grace_minutes: int
) -> bool:
    """One's own quick fixes within the grace window need no reason and leave no mark."""
    return viewer.member_id != author_id or now - created_at > timedelta(minutes=grace_minutes)


def statuses_reading(audience: Audience) -> list[Status]:
    """The statuses whose members read boards of this audience."""
    return [status for status, audiences in READABLE.items() if audience in audiences]


def is_wider(source: Audience, target: Audience) -> bool:
    """Whether somebody reads boards of the target audience who does not read those of the source."""
    return not set(statuses_reading(target)) <= set(statuses_reading(source))
