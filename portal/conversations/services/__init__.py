"""Writes of conversations, by idea: requesting, messages, leaving, people, reporting, afterwards."""

from portal.conversations.services.afterwards import publish_thanks, rate, thank
from portal.conversations.services.leaving import block, leave, unblock
from portal.conversations.services.messages import (
    agree_time,
    delete_message,
    propose_times,
    send_message,
    set_link,
)
from portal.conversations.services.reporting import add_messages, report
from portal.conversations.services.requesting import (
    accept,
    decline,
    offer,
    release_due,
    request,
    withdraw,
)

__all__ = [
    "accept",
    "add_messages",
    "agree_time",
    "block",
    "decline",
    "delete_message",
    "leave",
    "offer",
    "propose_times",
    "publish_thanks",
    "rate",
    "release_due",
    "report",
    "request",
    "send_message",
    "set_link",
    "thank",
    "unblock",
    "withdraw",
]
