"""What helpfulness was 60 days ago, kept for those near the top: their ledgers are the longest.

The past does not change within a day, so a job looks once and the pages read the number.
"""

from sqlalchemy import bindparam, update

from portal.advocacy.models import MemberScore
from portal.advocacy.queries import standing
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work

REMEMBER_JOB = "remember scores of 60 days ago"
_ONCE = 50
_KEEP = (
    update(MemberScore.__table__)  # type: ignore[arg-type]
    .where(MemberScore.receiver_id == bindparam("receiver"))
    .values(before=bindparam("number"), before_at=bindparam("then"))
)


def remember() -> int:
    """Keep it for whoever is near the top and not looked up for this day; gives how many."""
    then = standing.compared_with(clock.now())
    due = standing.to_remember(then)
    for start in range(0, len(due), _ONCE):
        known = standing.helpfulness_at(due[start : start + _ONCE], then)
        with unit_of_work():
            db.session.connection().execute(
                _KEEP, [{"receiver": one, "number": number, "then": then} for one, number in known.items()]
            )
    return len(due)
