"""The thread that makes kept figures anew, held back until a test lets it begin."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask

from portal.kernel import renewing


@contextmanager
def held_back(app: Flask) -> Iterator[threading.Event]:
    """What is put off waits for the event that is given; what still waits at the end is not done at all."""
    begin, over = threading.Event(), threading.Event()
    renewing.renew_with(app.app_context)
    renewing.later(lambda: begin.wait(20))  # the others stand in line behind this
    try:
        yield begin
    finally:
        renewing.renew_with(None)
        begin.set()
        renewing._put_off(over.set)
        assert over.wait(20), "what was being made anew did not come to an end"


def until(holds: Callable[[], bool]) -> None:
    """Wait for it, five seconds at most."""
    end = time.monotonic() + 5
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("it did not come")
        time.sleep(0.005)
