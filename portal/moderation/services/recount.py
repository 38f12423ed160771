"""How many flags stand behind each open case, and what they weigh, worked out anew."""

from sqlalchemy import select

from portal.kernel.db import db
from portal.kernel.recounting import Difference
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import Case, CaseKind, CaseState
from portal.moderation.services.flags import weigh

BY_FLAGS = (CaseKind.FLAGS, CaseKind.HELD)


def recount() -> list[Difference]:
    """Repair count and weight of every open case; gives what was wrong. What was decided stays as it was."""
    wrong = {"cases.flags_count": 0, "cases.weight": 0}
    with unit_of_work():
        open_cases = select(Case).where(Case.state == CaseState.OPEN, Case.kind.in_(BY_FLAGS))
        for case in db.session.execute(open_cases).scalars().all():
            before = (case.flags_count, case.weight)
            weigh(case)
            wrong["cases.flags_count"] += before[0] != case.flags_count
            wrong["cases.weight"] += before[1] != case.weight
    return [Difference(counter, rows) for counter, rows in wrong.items() if rows]
