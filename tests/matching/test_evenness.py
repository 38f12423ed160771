"""How evenly something is shared: the Gini, and what is told of few people."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.matching.evenness import FEWEST, gini, in_fives, in_steps, least_gini

LOADS = st.lists(st.integers(0, 50), min_size=1, max_size=60)


def by_definition(loads: list[int]) -> float:
    """Half of the mean difference of all pairs, over the mean."""
    mean = sum(loads) / len(loads)
    return sum(abs(a - b) for a, b in product(loads, loads)) / (2 * len(loads) ** 2 * mean) if mean else 0.0


@given(LOADS)
def test_the_gini_is_half_of_the_mean_difference_over_the_mean(loads: list[int]):
    assert gini(Counter(loads)) == pytest.approx(by_definition(loads), abs=1e-9)


@given(st.integers(0, 50), st.integers(1, 500))
def test_where_all_carry_the_same_it_is_nothing(load: int, people: int):
    assert gini({load: people}) == pytest.approx(0, abs=1e-12)


@given(LOADS)
def test_it_lies_between_nothing_and_one_and_the_more_people_the_nearer_one_can_carry_all(loads: list[int]):
    assert 0 <= gini(Counter(loads)) <= 1 - 1 / len(loads) + 1e-9
    assert gini({0: len(loads), 7: 1}) == pytest.approx(1 - 1 / (len(loads) + 1))


@given(LOADS, st.floats(0.01, 1000))
def test_it_is_the_same_in_any_unit(loads: list[int], factor: float):
    scaled = Counter(load * factor for load in loads)
    assert gini(scaled) == pytest.approx(gini(Counter(loads)), abs=1e-9)


@given(LOADS, st.randoms())
def test_it_is_the_same_in_any_order(loads: list[int], draw):
    mixed = draw.sample(loads, len(loads))
    assert gini(dict(Counter(mixed))) == gini(dict(Counter(loads)))


@given(LOADS)
def test_nothing_is_shared_more_evenly_than_as_evenly_as_can_be(loads: list[int]):
    assert least_gini(sum(loads), len(loads)) <= gini(Counter(loads)) + 1e-9


@pytest.mark.parametrize(("total", "people", "least"), [(0, 9, 0), (20, 100, 0.8), (100, 100, 0), (0, 0, 0)])
def test_the_least_that_whole_conversations_allow(total: int, people: int, least: float):
    assert least_gini(total, people) == pytest.approx(least, abs=1e-12)


@given(st.integers(0, 60_000))
def test_of_fewer_than_five_nothing_is_told_and_of_more_to_the_nearest_five(people: int):
    told = in_fives(people)
    assert told % 5 == 0
    assert told == 0 if people < FEWEST else abs(told - people) <= 2


@given(st.floats(0, 1))
def test_shares_are_told_in_twentieths(value: float):
    told = in_steps(value)
    assert abs(told - value) <= 0.025 + 1e-9
    assert round(told * 20) == pytest.approx(told * 20)
