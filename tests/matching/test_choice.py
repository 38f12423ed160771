"""Fit and choice on plain data: what weighs, who comes first, and that nobody is forgotten."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.matching import choice
from portal.matching.choice import Candidate
from portal.matching.criteria import WEIGHTS, Criteria, Traits, fit_of
from portal.members.models import RoleLevel

ALL = Criteria(
    industry="31-33",
    size_band="500-999",
    region="DE",
    product_ids=(1, 2),
    use_case="Exchange of invoices with suppliers",
    role_level=RoleLevel.MANAGER,
    replacing="Brokerline 11",
)
LIKE = Traits(
    industry="31-33",
    size_band="500-999",
    regions=("DE",),
    product_ids=frozenset({2}),
    use_cases=("supplier invoices",),
    role_level=RoleLevel.MANAGER,
    replaced="Brokerline",
)
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_weights_are_those_of_the_plan() -> None:
    assert WEIGHTS == {
        "industry": 0.25,
        "products": 0.20,
        "use_case": 0.20,
        "size_band": 0.15,
        "role_level": 0.10,
        "region": 0.10,
        "replacing": 0.10,
    }


def test_the_same_in_everything_fits_wholly() -> None:
    fit = fit_of(ALL, LIKE)
    assert (fit.value, fit.differs, fit.unknown) == (1.0, (), ())
    assert set(fit.same) == set(WEIGHTS)


def test_what_is_unknown_counts_half_and_is_said() -> None:
    fit = fit_of(ALL, Traits())
    assert fit.value == 0.5
    assert set(fit.unknown) == set(WEIGHTS)
    assert fit_of(Criteria(industry="52", size_band="500-999"), Traits(size_band="500-999")).value == (
        pytest.approx((0.15 + 0.125) / 0.4, abs=1e-6)
    )


def test_fit_is_by_what_was_stated() -> None:
    assert fit_of(Criteria(), Traits()).value == 1.0
    assert fit_of(Criteria(industry="52"), LIKE).value == 0.0
    one_of_two = fit_of(Criteria(industry="31-33", region="SE"), LIKE)
    assert one_of_two.value == pytest.approx(0.25 / 0.35, abs=1e-6)
    assert (one_of_two.same, one_of_two.differs) == (("industry",), ("region",))


def test_the_asker_weighs_anew() -> None:
    criteria = Criteria(industry="31-33", region="SE", weights={"region": 1.0, "industry": 0.5})
    assert fit_of(criteria, LIKE).value == pytest.approx(1 / 3, abs=1e-6)
    assert fit_of(criteria.without("region"), LIKE).value == 1.0
    assert Criteria(industry="x", weights={"industry": -3}).stated == {}


def test_the_least_important_is_dropped_first() -> None:
    assert Criteria(industry="52", region="DE").least_important == "region"
    assert Criteria(industry="52", region="DE", weights={"region": 0.9}).least_important == "industry"
    assert Criteria().least_important == ""


@pytest.mark.parametrize(
    ("asked", "theirs", "alike"),
    [
        ("Brokerline 11", "brokerline", True),
        ("Brokerline 11", "SAP 11", False),
        ("onboarding suppliers", "Supplier onboarding", True),
        ("invoices to public bodies", "e-invoicing for public bodies", True),
        ("invoices", "warehouse robots", False),
    ],
)
def test_texts_are_compared_by_their_words(asked: str, theirs: str, alike: bool) -> None:
    assert fit_of(Criteria(replacing=asked), Traits(replaced=theirs)).value == float(alike)
    assert fit_of(Criteria(use_case=asked), Traits(use_cases=("x", theirs))).value == float(alike)


def ids(found: list[tuple[Candidate, str]]) -> list[int]:
    return [candidate.member_id for candidate, _how in found]


def test_load_then_fit_then_idleness_decide() -> None:
    long_ago, lately = NOW - timedelta(days=80), NOW - timedelta(days=30)
    candidates = [
        Candidate(1, 1.0, 1, 2, lately),
        Candidate(2, 0.7, 0, 2, lately),
        Candidate(3, 0.9, 0, 2, lately),
        Candidate(4, 0.9, 0, 2, long_ago),
        Candidate(5, 0.9, 1, 12, long_ago),
        Candidate(6, 0.2, 0, 2),
    ]
    assert [one.member_id for one in choice.in_turn(candidates, Random(1))] == [4, 3, 2, 6, 5, 1]
    assert choice.propose(candidates, Random(1))[0] == (candidates[3], "chosen")


def test_three_ways_to_be_proposed() -> None:
    candidates = [Candidate(n, 1.0 - n / 100, 0, 2, shown=0 if n == 9 else 3) for n in range(20)]
    found = choice.propose(candidates, Random(1))
    assert [how for _one, how in found] == ["chosen", "least shown", "random"]
    assert ids(found)[:2] == [0, 9]
    others = {ids(choice.propose(candidates, Random(seed)))[2] for seed in range(300)}
    assert others == set(range(20)) - {0, 9}


def test_fewer_than_three_that_fit_are_joined_by_the_nearest() -> None:
    candidates = [
        Candidate(1, 0.8, 2, 3),
        Candidate(2, 0.5, 0, 2),
        Candidate(3, 0.3, 0, 2),
        Candidate(4, 0.4, 0, 2),
    ]
    assert set(ids(choice.propose(candidates, Random(1)))) == {1, 2, 4}


candidates_drawn = st.lists(
    st.builds(
        lambda fit, load, more, days, shown: (fit, load, load + more, days, shown),
        st.sampled_from([0.0, 0.3, 0.59, 0.6, 0.8, 1.0]),
        st.integers(0, 5),
        st.integers(1, 7),
        st.none() | st.integers(0, 89),
        st.integers(0, 4),
    ),
    max_size=40,
).map(
    lambda rows: [
        Candidate(n, fit, load, limit, None if days is None else NOW - timedelta(days=days), shown)
        for n, (fit, load, limit, days, shown) in enumerate(rows)
    ]
)


@given(candidates_drawn, st.integers(0, 10**6))
def test_proposals_are_different_fit_and_as_many_as_there_are(found: list[Candidate], seed: int) -> None:
    proposals = choice.propose(found, Random(seed))
    assert len(set(ids(proposals))) == len(proposals) == min(3, len(found))
    fitting = choice.that_fit(found)
    if len(fitting) >= 3:
        assert {one.member_id for one in fitting} >= set(ids(proposals))
        assert proposals[0][0].load / proposals[0][0].limit == min(one.load / one.limit for one in fitting)
    assert proposals == choice.propose(list(reversed(found)), Random(seed))


@given(candidates_drawn, st.integers(1, 8), st.integers(0, 10**6))
def test_nobody_gets_a_second_request_while_one_who_fits_had_none(
    found: list[Candidate], count: int, seed: int
) -> None:
    asked = choice.wave(found, Random(seed), count=count)
    fitting = choice.that_fit(found)
    if len(fitting) < min(count, 3):
        return
    left_out = {one.member_id for one in fitting} - {one.member_id for one in asked}
    if any(one.load == 0 for one in fitting if one.member_id in left_out):
        assert all(one.load == 0 for one in asked)


@given(st.integers(2, 12), st.integers(1, 4), st.integers(1, 60), st.integers(0, 10**6))
@settings(deadline=None)
def test_no_equal_is_asked_twice_while_another_is_idle(people: int, limit: int, asks: int, seed: int) -> None:
    """All fit alike and have one limit; whether they accept is drawn. Declining takes no place."""
    draw = Random(seed)
    asked = dict.fromkeys(range(people), 0)
    loads = dict.fromkeys(range(people), 0)
    last: dict[int, datetime] = {}
    for number in range(asks):
        able = [Candidate(n, 0.8, loads[n], limit, last.get(n)) for n in range(people) if loads[n] < limit]
        if not able:
            break
        one, _how = choice.propose(able, draw)[0]
        if asked[one.member_id] >= 1:
            assert all(asked[other.member_id] >= 1 for other in able)
        asked[one.member_id] += 1
        last[one.member_id] = NOW + timedelta(hours=number)
        loads[one.member_id] += draw.random() < 0.6
