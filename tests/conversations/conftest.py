"""Two people who talk, and what they say."""

import itertools

from portal.conversations import services
from portal.conversations.models import Conversation
from portal.kernel.access import Viewer
from tests.conftest import viewer_of

_numbers = itertools.count(1)


def asked(asker: int | Viewer, member: int, note: str = "", **fields: object) -> Conversation:
    """A request that waits for its answer."""
    viewer = asker if isinstance(asker, Viewer) else viewer_of(asker)
    note = note or f"I would like to hear how the first year went ({next(_numbers)})."
    return services.request(viewer, member, note=note, **fields)


def talking(asker: int, member: int, *texts: str) -> Conversation:
    """An open conversation in which asker and member have written in turns, the member first."""
    conversation = asked(asker, member)
    services.accept(viewer_of(member), conversation.id)
    for number, text in enumerate(texts):
        by = member if number % 2 == 0 else asker
        services.send_message(viewer_of(by), conversation.id, text)
    return conversation
