"""The tables of advocacy, by idea."""

from portal.advocacy.models.ledger import (
    Act,
    CompanySum,
    Contest,
    Counts,
    Damped,
    Entry,
    GiverSum,
    MemberScore,
    Rule,
    ScoreChoice,
    WeightsDecision,
)

__all__ = [
    "Act",
    "CompanySum",
    "Contest",
    "Counts",
    "Damped",
    "Entry",
    "GiverSum",
    "MemberScore",
    "Rule",
    "ScoreChoice",
    "WeightsDecision",
]
