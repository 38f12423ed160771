"""What is kept of dear figures."""

import time
from collections.abc import Callable

from portal.kernel import page_cache


def made_in(seconds: float, calls: list[float]) -> Callable[[], int]:
    def make() -> int:
        calls.append(seconds)
        time.sleep(seconds)  # as for a database server: no processor time of this process
        return len(calls)

    return make


def test_what_was_quickly_made_is_made_anew() -> None:
    calls: list[float] = []
    kept: page_cache.Dear[int] = page_cache.Dear(4, least=0.02)
    assert [kept.get("a", made_in(0, calls)) for _ in range(3)] == [1, 2, 3]


def test_what_took_long_is_given_again_to_whoever_asks_for_the_same() -> None:
    calls: list[float] = []
    kept: page_cache.Dear[int] = page_cache.Dear(4, least=0.02)
    assert [kept.get("a", made_in(0.03, calls)) for _ in range(3)] == [1, 1, 1]
    assert kept.get("b", made_in(0.03, calls)) == 2
    page_cache.clear()
    assert kept.get("a", made_in(0.03, calls)) == 3


def test_what_was_kept_first_makes_room() -> None:
    calls: list[float] = []
    kept: page_cache.Dear[int] = page_cache.Dear(2, least=0.001)
    for key in "abc":
        kept.get(key, made_in(0.05, calls))
    assert kept.get("c", made_in(0.05, calls)) == 3
    assert kept.get("a", made_in(0.05, calls)) == 4
