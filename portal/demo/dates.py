"""When things happened in the demo: at hours when people are at work, and told in that order."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from portal.kernel import audit, clock
from portal.kernel.db import db


def days_ago(now: datetime, days: float) -> datetime:
    """A moment between nine and five of the day so many days ago; parts of a day are counted from now."""
    moment = now - timedelta(days=days)
    if days != int(days):
        return moment
    number = int(days)
    return min(moment.replace(hour=9 + number % 8, minute=number * 37 % 60), now)


def last_told() -> int:
    """The number of the last row of the log."""
    return db.session.execute(select(func.max(audit.AuditEntry.number))).scalar() or 0


def tell_in_order(after: int) -> None:
    """Write what the demo did since row `after` once more, by time: it is made topic by topic.

    Inside the unit of work that made these rows; nobody has read them yet.
    """
    mine = audit.AuditEntry.number > after
    columns = audit.AuditEntry.__table__.columns
    rows = db.session.execute(select(*columns).where(mine).order_by(columns.at, columns.number)).all()
    db.session.flush()
    db.session.execute(delete(audit.AuditEntry).where(mine))
    for row in rows:
        with clock.frozen(row.at):
            audit.record(
                row.actor_id or None,
                row.action,
                row.target_kind,
                row.target_id,
                row.details,
                area=row.area,
                board_id=row.board_id,
            )
