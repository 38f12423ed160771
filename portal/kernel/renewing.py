"""A thread of each web process that makes dear figures anew, so that nobody waits for them.

It renews what somebody was just given a little old (`page_cache.Dear`), and keeps ready what nearly every
moderator asks for: from the beginning of the process, and again every few minutes. Tests have no such thread;
there whoever asks for a figure waits for it.
"""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import structlog

from portal.kernel.db import db

log = structlog.get_logger("candor.renewing")

READY_EVERY = 240.0  # seconds; less than what `Dear` still gives away
READY_AGAIN = 5.0  # after the first time, which prepares statements and so says little of what a figure takes

Work = Callable[[], object]
_context: list[Callable[[], AbstractContextManager[Any]]] = []
_ready: list[Work] = []
_waiting: "queue.SimpleQueue[Work]" = queue.SimpleQueue()
_lock = threading.Lock()
_threads: list[threading.Thread] = []
_next_round: list[float] = []  # when; empty where nothing is kept ready


def keep_ready(*works: Work) -> None:
    """Have these done in each web process before somebody asks; they keep what they make by themselves."""
    _ready[:] = works


def ready() -> list[Work]:
    """What is kept ready."""
    return list(_ready)


def renew_with(context: Callable[[], AbstractContextManager[Any]] | None) -> None:
    """Have a thread of this process do what is put off, inside `context()`; None: it does nothing."""
    _context[:] = [context] if context else []
    _next_round.clear()


def can_wait() -> bool:
    """Whether something can be put off here."""
    return bool(_context)


def later(work: Work) -> None:
    """Do this soon, in the order in which things were put off."""
    _put_off(lambda: _do(work))


def _put_off(work: Work) -> None:
    _waiting.put(work)
    with _lock:
        if not _threads or not _threads[0].is_alive():  # as after a fork
            _threads[:] = [threading.Thread(target=_work, name="renewing", daemon=True)]
            _threads[0].start()


def stay_ready() -> None:
    """From now on keep ready what is registered: for a process that serves pages."""
    _put_off(lambda: _round(READY_AGAIN))


def _round(pause: float) -> None:
    for work in tuple(_ready):
        _do(work)
    _next_round[:] = [time.monotonic() + pause]


def _work() -> None:
    while True:
        left = max(0.0, _next_round[0] - time.monotonic()) if _next_round else None
        try:
            work = _waiting.get(timeout=left)
        except queue.Empty:
            _round(READY_EVERY)
        else:
            work()


def _do(work: Work) -> None:
    context = next(iter(_context), None)
    if context is None:
        return
    try:
        with context():
            try:
                work()
            finally:
                db.session.remove()
    except Exception:  # it fails again, and is seen, when somebody asks
        log.warning("a kept figure could not be made anew", exc_info=True)
