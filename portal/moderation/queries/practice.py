"""How far a moderator has come with the practice cases."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.moderation.models import MemberMeasure, PostMeasure, PracticeAnswer
from portal.moderation.practice import CASES, PracticeCase
from portal.moderation.queries.rules import RuleLine, all_rules, find_rule


@dataclass(frozen=True)
class Practised:
    """A practice case beside one's own answer, None before the first try."""

    case: PracticeCase
    answer: Any | None

    @property
    def agrees(self) -> bool:
        """Whether the answer is one that is usual: the measures, and a rule that fits where one is cited."""
        if self.answer is None:
            return False
        rule = find_rule(self.answer.rule_number)
        return (
            self.answer.post_measure in self.case.posts
            and self.answer.member_measure in self.case.members
            and (rule is None or not self.case.rules or rule.key in self.case.rules)
        )

    @property
    def takes_away(self) -> bool:
        """Whether the answer takes something away from the author."""
        return self.answer is not None and (
            self.answer.post_measure not in (PostMeasure.NONE, PostMeasure.RELEASE)
            or self.answer.member_measure is not MemberMeasure.NONE
        )


def practice_of(moderator: Viewer) -> list[Practised]:
    """All practice cases in their order, each with the moderator's answer."""
    rows = db.session.execute(
        select(PracticeAnswer).where(PracticeAnswer.member_id == moderator.member_id)
    ).scalars()
    answers = {row.key: row for row in rows}
    return [Practised(case, answers.get(case.key)) for case in CASES]


def rule_of_key(key: str) -> RuleLine | None:
    """The rule of this site that stands at an anchor of /rules."""
    return next((rule for rule in all_rules() if rule.key == key), None)
