"""What happens in moderation, told to whoever stands above. Ids only; all in the past tense."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PostFlagged:
    post_id: int
    case_id: int
    reporter_id: int


@dataclass(frozen=True)
class CaseOpened:
    case_id: int


@dataclass(frozen=True)
class CaseDecided:
    """A decision was carried out; an appeal's too."""

    case_id: int
    decision_id: int


@dataclass(frozen=True)
class DecisionUndone:
    case_id: int
    decision_id: int
