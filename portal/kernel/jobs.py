"""Work beside the requests: named functions that the worker calls every so often, or soon after a commit.

A job drains rows (outbox, mails): safe to repeat, and by two workers at once. `portal.wiring` registers the
functions and builds the clockwork (huey) that calls them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from portal.kernel.unit_of_work import after_commit, in_unit_of_work


@dataclass(frozen=True)
class Job:
    """`run` gives how many rows it handled."""

    name: str
    run: Callable[[], int]
    every_seconds: int


_jobs: dict[str, Job] = {}
_waker: list[Callable[[str], None]] = []


def register(name: str, run: Callable[[], int], every_seconds: int) -> None:
    """Have the worker call `run` at least every so many seconds (60 is the finest)."""
    _jobs[name] = Job(name, run, every_seconds)


def registered() -> dict[str, Job]:
    return dict(_jobs)


def set_waker(waker: Callable[[str], None] | None) -> None:
    """Who is told that there is work; None for nobody (tests run jobs themselves)."""
    _waker[:] = [waker] if waker else []


def wake(name: str) -> None:
    """Have the job run soon: after the commit, when a unit of work is running. Only a hint."""
    for waker in _waker:
        if in_unit_of_work():
            after_commit(lambda waker=waker: waker(name))  # type: ignore[misc]
        else:
            waker(name)
