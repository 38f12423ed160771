"""Who can be asked for what a prospect starts, gate by gate."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from portal.kernel import clock
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.matching import queries, services
from portal.matching.criteria import Criteria
from portal.matching.models import Kind, Shown
from portal.matching.queries import Gate
from portal.members.models import Member, MemberState, RoleLevel, VerifiedBy
from tests.conftest import make_company, make_customer, make_member, make_prospect, noon
from tests.matching.scenes import (
    change,
    company_of,
    competes,
    had_request,
    held,
    make_asker,
    make_helper,
    reserve,
    use,
)

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _monday(at: Callable[[datetime], None]) -> None:
    at(noon())


def can_be_asked(asker: int, member: int, kind: Kind = Kind.CONVERSATION) -> bool:
    found = {one.candidate.member_id for one in queries.rank(asker, Criteria(), kind=kind)}
    assert (member in found) == queries.is_eligible(asker, member, kind=kind)
    return member in found


def test_a_verified_customer_can_be_asked_and_others_cannot(in_app: Flask) -> None:
    asker = make_asker()
    assert can_be_asked(asker, make_helper())
    assert can_be_asked(asker, make_member(status=Status.FORMER, languages=["en"]))
    assert can_be_asked(asker, make_helper(verified_by=VerifiedBy.MODERATOR, duties=(Duty.MODERATOR,)))
    assert not can_be_asked(asker, make_helper(verified_by=None))
    assert not can_be_asked(asker, make_helper(email_confirmed_at=None))
    assert not can_be_asked(asker, make_prospect(company_id=make_company()))
    assert not can_be_asked(asker, make_member(status=Status.VENDOR, company_id=make_company()))
    assert not can_be_asked(asker, make_helper(state=MemberState.BANNED))
    assert not can_be_asked(asker, make_helper(suspended_until=clock.now() + DAY))
    assert can_be_asked(asker, make_helper(suspended_until=clock.now() - DAY))
    assert not can_be_asked(asker, asker)


@pytest.mark.parametrize(
    ("choices", "talks", "requests"),
    [
        ({"paused_until": noon() + DAY}, False, False),
        ({"paused_until": noon() - DAY}, True, True),
        ({"conversations_open": False}, False, True),
        ({"answer_requests_open": False}, True, False),
        ({"limit_per_quarter": 0}, False, True),
        ({"staff_limit": 0}, False, True),
        ({"answer_requests_per_month": 0}, True, False),
    ],
)
def test_the_members_own_choices_decide(
    in_app: Flask, choices: dict[str, Any], talks: bool, requests: bool
) -> None:
    asker, member = make_asker(), make_helper(**choices)
    assert can_be_asked(asker, member) == talks
    assert can_be_asked(asker, member, Kind.ANSWER_REQUEST) == requests


def test_not_the_own_company_nor_a_competitor_in_either_direction(in_app: Flask) -> None:
    own = make_company()
    asker = make_asker(company_id=own)
    assert not can_be_asked(asker, make_helper(company_id=own))
    mine, theirs, neither = make_helper(), make_helper(), make_helper()
    competes(own, company_of(mine))
    competes(company_of(theirs), own)
    assert [can_be_asked(asker, one) for one in (mine, theirs, neither)] == [False, False, True]
    nobody = make_asker()
    assert all(can_be_asked(nobody, one) for one in (mine, theirs, neither))


def test_a_common_language_is_needed_where_both_are_known(in_app: Flask) -> None:
    asker = make_asker(languages=["sv", "en"])
    assert can_be_asked(asker, make_helper(languages=["de", "en"]))
    assert not can_be_asked(asker, make_helper(languages=["de"]))
    assert can_be_asked(asker, make_helper(languages=[]))


@pytest.mark.parametrize(
    ("zone", "shared"),
    [
        ("Europe/Berlin", True),
        ("America/New_York", True),  # 5 hours apart, 3 shared
        ("America/Chicago", True),  # 2 shared
        ("America/Denver", False),
        ("Asia/Tokyo", False),
        ("Pacific/Auckland", False),
        ("No/Such", True),
    ],
)
def test_two_shared_working_hours_for_talks_only(in_app: Flask, zone: str, shared: bool) -> None:
    asker, member = make_asker(), make_helper(time_zone=zone)
    assert can_be_asked(asker, member) == shared
    assert can_be_asked(asker, member, Kind.ANSWER_REQUEST)


def test_capacity_counts_what_is_outstanding_or_held_within_90_days(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    asker, member = make_asker(), make_helper()
    now = clock.now()
    held(member, "a", now - 89 * DAY)
    held(member, "b", now - 40 * DAY)
    assert queries.load(member) == queries.Load(2, 2)
    assert not can_be_asked(asker, member)
    at(now + 2 * DAY)
    assert queries.load(member).taken == 1
    assert can_be_asked(asker, member)
    reserve(member, "c")
    assert not can_be_asked(asker, member)
    at(now + 300 * DAY)  # still outstanding, whatever its date
    assert queries.load(member).taken == 1
    services.release("c")
    assert queries.load(member).taken == 0


def test_three_weeks_of_rest_after_a_conversation(in_app: Flask, at: Callable[[datetime], None]) -> None:
    asker, member = make_asker(), make_helper(limit_per_quarter=5)
    now = clock.now()
    held(member, "a", now - 20 * DAY)
    assert not can_be_asked(asker, member)
    at(now + DAY)
    assert can_be_asked(asker, member)


def test_a_conversation_that_did_not_happen_needs_no_rest(in_app: Flask) -> None:
    asker, member = make_asker(), make_helper()
    held(member, "a", clock.now() - DAY)
    assert services.did_not_happen("a")
    assert can_be_asked(asker, member)


def test_answer_requests_are_within_a_month(in_app: Flask) -> None:
    asker, member = make_asker(), make_helper()
    had_request(member, "ask:1", clock.now() - 31 * DAY)
    had_request(member, "ask:2", clock.now() - 29 * DAY)
    assert can_be_asked(asker, member, Kind.ANSWER_REQUEST)
    had_request(member, "ask:3")
    assert not can_be_asked(asker, member, Kind.ANSWER_REQUEST)


def test_gates_of_the_caller_and_exclusions_hold(in_app: Flask) -> None:
    asker, first, second = make_asker(), make_helper("First"), make_helper("Second")
    gate = Gate("not Second", Member.name != "Second")
    found = queries.rank(asker, Criteria(), gates=[gate], exclude=[])
    assert [one.candidate.member_id for one in found] == [first]
    found = queries.rank(asker, Criteria(), exclude=[first])
    assert [one.candidate.member_id for one in found] == [second]


def test_fit_is_read_from_profile_and_company(in_app: Flask) -> None:
    asker = make_asker()
    member = make_helper(
        company={"industry": "52", "size_band": "5000+", "region": "SE"},
        role_level=RoleLevel.LEAD,
        region="DE",
        use_cases=["Supplier onboarding"],
        topics=["audits"],
        replaced="Brokerline",
    )
    uses, other = use(member, "Relay", "Monitor")
    criteria = Criteria(
        industry="52",
        size_band="5000+",
        region="SE",
        product_ids=(uses,),
        use_case="onboarding of suppliers",
        role_level=RoleLevel.LEAD,
        replacing="Brokerline 11",
    )

    def fit(criteria: Criteria) -> Any:
        return next(one.fit for one in queries.rank(asker, criteria) if one.candidate.member_id == member)

    assert fit(criteria).value == 1.0
    assert fit(Criteria(region="DE", use_case="audit")).value == 1.0
    assert fit(Criteria(product_ids=(other + 100,))).differs == ("products",)
    assert fit(Criteria(industry="31-33")).value == 0.0
    # What is shown to nobody is not known here either.
    hidden = dict.fromkeys(("company", "products", "use_cases", "topics", "replaced"), "nobody")
    change(member, visibility=hidden)
    assert set(fit(criteria).unknown) == {"industry", "size_band", "products", "use_case", "replacing"}
    assert fit(Criteria(industry="52")).value == 0.5


def test_people_like_me_are_customers_of_other_companies(in_app: Flask) -> None:
    mine = make_helper(company={"industry": "52"}, use_cases=["audits"])
    near = make_helper(company={"industry": "52"}, use_cases=["audits"], limit_per_quarter=0)
    far = make_helper(company={"industry": "11", "region": "FR"})
    make_prospect(company_id=company_of(far))
    make_helper(company_id=company_of(mine))
    assert queries.people_like(mine, 3) == [near, far]
    assert queries.people_like(mine, 1) == [near]


def test_criteria_of_a_member(in_app: Flask) -> None:
    member = make_helper(company={"industry": "52"}, use_cases=["audits", "x"], replaced="Brokerline")
    used = use(member, "Relay")
    assert Criteria.of_member(member) == Criteria(
        industry="52",
        size_band="500-999",
        region="DE",
        product_ids=tuple(used),
        use_case="audits",
        replacing="Brokerline",
    )


def test_an_asker_who_is_not_there_gets_nobody(in_app: Flask) -> None:
    make_customer()
    assert queries.rank(987_654, Criteria()) == []
    assert db.session.query(Member).count() == 1


def test_shown_is_counted_without_this_purpose(in_app: Flask) -> None:
    asker, member = make_asker(), make_helper()
    services.propose(asker, Criteria(), purpose="ask:1")
    shown = {p: queries.rank(asker, Criteria(), purpose=p)[0].candidate.shown for p in ("ask:1", "ask:2")}
    assert shown == {"ask:1": 0, "ask:2": 1}
    had_request(member, "ask:3")
    assert queries.rank(asker, Criteria(), purpose="x")[0].candidate.shown == 1
    assert Shown.PROPOSED.value == "proposed"
