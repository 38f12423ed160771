"""The six numbers: decided with a date and a reason, tried out before."""

from dataclasses import replace

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.advocacy.formula import LONGEST_HALF_LIFE, SHORTEST_HALF_LIFE, Weights
from portal.advocacy.models import Entry, WeightsDecision
from portal.advocacy.queries import weights as weights_queries
from portal.advocacy.services import rebuilding, sums
from portal.kernel import audit, clock, form_keys
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.progress import Progress, silent
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work

APPLY_JOB = "bring scores to new weights"

# What each number may be, with the reason in the form.
BOUNDS: dict[str, tuple[float, float]] = {
    "half_life_days": (SHORTEST_HALF_LIFE, LONGEST_HALF_LIFE),
    "person_limit": (1, 5),
    "company_limit": (1, 20),
    "votes_per_post": (1, 50),
    "answer_points": (0, 1),
    "answer_limit": (0, 20),
    "companies_to_rank": (1, 10),
}


def checked(weights: Weights) -> Weights:
    """The same when every number is within its bounds. Raises Invalid beside the first that is not."""
    for name, (least, most) in BOUNDS.items():
        value = getattr(weights, name)
        if not least <= value <= most:
            raise Invalid(_("From %(least)s to %(most)s.", least=f"{least:g}", most=f"{most:g}"), name)
    if weights.company_limit < weights.person_limit:
        raise Invalid(_("A company counts at least as much as one of its people."), "company_limit")
    return weights


def decide(admin: Viewer, weights: Weights, reason: str, *, form_key: str = "") -> None:
    """Have new numbers take effect within minutes; they never change what the past was.

    Members read the reason. Raises Forbidden, Invalid; Repeated.
    """
    reason = " ".join(reason.replace("\x00", "").split())
    if not admin.may(Permission.ADMINISTER):
        raise Forbidden(_("Your account may not do this."))
    checked(weights)
    if not reason:
        raise Invalid(_("Say why; it stands on the page that explains scores."), "reason")
    if len(reason) > 600:
        raise Invalid(_("At most 600 characters fit."), "reason")
    with form_keys.once(form_key, admin.member_id or 0) as outcome:
        if replace(weights, version=0) == replace(weights_queries.current(), version=0):
            raise Invalid(_("These are the numbers in force."), "reason")
        decision = WeightsDecision(
            half_life_days=weights.half_life_days,
            person_limit=weights.person_limit,
            company_limit=weights.company_limit,
            votes_per_post=weights.votes_per_post,
            answer_points=weights.answer_points,
            answer_limit=weights.answer_limit,
            companies_to_rank=weights.companies_to_rank,
            reason=reason,
            decided_at=clock.now(),
            decided_by_id=admin.member_id,
        )
        db.session.add(decision)
        db.session.flush()  # gives the version
        audit.record(admin, "change weights", "weights", decision.id, reason[:200], area="settings")
        outcome.place = "/console/weights"


def apply_due(progress: Progress = silent) -> int:
    """Bring ledger and sums to a decision that they do not follow yet; gives how many decisions that were.

    Until it is done the former numbers are in force, also for what happens meanwhile. So it is gone through
    twice, the second time with little to write, and what happened during the second time is brought to the
    new numbers in the unit of work that puts them in force. Interrupted, it is simply done again.
    """
    waiting = weights_queries.waiting()
    if not waiting:
        return 0
    ids, weights = [one.id for one in waiting], weights_queries.weights_of(waiting[0])
    rebuilding.rebuild(progress, weights=weights)
    with unit_of_work():
        one_at_a_time(sums.NUMBERS)
        last = db.session.execute(select(func.max(Entry.id))).scalar() or 0
    rebuilding.rebuild(progress, weights=weights)
    with unit_of_work():
        one_at_a_time(sums.NUMBERS)
        rebuilding.follow(last, weights)
        for decision_id in ids:
            db.session.get_one(WeightsDecision, decision_id).applied_at = clock.now()
    return len(ids)
