"""Who is told of a decision: the author always, the flaggers when they want to hear of it."""

from collections.abc import Iterable

from flask_babel import gettext as _
from sqlalchemy import select

from portal.kernel import clock, site
from portal.kernel.access import Status
from portal.kernel.crypto import token_hash
from portal.kernel.db import db
from portal.members.models import Member
from portal.moderation.models import Appeal, Case, Decision, Flag, MemberMeasure
from portal.moderation.policy import is_dismissal
from portal.moderation.queries.evidence import moderators
from portal.moderation.queries.rota import first_to_tell
from portal.notifications.services.mailing import queue_account_mail
from portal.notifications.services.notifying import notify

AUTHOR = "moderation"
FLAGGER = "flag_outcome"
SECOND = "appeal"
ALERT = "alert"
PRESSING = 3  # the severity of a rule from which on somebody is alerted at once


def tell_of_decision(decision: Decision) -> None:
    """Tell the author and the flaggers. Inside the unit of work of the decision, before it is carried out.

    Of a dismissal its author hears nothing: that somebody wished the post away helps nobody.
    """
    if decision.member_measure is MemberMeasure.BAN:
        _tell_banned(decision)
    else:
        _tell_author(decision, "")
    _tell_flaggers(decision, decision.case_id, "")


def tell_of_undoing(decision: Decision) -> None:
    """Tell the same people that it was taken back."""
    _tell_author(decision, ":undone")
    _tell_flaggers(decision, decision.case_id, ":undone")


def tell_of_appeal(appeal: Appeal, case: Case) -> None:
    """Tell the named second that an appeal waits; moderators find it in the queue."""
    second = site.current().appeal_second
    if second:
        named = select(Member.id).where(Member.username == second)
        if case.peers_only:
            named = named.where(Member.status != Status.VENDOR)
        ids = db.session.execute(named).scalars()
        notify(
            SECOND,
            [member_id for member_id in ids if member_id != appeal.member_id],
            source_key=f"appeal:{appeal.id}",
            data={"appeal": appeal.id, "title": case.title},
        )


def alert_whoever_is_on_duty(case: Case, leave_out: Iterable[int]) -> None:
    """Tell whoever may decide a case that it cannot wait; nothing of what it is about.

    Those on duty today by the rota; everybody who may decide when none of them is.
    """
    notify(
        ALERT,
        first_to_tell(moderators(peers_only=case.peers_only, leave_out=leave_out)),
        source_key=f"alert:{case.id}",
        data={"case": case.id},
    )


def tell_of_appeal_decision(answer: Decision, against: Decision, *, overturned: bool) -> None:
    """Tell the author what became of the appeal; the flaggers only when it changed something."""
    _tell_author(answer, "")
    if not overturned and against.member_measure is MemberMeasure.BAN:
        _mail(
            against.member_id,
            _("Your appeal: the decision stands"),
            [
                _("Somebody else looked at your appeal on %(name)s.", name=site.current().name),
                f"“{answer.reason}”",
            ],
            None,
        )
    if overturned:
        _tell_flaggers(against, against.case_id, ":overturned")


def _tell_author(decision: Decision, suffix: str) -> None:
    if is_dismissal(decision):
        return
    notify(
        AUTHOR,
        [decision.member_id],
        source_key=f"decision:{decision.id}{suffix}",
        data={"decision": decision.id, "undone": suffix == ":undone"},
    )


def _tell_flaggers(decision: Decision, case_id: int, suffix: str) -> None:
    flaggers = db.session.execute(
        select(Flag.reporter_id).where(Flag.case_id == case_id, Flag.stands())
    ).scalars()
    notify(
        FLAGGER,
        [member_id for member_id in flaggers if member_id != decision.member_id],
        source_key=f"flags:{decision.id}{suffix}",
        actor_id=decision.decided_by_id,
        data={"decision": decision.id, "what": suffix.lstrip(":")},
    )


def _tell_banned(decision: Decision) -> None:
    """Whoever cannot sign in any more is told by mail, with a link by which to appeal."""
    token = clock.token(24)
    decision.before = {**decision.before, "appeal_token": token_hash(token)}
    _mail(
        decision.member_id,
        _("Your account was closed"),
        [
            _("A moderator closed your account on %(name)s.", name=site.current().name),
            f"{decision.rule_label}: “{decision.reason}”",
            _(
                "If you think that this is wrong you can appeal within 14 days. Somebody other than the "
                "moderator who decided it looks at it anew."
            ),
        ],
        (_("Appeal"), f"/appeals/new?decision={decision.id}&token={token}"),
    )


def _mail(member_id: int, subject: str, paragraphs: list[str], button: tuple[str, str] | None) -> None:
    row = db.session.execute(
        select(Member.email, Member.email_confirmed_at).where(Member.id == member_id)
    ).one()
    if row.email is not None and row.email_confirmed_at is not None:
        queue_account_mail(
            row.email, subject=subject, paragraphs=paragraphs, button=button, member_id=member_id
        )
