"""What is known of companies now, and the predicates by which the vendor leaves them alone."""

from portal.relations.queries.known import (
    GREY_AFTER,
    NOTHING,
    Entered,
    HealthNow,
    OpenEscalation,
    OpenHold,
    Relations,
    Survey,
    relations_of,
    relations_of_company,
)
from portal.relations.queries.predicates import (
    KNOWN_KINDS,
    approachable,
    has_open_escalation,
    is_held,
    is_known,
    is_open,
    is_red,
)

__all__ = [
    "GREY_AFTER",
    "KNOWN_KINDS",
    "NOTHING",
    "Entered",
    "HealthNow",
    "OpenEscalation",
    "OpenHold",
    "Relations",
    "Survey",
    "approachable",
    "has_open_escalation",
    "is_held",
    "is_known",
    "is_open",
    "is_red",
    "relations_of",
    "relations_of_company",
]
