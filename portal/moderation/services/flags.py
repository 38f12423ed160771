"""Flags: a member's word that a post breaks a rule, collected in one case for each post."""

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.discussions.models import PostState
from portal.discussions.services.lookup import post_for
from portal.kernel import clock, events, form_keys
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound, TooMany
from portal.kernel.numbers import number
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.moderation import policy
from portal.moderation.events import PostFlagged
from portal.moderation.models import Case, CaseKind, Flag, FlagOutcome, Rule
from portal.moderation.services.cases import case_about, check_open, withdraw
from portal.moderation.services.rules import ensure_rules

LONGEST_COMMENT = 1000


def flag_post(
    reporter: Viewer, post_id: int, *, rule_number: int | None, comment: str = "", form_key: str = ""
) -> Flag:
    """Say that a post breaks a rule (None: something else, which needs a comment).

    The post stays where it is until a moderator decides. Raises NotFound, Forbidden, Invalid, TooMany,
    Repeated.
    """
    comment = "\n".join(line.rstrip() for line in comment.replace("\x00", "").strip().splitlines())
    if len(comment) > LONGEST_COMMENT:
        raise Invalid(_("At most %(most)s characters fit here.", most=number(LONGEST_COMMENT)), "comment")
    with form_keys.once(form_key, reporter.member_id or 0) as outcome:
        post, thread, _board = post_for(reporter, post_id)
        if not reporter.may(Permission.FLAG):
            raise Forbidden(_("Your account cannot flag posts just now."))
        if post.author_id == reporter.member_id:
            raise Invalid(_("This is your own post: edit or delete it instead."), "reason")
        if post.state is not PostState.VISIBLE:
            raise Invalid(_("Moderators already look at this post."), "reason")
        ensure_rules()
        rule = db.session.get(Rule, rule_number) if rule_number is not None else None
        if rule_number is not None and (rule is None or not rule.active):
            raise Invalid(_("Choose one of the reasons."), "reason")
        if rule is None and not comment:
            raise Invalid(_("Say in a sentence what is wrong."), "comment")
        if _has_flagged(reporter, post.id):
            raise Invalid(_("You have flagged this post before; you are told what was decided."), "reason")
        _check_limit(reporter)
        case = case_about(post, thread, CaseKind.FLAGS)
        flag = Flag(
            case_id=case.id,
            post_id=post.id,
            reporter_id=reporter.member_id or 0,
            rule_number=rule.number if rule else None,
            comment=comment,
            weight=weight_of(reporter.member_id or 0),
            outcome=FlagOutcome.PENDING,
            created_at=clock.now(),
        )
        db.session.add(flag)
        db.session.flush()  # it counts in what follows
        weigh(case)
        events.publish(PostFlagged(post.id, case.id, flag.reporter_id))
        outcome.place = f"/posts/{post.id}"
    return flag


def withdraw_flag(reporter: Viewer, post_id: int) -> None:
    """Take one's own flag back while nobody has decided; a case without flags is withdrawn with the last.

    The row stays, without its comment: who flags and takes back has used up a flag of the limit.

    Raises NotFound without a flag of one's own, Conflict when it was decided.
    """
    with unit_of_work():
        flag = db.session.execute(
            select(Flag).where(Flag.post_id == post_id, Flag.reporter_id == reporter.member_id, Flag.stands())
        ).scalar_one_or_none()
        if flag is None:
            raise NotFound("no such flag")
        case = db.session.get_one(Case, flag.case_id, with_for_update=True, populate_existing=True)
        check_open(case)
        flag.outcome, flag.comment = FlagOutcome.WITHDRAWN, ""
        db.session.flush()  # it no longer counts in what follows
        weigh(case)
        case.version += 1
        if case.flags_count == 0 and case.kind is CaseKind.FLAGS:
            withdraw(case)


def weight_of(member_id: int) -> int:
    """What this member's next flag weighs (portal.moderation.policy.flag_weight)."""
    counts: dict[FlagOutcome, int] = {
        row.outcome: row.n
        for row in db.session.execute(
            select(Flag.outcome, func.count().label("n"))
            .where(
                Flag.reporter_id == member_id,
                Flag.outcome.in_([FlagOutcome.UPHELD, FlagOutcome.DISMISSED]),
            )
            .group_by(Flag.outcome)
        )
    }
    return policy.flag_weight(counts.get(FlagOutcome.UPHELD, 0), counts.get(FlagOutcome.DISMISSED, 0))


def weigh(case: Case) -> None:
    """Set count, weight, leading rule and due time from the flags that wait. Inside a unit of work.

    People of one company are one voice: the heaviest of them counts.
    """
    rows = db.session.execute(
        select(Flag.id, Flag.rule_number, Flag.weight, Flag.created_at, Member.company_id, Rule.severity)
        .join(Member, Member.id == Flag.reporter_id)
        .outerjoin(Rule, Rule.number == Flag.rule_number)
        .where(Flag.case_id == case.id, Flag.outcome == FlagOutcome.PENDING)
        .order_by(Flag.id)
    ).all()
    voices: dict[object, int] = {}
    by_rule: dict[int | None, int] = {}
    severity_of: dict[int | None, int] = {}
    for row in rows:
        voice = ("company", row.company_id) if row.company_id is not None else ("flag", row.id)
        voices[voice] = max(voices.get(voice, 0), row.weight)
        by_rule[row.rule_number] = by_rule.get(row.rule_number, 0) + row.weight
        severity_of[row.rule_number] = row.severity or 1
    case.flags_count = len(rows)
    case.weight = sum(voices.values())
    if rows:
        case.rule_number = max(
            by_rule, key=lambda number: (by_rule[number], severity_of[number], number or 0)
        )
        gravest = max(severity_of.values())
        case.due_at = policy.due_of_flags(case.opened_at, gravest, case.weight)


def _has_flagged(reporter: Viewer, post_id: int) -> bool:
    return (
        db.session.execute(
            select(Flag.id).where(
                Flag.post_id == post_id, Flag.reporter_id == reporter.member_id, Flag.stands()
            )
        ).first()
        is not None
    )


def _check_limit(reporter: Viewer) -> None:
    now = clock.now()
    for span, most in (
        (timedelta(hours=1), policy.FLAGS_AN_HOUR),
        (timedelta(days=1), policy.FLAGS_A_DAY),
    ):
        count = db.session.execute(
            select(func.count())
            .select_from(Flag)
            .where(Flag.reporter_id == reporter.member_id, Flag.created_at > now - span)
        ).scalar_one()
        if count >= most:
            raise TooMany(
                _("You have flagged a lot in a short time. The moderators have them; try again later."),
                retry_after=int(span.total_seconds() // 4),
            )
