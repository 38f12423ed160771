"""Many do something at the same moment, each in a thread and a context of their own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask

from portal.kernel.db import db

WAIT_SECONDS = 30


def at_once(app: Flask, run: Callable[[int], Any], times: int) -> list[Any]:
    """What `run(number)` gave each of so many threads, an exception as its value; all begin together."""
    db.session.rollback()
    ready = threading.Barrier(times)

    def one(number: int) -> Any:
        with app.app_context():
            try:
                ready.wait(WAIT_SECONDS)
                return run(number)
            except Exception as error:
                return error
            finally:
                db.session.remove()

    with ThreadPoolExecutor(times) as pool:
        results = list(pool.map(one, range(times)))
    db.session.rollback()  # what this thread read before is old
    return results


def all_at_once(app: Flask, actions: Sequence[Callable[[], Any]]) -> list[Any]:
    """The same for actions that differ: what each of them gave, in their order."""
    return at_once(app, lambda number: actions[number](), len(actions))
