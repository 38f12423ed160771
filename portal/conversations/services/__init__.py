"""Writes of conversations, by idea: requesting, messages, leaving, people, reporting, afterwards."""

from portal.conversations.services.afterwards import publish_thanks, rate, thank
from portal.conversations.services.leaving import block, leave, unblock
from portal.conversations.services.messages import delete_message, send_message, set_link
from portal.conversations.services.reporting import add_messages, report
from portal.conversations.services.requesting import (
    accept,
    alone_with,
    decline,
    deliver_due,
    end_origin,
    release_due,
    request,
    withdraw,
)
from portal.conversations.services.times import agree_time, call_off, deny, propose_times

__all__ = [
    "accept",
    "add_messages",
    "agree_time",
    "alone_with",
    "block",
    "call_off",
    "decline",
    "delete_message",
    "deliver_due",
    "deny",
    "end_origin",
    "leave",
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
