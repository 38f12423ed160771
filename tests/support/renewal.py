"""The thread that makes kept figures anew, held back until a test lets it begin."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask

from portal.kernel import renewing


@contextmanager
def held_back(app: Flask) -> Iterator[threading.Event]:
    """What is put off waits for the event that is given."""
    begin, over = threading.Event(), threading.Event()

    @contextmanager
    def context() -> Iterator[None]:
        if not begin.wait(20) or over.is_set():
            raise TimeoutError("the test is over")
        with app.app_context():
            yield

    renewing.renew_with(context)
    try:
        yield begin
    finally:
        over.set()
        begin.set()
        renewing.renew_with(None)


def until(holds: Callable[[], bool]) -> None:
    """Wait for it, five seconds at most."""
    end = time.monotonic() + 5
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("it did not come")
        time.sleep(0.005)
