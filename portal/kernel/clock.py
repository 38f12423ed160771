"""Time and randomness: the only place that asks the machine for either."""

import random as _random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_shift = timedelta(0)
_frozen: datetime | None = None


def now() -> datetime:
    """The present moment, aware, in UTC."""
    if _frozen is not None:
        return _frozen
    return datetime.now(UTC) + _shift


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
