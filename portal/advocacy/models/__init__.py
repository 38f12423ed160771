"""The tables of advocacy, by idea."""

from portal.advocacy.models.candidates import (
    LEFT_ALONE,
    Asking,
    Candidate,
    CandidateStep,
    MemberNote,
    NominatedBy,
    Nomination,
    Spotlight,
    Stage,
)
from portal.advocacy.models.engagements import Engagement
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
    "LEFT_ALONE",
    "Act",
    "Asking",
    "Candidate",
    "CandidateStep",
    "CompanySum",
    "Contest",
    "Counts",
    "Damped",
    "Engagement",
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
