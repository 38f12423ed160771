"""Who is on duty, and that what cannot wait goes to them first."""

from datetime import timedelta

import pytest

from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.moderation.queries import rota
from portal.moderation.services.rota import cancel_shift, plan_shift
from tests.conftest import make_customer, make_moderator, viewer_of

pytestmark = pytest.mark.usefixtures("in_app")


def test_a_shift_counts_on_its_days_and_on_the_same_days_of_the_weeks_after() -> None:
    ruth = make_moderator("Ruth Adeyemi")
    today = rota.today()
    made = plan_shift(viewer_of(ruth), ruth, today + timedelta(days=1), today + timedelta(days=2), weeks=3)
    assert len(made) == 3
    days = [(day.day - today).days for day in rota.plan(weeks=5) if day.people]
    assert days == [1, 2, 8, 9, 15, 16]
    assert rota.plan()[0].day.weekday() == 0
    assert rota.on_duty() == []


def test_days_planned_twice_are_passed_over_and_all_of_them_are_refused() -> None:
    ruth = make_moderator("Ruth Adeyemi")
    today = rota.today()
    plan_shift(viewer_of(ruth), ruth, today, today)
    assert len(plan_shift(viewer_of(ruth), ruth, today, today, weeks=2)) == 1
    with pytest.raises(Invalid) as refused:
        plan_shift(viewer_of(ruth), ruth, today, today, weeks=2)
    assert refused.value.field == "first_day"


def test_what_cannot_wait_goes_to_whoever_is_on_duty_and_to_all_when_nobody_is() -> None:
    ruth, tom = make_moderator("Ruth Adeyemi"), make_moderator("Tom Berg")
    assert set(rota.first_to_tell([ruth, tom])) == {ruth, tom}
    [shift] = plan_shift(viewer_of(ruth), tom, rota.today(), None)
    assert rota.first_to_tell([ruth, tom]) == [tom]
    assert rota.first_to_tell([ruth]) == [ruth], "a party to the case is on duty, so another is told"
    cancel_shift(viewer_of(ruth), shift.id)
    assert set(rota.first_to_tell([ruth, tom])) == {ruth, tom}


def test_who_moderates_no_more_is_on_duty_no_more() -> None:
    ruth, tom = make_moderator("Ruth Adeyemi"), make_moderator("Tom Berg")
    plan_shift(viewer_of(ruth), tom, rota.today(), None)
    with unit_of_work():
        db.session.get_one(Member, tom).duties = []
    assert rota.on_duty() == []
    assert rota.first_to_tell([ruth]) == [ruth]


@pytest.mark.parametrize(
    ("first", "last", "weeks", "field"),
    [
        (None, None, 1, "first_day"),
        (3, 1, 1, "last_day"),
        (-5, -3, 1, "last_day"),
        (0, 40, 1, "last_day"),
        (0, 0, 0, "weeks"),
        (0, 0, 27, "weeks"),
        (0, 8, 2, "weeks"),
        (365, 369, 1, "last_day"),
    ],
)
def test_impossible_plans_are_refused_beside_their_field(
    first: int | None, last: int | None, weeks: int, field: str
) -> None:
    ruth = make_moderator("Ruth Adeyemi")

    def day(ahead: int | None) -> object:
        return None if ahead is None else rota.today() + timedelta(days=ahead)

    with pytest.raises(Invalid) as refused:
        plan_shift(viewer_of(ruth), ruth, day(first), day(last), weeks)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_only_moderators_plan_and_only_they_are_planned() -> None:
    ruth, dana = make_moderator("Ruth Adeyemi"), make_customer("Dana")
    peer = make_customer("Peer", duties=[Duty.MODERATOR])
    with pytest.raises(Forbidden):
        plan_shift(viewer_of(dana), ruth, rota.today(), None)
    with pytest.raises(Invalid):
        plan_shift(viewer_of(ruth), dana, rota.today(), None)
    assert plan_shift(viewer_of(peer), peer, rota.today(), None)
