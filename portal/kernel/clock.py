"""Time and randomness: the only place that asks the machine for either."""

import os
import random as _random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

# For drills: how wrong this machine's clock is, in seconds. Of no effect outside tests.
_wrong_by = os.environ.get("CLOCK_WRONG_BY", "0") if os.environ.get("SITE_ENV") == "test" else "0"
_shift = timedelta(seconds=float(_wrong_by))
_frozen: datetime | None = None


def now() -> datetime:
    """The present moment, aware, in UTC."""
    if _frozen is not None:
        return _frozen
    return datetime.now(UTC) + _shift


def end_of_minute() -> datetime:
    """When the present minute is over."""
    return now().replace(second=0, microsecond=0) + timedelta(minutes=1)


def end_of_day() -> datetime:
    """When the present day is over, in UTC."""
    return now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


@contextmanager
def frozen(moment: datetime) -> Iterator[None]:
    """For tests and the demo: inside the block it is always `moment`."""
    global _frozen
    before, _frozen = _frozen, moment.astimezone(UTC)
    try:
        yield
    finally:
        _frozen = before


def shift(by: timedelta) -> None:
    """For tests: move the clock, as a wrong server clock would."""
    global _shift
    _shift = by


def token(length: int = 32) -> str:
    """An unguessable URL-safe string from `length` random bytes."""
    return secrets.token_urlsafe(length)


def generator(seed: str | int | None = None) -> _random.Random:
    """A pseudo-random generator; with a seed the same draw each time. Never for secrets."""
    return _random.Random(seed)  # noqa: S311 - draws, not secrets
