"""How evenly something is shared among people. Plain data, no database: the benchmarks use it too."""

from collections.abc import Mapping

FEWEST = 5  # of fewer people nothing is told
STEP = 0.05


def gini(people: Mapping[int, int] | Mapping[float, int]) -> float:
    """How unevenly a load is shared; `people` says how many carry which, those who carry nothing included.

    0 where all carry the same (nobody anything, too), nearing 1 where one of many carries everything. For
    loads in ascending order x₁ … xₙ it is 2·Σ i·xᵢ ÷ (n·Σ xᵢ) − (n + 1) ÷ n; where the m people in the
    places k+1 … k+m carry the same, their places add up to m·(2k + m + 1) ÷ 2. Sen, On Economic Inequality
    (1973), chapter 2, after Gini (1912).
    """
    size, total = sum(people.values()), sum(load * count for load, count in people.items())
    if not total:
        return 0.0
    before, weighted = 0, 0.0
    for load, count in sorted(people.items()):
        weighted += load * count * (2 * before + count + 1) / 2
        before += count
    return min(1.0, max(0.0, 2 * weighted / (size * total) - (size + 1) / size))


def least_gini(total: int, size: int) -> float:
    """The Gini of `total` whole pieces shared among `size` people as evenly as whole pieces can be."""
    if size <= 0:
        return 0.0
    each, rest = divmod(total, size)
    return gini({each: size - rest, each + 1: rest})


def in_fives(people: int) -> int:
    """A number of people to the nearest five; 0 says "fewer than five", nobody included."""
    return 5 * ((people + 2) // 5) if people >= FEWEST else 0


def in_steps(value: float) -> float:
    """A figure between 0 and 1 to the nearest twentieth."""
    return round(round(value / STEP) * STEP, 2)
