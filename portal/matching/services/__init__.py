"""Writes of matching: proposing, reserving, and what members say about being asked."""

from portal.matching.services.proposing import choose_for_wave, end_purpose, propose
from portal.matching.services.reserving import (
    confirm,
    did_not_happen,
    hold,
    release,
    release_due,
    reserve,
)
from portal.matching.services.slots import close_slot, free_slot, open_slot, take_slot

__all__ = [
    "choose_for_wave",
    "close_slot",
    "confirm",
    "did_not_happen",
    "end_purpose",
    "free_slot",
    "hold",
    "open_slot",
    "propose",
    "release",
    "release_due",
    "reserve",
    "take_slot",
]
