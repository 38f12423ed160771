"""Reads of matching: who can be asked, how full their quarter is, what is said of a proposal."""

from portal.matching.queries.cards import Card, cards
from portal.matching.queries.eligible import Gate, Ranked, is_eligible, people_like, rank
from portal.matching.queries.explaining import Match, Proposals, explanation
from portal.matching.queries.loads import Load, load
from portal.matching.queries.own import (
    happy_to_talk_about,
    needs_welcome,
    open_slots,
    open_slots_of,
    own_slots,
    reach,
)

__all__ = [
    "Card",
    "Gate",
    "Load",
    "Match",
    "Proposals",
    "Ranked",
    "cards",
    "explanation",
    "happy_to_talk_about",
    "is_eligible",
    "load",
    "needs_welcome",
    "open_slots",
    "open_slots_of",
    "own_slots",
    "people_like",
    "rank",
    "reach",
]
