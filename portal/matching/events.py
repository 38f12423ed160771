"""What happens to places that were taken."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReservationExpired:
    """Nobody answered in time: the place is free again."""

    member_id: int
    purpose: str
