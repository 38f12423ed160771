"""Practising: an answer is checked as a real decision would be, and kept for its moderator alone."""

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import clock
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation import policy
from portal.moderation.models import MemberMeasure, PostMeasure, PracticeAnswer
from portal.moderation.practice import find_case
from portal.moderation.queries.rules import find_rule
from portal.moderation.services.deciding import LONGEST_REASON, Verdict


def answer_practice(moderator: Viewer, key: str, verdict: Verdict) -> PracticeAnswer:
    """Keep how the moderator decides a practice case, in place of an earlier try.

    Nothing is carried out and nobody is told. Raises Forbidden, NotFound, Invalid.
    """
    if not moderator.may(Permission.MODERATE):
        raise Forbidden(_("Only moderators practise here."))
    case = find_case(key)
    if case is None:
        raise NotFound("no such practice case")
    reason = " ".join(verdict.reason.split())
    if verdict.post not in policy.measures_for(case.kind):
        raise Invalid(_("Choose what happens to the post."), "post")
    if verdict.member not in policy.member_measures_for(case.kind):
        raise Invalid(_("Choose what happens to the author."), "member")
    takes_away = verdict.post not in (PostMeasure.NONE, PostMeasure.RELEASE)
    if takes_away or verdict.member is not MemberMeasure.NONE:
        if find_rule(verdict.rule_number) is None:
            raise Invalid(_("Choose the rule that was broken."), "rule")
        if not reason:
            raise Invalid(_("Say why: the author would read it."), "reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid(_("At most %(most)s characters fit.", most=LONGEST_REASON), "reason")
    with unit_of_work():
        answer = db.session.get(PracticeAnswer, (moderator.member_id, key))
        if answer is None:
            answer = PracticeAnswer(member_id=moderator.member_id, key=key)
            db.session.add(answer)
        answer.post_measure, answer.member_measure = verdict.post, verdict.member
        answer.rule_number = (
            verdict.rule_number if takes_away or verdict.member is not MemberMeasure.NONE else None
        )
        answer.reason = reason
        answer.answered_at = clock.now()
    return answer


def forget_practice(moderator: Viewer) -> None:
    """Begin anew: all own answers go."""
    with unit_of_work():
        for answer in db.session.execute(
            select(PracticeAnswer).where(PracticeAnswer.member_id == moderator.member_id)
        ).scalars():
            db.session.delete(answer)
