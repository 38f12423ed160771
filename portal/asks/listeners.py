"""What an ask does when something happens in its thread, and in conversations that came from it."""

from sqlalchemy import select

from portal.asks import policy
from portal.asks.models import Ask, AskState, StageKind
from portal.asks.queries.finding import ask_of_thread, locked
from portal.asks.services import connecting, inviting, settling, stages, telling, timing
from portal.conversations.events import (
    ConversationHeld,
    ConversationMissed,
    ConversationReleased,
    ConversationRequested,
)
from portal.conversations.queries.giving import has_talked
from portal.discussions.events import (
    AcceptanceWithdrawn,
    AnswerAccepted,
    PostPublished,
    PostRemoved,
    PostRestored,
    ThreadChanged,
)
from portal.discussions.models import Post, PostKind, Thread
from portal.kernel.db import db
from portal.members.models import Member


def look_at_post(event: PostPublished) -> None:
    """An opening sets the clock going (a held one once it is released), a customer's answer stops it."""
    ask = ask_of_thread(event.thread_id, lock=True)
    if ask is None:
        return
    post = db.session.get_one(Post, event.post_id)
    if post.kind is PostKind.OPENING:
        if ask.state is AskState.HELD:
            timing.begin(ask)
        return
    if post.kind is not PostKind.ANSWER:
        return
    if post.by_vendor:
        stages.done(ask, StageKind.VENDOR)
        return
    author = db.session.get_one(Member, post.author_id)
    asker = db.session.get_one(Member, ask.asker_id)
    if not policy.stops_the_clock(
        author_status=author.status,
        by_vendor=post.by_vendor,
        author_id=author.id,
        author_company_id=author.company_id,
        asker_id=asker.id,
        asker_company_id=asker.company_id,
    ):
        return
    if ask.state is AskState.RUNNING and post.id > (ask.doubted_post_id or 0):
        timing.stop(ask, post.id, post.author_id)
    else:
        timing.close_request_of(ask, post.author_id)


def look_at_removal(event: PostRemoved) -> None:
    """A removed opening ends the ask; a removed answer stops nothing any more."""
    ask = ask_of_thread(event.thread_id, lock=True)
    if ask is None or ask.state in (AskState.GONE, AskState.HELD):
        return
    if db.session.get_one(Post, event.post_id).kind is PostKind.OPENING:
        timing.stand_still(ask, AskState.GONE)
        stages.done(ask, StageKind.GONE, ask.rounds)
        return
    if ask.answer_post_id != event.post_id:
        return
    _without_answer(ask, event.post_id)


def look_at_return(event: PostRestored) -> None:
    """What was removed is shown again: the ask is there again, the answer stops the clock again."""
    ask = ask_of_thread(event.thread_id, lock=True)
    if ask is None:
        return
    post = db.session.get_one(Post, event.post_id)
    if ask.state is AskState.GONE and post.kind is PostKind.OPENING:
        _bring_back(ask)
    elif ask.state is AskState.RUNNING:
        found = timing.answer_in_force(ask, after_post_id=ask.doubted_post_id or 0)
        if found is not None:
            timing.stop(ask, *found)


def look_at_thread(event: ThreadChanged) -> None:
    """A closed thread can be answered no more; one that was merged away is another's part."""
    ask = ask_of_thread(event.thread_id, lock=True)
    if ask is None or ask.state is AskState.HELD:
        return
    if event.what == "closed" and ask.state in (AskState.RUNNING, AskState.ANSWERED):
        settling.settle_now(ask, "moderator")
    elif event.what == "reopened" and ask.state is AskState.SETTLED and ask.settled_by == "moderator":
        _bring_back(ask)
    elif event.what == "merged" and ask.state is not AskState.GONE and _is_merged(ask.thread_id or 0):
        timing.stand_still(ask, AskState.GONE)
        stages.done(ask, StageKind.GONE, ask.rounds)
    elif event.what == "split" and ask.answer_post_id is not None and not _is_in(ask):
        _without_answer(ask, ask.answer_post_id)


def look_at_acceptance(event: AnswerAccepted) -> None:
    """The asker has what was asked for."""
    ask = ask_of_thread(event.thread_id, lock=True)
    if ask is not None and ask.state in (AskState.RUNNING, AskState.ANSWERED):
        settling.settle_now(ask, "asker")


def look_at_withdrawn_acceptance(event: AcceptanceWithdrawn) -> None:
    """It was settled by that and by nothing else, so it is open again."""
    ask = ask_of_thread(event.thread_id, lock=True)
    if ask is not None and ask.state is AskState.SETTLED and ask.settled_by == "asker":
        _bring_back(ask)


def leave_out_whom_one_asked(event: ConversationRequested) -> None:
    """Two are in touch now: none of their other asks proposes the other any more."""
    ask = _ask_of_origin(event.origin)
    here = ask.id if ask is not None else None
    for asker_id, member_id in (
        (event.asker_id, event.member_id),
        (event.member_id, event.asker_id),
    ):
        connecting.leave_out(asker_id, member_id, but_ask_id=here)


def propose_the_next(event: ConversationReleased) -> None:
    """An approach came to nothing: the next customer is proposed, and the asker told so, without a reason."""
    ask = _ask_of_origin(event.origin)
    if ask is None or ask.asker_id != event.asker_id or ask.state is AskState.GONE:
        return
    if connecting.move_on(ask, event.member_id) and event.reason != "withdrawn":
        telling.tell_asker(ask, f"next-{event.conversation_id}")  # which names nobody


def note_conversation(event: ConversationHeld) -> None:
    """The last of the four things that a guest's sender is told, if the guest agreed."""
    for member_id in (event.asker_id, event.member_id):  # a customer may have offered it
        inviting.note_spoke(member_id)


def note_missed(event: ConversationMissed) -> None:
    """It did not take place after all: nobody is told that a guest spoke who did not."""
    for member_id in (event.asker_id, event.member_id):
        if not has_talked(member_id):
            inviting.note_spoke(member_id, spoke=False)


def _without_answer(ask: Ask, post_id: int) -> None:
    """The answer in force is no longer there: another customer's takes its place, or the clock runs on."""
    other = timing.answer_in_force(ask, after_post_id=ask.doubted_post_id or 0)
    if other is not None:
        ask.answer_post_id, ask.answered_at = other[0], other[2]
        ask.in_time = ask.due_at is not None and other[2] <= ask.due_at
        return
    timing.go_on(ask)
    stages.done(ask, StageKind.TAKEN_BACK, post_id)


def _is_in(ask: Ask) -> bool:
    place = db.session.execute(
        select(Post.thread_id).where(Post.id == ask.answer_post_id)
    ).scalar_one_or_none()
    return place == ask.thread_id


def _bring_back(ask: Ask) -> None:
    from_thread = timing.answer_in_force(ask, after_post_id=ask.doubted_post_id or 0)
    timing.go_on(ask)
    stages.done(ask, StageKind.BACK, ask.rounds)
    if from_thread is not None:
        timing.stop(ask, *from_thread)


def _is_merged(thread_id: int) -> bool:
    merged_into = db.session.execute(select(Thread.merged_into_id).where(Thread.id == thread_id))
    return merged_into.scalar_one() is not None


def _ask_of_origin(origin: str) -> Ask | None:
    kind, _colon, number = origin.partition(":")
    return locked(int(number)) if kind == "ask" and number.isdecimal() and len(number) < 10 else None
