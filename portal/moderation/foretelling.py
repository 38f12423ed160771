"""What author, flaggers and everybody will read of a measure that is not taken yet, as its form stands."""

from types import SimpleNamespace

from flask_babel import gettext as _
from flask_babel import ngettext as _n

from portal.discussions.house_rules import WillRead
from portal.moderation import words
from portal.moderation.models import AppealOutcome, MemberMeasure, PostMeasure
from portal.moderation.queries.rules import RuleLine, find_rule
from portal.moderation.services.tooling import MEASURES


def of_decision(
    post: PostMeasure,
    member: MemberMeasure,
    rule: RuleLine | None,
    reason: str,
    *,
    has_post: bool,
    is_thread: bool,
    flaggers: int,
    in_log: bool,
) -> list[WillRead]:
    """Of a decision on flags, on a held post or on messages that were reported."""
    decision = _measure(post, member, post_id=1 if has_post else None)
    dismisses = post is PostMeasure.NONE and member is MemberMeasure.NONE
    releases = post is PostMeasure.RELEASE
    label = rule.label if rule and not dismisses and not releases else ""
    if dismisses:
        author = _nothing(
            _("The author"), _("Nothing: of a flag that changes nothing its author does not hear.")
        )
    else:
        sentence = words.to_author(decision, is_thread=is_thread)
        author = _said(_("The author"), sentence, label, reason, needed=not releases)
        if not releases:
            author = author._replace(also=_can_appeal())
    found = [author]
    if flaggers:
        who = _n("Who flagged it", "The %(num)d who flagged it", flaggers)
        found.append(_said(who, words.to_flagger(decision), label, reason, needed=not releases))
    if in_log and not dismisses and not releases:
        found.append(_in_log(words.what_was_done(decision, is_thread=is_thread), label, reason))
    else:
        found.append(_nothing(_("The public log"), _("Only the number of such decisions.")))
    return found


def of_appeal(outcome: AppealOutcome, rule_label: str, reason: str, *, flaggers: int) -> list[WillRead]:
    """Of the answer to an appeal."""
    answer = _measure(PostMeasure.NONE, MemberMeasure.NONE, outcome=outcome)
    overturned = outcome is AppealOutcome.OVERTURNED
    found = [_said(_("The author"), words.to_author(answer), rule_label, reason)]
    if flaggers:
        who = _n("Who flagged it", "The %(num)d who flagged it", flaggers)
        if overturned:
            found.append(WillRead(who, _("%(what)s.", what=words.to_flagger(answer, what="overturned"))))
        else:
            found.append(_nothing(who, _("Nothing: for them it stays as they were told.")))
    found.append(_in_log(words.what_was_done(answer), rule_label, reason))
    return found


def of_tool(
    what: str, number: int | None, reason: str, *, own: bool, other: bool | None = None
) -> list[WillRead]:
    """Of what a moderator does to a thread: "closed", "moved", "split" or "merged". `own`: they began it.

    `other`: whether the second whom a split or a merge concerns is they, None where there is none.
    """
    measure, rule = _measure(MEASURES[what], MemberMeasure.NONE), find_rule(number)
    label = rule.label if rule else ""
    if what == "split":
        return _of_split(measure, reason, own=own, other=other)
    if what == "merged":
        return _of_merge(measure, label, reason, own=own, other=other)
    if own:
        found = [_nothing(_("The author"), _("Nothing: you began it yourself."))]
    else:
        found = [_said(_("The author"), words.to_author(measure, is_thread=True), label, reason)]
        if rule:
            found[0] = found[0]._replace(also=_can_appeal())
        elif what == "closed":
            found[0] = found[0]._replace(also=_("You can open it again."))
    if what == "closed":
        found.append(_said(_("Everybody, on the thread"), _("Closed"), label, reason))
    found.append(_in_log(words.what_was_done(measure, is_thread=True), label, reason))
    return found


def _of_split(measure: SimpleNamespace, reason: str, *, own: bool, other: bool | None) -> list[WillRead]:
    sentence = words.to_author(measure)
    begun = _("Who began this thread") if other is not None else _("Who began both threads")
    found = [_told(begun, sentence, "", reason, own=own)]
    if other is not None:
        found.append(_told(_("Who wrote the first post taken along"), sentence, "", reason, own=other))
    if not own or other is False:
        found.append(_in_log(words.what_was_done(measure), "", reason))
    return found


def _of_merge(
    measure: SimpleNamespace, label: str, reason: str, *, own: bool, other: bool | None
) -> list[WillRead]:
    """The rule is held against the thread that goes alone."""
    begun = _("Who began this thread") if other is not None else _("Who began both threads")
    first = _told(begun, words.to_author(measure), label, reason, own=own)
    found = [first._replace(also=_can_appeal()) if label and not own else first]
    if other is not None:
        sentence = words.to_author(measure, is_thread=True)
        found.append(_told(_("Who began the thread that stays"), sentence, "", reason, own=other))
    if not own or label:
        found.append(_in_log(words.what_was_done(measure), label, reason))
    if other is False:
        found.append(_in_log(words.what_was_done(measure, is_thread=True), "", reason))
    return found


def _told(who: str, sentence: str, label: str, reason: str, *, own: bool) -> WillRead:
    return _nothing(who, _("Nothing: it is you.")) if own else _said(who, sentence, label, reason)


def _measure(
    post: PostMeasure,
    member: MemberMeasure,
    *,
    outcome: AppealOutcome | None = None,
    post_id: int | None = 1,
) -> SimpleNamespace:
    return SimpleNamespace(post_measure=post, member_measure=member, appeal_outcome=outcome, post_id=post_id)


def _said(who: str, sentence: str, label: str, reason: str, *, needed: bool = True) -> WillRead:
    reason = " ".join(reason.split())
    quoted = f"“{reason}”" if reason else _("(your reason)") if needed else ""
    cited = f"{label}:" if label else ""
    return WillRead(who, " ".join(part for part in (f"{sentence}.", cited, quoted) if part))


def _in_log(sentence: str, label: str, reason: str) -> WillRead:
    line = _said(_("The public log"), sentence, label, reason)
    return line._replace(also=_("You stand there as “Moderator” with a letter."), also_quiet=True)


def _nothing(who: str, text: str) -> WillRead:
    return WillRead(who, text, quiet=True)


def _can_appeal() -> str:
    return _("You can appeal within 14 days; somebody else decides.")
