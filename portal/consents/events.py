"""What is told to packages above."""

from dataclasses import dataclass

from portal.consents.models import Activity


@dataclass(frozen=True)
class ConsentGiven:
    member_id: int
    activity: Activity


@dataclass(frozen=True)
class ConsentWithdrawn:
    """In force at once: whoever made use of it has to stop."""

    member_id: int
    activity: Activity
