"""Reads of matching: who can be asked, how full their quarter is, what is said of a proposal."""

from portal.matching.queries.apart import are_apart, compete
from portal.matching.queries.cards import Card, cards
from portal.matching.queries.eligible import (
    Gate,
    Ranked,
    is_eligible,
    lets_in,
    people_like,
    rank,
    takes_answer_requests,
)
from portal.matching.queries.explaining import Match, Proposals, explanation
from portal.matching.queries.loads import Load, load, loads_by_week, week_began
from portal.matching.queries.own import (
    happy_to_talk_about,
    needs_welcome,
    open_slots,
    open_slots_of,
    own_slots,
    reach,
    takes_conversations,
)

__all__ = [
    "Card",
    "Gate",
    "Load",
    "Match",
    "Proposals",
    "Ranked",
    "are_apart",
    "cards",
    "compete",
    "explanation",
    "happy_to_talk_about",
    "is_eligible",
    "lets_in",
    "load",
    "loads_by_week",
    "needs_welcome",
    "open_slots",
    "open_slots_of",
    "own_slots",
    "people_like",
    "rank",
    "reach",
    "takes_answer_requests",
    "takes_conversations",
    "week_began",
]
