"""What a member chooses about their own score: to be shown at all, and to be approached."""

from portal.advocacy.models import ScoreChoice
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work


def choose(member: Viewer, *, not_scored: bool, not_approached: bool) -> None:
    """Be left out of every list of helpers, or not be approached by the vendor. Entries are kept meanwhile.

    Taken back in the same way; nothing is lost in between.
    """
    with unit_of_work():
        row = db.session.get(ScoreChoice, member.member_id)
        if row is None:
            row = ScoreChoice(member_id=member.member_id or 0)
            db.session.add(row)
        row.not_scored, row.not_approached = not_scored, not_approached
        row.changed_at = clock.now()
