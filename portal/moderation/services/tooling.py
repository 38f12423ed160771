"""What moderators do by the tools of a thread: on record as a decision, told to whoever wrote it."""

from typing import Any

from sqlalchemy import ColumnElement, select

from portal.discussions.events import ToolUsed
from portal.discussions.house_rules import HouseRule
from portal.discussions.models import Post, Thread
from portal.discussions.services import tools
from portal.discussions.services.giving_back import Words
from portal.kernel import clock
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import CaseKind, Decision, MemberMeasure, PostMeasure
from portal.moderation.queries.own import why_not_reopen
from portal.moderation.queries.rules import find_rule, rules
from portal.moderation.services import telling
from portal.moderation.services.aliases import alias_of
from portal.moderation.services.cases import new_case
from portal.moderation.services.rules import ensure_rules

MEASURES = {
    "closed": PostMeasure.CLOSE,
    "edited": PostMeasure.EDIT,
    "moved": PostMeasure.MOVE,
    "split": PostMeasure.SPLIT,
    "merged": PostMeasure.MERGE,
}


def rules_to_cite() -> list[HouseRule]:
    """The rules in force, for the tools of threads."""
    return [HouseRule(rule.number, rule.title, rule.label, rule.templates) for rule in rules()]


def words_taken_out_up_to(post_id: int) -> int:
    """The last version of a post whose words an edit by a rule took out, and that stands; 0: none."""
    befores = db.session.execute(select(Decision.before).where(*_takes_words_out(post_id))).scalars()
    return max((before.get("version") or 0 for before in befores), default=0)


def words_by_rule(post_id: int, title: str, body: str) -> Words:
    """What a post reads from now on, with the last rule by which words were taken out of it."""
    last = db.session.execute(
        select(Decision.rule_number, Decision.rule_label, Decision.reason)
        .where(*_takes_words_out(post_id))
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()
    return Words(title, body, last.rule_number, last.rule_label, last.reason) if last else Words(title, body)


def _takes_words_out(post_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Decision.post_id == post_id,
        Decision.post_measure == PostMeasure.EDIT,
        Decision.rule_number.is_not(None),
        Decision.undone_at.is_(None),
        Decision.overturned_at.is_(None),
    )


def note_tool(event: ToolUsed) -> None:
    """Put it on record and tell the author, who knows of what they did themselves. Inside the unit of work of
    the tool."""
    if event.what == "reopened":
        _note_reopening(event)
        return
    post, thread = db.session.get_one(Post, event.post_id), db.session.get_one(Thread, event.thread_id)
    if event.rule is not None:
        ensure_rules()
    rule = find_rule(event.rule) if event.rule is not None else None
    case = new_case(post, thread, CaseKind.TOOL, open_key=None)
    case.rule_number = event.rule
    case.board_id = event.board_id or thread.board_id
    db.session.add(case)
    db.session.flush()
    before: dict[str, Any] = {"tool": True, "version": event.version}
    if event.board_id is not None:
        source = db.session.get_one(Thread, event.from_id) if event.from_id is not None else thread
        before |= {"from": source.id, "tags": list(source.tags or []), "last_number": source.last_number}
    decision = Decision(
        case_id=case.id,
        post_id=post.id,
        thread_id=thread.id,
        board_id=case.board_id,
        member_id=post.author_id,
        post_measure=MEASURES[event.what],
        member_measure=MemberMeasure.NONE,
        rule_number=event.rule,
        rule_label=rule.label if rule else "",
        reason=event.reason,
        before=before,
        decided_by_id=event.by_id,
        decided_at=case.opened_at,
    )
    db.session.add(decision)
    db.session.flush()
    alias_of(event.by_id)
    if decision.member_id != event.by_id:
        telling.tell_of_decision(decision)


def reopen_own_thread(author_id: int, decision_id: int) -> str:
    """Open one's own thread again that was closed as settled; gives its address.

    Raises NotFound for another's; Invalid where a rule closed it, then or since (there is an appeal), it is
    open already, or its board is archived.
    """
    with unit_of_work():
        decision = db.session.get(Decision, decision_id, with_for_update=True)
        if decision is None or decision.member_id != author_id or decision.thread_id is None:
            raise NotFound("no such decision")
        if against := why_not_reopen(decision):
            raise Invalid(against, "reopen")
        tools.reopen_decided(decision.thread_id, by_id=author_id)
        decision.undone_at, decision.undone_by_id = clock.now(), author_id
    return f"/threads/{decision.thread_id}"


def _note_reopening(event: ToolUsed) -> None:
    standing = select(Decision).where(
        Decision.thread_id == event.thread_id,
        Decision.post_measure == PostMeasure.CLOSE,
        Decision.undone_at.is_(None),
        Decision.overturned_at.is_(None),
    )
    for decision in db.session.execute(standing).scalars():
        decision.undone_at, decision.undone_by_id = clock.now(), event.by_id
        telling.tell_of_undoing(decision)
