"""Proposals for a person who asks, and waves of answer requests; both are remembered as exposure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, insert, select, update

from portal.kernel import clock, preserving
from portal.kernel.db import db
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work
from portal.matching import choice
from portal.matching.choice import PROPOSALS, that_fit
from portal.matching.criteria import Criteria
from portal.matching.models import Exposure, Kind, Shown
from portal.matching.queries.eligible import Gate, Ranked, rank
from portal.matching.queries.explaining import COUNTED_FROM, Match, Proposals, as_match

NOBODY = _l("Nobody who could be asked at the moment is here.")
NEAREST = _l("Fewer than three people fit all of it well; the nearest are shown, with what differs.")
KEPT = timedelta(days=400)


def propose(
    asker_id: int,
    criteria: Criteria,
    *,
    purpose: str,
    kind: Kind | str = Kind.CONVERSATION,
    gates: Sequence[Gate] = (),
    exclude: Sequence[int] = (),
    wanted: int = PROPOSALS,
) -> Proposals:
    """Up to `wanted` different people who can be asked now: the chosen, the least shown, a random one.

    Nobody's capacity is taken. For the same `purpose` the same ones come again while nothing else changes,
    and they count once as shown.
    """
    now = clock.now()
    ranked = rank(asker_id, criteria, kind=Kind(kind), purpose=purpose, gates=gates, exclude=exclude, at=now)
    by_id = {one.candidate.member_id: one for one in ranked}
    candidates = [one.candidate for one in ranked]
    fitting = that_fit(candidates)
    found = choice.propose(candidates, clock.generator(f"{purpose}:{asker_id}"), wanted=wanted)
    with unit_of_work():  # only to remember: reserving looks at everything again
        one_at_a_time(f"proposals {purpose}")
        _remember([one.member_id for one, _how in found], Shown.PROPOSED, purpose, now)
    relaxed = "" if len(fitting) >= min(wanted, PROPOSALS) else str(NEAREST)
    return Proposals(
        matches=tuple(as_match(by_id[one.member_id], how, fitting) for one, how in found),
        fitting=len(fitting) if len(fitting) >= COUNTED_FROM else None,
        relaxed=relaxed if found else str(NOBODY),
        criteria=criteria,
    )


def choose_for_wave(
    asker_id: int,
    criteria: Criteria,
    *,
    purpose: str,
    gates: Sequence[Gate] = (),
    exclude: Sequence[int] = (),
    count: int = 5,
    at: datetime | None = None,
) -> list[Match]:
    """Who the ask of this purpose is brought to next, within everybody's monthly limit.

    Nobody a second time for the same purpose. When they may be told: `queries.reach`. Waves of other asks
    wait until this one is remembered, so the limits hold under concurrency.
    """
    with unit_of_work():
        one_at_a_time("answer requests")
        now = at or clock.now()
        ranked = rank(
            asker_id,
            criteria,
            kind=Kind.ANSWER_REQUEST,
            purpose=purpose,
            gates=gates,
            exclude=exclude,
            at=now,
        )
        by_id: dict[int, Ranked] = {one.candidate.member_id: one for one in ranked}
        candidates = [one.candidate for one in ranked]
        draw = clock.generator(f"{purpose}:{asker_id}")
        found = choice.wave(candidates, draw, count=count)
        _remember([one.member_id for one in found], Shown.ANSWER_REQUEST, purpose, now)
    fitting = that_fit(candidates)
    return [as_match(by_id[one.member_id], "chosen", fitting) for one in found]


def end_purpose(purpose: str) -> None:
    """What this was about is gone. Who was shown for it stays counted, under a name that nothing else gets.

    Inside a unit of work.
    """
    db.session.execute(
        update(Exposure).where(Exposure.purpose == purpose).values(purpose=f"ended:{clock.token(12)}")
    )


def forget_old() -> int:
    """Remove exposures older than 400 days; gives how many."""
    with unit_of_work():
        result = db.session.execute(
            delete(Exposure)
            .where(Exposure.at < clock.now() - KEPT, Exposure.member_id.not_in(preserving.preserved_ids()))
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def _remember(member_ids: list[int], shown: Shown, purpose: str, at: datetime) -> None:
    if not member_ids:
        return
    known = set(
        db.session.execute(
            select(Exposure.member_id).where(Exposure.purpose == purpose, Exposure.kind == shown)
        ).scalars()
    )
    new = [
        {"member_id": member_id, "kind": shown, "purpose": purpose, "at": at}
        for member_id in member_ids
        if member_id not in known
    ]
    if new:
        db.session.execute(insert(Exposure), new)
