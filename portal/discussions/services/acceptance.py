"""Accepted answers: the asker alone says what answered the question, and may take it back."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import update

from portal.discussions.events import AcceptanceWithdrawn, AnswerAccepted
from portal.discussions.models import Board, Post, PostKind, PostState, Thread, ThreadKind
from portal.discussions.services.counting import touch
from portal.discussions.services.lookup import any_post, post_for, thread_for
from portal.kernel import clock, events
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member


def accept(asker: Viewer, thread_id: int, post_id: int) -> None:
    """Mark the answer that solved the asker's question; another one takes the place of the former.

    Raises NotFound; Forbidden for anybody but the asker; Invalid for a post that is no answer here.
    """
    with unit_of_work():
        thread, board = thread_for(asker, thread_id)
        _check_asker(asker, thread)
        post, home, _board = post_for(asker, post_id)
        if home.id != thread.id or post.kind is not PostKind.ANSWER or post.state is not PostState.VISIBLE:
            raise Invalid(_("Only an answer in this thread can be accepted."), "post")
        if thread.accepted_post_id == post.id:
            return
        if thread.accepted_post_id is not None:
            drop_acceptance(thread, board, asker.member_id or 0)
        thread.accepted_post_id = post.id
        thread.accepted_at = clock.now()
        _count(post.author_id, 1)
        touch(thread, board)
        events.publish(AnswerAccepted(thread.id, post.id, asker.member_id or 0))


def withdraw_acceptance(asker: Viewer, thread_id: int) -> None:
    """Say that the question is open again; without an accepted answer nothing changes.

    Raises NotFound; Forbidden for anybody but the asker.
    """
    with unit_of_work():
        thread, board = thread_for(asker, thread_id)
        _check_asker(asker, thread)
        if thread.accepted_post_id is not None:
            drop_acceptance(thread, board, asker.member_id or 0)


def drop_acceptance(thread: Thread, board: Board, by_id: int) -> None:
    """Take the mark off, whoever is the cause. Inside a unit of work; the thread has an accepted answer."""
    post = db.session.get_one(Post, thread.accepted_post_id)
    thread.accepted_post_id = None
    thread.accepted_at = None
    _count(post.author_id, -1)
    touch(thread, board)
    events.publish(AcceptanceWithdrawn(thread.id, post.id, by_id))


def accept_again(thread_id: int, post_id: int, accepted_at: datetime) -> None:
    """Put back the mark that went when the answer was hidden, unless another answer has it by now.

    Nothing is done where the answer is not shown or stands in another thread. Inside a unit of work.
    Raises NotFound.
    """
    post, thread, board = any_post(post_id)
    if thread.id != thread_id or thread.accepted_post_id is not None or post.state is not PostState.VISIBLE:
        return
    thread.accepted_post_id, thread.accepted_at = post.id, accepted_at
    _count(post.author_id, 1)
    touch(thread, board)
    events.publish(AnswerAccepted(thread.id, post.id, thread.author_id))


def _check_asker(asker: Viewer, thread: Thread) -> None:
    if thread.kind is not ThreadKind.QUESTION or thread.author_id != asker.member_id:
        raise Forbidden(_("Only the person who asked can say what answered the question."))


def _count(author_id: int, by: int) -> None:
    db.session.execute(
        update(Member).where(Member.id == author_id).values(accepted_count=Member.accepted_count + by)
    )
