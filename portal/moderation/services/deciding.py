"""Decisions: on a case, with a rule and a reason, carried out at once, taken back for ten minutes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update

from portal.discussions.models import Post, PostState, Thread
from portal.discussions.services import acceptance, giving_back, removal, tools
from portal.kernel import audit, clock, events, form_keys
from portal.kernel.access import Duty, Permission, Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.members.services import sanctions
from portal.moderation import policy
from portal.moderation.events import CaseDecided, DecisionUndone
from portal.moderation.models import (
    Appeal,
    Case,
    CaseKind,
    CaseState,
    Decision,
    Flag,
    FlagOutcome,
    MemberMeasure,
    PostMeasure,
)
from portal.moderation.queries.parties import reason_against
from portal.moderation.queries.rules import rule_in_force
from portal.moderation.services import cases, telling
from portal.moderation.services.aliases import alias_of
from portal.moderation.services.rules import ensure_rules

LONGEST_REASON = 600
LONGEST_SUSPENSION = timedelta(days=366)
UNTIL = (MemberMeasure.SUSPEND, MemberMeasure.NO_CONVERSATIONS)  # measures that end by themselves


@dataclass(frozen=True)
class Verdict:
    """What the decision form sends. `version` is the case's, `post_version` the post's, as they were shown.

    No measure at all dismisses. `fair`: the flags were a fair question and do not count against anybody.
    """

    post: PostMeasure = PostMeasure.NONE
    member: MemberMeasure = MemberMeasure.NONE
    rule_number: int | None = None
    reason: str = ""
    note: str = ""
    suspended_until: datetime | None = None
    fair: bool = False
    version: int = 0
    post_version: int | None = None

    @property
    def dismisses(self) -> bool:
        return self.post is PostMeasure.NONE and self.member is MemberMeasure.NONE

    @property
    def releases(self) -> bool:
        return self.post is PostMeasure.RELEASE and self.member is MemberMeasure.NONE


def decide(moderator: Viewer, case_id: int, verdict: Verdict, *, form_key: str = "") -> Decision:
    """Decide an open case about a post and carry it out; author and flaggers are told.

    Raises NotFound; Forbidden with the reason when somebody else has to decide; Conflict when the case was
    decided, taken by another, or the post was changed meanwhile; Invalid beside its field; Repeated.
    """
    reason, note = " ".join(verdict.reason.split()), verdict.note.strip()
    with form_keys.once(form_key, moderator.member_id or 0) as outcome:
        case = cases.case_for(moderator, case_id)
        cases.check_open(case)
        if case.kind is CaseKind.APPEAL:
            raise Invalid(_("An appeal is decided on its own page."), "post")
        if against := reason_against(moderator, case):
            raise Forbidden(against)
        cases.check_claim(moderator, case)
        post = db.session.get(Post, case.post_id, with_for_update=True) if case.post_id else None
        if case.version != verdict.version:
            raise Conflict(_("This case was changed while you were looking at it."), case.version)
        if post is not None and verdict.post_version is not None and post.version != verdict.post_version:
            raise Conflict(_("The post was changed while you were looking at it."), case.version)
        check_verdict(moderator, case, post, verdict, reason, note)
        ensure_rules()
        cites = verdict.rule_number is not None and not verdict.dismisses and not verdict.releases
        rule = rule_in_force(verdict.rule_number or 0) if cites else None
        now = clock.now()
        decision = Decision(
            case_id=case.id,
            post_id=case.post_id,
            thread_id=case.thread_id,
            board_id=case.board_id,
            member_id=case.member_id,
            post_measure=verdict.post,
            member_measure=verdict.member,
            rule_number=rule.number if rule else None,
            rule_label=rule.label if rule else "",
            reason=reason,
            note=note,
            suspended_until=verdict.suspended_until if verdict.member in UNTIL else None,
            before={"open_key": case.open_key},
            decided_by_id=moderator.member_id or 0,
            decided_at=now,
        )
        db.session.add(decision)
        db.session.flush()  # the tombstone and the log need its id
        alias_of(moderator.member_id or 0)
        _close(case, now)
        _settle_flags(
            case,
            FlagOutcome.UPHELD
            if not verdict.dismisses and not verdict.releases
            else FlagOutcome.FAIR
            if verdict.fair
            else FlagOutcome.DISMISSED,
        )
        telling.tell_of_decision(decision)  # before a ban, so that the mail still goes out
        _carry_out(moderator, case, decision)
        audit.record(
            moderator, _action(decision), "case", case.id, decision.rule_label, board_id=case.board_id
        )
        events.publish(CaseDecided(case.id, decision.id))
        outcome.place = f"/console/cases/{case.id}"
    return decision


def undo(moderator: Viewer, decision_id: int) -> Decision:
    """Take a decision back within ten minutes: everything is as before, and those told are told so.

    Raises NotFound; Forbidden for another's decision; Invalid when it is too late or cannot be undone.
    """
    with unit_of_work():
        decision = db.session.get(Decision, decision_id, with_for_update=True)
        if decision is None:
            raise NotFound("no such decision")
        case = cases.case_for(moderator, decision.case_id)
        if decision.decided_by_id != moderator.member_id and not moderator.may(Permission.ADMINISTER):
            raise Forbidden(_("Only whoever decided can take it back; the author can appeal."))
        if not policy.can_be_undone(decision, clock.now()):
            raise Invalid(_("This can no longer be taken back. The author can appeal."), "undo")
        if db.session.execute(select(Appeal.id).where(Appeal.decision_id == decision.id)).first():
            raise Invalid(_("The author has appealed, so somebody else decides now."), "undo")
        key = decision.before.get("open_key") or f"post:{case.post_id}"
        if db.session.execute(select(Case.id).where(Case.open_key == key)).first():
            raise Invalid(_("There is a new case about the same thing meanwhile: decide that one."), "undo")
        revert(moderator, decision)
        decision.undone_at, decision.undone_by_id = clock.now(), moderator.member_id
        case.state, case.open_key, case.decided_at = CaseState.OPEN, key, None
        case.claimed_by_id, case.claimed_until = moderator.member_id, clock.now() + policy.CLAIM
        case.version += 1
        _settle_flags(case, FlagOutcome.PENDING)
        telling.tell_of_undoing(decision)
        audit.record(moderator, "undo decision", "case", case.id, board_id=case.board_id)
        events.publish(DecisionUndone(case.id, decision.id))
    return decision


def revert(
    moderator: Viewer, decision: Decision, words: Mapping[int, giving_back.Words] | None = None
) -> None:
    """Bring back what a decision took away. Inside a unit of work.

    `words`: what posts of a thread that goes back read, where a rule changed them since, too.
    """
    post_measure, member_measure = decision.post_measure, decision.member_measure
    if post_measure is PostMeasure.HIDE and decision.post_id is not None:
        removal.restore_post(decision.post_id)
        if (accepted := decision.before.get("accepted")) and decision.thread_id is not None:
            acceptance.accept_again(decision.thread_id, decision.post_id, datetime.fromisoformat(accepted))
    elif post_measure is PostMeasure.REFUSE and decision.post_id is not None:
        removal.hold_again(decision.post_id, decision.before.get("held_for", ""))
    elif post_measure is PostMeasure.CLOSE and decision.thread_id is not None:
        thread = db.session.get(Thread, decision.thread_id)
        if thread is not None and thread.state is not PostState.DELETED:
            former, by_id = decision.before.get("closed_reason"), moderator.member_id or 0
            if not decision.before.get("closed"):
                tools.reopen_decided(thread.id, by_id=by_id)
            elif former is not None and thread.closed_at is not None:
                tools.close_decided(thread.id, former, by_id=by_id)
    elif post_measure is PostMeasure.EDIT and decision.post_id is not None:
        giving_back.give_words_back(
            decision.post_id, decision.before.get("version", 0), by_id=moderator.member_id or 0
        )
    elif (
        post_measure in (PostMeasure.MOVE, PostMeasure.MERGE)
        and decision.post_id is not None
        and decision.board_id is not None
    ):
        tools.put_back_decided(
            decision.post_id,
            decision.board_id,
            decision.decided_at,
            by_id=moderator.member_id or 0,
            tags=decision.before.get("tags"),
            words=words,
        )
    if member_measure is MemberMeasure.SUSPEND:
        former = decision.before.get("suspended_until")
        sanctions.end_suspension(decision.member_id, datetime.fromisoformat(former) if former else None)
    elif member_measure is MemberMeasure.BAN:
        sanctions.end_ban(decision.member_id)


def check_verdict(
    moderator: Viewer, case: Case, post: Post | None, verdict: Verdict, reason: str, note: str
) -> None:
    """Raises Invalid beside the field, or Forbidden, for what cannot be decided here."""
    if verdict.post not in policy.measures_for(case.kind):
        raise Invalid(_("Choose what happens to the post."), "post")
    if verdict.member not in policy.member_measures_for(case.kind):
        raise Invalid(_("Choose what happens to the author."), "member")
    if verdict.post is PostMeasure.RELEASE and verdict.member is not MemberMeasure.NONE:
        raise Invalid(_("A post that is released is no reason to hold its author back."), "member")
    if verdict.post in (PostMeasure.HIDE, PostMeasure.RELEASE, PostMeasure.REFUSE):
        if post is None or post.state is PostState.DELETED:
            raise Invalid(
                _("The author has deleted this post; there is nothing left to decide about it."), "post"
            )
        wanted = PostState.VISIBLE if verdict.post is PostMeasure.HIDE else PostState.HELD
        if post.state is not wanted:
            raise Conflict(_("The post is no longer what it was when you looked."), case.version)
    if not verdict.dismisses and not verdict.releases and verdict.rule_number is None:
        raise Invalid(_("Choose the rule that was broken. Without one nothing is taken away."), "rule")
    if not reason and not verdict.releases:
        raise Invalid(
            _("Say why, in a sentence for those who flagged it.")
            if verdict.dismisses
            else _("Say why, in a sentence for the author.")
            if case.kind in policy.WITHOUT_POST
            else _("Say why, in a sentence for the author; it stands on the page."),
            "reason",
        )
    if len(reason) > LONGEST_REASON:
        raise Invalid(
            _("At most %(most)s characters fit; put the rest into the note.", most=LONGEST_REASON), "reason"
        )
    if len(note) > 1000:
        raise Invalid(_("At most 1,000 characters fit."), "note")
    if verdict.member in UNTIL:
        until, now = verdict.suspended_until, clock.now()
        if until is None or not now < until <= now + LONGEST_SUSPENSION:
            raise Invalid(_("Choose an end within the next year."), "suspended_until")
    if verdict.member in (MemberMeasure.SUSPEND, MemberMeasure.BAN):
        _check_may_hold_back(moderator, case.member_id, verdict.member)


def _check_may_hold_back(moderator: Viewer, member_id: int, measure: MemberMeasure) -> None:
    row = db.session.execute(select(Member.status, Member.duties).where(Member.id == member_id)).one()
    if policy.is_peer(moderator) and measure is MemberMeasure.BAN:
        raise Forbidden(_("Closing an account for good is decided by a moderator of the vendor."))
    if policy.is_peer(moderator) and row.status is Status.VENDOR:
        raise Forbidden(_("Accounts of the vendor are held back by a moderator of the vendor."))
    if row.duties and not moderator.may(Permission.ADMINISTER):
        raise Forbidden(_("Accounts with a duty are held back by an admin."))
    if Duty.ADMIN in row.duties and measure is MemberMeasure.BAN:
        raise Forbidden(_("Take the duty of admin away first."))


def _carry_out(moderator: Viewer, case: Case, decision: Decision) -> None:
    before: dict[str, Any] = {}
    if decision.post_measure in (PostMeasure.HIDE, PostMeasure.REFUSE) and case.post_id is not None:
        if decision.post_measure is PostMeasure.REFUSE:
            before["held_for"] = " ".join(case.reasons)
        thread = db.session.get(Thread, case.thread_id) if case.thread_id is not None else None
        if thread is not None and thread.accepted_post_id == case.post_id and thread.accepted_at is not None:
            before["accepted"] = thread.accepted_at.isoformat()
        removal.hide_post(
            case.post_id,
            rule=decision.rule_label,
            reason=decision.reason,
            case_id=case.id,
            by_id=decision.decided_by_id,
        )
    elif decision.post_measure is PostMeasure.RELEASE and case.post_id is not None:
        removal.release_post(case.post_id)
    elif decision.post_measure is PostMeasure.CLOSE and case.thread_id is not None:
        thread = db.session.get_one(Thread, case.thread_id)
        before["closed"] = thread.closed_at is not None
        if thread.closed_at is not None:
            before["closed_reason"] = thread.closed_reason
        tools.close_decided(
            thread.id, f"{decision.rule_label}: {decision.reason}", by_id=moderator.member_id or 0
        )
    if decision.member_measure is MemberMeasure.SUSPEND:
        former = sanctions.suspend(decision.member_id, decision.suspended_until or clock.now())
        before["suspended_until"] = former.isoformat() if former else None
    elif decision.member_measure is MemberMeasure.BAN:
        sanctions.ban(decision.member_id)
    decision.before = {**decision.before, **before}


def _close(case: Case, now: datetime) -> None:
    case.state, case.open_key, case.decided_at = CaseState.DECIDED, None, now
    case.claimed_by_id = case.claimed_until = None
    case.version += 1


def _settle_flags(case: Case, outcome: FlagOutcome) -> None:
    db.session.execute(update(Flag).where(Flag.case_id == case.id, Flag.stands()).values(outcome=outcome))


def _action(decision: Decision) -> str:
    words = {
        PostMeasure.HIDE: "hide post",
        PostMeasure.CLOSE: "close thread",
        PostMeasure.RELEASE: "release post",
        PostMeasure.REFUSE: "refuse post",
    }
    done = [words[decision.post_measure]] if decision.post_measure in words else []
    if decision.member_measure is not MemberMeasure.NONE:
        done.append(f"{decision.member_measure.value.replace('_', ' ')} member")
    return ", ".join(done) or ("dismiss flags" if decision.post_id else "close case")
