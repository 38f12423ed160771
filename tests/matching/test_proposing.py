"""Three proposals with their explanation, and waves of answer requests."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import queries, services
from portal.matching.criteria import Criteria
from portal.matching.models import Exposure, Kind, Shown
from portal.matching.queries import explanation
from portal.members.models import Member, MemberState
from tests.conftest import noon, viewer_of
from tests.matching.scenes import choose, had_request, held, make_asker, make_helper, reserve
from tests.support.statements import Statements

DAY = timedelta(days=1)
MANUFACTURER = Criteria(industry="31-33", size_band="500-999")


@pytest.fixture(autouse=True)
def _monday(at: Callable[[datetime], None]) -> None:
    at(noon())


def test_without_context_thirty_customers_give_three_proposals(in_app: Flask) -> None:
    asker, helpers = make_asker(), [make_helper() for _ in range(30)]
    found = services.propose(asker, Criteria(), purpose="ask:1")
    assert len({match.member_id for match in found.matches}) == 3
    assert {match.member_id for match in found.matches} <= set(helpers)
    assert [match.chosen_as for match in found.matches] == ["chosen", "least shown", "random"]
    assert (found.fitting, found.relaxed) == (30, "")
    assert all(match.fit == 1.0 for match in found.matches)


@pytest.mark.long  # 600 customers are made; one community of thirty is looked at by the test above
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(
        st.tuples(
            st.sampled_from(["31-33", "52", ""]),
            st.sampled_from(["1-49", "500-999", ""]),
            st.sampled_from(["DE", "SE", ""]),
            st.integers(1, 6),
            st.booleans(),
        ),
        min_size=30,
        max_size=30,
    ),
    number=st.integers(0, 10**6),
)
def test_without_context_thirty_customers_of_any_kind_give_three_proposals(
    in_app: Flask, people: list[tuple[str, str, str, int, bool]], number: int
) -> None:
    """Whatever they are, and whether or not they talked a month ago, as long as a place is left."""
    asker, now = make_asker(), clock.now()
    helpers = []
    for place, (industry, size, region, limit, talked) in enumerate(people):
        company = {"industry": industry, "size_band": size, "region": region}
        helpers.append(make_helper(company=company, limit_per_quarter=limit + talked))
        if talked:
            held(helpers[-1], f"{number}:{helpers[-1]}:{place}", now - 30 * DAY)
    found = services.propose(asker, Criteria(), purpose=f"ask:{number}")
    assert len({match.member_id for match in found.matches}) == 3
    assert {match.member_id for match in found.matches} <= set(helpers)
    assert (found.fitting, found.relaxed) == (30, "")
    with unit_of_work():
        db.session.execute(update(Member).where(Member.id.in_(helpers)).values(state=MemberState.BANNED))


def test_the_same_purpose_proposes_the_same_people_and_counts_once(in_app: Flask) -> None:
    asker = make_asker()
    for _ in range(12):
        make_helper()
    first = services.propose(asker, Criteria(), purpose="ask:1")
    assert services.propose(asker, Criteria(), purpose="ask:1") == first
    shown = (
        db.session.execute(select(Exposure.member_id).where(Exposure.kind == Shown.PROPOSED)).scalars().all()
    )
    assert sorted(shown) == sorted(match.member_id for match in first.matches)


def test_everybody_is_shown_before_anybody_is_shown_often(in_app: Flask) -> None:
    asker, helpers = make_asker(), [make_helper() for _ in range(12)]
    for number in range(12):
        services.propose(asker, Criteria(), purpose=f"ask:{number}")
    shown = db.session.execute(select(Exposure.member_id)).scalars().all()
    assert set(shown) == set(helpers)


def test_nobody_there_is_said(in_app: Flask) -> None:
    found = services.propose(make_asker(), Criteria(), purpose="ask:1")
    assert (found.matches, found.fitting) == ((), None)
    assert found.relaxed


def test_fewer_than_three_that_fit_are_joined_by_the_nearest_and_it_is_said(in_app: Flask) -> None:
    asker = make_asker()
    fits, near, far = (
        make_helper(),
        make_helper(company={"industry": "31-33", "size_band": "1-49"}),
        make_helper(company={"industry": "52", "size_band": "1-49"}),
    )
    found = services.propose(asker, MANUFACTURER, purpose="ask:1")
    assert {match.member_id for match in found.matches} == {fits, near, far}
    assert found.relaxed
    assert found.fitting is None
    by_id = {match.member_id: match for match in found.matches}
    assert by_id[near].differs == ("size_band",)
    assert "another size" in explanation(by_id[near], found)[0]


def test_the_explanation_says_why_and_what_is_always_true(in_app: Flask) -> None:
    asker = make_asker()
    for _ in range(14):
        make_helper(company={"region": "FR"}, replaced="Brokerline", use_cases=["x"])
    criteria = Criteria(industry="31-33", size_band="500-999", region="SE", replacing="Brokerline")
    found = services.propose(asker, criteria, purpose="ask:1")
    said = " ".join(explanation(found.matches[0], found, name="Dana"))
    assert said == (
        "Same industry, same size, replaced Brokerline too; another country. Fit 0.83 (0.60 needed). "
        "14 customers fit; Dana is among those asked least (0 of 2 this quarter). "
        "Nobody is paid. The vendor cannot read this conversation."
    )


def test_below_five_no_number_tells_who_declined(in_app: Flask) -> None:
    asker, helpers = make_asker(), [make_helper() for _ in range(5)]
    with_five = services.propose(asker, Criteria(), purpose="ask:1")
    assert with_five.fitting == 5
    reserve(helpers[0], "talk:1")
    reserve(helpers[0], "talk:2")  # full: four are left
    found = services.propose(asker, Criteria(), purpose="ask:2")
    assert found.fitting is None
    for match in found.matches:
        assert not re.search(r"\d", " ".join(explanation(match, found)))


def test_nothing_that_is_said_differs_after_a_decline(in_app: Flask) -> None:
    asker, helpers = make_asker(), [make_helper() for _ in range(6)]
    before = services.propose(asker, MANUFACTURER, purpose="ask:1")
    for number, helper in enumerate(helpers[:4]):
        reserve(helper, f"talk:{number}")
        assert services.release(f"talk:{number}")
    after = services.propose(asker, MANUFACTURER, purpose="ask:2")
    said = [
        {match.chosen_as: explanation(match, found) for match in found.matches} for found in (before, after)
    ]
    assert said[0] == said[1]


def test_capacity_is_not_taken_by_a_proposal(in_app: Flask) -> None:
    asker, helper = make_asker(), make_helper(limit_per_quarter=1)
    for number in range(5):
        services.propose(asker, Criteria(), purpose=f"ask:{number}")
    assert queries.load(helper).taken == 0


def test_a_wave_brings_the_ask_to_five_and_the_second_to_others(in_app: Flask) -> None:
    asker, helpers = make_asker(), [make_helper() for _ in range(12)]
    first = services.choose_for_wave(asker, Criteria(), purpose="ask:1")
    second = services.choose_for_wave(asker, Criteria(), purpose="ask:1")
    third = services.choose_for_wave(asker, Criteria(), purpose="ask:1")
    waves = [[match.member_id for match in wave] for wave in (first, second, third)]
    assert [len(wave) for wave in waves] == [5, 5, 2]
    assert sorted(member_id for wave in waves for member_id in wave) == sorted(helpers)


def test_nobody_gets_a_second_request_while_another_had_none(in_app: Flask) -> None:
    asker, helpers = make_asker(), [make_helper() for _ in range(15)]
    for number in range(3):
        services.choose_for_wave(asker, Criteria(), purpose=f"ask:{number}")
    had = db.session.execute(select(Exposure.member_id)).scalars().all()
    assert sorted(had) == sorted(helpers)


def test_a_wave_keeps_the_monthly_limit(in_app: Flask, at: Callable[[datetime], None]) -> None:
    asker, often, rarely = make_asker(), make_helper(answer_requests_per_month=10), make_helper()
    asked: list[int] = []
    for number in range(6):
        at(noon() + number * DAY)
        asked += [m.member_id for m in services.choose_for_wave(asker, Criteria(), purpose=f"ask:{number}")]
    assert (asked.count(often), asked.count(rarely)) == (6, 2)
    at(noon() + 40 * DAY)
    assert len(services.choose_for_wave(asker, Criteria(), purpose="ask:9")) == 2


def test_a_wave_with_few_who_fit_goes_to_the_nearest(in_app: Flask) -> None:
    asker = make_asker()
    for _ in range(9):
        make_helper(company={"industry": "52", "size_band": "1-49"})
    near = make_helper(company={"industry": "31-33", "size_band": "1-49"})
    found = services.choose_for_wave(asker, MANUFACTURER, purpose="ask:1")
    assert len(found) == 3
    assert near in {match.member_id for match in found}


@pytest.mark.parametrize(
    ("hour", "quiet", "told"),
    [
        (12, (22, 7), 12),
        (23, (22, 7), 31),
        (3, (22, 7), 7),
        (13, (12, 14), 14),
        (14, (12, 14), 14),
        (3, (5, 5), 3),
        (3, (None, None), 3),
    ],
)
def test_quiet_hours_put_off_the_telling(
    in_app: Flask, hour: int, quiet: tuple[int | None, int | None], told: int
) -> None:
    member = make_helper(quiet_from=quiet[0], quiet_to=quiet[1], time_zone="Europe/Berlin", by_mail=False)
    midnight = noon().replace(hour=0) - timedelta(hours=1)  # in Berlin
    reach = queries.reach([member], midnight + timedelta(hours=hour))[member]
    assert reach == type(reach)(by_mail=False, from_at=midnight + timedelta(hours=told))


def test_a_card_shows_as_much_as_the_customer_allows(in_app: Flask) -> None:
    asker = make_asker()
    named = make_helper("Dana Reyes", title="Head of IT")
    by_role = make_helper("Secret Name", title="Head of EDI", identity="role", talk_about="audits")
    found = queries.cards(viewer_of(asker), [named, by_role])
    assert (found[named].person.name, found[named].by_role) == ("Dana Reyes", False)
    card = found[by_role]
    assert (card.person.name, card.person.username, card.talk_about) == ("Head of EDI", "", "audits")
    assert card.person.company == "Manufacturer, 500–999 people, Germany"
    assert "Secret" not in repr(card)


def test_proposing_takes_a_handful_of_statements(
    in_app: Flask, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    asker = make_asker()

    def count(purpose: str) -> int:
        with statements() as seen:
            services.propose(asker, MANUFACTURER, purpose=purpose)
        assert len(seen) <= 6, str(seen)
        return len(seen)

    for _ in range(4):
        make_helper()
    few = count("ask:1")
    for _ in range(12):
        make_helper()
    assert count("ask:2") == few


def test_kinds_are_words_too(in_app: Flask) -> None:
    asker, helper = make_asker(), make_helper()
    choose(helper, answer_requests_open=False)
    had_request(helper, "ask:0", clock.now() - DAY)
    assert services.propose(asker, Criteria(), purpose="ask:1", kind="conversation").matches
    assert not services.propose(asker, Criteria(), purpose="ask:1", kind=Kind.ANSWER_REQUEST).matches
