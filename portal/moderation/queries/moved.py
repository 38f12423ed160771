"""Threads that decisions moved or merged to where fewer people read."""

from datetime import datetime

from sqlalchemy import and_, func, not_, or_, select
from sqlalchemy.orm import aliased

from portal.discussions.models import Board, PostState, Thread
from portal.discussions.moved_away import MovedAway
from portal.discussions.policy import board_is_visible, readable_audiences
from portal.kernel.access import Viewer
from portal.kernel.db import db, one_of
from portal.moderation.models import Decision, PostMeasure

_STANDS = and_(Decision.undone_at.is_(None), Decision.overturned_at.is_(None))
_STEPS = 5  # a target may have been merged on since


def moved_out_of_sight(viewer: Viewer, thread_id: int) -> MovedAway | None:
    """The last decision by which a thread left this viewer's sight; None where they never could read it.

    A thread that was merged is followed to the one with its posts. Nothing is told of one that can be read,
    was taken back by its author or waits for a moderator.
    """
    for _step in range(_STEPS):
        found, target = _look(viewer, thread_id)
        if found is not None or target is None:
            return found
        thread_id = target
    return None


def was_moved_out_of_sight(thread_id: int, since: datetime) -> bool:
    """Whether a rule took the thread to fewer readers since the moment."""
    moved = select(Decision.id).where(
        Decision.thread_id == thread_id,
        Decision.post_measure.in_([PostMeasure.MOVE, PostMeasure.MERGE]),
        Decision.rule_number.is_not(None),
        Decision.decided_at >= since,
        _STANDS,
    )
    return db.session.execute(moved.limit(1)).first() is not None


def _look(viewer: Viewer, thread_id: int) -> tuple[MovedAway | None, int | None]:
    """The decision, and the thread that this one was merged into."""
    target, now_on = aliased(Thread), aliased(Board)
    rows = db.session.execute(
        select(
            Thread.merged_into_id,
            Decision.case_id,
            Decision.post_measure,
            Decision.rule_label,
            Decision.decided_at,
            Decision.before,
            Board.slug,
            Board.name,
            and_(
                board_is_visible(viewer),
                not_(one_of(now_on.audience, sorted(readable_audiences(viewer)))),
                or_(
                    Thread.merged_into_id.is_not(None),
                    Thread.state.in_([PostState.VISIBLE, PostState.HIDDEN]),
                ),
            ).label("lost"),
        )
        .select_from(Thread)
        .outerjoin(target, target.id == Thread.merged_into_id)
        .join(now_on, now_on.id == func.coalesce(target.board_id, Thread.board_id))
        .outerjoin(
            Decision,
            and_(
                _STANDS,
                or_(
                    and_(Decision.thread_id == Thread.id, Decision.post_measure == PostMeasure.MOVE),
                    and_(Decision.thread_id == target.id, Decision.post_measure == PostMeasure.MERGE),
                ),
            ),
        )
        .outerjoin(Board, Board.id == Decision.board_id)
        .where(Thread.id == thread_id)
        .order_by(Decision.id.desc())
    ).all()
    for row in rows:
        merged = row.post_measure is PostMeasure.MERGE
        if not row.lost or (merged and row.before.get("from") != thread_id):
            continue
        last = row.before.get("last_number", 0)
        return MovedAway(row.case_id, row.rule_label, row.decided_at, merged, row.slug, row.name, last), None
    return None, rows[0].merged_into_id if rows else None
