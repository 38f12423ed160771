"""What stands sealed in rows, opened for who may read it."""

from portal.conversations.models import Conversation
from portal.kernel.vault import CannotOpen, Key


def key_of(conversation: Conversation) -> tuple[Key | None, bool]:
    """The key of a conversation, and whether it is locked: the key that wraps it is missing."""
    try:
        return conversation.key(), False
    except CannotOpen:
        return None, True


def opened(key: Key | None, box: str, purpose: str) -> str:
    """The text in a box; empty without the key, or when it was changed."""
    if key is None or not box:
        return ""
    try:
        return key.open(box, purpose=purpose)
    except CannotOpen:
        return ""
