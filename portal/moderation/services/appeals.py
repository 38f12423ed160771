"""Appeals: by the author, within two weeks, decided by somebody else; mistakes are put right in public."""

import hmac
from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select, update

from portal.discussions.models import Post, PostState
from portal.discussions.services import removal
from portal.kernel import audit, clock, events, form_keys
from portal.kernel.access import Permission, Viewer
from portal.kernel.crypto import token_hash
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.numbers import number
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation import policy
from portal.moderation.events import CaseDecided, CaseOpened
from portal.moderation.models import (
    Appeal,
    AppealOutcome,
    Case,
    CaseKind,
    CaseState,
    Decision,
    Flag,
    FlagOutcome,
    PostMeasure,
)
from portal.moderation.queries.parties import is_named_second, reason_against
from portal.moderation.services import cases, telling
from portal.moderation.services.aliases import alias_of
from portal.moderation.services.deciding import LONGEST_REASON, revert
from portal.moderation.services.tooling import words_by_rule

LONGEST_TEXT = 4000


def author_by_token(decision_id: int, token: str) -> int | None:
    """Who may appeal with the token that was mailed with a ban; None when it does not fit."""
    decision = db.session.get(Decision, decision_id)
    known = decision.before.get("appeal_token") if decision is not None else None
    if decision is None or not known or not token:
        return None
    return decision.member_id if hmac.compare_digest(known, token_hash(token)) else None


def appeal(author_id: int, decision_id: int, text: str, *, form_key: str = "") -> Appeal:
    """Ask for somebody else's view of a decision about one's own post or account.

    Raises NotFound for another's decision; Invalid without words, too late, or a second time; Repeated.
    """
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    with form_keys.once(form_key, author_id) as outcome:
        decision = db.session.get(Decision, decision_id, with_for_update=True)
        if decision is None or decision.member_id != author_id or not policy.can_be_appealed(decision):
            raise NotFound("no such decision")
        if decision.undone_at is not None:
            raise Invalid(_("This decision was taken back already."), "text")
        if db.session.execute(select(Appeal.id).where(Appeal.decision_id == decision.id)).first():
            raise Invalid(_("You have appealed against this decision already."), "text")
        if clock.now() > policy.appeal_until(decision):
            raise Invalid(_("An appeal can be made within 14 days; this one comes too late."), "text")
        if not text:
            raise Invalid(_("Say why it should be looked at again."), "text")
        if len(text) > LONGEST_TEXT:
            raise Invalid(_("At most %(most)s characters fit.", most=number(LONGEST_TEXT)), "text")
        original = db.session.get_one(Case, decision.case_id)
        now = clock.now()
        case = Case(
            kind=CaseKind.APPEAL,
            state=CaseState.OPEN,
            open_key=f"appeal:{decision.id}",
            post_id=decision.post_id,
            thread_id=decision.thread_id,
            board_id=decision.board_id,
            member_id=author_id,
            title=original.title,
            link=original.link,
            why="",
            reasons=[],
            rule_number=decision.rule_number,
            flags_count=0,
            weight=0,
            opened_at=now,
            due_at=now + policy.APPEAL_ANSWER,
            appeals_case_id=original.id,
            peers_only=original.peers_only,
        )
        db.session.add(case)
        db.session.flush()  # the appeal names its case
        made = Appeal(
            decision_id=decision.id,
            case_id=case.id,
            member_id=author_id,
            text=text,
            outcome=AppealOutcome.PENDING,
            created_at=now,
        )
        db.session.add(made)
        db.session.flush()  # its id goes into the notice
        telling.tell_of_appeal(made, case)
        events.publish(CaseOpened(case.id))
        outcome.place = f"/appeals/{made.id}"
    return made


def withdraw_appeal(author_id: int, appeal_id: int) -> int:
    """Take one's own appeal back while nobody has decided it; gives the decision it was against.

    Within the fourteen days another may be made. Raises NotFound, Conflict when it was decided.
    """
    with unit_of_work():
        made = db.session.get(Appeal, appeal_id)
        if made is None or made.member_id != author_id:
            raise NotFound("no such appeal")
        case = db.session.get_one(Case, made.case_id, with_for_update=True, populate_existing=True)
        cases.check_open(case)
        decision_id = made.decision_id
        db.session.delete(made)
        cases.withdraw(case)
    return decision_id


def decide_appeal(
    judge: Viewer,
    appeal_id: int,
    outcome: AppealOutcome,
    reason: str,
    *,
    version: int,
    words: Mapping[int, tuple[str, str]] | None = None,
    form_key: str = "",
) -> Decision:
    """Uphold a decision or overturn it, as another moderator or the named second.

    Overturning brings everything back, and the public log says so. `words`: title and text, by post, of what
    its author and a rule both changed since it was moved (`queries.cases.CaseView.clashes`).
    Raises NotFound; Forbidden with the reason when somebody else has to decide; Conflict when it was decided
    or taken meanwhile; Invalid.
    """
    reason = " ".join(reason.split())
    with form_keys.once(form_key, judge.member_id or 0) as place:
        made = db.session.get(Appeal, appeal_id)
        if made is None:
            raise NotFound("no such appeal")
        case = _case_for(judge, made.case_id)
        cases.check_open(case)
        if against := reason_against(judge, case):
            raise Forbidden(against)
        cases.check_claim(judge, case)
        if case.version != version:
            raise Conflict(_("This case was changed while you were looking at it."), case.version)
        if outcome not in (AppealOutcome.UPHELD, AppealOutcome.OVERTURNED):
            raise Invalid(_("Choose whether the decision stands."), "outcome")
        if not reason:
            raise Invalid(_("Say why, in a sentence for the author; it stands in the public log."), "reason")
        if len(reason) > LONGEST_REASON:
            raise Invalid(_("At most %(most)s characters fit.", most=LONGEST_REASON), "reason")
        decision = db.session.get_one(Decision, made.decision_id)
        now = clock.now()
        answer = Decision(
            case_id=case.id,
            post_id=case.post_id,
            thread_id=case.thread_id,
            board_id=case.board_id,
            member_id=case.member_id,
            appeal_outcome=outcome,
            rule_number=decision.rule_number,
            rule_label=decision.rule_label,
            reason=reason,
            before={},
            decided_by_id=judge.member_id or 0,
            decided_at=now,
        )
        db.session.add(answer)
        db.session.flush()
        alias_of(judge.member_id or 0)
        made.outcome, made.decided_at = outcome, now
        case.state, case.open_key, case.decided_at = CaseState.DECIDED, None, now
        case.claimed_by_id = case.claimed_until = None
        case.version += 1
        overturned = outcome is AppealOutcome.OVERTURNED
        if overturned:
            _put_right(judge, decision, now, words or {})
        audit.record(
            judge,
            "overturn decision" if overturned else "uphold decision",
            "case",
            case.id,
            decision.rule_label,
            board_id=case.board_id,
        )
        telling.tell_of_appeal_decision(answer, decision, overturned=overturned)
        events.publish(CaseDecided(case.id, answer.id))
        place.place = f"/appeals/{made.id}"
    return answer


def _put_right(
    judge: Viewer, decision: Decision, now: datetime, words: Mapping[int, tuple[str, str]]
) -> None:
    """Carry out that a decision was wrong: nobody who flagged in good faith loses by it."""
    revert(judge, decision, {post_id: words_by_rule(post_id, *said) for post_id, said in words.items()})
    decision.overturned_at = now
    if decision.post_measure is PostMeasure.REFUSE and decision.post_id is not None:
        removal.release_post(decision.post_id)  # it was never out: followers and the index hear of it now
    post = db.session.get(Post, decision.post_id) if decision.post_id else None
    if post is None or post.state is not PostState.DELETED:
        db.session.execute(
            update(Flag)
            .where(Flag.case_id == decision.case_id, Flag.stands())
            .values(outcome=FlagOutcome.FAIR)
        )


def _case_for(judge: Viewer, case_id: int) -> Case:
    """The named second reads what moderators read of this one case."""
    if judge.may(Permission.MODERATE):
        return cases.case_for(judge, case_id)
    if is_named_second(judge) and judge.may(Permission.FLAG):
        case = db.session.get(Case, case_id, with_for_update=True)
        if case is not None and not (case.peers_only and judge.is_staff):
            return case
    raise NotFound("no such case")
