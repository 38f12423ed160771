"""What is kept of dear figures."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from structlog.testing import capture_logs

from portal.kernel import page_cache, renewing
from tests.support.renewal import held_back, until


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
    kept: page_cache.Dear[int] = page_cache.Dear(4, least=0.02, sure=0.02)
    assert [kept.get("a", made_in(0.03, calls)) for _ in range(3)] == [1, 1, 1]
    assert kept.get("b", made_in(0.03, calls)) == 2
    page_cache.clear()
    assert kept.get("a", made_in(0.03, calls)) == 3


def test_what_was_kept_first_makes_room() -> None:
    calls: list[float] = []
    kept: page_cache.Dear[int] = page_cache.Dear(2, least=0.001, sure=0.001)
    for key in "abc":
        kept.get(key, made_in(0.05, calls))
    assert kept.get("c", made_in(0.05, calls)) == 3
    assert kept.get("a", made_in(0.05, calls)) == 4


def test_what_only_its_first_time_took_long_is_not_kept() -> None:
    calls: list[float] = []
    kept: page_cache.Dear[int] = page_cache.Dear(4, least=0.02, sure=0.2)
    assert [kept.get("a", made_in(taken, calls)) for taken in (0.03, 0, 0.03, 0.03, 0.03)] == [1, 2, 3, 4, 4]


class Old(page_cache.Dear[int]):
    """Nothing in it is as good as new any more."""

    FRESH = 0.0


@pytest.fixture
def put_off(app: Flask) -> Iterator[threading.Event]:
    """A thread that renews, and an event that lets it begin."""
    with held_back(app) as begin:
        yield begin


def test_nobody_waits_for_what_is_a_little_old(put_off: threading.Event) -> None:
    calls: list[float] = []
    kept = Old(4, least=0.02, sure=0.02)
    assert [kept.get("a", made_in(0.03, calls)) for _ in range(4)] == [1, 1, 1, 1]
    assert calls == [0.03], "none of the three waited, and the thread has not begun"
    put_off.set()
    until(lambda: len(calls) == 2)  # once, however often somebody asked
    until(lambda: kept.get("a", made_in(0.03, calls)) == 2)


def test_what_is_too_old_is_made_while_one_waits(put_off: threading.Event) -> None:
    class Older(Old):
        GIVEN = 0.0

    calls: list[float] = []
    kept = Older(4, least=0.02, sure=0.02)
    assert [kept.get("a", made_in(0.03, calls)) for _ in range(3)] == [1, 2, 3]


def test_what_was_never_let_begin_is_dropped_without_a_word(app: Flask) -> None:
    calls: list[float] = []
    kept = Old(4, least=0.02, sure=0.02)
    with capture_logs() as said:
        with held_back(app):
            assert [kept.get("a", made_in(0.03, calls)) for _ in range(2)] == [1, 1]
        time.sleep(0.05)
    assert (calls, said) == ([0.03], [])


def test_without_a_thread_one_waits() -> None:
    calls: list[float] = []
    kept = Old(4, least=0.02, sure=0.02)
    assert [kept.get("a", made_in(0.03, calls)) for _ in range(3)] == [1, 2, 3]


def test_what_fails_behind_is_tried_again(put_off: threading.Event) -> None:
    calls: list[float] = []
    kept = Old(4, least=0.02, sure=0.02)
    kept.get("a", made_in(0.03, calls))

    def fails() -> int:
        calls.append(0)
        raise RuntimeError("no database")

    with capture_logs() as said:
        put_off.set()
        assert kept.get("a", fails) == 1
        until(lambda: len(calls) == 2)
        until(lambda: bool(said))
    assert [one["event"] for one in said] == ["a kept figure could not be made anew"]
    until(lambda: kept.get("a", made_in(0.03, calls)) > 1)


def test_what_is_kept_ready_is_made_before_somebody_asks(put_off: threading.Event) -> None:
    calls: list[float] = []
    kept: page_cache.Dear[int] = page_cache.Dear(4, least=0.02, sure=0.02)
    done = threading.Event()

    def look() -> None:
        kept.renew("a", made_in(0.03, calls))
        done.set()

    before = renewing.ready()
    renewing.keep_ready(look)
    put_off.set()
    try:
        renewing.stay_ready()
        assert done.wait(5)
    finally:
        renewing.keep_ready(*before)
    assert kept.get("a", made_in(0.03, calls)) == 1
