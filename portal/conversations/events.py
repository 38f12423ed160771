"""What happens to conversations, told to whoever stands above. Ids only; never a word."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ConversationRequested:
    conversation_id: str
    origin: str
    asker_id: int
    member_id: int


@dataclass(frozen=True)
class ConversationAccepted:
    conversation_id: str
    origin: str
    asker_id: int
    member_id: int


@dataclass(frozen=True)
class ConversationReleased:
    """A request, or the time agreed on, came to nothing, and the place is free.

    `reason`: "no answer", "declined", "withdrawn", "gone"; "called off" by the member who was asked.
    """

    conversation_id: str
    origin: str
    asker_id: int
    member_id: int
    reason: str


@dataclass(frozen=True)
class ConversationHeld:
    """It took place: both have written, or the time they agreed on has passed."""

    conversation_id: str
    origin: str
    asker_id: int
    member_id: int
    at: datetime


@dataclass(frozen=True)
class ConversationMissed:
    """What counted as held did not take place: somebody did not come."""

    conversation_id: str
    origin: str
    asker_id: int
    member_id: int


@dataclass(frozen=True)
class ConversationRated:
    conversation_id: str
    origin: str
    by_id: int
    about_id: int
    useful: bool | None
