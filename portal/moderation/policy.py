"""Who may decide a case, and what becomes of time in moderation."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _

from portal.discussions.policy import APPEAL
from portal.kernel.access import Permission, Viewer
from portal.moderation.models import CaseKind, Decision, MemberMeasure, PostMeasure

CLAIM = timedelta(minutes=20)
UNDO = timedelta(minutes=10)
APPEAL_ANSWER = timedelta(days=2)
HELD_ANSWER = timedelta(hours=4)
FLAGS_AN_HOUR = 10
FLAGS_A_DAY = 30

# Cases that are about no post.
WITHOUT_POST = (CaseKind.CONVERSATION, CaseKind.BLOCKS, CaseKind.CONNECT)
# What was disclosed to a case is kept as long as its decision can be appealed, and then thrown away.
EVIDENCE_KEPT = APPEAL + timedelta(days=1)
READINGS_KEPT_DAYS = 365

# How soon somebody has to look at a flag, by the severity of the rule.
# The same times hold for messages that somebody reported.
ANSWER = {1: timedelta(hours=24), 2: timedelta(hours=8), 3: timedelta(hours=2)}
# Enough independent people say so: to be looked at before anything else. Nothing is hidden by itself.
PRESSING_WEIGHT = 300
PRESSING = timedelta(minutes=15)

LEAST_WEIGHT = 20
NEW_WEIGHT = 100
MOST_WEIGHT = 200


@dataclass(frozen=True)
class Party:
    """Somebody a case is about: its author or one of the flaggers."""

    member_id: int
    company_id: int | None
    competitors: tuple[int, ...] = ()  # as that person's company declared them


def flag_weight(upheld: int, dismissed: int) -> int:
    """What a member's flag weighs, in hundredths: 100 for a newcomer, up to 200 and down to 20 by the record.

    Twice Laplace's estimate of the share that was upheld.
    """
    share = (upheld + 1) / (upheld + dismissed + 2)
    return max(LEAST_WEIGHT, min(MOST_WEIGHT, round(NEW_WEIGHT * 2 * share)))


def due_of_flags(opened_at: datetime, severity: int, weight: int) -> datetime:
    """When a flagged post has to be looked at: sooner for graver rules and for more independent people."""
    wait = ANSWER[severity] / max(1.0, weight / 100)
    if weight >= PRESSING_WEIGHT and severity >= 2:
        wait = min(wait, PRESSING)
    return opened_at + wait


def is_peer(viewer: Viewer) -> bool:
    """A customer who moderates."""
    return viewer.may(Permission.MODERATE) and not viewer.is_staff


def why_not_decide(
    viewer: Viewer,
    *,
    author_id: int,
    parties: Iterable[Party],
    own_competitors: Iterable[int],
    decided_before_by: int | None = None,
    is_named_second: bool = False,
    author_is_role: bool = False,
) -> str:
    """Why this viewer cannot decide the case, as a sentence; "" when they can.

    `decided_before_by`: who took the decision that an appeal is against.
    """
    if not viewer.may(Permission.MODERATE) and not is_named_second:
        return _("Only moderators decide.")
    if viewer.member_id == author_id:
        return _("It is about what you wrote yourself, so somebody else decides.")
    if decided_before_by is not None and viewer.member_id == decided_before_by:
        return _("You took the decision that this appeal is against, so somebody else decides.")
    if is_peer(viewer) and author_is_role:
        # Said of every such case alike: "your own company is a party" would tell who wrote it.
        return _("Its author appears without a name, so a moderator of the vendor decides.")
    if is_peer(viewer) and viewer.company_id is not None:
        rivals = set(own_competitors)
        for party in parties:
            if party.company_id is None:
                continue
            if party.company_id == viewer.company_id:
                return _("Your own company is a party here, so somebody else decides.")
            if party.company_id in rivals or viewer.company_id in party.competitors:
                return _("A competitor of your company is a party here, so somebody else decides.")
    return ""


def is_dismissal(decision: Decision) -> bool:
    """Whether nothing was done: the flags were looked at and everything stays."""
    return (
        decision.post_measure is PostMeasure.NONE
        and decision.member_measure is MemberMeasure.NONE
        and decision.appeal_outcome is None
    )


def is_in_public_log(decision: Decision) -> bool:
    """Whether something was taken away from somebody, or done to what they wrote."""
    return decision.appeal_outcome is None and (
        decision.post_measure not in (PostMeasure.NONE, PostMeasure.RELEASE)
        or decision.member_measure is not MemberMeasure.NONE
    )


def can_be_appealed(decision: Decision) -> bool:
    """Whether a rule was held against somebody else. Where a thread stands is told and logged, and no more;
    one closed as settled is opened again by its author."""
    return (
        is_in_public_log(decision)
        and decision.rule_number is not None
        and decision.decided_by_id != decision.member_id
    )


def author_may_reopen(decision: Decision) -> bool:
    """Whether the thread was closed as settled, by no rule, and that still stands."""
    return (
        decision.post_measure is PostMeasure.CLOSE
        and decision.rule_number is None
        and decision.undone_at is None
        and decision.overturned_at is None
    )


def appeal_until(decision: Decision) -> datetime:
    """Until when its author may appeal."""
    return decision.decided_at + APPEAL


def can_be_undone(decision: Decision, now: datetime) -> bool:
    """For ten minutes, as long as nobody has been told of something that cannot be taken back."""
    return (
        decision.undone_at is None
        and decision.appeal_outcome is None
        and decision.post_measure is not PostMeasure.RELEASE
        and not decision.before.get("tool")  # a tool is undone by a tool
        and now - decision.decided_at < UNDO
    )


def measures_for(kind: CaseKind) -> tuple[PostMeasure, ...]:
    """What can be done to the post in a case of this kind."""
    if kind is CaseKind.HELD:
        return (PostMeasure.RELEASE, PostMeasure.REFUSE)
    if kind in WITHOUT_POST:
        return (PostMeasure.NONE,)
    return (PostMeasure.NONE, PostMeasure.HIDE, PostMeasure.CLOSE)


def member_measures_for(kind: CaseKind) -> tuple[MemberMeasure, ...]:
    """What can be done to the member whom a case of this kind is about."""
    if kind is CaseKind.CONNECT:
        return (MemberMeasure.NONE,)
    usual = (MemberMeasure.NONE, MemberMeasure.WARN, MemberMeasure.SUSPEND, MemberMeasure.BAN)
    if kind in (CaseKind.CONVERSATION, CaseKind.BLOCKS):
        return (*usual[:2], MemberMeasure.NO_CONVERSATIONS, *usual[2:])
    return usual
