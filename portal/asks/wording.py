"""Asks in words: the timeline, why somebody was asked, what is reported, how the asker appears."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext as _n

from portal.asks.models import AnswerRequest, Ask, AskMode, AskState, StageKind, Via
from portal.asks.queries.lists import TalkLine
from portal.asks.queries.timelines import SEEN, Seen, Step
from portal.conversations.models import ConversationState
from portal.kernel.template_helpers import duration, exact
from portal.members import lists
from portal.members.display import ROLE_WORDS

LATE = 15 * 60  # seconds after which a step says that it came late


def criterion(name: str) -> str:
    """What a criterion is called in the middle of a sentence."""
    return {
        "industry": _("the industry"),
        "products": _("the product"),
        "use_case": _("the use case"),
        "size_band": _("the size of the company"),
        "role_level": _("the role"),
        "region": _("the country"),
        "replacing": _("what is replaced"),
    }.get(name, name)


def same(name: str) -> str:
    """What somebody shares with the asker."""
    return {
        "industry": _("same industry"),
        "products": _("same product"),
        "use_case": _("same use case"),
        "size_band": _("same size"),
        "role_level": _("same role"),
        "region": _("same country"),
        "replacing": _("replaced the same"),
    }.get(name, name)


def whole_same(name: str) -> str:
    """The same as the words of a choice."""
    return listed([same(name)])


def matter_most(ask: Ask) -> str:
    """What the asker said matters most, without what was given up since; "" for nothing."""
    return listed([same(name) for name in ask.matters if name not in ask.dropped])


def differs(name: str) -> str:
    """What is not the same."""
    return {
        "industry": _("another industry"),
        "products": _("another product"),
        "use_case": _("another use case"),
        "size_band": _("another size"),
        "role_level": _("another role"),
        "region": _("another country"),
        "replacing": _("replaced something else"),
    }.get(name, name)


def listed(parts: list[str]) -> str:
    """ "Same industry, same product": a sentence without its full stop."""
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def why_asked(request: AnswerRequest) -> str:
    """Why this came to this member."""
    if request.via is Via.COLLEAGUE:
        return _("A colleague of yours thinks that you know.")
    parts = [same(name) for name in request.same]
    if request.answered_alike:
        parts.append(_n("you answered one like it", "you answered %(num)d like it", request.answered_alike))
    if not parts:
        return _("You are among the customers who were asked least.")
    return _("Why you: %(reasons)s.", reasons=", ".join(parts))


def why_talk(line: TalkLine) -> str:
    """Why this member was asked for a conversation."""
    proposal = line.proposal
    if not line.asked.origin:
        return _("They chose you from your page.")
    if proposal is None:
        return _("You were among the customers who were proposed to them.")
    parts = [same(name) for name in proposal.same]
    if proposal.chosen_as == "talk":
        how = _("You said that you would rather talk about their question than write.")
    elif proposal.by_id is not None:
        how = _("A moderator proposed you.")
    else:
        how = _("They chose you among the customers who were proposed to them.")
    return f"{_('Why you: %(reasons)s.', reasons=', '.join(parts))} {how}" if parts else how


def talk_word(line: TalkLine) -> tuple[str, str]:
    """(word, kind of the state component) of a request for a conversation."""
    asked = line.asked
    if asked.booked:
        return _("booked a time of yours"), "good"
    return {
        ConversationState.REQUESTED: (_("waits for you"), ""),
        ConversationState.OPEN: (_("you accepted"), "good"),
        ConversationState.ENDED: (_("you accepted; it has ended"), ""),
        ConversationState.DECLINED: (_("you declined"), ""),
        ConversationState.RELEASED: (_("lapsed"), ""),
        ConversationState.WITHDRAWN: (_("they took it back"), ""),
    }[asked.state]


def told_asker(what: str) -> str:
    """The sentence of a notice to the asker."""
    return {
        "due": _("No customer answered in time, so a moderator connects you"),
        "introduced": _("A moderator found customers for you"),
        "settled": _("A moderator settled your ask"),
        "next": _("It did not come about with one customer; here is the next"),
        "talk": _("A customer would rather talk with you than write"),
    }.get(what, "")


def situation(ask: Ask, products: dict[int, str]) -> list[tuple[str, str]]:
    """What the asker said, as terms and words; what stayed empty is left out."""
    said = [
        (_("Industry"), lists.label(lists.INDUSTRIES, ask.industry)),
        (_("Size"), lists.label(lists.SIZES, ask.size_band)),
        (_("Country"), lists.country_name(ask.region)),
        (_("Considers"), ", ".join(products[number] for number in ask.product_ids if number in products)),
        (_("Use case"), ask.use_case),
        (_("Would replace"), ask.replacing),
        (_("Role"), ROLE_WORDS.get(ask.role_level, "") if ask.role_level else ""),
        (_("Matters most"), matter_most(ask)),
    ]
    return [(term, words) for term, words in said if words]


def state_word(ask: Ask) -> tuple[str, str]:
    """(word, kind of the state component) for lists and heads."""
    if ask.mode is AskMode.CONVERSATION:
        return _("In private"), ""
    return {
        AskState.HELD: (_("Waits for a moderator"), ""),
        AskState.RUNNING: (_("Open ask"), ""),
        AskState.ANSWERED: (_("Answered by a customer"), "good"),
        AskState.SETTLED: (_("Settled"), "good" if ask.answered_at else ""),
        AskState.GONE: (_("Removed"), ""),
    }[ask.state]


def timeline(ask: Ask, steps: list[Step], seen: Seen, *, own: bool, responsible: str) -> list[dict[str, Any]]:
    """Rows for the timeline component: done ones first, then what happens by itself."""
    items: list[dict[str, Any]] = []
    waves = [step for step in steps if step.kind is StageKind.WAVE and step.is_done]
    for step in steps:
        text = _done(step, own=own, ask=ask) if step.is_done else _planned(step, responsible)
        if not text:
            continue
        kind = "" if step.is_done else "next"
        if step.kind is StageKind.VENDOR:
            kind = "vendor"
        items.append(
            {
                "at": step.when,
                "text": text + _lateness(step),
                "kind": kind,
                "done": step.is_done,
                "rank": step.rank,
            }
        )
    if seen.waiting and waves:
        text = _n(
            "One of them is told once it is day where they are.",
            "%(num)d of them are told once it is day where they are.",
            seen.waiting,
        )
        items.append({"at": waves[-1].when, "text": text, "kind": "", "done": True, "rank": SEEN})
    if seen.seen and seen.last_seen_at:
        text = _n("One of them has seen it.", "%(num)d of them have seen it.", seen.seen)
        items.append({"at": seen.last_seen_at, "text": text, "kind": "", "done": True, "rank": SEEN})
    done = sorted((item for item in items if item["done"]), key=lambda item: (item["at"], item["rank"]))
    if done and ask.state in (AskState.RUNNING, AskState.ANSWERED) and not done[-1]["kind"]:
        done[-1]["kind"] = "now"
    return done + [item for item in items if not item["done"]]


def _done(step: Step, *, own: bool, ask: Ask) -> str:
    details = step.details
    count = int(details.get("count", details.get("asked", 0)) or 0)
    match step.kind:
        case StageKind.ASKED:
            return _("You asked.") if own else _("Asked.")
        case StageKind.WAVE:
            if not count:
                return _("Nobody of those who were chosen could be asked any more.")
            shared = [same(name) for name in details.get("same", [])]
            asked = _n("One customer was asked", "%(num)d customers were asked", count)
            if step.number > 1:
                asked = _n("One further customer was asked", "%(num)d further customers were asked", count)
            return f"{asked}: {', '.join(shared)}." if shared else f"{asked}."
        case StageKind.NOBODY:
            if step.number == 1:
                return _("There was no customer whom it could be brought to. A moderator was told at once.")
            return _("There was nobody else to ask.")
        case StageKind.VENDOR:
            return _("The vendor replied in the thread. This does not stop the clock.")
        case StageKind.ANSWERED:
            return _("A customer answered. The clock stopped.")
        case StageKind.TALK:
            return _("One customer would rather talk than write.")
        case StageKind.DOUBTED:
            if own:
                return _("You said that this does not answer you. The clock runs on.")
            return _("The asker said that this is no answer. The clock runs on.")
        case StageKind.TAKEN_BACK:
            return _("The answer is no longer there. The clock runs on with the time that was left.")
        case StageKind.DUE:
            return _("No customer had answered in time. A moderator has it now.")
        case StageKind.CONNECT:
            return _("You wanted to be connected.") if own else _("The asker wanted to be connected.")
        case StageKind.INTRODUCED:
            if details.get("asked"):
                return _n(
                    "A moderator asked one customer to talk with the asker.",
                    "A moderator asked %(num)d customers to talk with the asker.",
                    count,
                )
            return _n(
                "A moderator proposed one customer to the asker.",
                "A moderator proposed %(num)d customers to the asker.",
                count,
            )
        case StageKind.SETTLED:
            by = details.get("by")
            if by == "asker":
                return _("You settled it.") if own else _("The asker settled it.")
            return (
                _("A moderator settled it.")
                if by == "moderator"
                else _("Settled: nobody spoke up for two weeks.")
            )
        case StageKind.SUMMARY:
            return _("A summary was written.")
        case StageKind.GONE:
            return _("The thread was removed. The ask counts all the same.")
        case StageKind.BACK:
            return _("It is open again.")
    return ""


def _planned(step: Step, responsible: str) -> str:
    if step.kind is StageKind.WAVE:
        if step.number == 1:
            return _("Customers who fit are asked.")
        return _("Without a customer’s answer, up to five more customers are asked.")
    if step.kind is StageKind.DUE:
        return _("Due. Without an answer, %(who)s connects the asker with a customer.", who=responsible)
    return ""


def _lateness(step: Step) -> str:
    if step.at is None or step.planned_at is None:
        return ""
    late = (step.at - step.planned_at).total_seconds()
    if late < LATE:
        return ""
    return " " + _("This came %(time)s late.", time=duration(late))


def clock_line(ask: Ask, now: datetime) -> str:
    """The clock in one sentence, without the due time itself; "" while it is not running."""
    if ask.state is AskState.RUNNING and ask.due_at is not None:
        left = (ask.due_at - now).total_seconds()
        if left > 0:
            return _("%(time)s left for a customer’s answer", time=duration(left))
        return _("No customer answered in time. A moderator connects.")
    if ask.state is AskState.ANSWERED and ask.answered_at and ask.asked_at:
        return _("A customer answered after %(time)s", time=duration(ask.answered_at - ask.asked_at))
    return ""


def what_happens(hours: int, wave: int, responsible: str) -> list[dict[str, Any]]:
    """The promise as a timeline, for the page on which one asks."""
    half = f"{hours / 2:g}"
    return [
        {
            "at": None,
            "kind": "now",
            "term": _("At once"),
            "text": _("Up to %(num)s customers who fit are asked.", num=wave),
        },
        {
            "at": None,
            "kind": "next",
            "term": _("After %(hours)s h", hours=half),
            "text": _("Without a customer’s answer, up to %(num)s more.", num=wave),
        },
        {
            "at": None,
            "kind": "next",
            "term": _("After %(hours)s h", hours=hours),
            "text": _("%(who)s connects you with a customer.", who=responsible[:1].upper() + responsible[1:]),
        },
    ]


def who_line(card: Any) -> str:
    """Under a proposed customer's name: title, company or what kind of one, what the name waits for."""
    person = card.person
    parts = [part for part in (person.title, person.company) if part]
    line = ", ".join(dict.fromkeys(parts))
    verified = {
        "mail": _("Verified by company mail."),
        "moderator": _("Verified by a moderator."),
        "imported": _("Imported, not verified here."),
    }.get(person.verified_by, "")
    sentences = [
        f"{line}." if line else "",
        verified,
        _("Tells you the name when accepting.") if card.by_role else "",
        _("Talks only with people who are here with their company’s mail address.")
        if card.company_address_required
        else "",
    ]
    return " ".join(one for one in sentences if one)


def why_card(proposal: Any, replacing: str, *, own: bool = True) -> str:
    """Why this customer: what is the same, and the fit where it says anything."""
    parts = [
        _("replaced %(what)s too", what=replacing) if name == "replacing" and replacing else same(name)
        for name in proposal.same
    ]
    sentences = [f"{listed(parts)}."] if parts else []
    if proposal.chosen_as == "talk":
        sentences.append(_("Was asked your question and would rather talk than write."))
    if proposal.same or proposal.differs or proposal.unknown:
        sentences.append(_("Fit %(fit)s, where 0.60 is wanted.", fit=f"{proposal.fit:.2f}"))
    if sentences:
        return " ".join(sentences)
    if own:
        return _("You said nothing about your situation, so everybody fits.")
    return _("The asker said nothing about the situation, so everybody fits.")


def differs_card(proposal: Any, *, own: bool = True) -> str:
    """What is not the same, or not known; `own`: the asker reads it."""
    parts = [differs(name) for name in proposal.differs]
    if proposal.unknown:
        parts.append(_("not known: %(what)s", what=", ".join(criterion(name) for name in proposal.unknown)))
    if parts:
        return f"{listed(parts)}."
    return _("Nothing that you named.") if own else _("Nothing that the asker named.")


def chosen_card(proposal: Any) -> str:
    """How this one came among the three."""
    how = {
        "least shown": _("Was proposed to the fewest people this quarter."),
        "random": _("Drawn at random from those who fit."),
        "talk": _("Offered it."),
    }.get(proposal.chosen_as, "")
    if proposal.chosen_as == "chosen" and proposal.least and proposal.fitting is not None:
        how = _(
            "Among those asked least: %(load)s of %(limit)s this quarter.",
            load=proposal.load,
            limit=proposal.limit,
        )
    elif proposal.chosen_as == "chosen":
        how = _("Next in turn among those who fit.")
    many = (
        _n("%(num)d customer fits.", "%(num)d customers fit.", proposal.fitting)
        if proposal.fitting is not None
        else ""
    )
    by = _("Picked by a moderator.") if proposal.by_id is not None else ""
    return " ".join(part for part in (by, how, many) if part)


def soon(slots: list[Any]) -> str:
    """When a conversation could be."""
    if not slots:
        return _("Answers within two working days, or we propose the next.")
    return _("Can be booked now: %(when)s", when="; ".join(exact(slot.starts_at) for slot in slots))


def outcome_word(line: Any) -> tuple[str, str]:
    """(word, kind of the state component) of an answer request."""
    if line.request.outcome.value == "pending":
        if line.ask.state is AskState.ANSWERED:
            return _("somebody answered"), ""
        return (_("settled"), "") if line.ask.state is AskState.SETTLED else (_("waits for you"), "")
    return {
        "answered": (_("you answered"), "good"),
        "talk": (_("you would talk"), ""),
        "not_now": (_("not now"), ""),
        "passed_on": (_("passed on"), ""),
    }.get(line.request.outcome.value, (_("over"), ""))


def outcome_sentence(line: Any) -> str:
    """What the member said they do with it."""
    return {
        "answered": _("You answered it. Thank you."),
        "talk": _("You said that you would rather talk. The asker may ask you for a conversation."),
        "not_now": _("You said “not now”. You can still answer."),
        "passed_on": _("You passed it on to a colleague. You can still answer yourself."),
    }.get(line.request.outcome.value, "")
