"""The practice cases of a moderator's first day."""

import pytest
from sqlalchemy import func, select

from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid
from portal.moderation.models import Decision, MemberMeasure, PostMeasure
from portal.moderation.policy import measures_for, member_measures_for
from portal.moderation.practice import CASES, PracticeCase
from portal.moderation.queries.practice import practice_of
from portal.moderation.seeds import RULES
from portal.moderation.services.deciding import Verdict
from portal.moderation.services.practice import answer_practice, forget_practice
from tests.conftest import make_customer, make_moderator, viewer_of

pytestmark = pytest.mark.usefixtures("in_app")
NUMBERS = {seed.key: seed.number for seed in RULES}


def usual(case: PracticeCase) -> Verdict:
    return Verdict(
        post=case.posts[0],
        member=case.members[0],
        rule_number=NUMBERS[case.rules[0]] if case.rules else None,
        reason=case.reason,
    )


def test_there_are_six_and_each_can_be_decided_as_usual() -> None:
    assert len(CASES) == 6
    ruth = viewer_of(make_moderator("Ruth Adeyemi"))
    for case in CASES:
        assert set(case.posts) <= set(measures_for(case.kind))
        assert set(case.members) <= set(member_measures_for(case.kind))
        assert {key for key, _said in case.flags} | set(case.rules) <= set(NUMBERS)
        answer_practice(ruth, case.key, usual(case))
    assert all(one.agrees for one in practice_of(ruth))
    assert db.session.execute(select(func.count()).select_from(Decision)).scalar() == 0


def test_removing_bad_news_is_said_to_be_unusual_and_a_second_try_takes_its_place() -> None:
    ruth = viewer_of(make_moderator("Ruth Adeyemi"))
    hide = Verdict(PostMeasure.HIDE, MemberMeasure.NONE, rule_number=NUMBERS["hostile"], reason="Too hard.")
    answer_practice(ruth, "harsh", hide)
    [harsh] = [one for one in practice_of(ruth) if one.case.key == "harsh"]
    assert harsh.answer is not None
    assert not harsh.agrees
    answer_practice(ruth, "harsh", usual(harsh.case))
    [harsh] = [one for one in practice_of(ruth) if one.case.key == "harsh"]
    assert harsh.agrees
    forget_practice(ruth)
    assert not any(one.answer for one in practice_of(ruth))


@pytest.mark.parametrize(
    ("verdict", "field"),
    [
        (Verdict(PostMeasure.RELEASE, MemberMeasure.NONE), "post"),
        (Verdict(PostMeasure.HIDE, MemberMeasure.NO_CONVERSATIONS), "member"),
        (Verdict(PostMeasure.HIDE, MemberMeasure.NONE, reason="Because."), "rule"),
        (Verdict(PostMeasure.HIDE, MemberMeasure.NONE, rule_number=2), "reason"),
        (Verdict(PostMeasure.HIDE, MemberMeasure.NONE, rule_number=2, reason="x" * 601), "reason"),
    ],
)
def test_an_answer_is_checked_as_a_decision_is(verdict: Verdict, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        answer_practice(viewer_of(make_moderator("Ruth Adeyemi")), "harsh", verdict)
    assert refused.value.field == field


def test_it_is_for_moderators() -> None:
    with pytest.raises(Forbidden):
        answer_practice(viewer_of(make_customer("Dana")), "harsh", usual(CASES[0]))
