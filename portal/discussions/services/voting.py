"""Votes: members vote up, once, and never for themselves."""

from flask_babel import gettext as _
from sqlalchemy import delete, insert, select

from portal.discussions.events import PostVoted, VoteWithdrawn
from portal.discussions.models import Post, PostKind, PostState, Thread, Vote
from portal.discussions.services.lookup import post_for
from portal.kernel import clock, events
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden
from portal.kernel.unit_of_work import unit_of_work


def vote(voter: Viewer, post_id: int) -> int:
    """Say that a post helped; twice is once. Gives the post's score.

    Raises NotFound, and Forbidden for one's own posts, comments and posts that are not visible.
    """
    with unit_of_work():
        post, thread, _board = post_for(voter, post_id)
        if not voter.may(Permission.REACT):
            raise Forbidden(_("You cannot vote."))
        if post.author_id == voter.member_id:
            raise Forbidden(_("Others decide whether this helped: you cannot vote for your own post."))
        if post.kind is PostKind.COMMENT or post.state is not PostState.VISIBLE:
            raise Forbidden(_("This post takes no votes."))
        known = db.session.execute(
            select(Vote.id).where(Vote.post_id == post_id, Vote.member_id == voter.member_id)
        ).scalar_one_or_none()
        if known is None:
            db.session.execute(
                insert(Vote).values(
                    post_id=post_id, member_id=voter.member_id, value=1, created_at=clock.now()
                )
            )
            _count(post, thread, 1)
            events.publish(PostVoted(post_id, post.author_id, voter.member_id or 0))
    return post.score


def withdraw_vote(voter: Viewer, post_id: int) -> int:
    """Take one's vote back; without one nothing changes. Gives the post's score. Raises NotFound."""
    with unit_of_work():
        post, thread, _board = post_for(voter, post_id)
        gone = db.session.execute(
            delete(Vote).where(Vote.post_id == post_id, Vote.member_id == voter.member_id, Vote.value == 1)
        )
        if gone.rowcount:  # type: ignore[attr-defined]
            _count(post, thread, -1)
            events.publish(VoteWithdrawn(post_id, post.author_id, voter.member_id or 0))
    return post.score


def _count(post: Post, thread: Thread, by: int) -> None:
    post.score += by
    post.votes_count += by
    thread.content_version += 1
    if post.kind is PostKind.OPENING:
        thread.score += by
