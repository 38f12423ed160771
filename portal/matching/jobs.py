"""What the worker does for matching."""

from portal.matching.services import proposing, reserving, slots

RELEASE_JOB = "release places nobody answered for"


def forget_old() -> int:
    """Remove what is over: exposures and places after 400 days, times after 90. Gives how many rows."""
    return proposing.forget_old() + reserving.forget_old() + slots.forget_old()
