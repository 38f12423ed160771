"""Writes: holds by sales and service; health, escalations and satisfaction by service."""

from portal.relations.services.forgetting import FORGET_JOB, forget_old
from portal.relations.services.holding import LONGEST_HOLD, end_hold, place_hold
from portal.relations.services.keeping import (
    close_escalation,
    delete_satisfaction,
    open_escalation,
    record_satisfaction,
    set_health,
)

__all__ = [
    "FORGET_JOB",
    "LONGEST_HOLD",
    "close_escalation",
    "delete_satisfaction",
    "end_hold",
    "forget_old",
    "open_escalation",
    "place_hold",
    "record_satisfaction",
    "set_health",
]
