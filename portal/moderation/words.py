"""How moderation says things: in the queue, in notices, in the public log."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext as _n

from portal.moderation.models import AppealOutcome, CaseKind, MemberMeasure, PostMeasure
from portal.moderation.services import screening


def why_here(
    kind: CaseKind,
    flags_count: int,
    rule_number: int | None,
    rule_short: str,
    reasons: list[str],
    why: str = "",
) -> str:
    """The first words of a row in the queue: "3 flags, rule 4: personal data"."""
    if kind is CaseKind.HELD:
        return _("Held: %(reasons)s", reasons=screening.short(reasons))
    if kind is CaseKind.APPEAL:
        return _("Appeal, other decided")
    if kind is CaseKind.CONVERSATION and rule_number is not None:
        return _("Reported messages, rule %(number)s: %(rule)s", number=rule_number, rule=rule_short)
    if kind is CaseKind.CONVERSATION:
        return _("Reported messages, other reason")
    if kind is CaseKind.BLOCKS:
        return _("Blocked by several people")
    if kind is CaseKind.CONNECT:
        return why or _("Connect them")
    if kind is CaseKind.TOOL:
        return _("A tool of the thread")
    flags = _n("%(num)d flag", "%(num)d flags", flags_count)
    if rule_number is None:
        return _("%(flags)s, other reason", flags=flags)
    return _("%(flags)s, rule %(number)s: %(rule)s", flags=flags, number=rule_number, rule=rule_short)


def why_held(reasons: list[str]) -> list[str]:
    """The reasons of a held post in the reader's language."""
    return [screening.said(reason) for reason in reasons]


def what_was_done(decision: Any, *, is_thread: bool = False) -> str:
    """What a decision did, in a few words: "Post removed, author warned"."""
    if decision.appeal_outcome is AppealOutcome.UPHELD:
        return _("Appeal: the decision stands")
    if decision.appeal_outcome is AppealOutcome.OVERTURNED:
        return _("Appeal: the decision was wrong and is taken back")
    post = {
        PostMeasure.NONE: "",
        PostMeasure.HIDE: _("Thread removed") if is_thread else _("Post removed"),
        PostMeasure.CLOSE: _("Thread closed"),
        PostMeasure.RELEASE: _("Published"),
        PostMeasure.REFUSE: _("Not published"),
        PostMeasure.EDIT: _("Words changed"),
        PostMeasure.MOVE: _("Thread moved to another board"),
        PostMeasure.SPLIT: _("Thread split"),
        PostMeasure.MERGE: _("Another thread merged into it")
        if is_thread
        else _("Thread merged into another"),
    }[decision.post_measure]
    member = {
        MemberMeasure.NONE: "",
        MemberMeasure.WARN: _("author warned"),
        MemberMeasure.SUSPEND: _("author suspended"),
        MemberMeasure.BAN: _("account closed"),
        MemberMeasure.NO_CONVERSATIONS: _("no new conversations for a while"),
    }[decision.member_measure]
    text = ", ".join(part for part in (post, member) if part)
    if not text and decision.post_id is None:
        return _("Looked at, nothing taken away")
    return text[:1].upper() + text[1:] if text else _("Flags dismissed, everything stays")


def to_author(decision: Any, *, is_thread: bool = False) -> str:
    """The sentence that the author reads: in the notice, in the mail, in the preview."""
    if decision.appeal_outcome is AppealOutcome.UPHELD:
        return _("Your appeal was looked at: the decision stands")
    if decision.appeal_outcome is AppealOutcome.OVERTURNED:
        return _("You were right: the decision is taken back")
    post = {
        PostMeasure.NONE: "",
        PostMeasure.HIDE: _("Your thread was removed") if is_thread else _("Your post was removed"),
        PostMeasure.CLOSE: _("Your thread was closed")
        if is_thread
        else _("The thread of your post was closed"),
        PostMeasure.RELEASE: _("Your post is published"),
        PostMeasure.REFUSE: _("Your post was not published"),
        PostMeasure.EDIT: _("A moderator changed the words of your post"),
        PostMeasure.MOVE: _("Your thread was moved to another board"),
        PostMeasure.SPLIT: _("A thread with your post was split"),
        PostMeasure.MERGE: _("Another thread was merged into yours")
        if is_thread
        else _("Your thread was merged into another"),
    }[decision.post_measure]
    member = {
        MemberMeasure.NONE: "",
        MemberMeasure.WARN: _("you were warned"),
        MemberMeasure.SUSPEND: _("your account only reads for a while"),
        MemberMeasure.BAN: _("your account was closed"),
        MemberMeasure.NO_CONVERSATIONS: _("you can begin no new conversations for a while"),
    }[decision.member_measure]
    if not post and not member:
        return _("Your post was flagged and stays as it is")
    if post and member:
        return _("%(post)s, and %(member)s", post=post, member=member)
    text = post or member
    return text[:1].upper() + text[1:]


def why_it_stands() -> list[str]:
    """Reasons to begin from where an appeal changes nothing."""
    return [
        _("I read it anew and understand the rule in the same way."),
        _("What you add is true, and the rule asks this all the same."),
    ]


def why_it_was_wrong() -> list[str]:
    """Reasons to begin from where an appeal is right."""
    return [
        _("The rule does not forbid this."),
        _("We overlooked what stands around it."),
        _("It is yours to say, as you explain."),
    ]


def to_flagger(decision: Any, *, what: str = "") -> str:
    """The sentence that those read who flagged."""
    if what == "undone":
        return _("A decision on what you flagged was taken back; it is looked at again")
    if what == "overturned":
        return _("After an appeal, what you flagged is back")
    if decision.post_measure is PostMeasure.NONE and decision.member_measure is MemberMeasure.NONE:
        return _("What you flagged stays")
    return {
        PostMeasure.HIDE: _("What you flagged was removed"),
        PostMeasure.CLOSE: _("The thread of what you flagged was closed"),
    }.get(decision.post_measure, _("What you flagged was dealt with"))
