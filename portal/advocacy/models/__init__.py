"""The tables of advocacy, by idea."""

from portal.advocacy.models.candidates import (
    Asking,
    Candidate,
    CandidateStep,
    MemberNote,
    NominatedBy,
    Nomination,
    Spotlight,
    Stage,
)
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
    ScopeScore,
    ScoreChoice,
    WeightsDecision,
)

__all__ = [
    "Act",
    "Asking",
    "Candidate",
    "CandidateStep",
    "CompanySum",
    "Contest",
    "Counts",
    "Damped",
    "Entry",
    "GiverSum",
    "MemberNote",
    "MemberScore",
    "NominatedBy",
    "Nomination",
    "Rule",
    "ScopeScore",
    "ScoreChoice",
    "Spotlight",
    "Stage",
    "WeightsDecision",
]
