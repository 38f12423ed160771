"""A registry: which threads were moved or merged to where fewer people read. `portal.wiring` fills it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from portal.kernel.access import Viewer


@dataclass(frozen=True)
class MovedAway:
    """That a thread was taken out of a reader's sight, as the public log has it; nothing of the thread."""

    case_id: int
    rule_label: str
    at: datetime
    merged: bool
    board_slug: str  # the board that it left
    board_name: str
    last_number: int  # of its posts then

    def had(self, number: int, written_at: datetime) -> bool:
        """Whether a post stood in it, so that the reader could read it there."""
        return not self.merged and number <= self.last_number and written_at <= self.at


_stones: list[Callable[[Viewer, int], MovedAway | None]] = []
_marks: list[Callable[[int, datetime], bool]] = []


def register(
    stone: Callable[[Viewer, int], MovedAway | None], since: Callable[[int, datetime], bool]
) -> None:
    """Have `stone` say how a thread left a viewer's sight, `since` whether it left anybody's since then."""
    if stone not in _stones:
        _stones.append(stone)
        _marks.append(since)


def stone_of(viewer: Viewer, thread_id: int) -> MovedAway | None:
    """How a thread that this viewer could read, and can no longer, was moved or merged away; else None."""
    return next((found for stone in _stones if (found := stone(viewer, thread_id))), None)


def was_moved_since(thread_id: int, moment: datetime) -> bool:
    """Whether the thread was moved or merged to fewer readers since the moment."""
    return any(since(thread_id, moment) for since in _marks)
