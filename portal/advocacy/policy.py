"""When a member may be asked: the two routes of SCORING.md as lists of what is met, how long a no stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.advocacy.models import LEFT_ALONE
from portal.relations.queries import Relations

DECLINE_STANDS = timedelta(days=183)
HELPED_DAYS = 4
HELPED_WITHIN = timedelta(days=180)
EVIDENCE = 2
REVIEW_EVERY = timedelta(days=365)
ANSWERED_WITHIN = timedelta(days=2)  # a contested entry, as the member is told
ASKING_WAITS = timedelta(days=14)  # then a question without an answer comes back to Today
LOOKS = 2  # at one entry: the second by somebody else
RESTS = timedelta(days=90)  # offered where no other date is chosen


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition. `have` says how far it is, in a number or a word of its own."""

    name: str
    met: bool
    have: int = 0


@dataclass(frozen=True)
class Routes:
    """Both ways to be asked. One of them met is enough."""

    helper: tuple[Gate, ...]
    supporter: tuple[Gate, ...]

    @property
    def is_met(self) -> bool:
        return all(gate.met for gate in self.helper) or all(gate.met for gate in self.supporter)

    @property
    def unmet(self) -> list[str]:
        """The names of what is not met, of both routes; nothing when one of them is."""
        if self.is_met:
            return []
        return [gate.name for gate in (*self.helper, *self.supporter) if not gate.met]


def left_alone(known: Relations) -> list[str]:
    """Why the vendor leaves this company alone at present: of "held", "red" and "escalated", those that hold.

    For what the vendor asks for alone. What a prospect starts never asks for it (promise 5).
    """
    facts = (known.is_held, known.is_red, known.has_open_escalation)
    return [name for name, holds in zip(LEFT_ALONE, facts, strict=True) if holds]


def declined_until(declined_at: datetime | None) -> datetime | None:
    """Until when a decline stands."""
    return declined_at + DECLINE_STANDS if declined_at is not None else None
