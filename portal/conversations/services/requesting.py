"""Asking for a conversation, and what becomes of the request."""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select, update

from portal.conversations import events as told
from portal.conversations import policy
from portal.conversations.errors import CompanyAddressWanted, InTouch
from portal.conversations.models import Conversation, ConversationState, MessageKind, Part, Participant
from portal.conversations.queries.finding import (
    OVER_FOR_MEMBER,
    asked_in_vain,
    between,
    find_own,
    is_blocked,
    is_remembered,
)
from portal.conversations.services import messages, places, telling
from portal.conversations.services import times as agreeing
from portal.kernel import clock, events, form_keys, working_time
from portal.kernel.access import CUSTOMERS, Permission, Viewer, permissions_of
from portal.kernel.dates import day_in_words
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.numbers import number
from portal.kernel.unit_of_work import one_at_a_time, unit_of_work
from portal.matching import queries as matching_queries
from portal.matching import services as matching
from portal.matching.errors import NoCapacity
from portal.matching.models import Availability, Identity, Slot
from portal.members.models import Member, MemberState
from portal.moderation.queries.own import barred_from_conversations

SOON = timedelta(hours=2)  # a booked time that begins so early is told of in quiet hours too


def request(
    asker: Viewer,
    member_id: int,
    *,
    origin: str = "",
    note: str,
    slots: tuple[tuple[datetime, int], ...] = (),
    slot_id: int | None = None,
    offered: bool = False,
    form_key: str = "",
) -> Conversation:
    """Ask a customer for a conversation; gives the request. With `slot_id` a time they opened is booked.

    `slots`: times (start, minutes) that the asker proposes. `offered`: the member said that they would talk
    about this, so a pause, a rest or their usual choice do not matter; their limit does. A booked time is a
    promise the member made before, so the conversation is open at once. Raises Forbidden for who may not;
    Invalid beside `note`; NoCapacity when the member cannot take one (full, paused, blocked: it always reads
    the same); InTouch when the two have a conversation that is not over: nothing of this is kept;
    CompanyAddressWanted; Repeated.
    """
    check_may_begin(asker)
    note = _clean(note)
    with form_keys.once(form_key, asker.member_id or 0) as outcome:
        alone_with(asker, member_id)
        member = _approachable(asker, member_id, offered=offered)
        _check_not_in_touch(asker, member_id)
        if not matching_queries.lets_in(asker.member_id or 0, member_id):
            raise CompanyAddressWanted
        _check_not_too_many(asker, origin)
        slot = _slot(member_id, slot_id)
        conversation = _begin(asker, member, origin=origin, note=note)
        matching.reserve(
            member_id,
            purpose=conversation.purpose,
            expires_at=_place_until(conversation),
            offered=offered or slot is not None,
        )
        if slots:
            agreeing.add_times(conversation, asker.member_id or 0, slots)
        events.publish(
            told.ConversationRequested(conversation.id, origin, conversation.asker_id, conversation.member_id)
        )
        if slot is not None:
            matching.take_slot(slot.id, conversation.purpose)
            conversation.agreed_at, conversation.agreed_minutes = slot.starts_at, slot.minutes
            conversation.agreed_edition = 1
            if conversation.waits_until and slot.starts_at < conversation.waits_until + SOON:
                conversation.waits_until = None  # they opened this time: better woken than missed
            _open(conversation, conversation.requested_at)  # the same moment: no answer was needed
            messages.note_event(conversation, conversation.asker_id, MessageKind.AGREED)
        _bring(conversation)
        outcome.place = f"/conversations/{conversation.id}"
    return conversation


def accept(
    member: Viewer,
    conversation_id: str,
    *,
    text: str = "",
    times: tuple[tuple[datetime, int], ...] = (),
    time_id: str = "",
    form_key: str = "",
) -> Conversation:
    """Say yes, with a first message or times if wanted, or by taking a time that was proposed.

    Raises NotFound, Invalid; Repeated.
    """
    with form_keys.once(form_key, member.member_id or 0) as outcome:
        conversation = _waiting_for(member, conversation_id)
        asker = db.session.get_one(Member, conversation.asker_id)
        if asker.state is not MemberState.ACTIVE:
            raise Invalid(_("Whoever asked is no longer here. Nothing is waiting for your answer."))
        conversation.waits_until = None
        try:
            _open(conversation)
        except NoCapacity:
            raise Invalid(
                _(
                    "Your places of this quarter are taken by others meanwhile. Raise your limit in the "
                    "settings, and accept then."
                )
            ) from None
        if text.strip():
            messages.add_text(conversation, member.member_id or 0, text)
        if times:
            agreeing.add_times(conversation, member.member_id or 0, times)
        if time_id:
            agreeing.take(conversation, member.member_id or 0, time_id)
        if not text.strip() and not times and not time_id:
            telling.tell(telling.NEWS, [conversation.asker_id], conversation.id, "accepted")
        outcome.place = f"/conversations/{conversation.id}"
    return conversation


def alone_with(asker: Viewer, member_id: int) -> None:
    """Have to oneself what this asker begins, and what the two begin with each other, until the unit ends.

    For who locks more than a request does: it comes first, or two who ask each other wait for ever.
    """
    one_at_a_time(f"approaches:{asker.member_id}")
    one, other = sorted((asker.member_id or 0, member_id))
    one_at_a_time(f"in touch:{one}:{other}")


def decline(member: Viewer, conversation_id: str) -> None:
    """Say no, silently: the asker reads only that the member is not available now.

    Of a request that is over already nothing is left to do. Raises NotFound.
    """
    with unit_of_work():
        try:
            conversation = _waiting_for(member, conversation_id)
        except NotFound:
            if _is_over_for(member, conversation_id):
                return
            raise
        _close(conversation, ConversationState.DECLINED, "declined")
        telling.tell(telling.NEWS, [conversation.asker_id], conversation.id, "unavailable")


def withdraw(asker: Viewer, conversation_id: str) -> None:
    """Take a request back before it was answered; twice is once. Raises NotFound, Invalid."""
    with unit_of_work():
        conversation, _me = find_own(asker, conversation_id, lock=True)
        if conversation.state is ConversationState.WITHDRAWN:
            return
        if conversation.asker_id != asker.member_id or conversation.state is not ConversationState.REQUESTED:
            raise Invalid(_("This request was answered already."))
        _close(conversation, ConversationState.WITHDRAWN, "withdrawn")


def deliver_due() -> int:
    """Bring requests to members whose quiet hours are over; their two working days begin now. Gives how many.

    Each in a unit of its own: it can be stopped anywhere, and of two at once one does it.
    """
    count = 0
    while True:
        with unit_of_work():
            now = clock.now()
            conversation = db.session.execute(
                select(Conversation)
                .where(Conversation.waits_until <= now)
                .order_by(Conversation.waits_until, Conversation.id)
                .limit(1)
                .with_for_update(skip_locked=True)
                .execution_options(populate_existing=True)
            ).scalar_one_or_none()
            if conversation is None:
                return count
            later = _quiet_until(conversation.member_id, now)
            if later is not None:  # the worker comes late, and it is night again
                conversation.waits_until = later
                continue
            conversation.waits_until = None
            if conversation.state is ConversationState.REQUESTED:
                member = db.session.get_one(Member, conversation.member_id)
                conversation.due_at = _answer_by(member, now)
                try:
                    places.keep(conversation, until=_place_until(conversation))
                except NoCapacity:
                    _close(conversation, ConversationState.RELEASED, "gone")
                    telling.tell(telling.NEWS, [conversation.asker_id], conversation.id, "unavailable")
                    continue
            db.session.flush()
            _bring(conversation)
            count += 1


def release_due() -> int:
    """Move on where nobody answered in time, or the member is no longer there; gives how many.

    Each in a unit of its own: it can be stopped anywhere and run twice at once.
    """
    now = clock.now()
    due = db.session.execute(
        select(Conversation.id)
        .join(Member, Member.id == Conversation.member_id)
        .where(
            Conversation.state == ConversationState.REQUESTED,
            ((Conversation.due_at <= now) & Conversation.waits_until.is_(None))
            | (Member.state != MemberState.ACTIVE)
            | (Member.suspended_until > now),
        )
        .order_by(Conversation.due_at, Conversation.id)
        .limit(200)
    ).scalars()
    count = 0
    for conversation_id in list(due):
        with unit_of_work():
            conversation = db.session.get(
                Conversation, conversation_id, with_for_update=True, populate_existing=True
            )
            if conversation is None or conversation.state is not ConversationState.REQUESTED:
                continue
            late = conversation.due_at <= now and conversation.waits_until is None
            reason = "no answer" if late else "gone"
            _close(conversation, ConversationState.RELEASED, reason)
            telling.tell(telling.NEWS, [conversation.asker_id], conversation.id, "unavailable")
            count += 1
    return count


def end_origin(origin: str, kept: str) -> None:
    """What these requests came from is gone; only of what kind it was is kept. Inside a unit of work."""
    db.session.execute(update(Conversation).where(Conversation.origin == origin).values(origin=kept))


def check_may_begin(viewer: Viewer) -> None:
    """Raises Forbidden for who takes part in no conversations, and while a decision holds somebody back."""
    if not policy.may_converse(viewer) or viewer.member_id is None:
        raise Forbidden(_("This account cannot take part in private conversations."))
    until = barred_from_conversations(viewer.member_id)
    if until is not None:
        raise Forbidden(
            _(
                "By a moderator's decision you can begin no new conversations until %(until)s. "
                "Those you have go on.",
                until=day_in_words(until),
            )
        )


def end(conversation: Conversation) -> None:
    """Nobody is left to talk to. Inside a unit of work."""
    now = clock.now()
    conversation.state, conversation.ended_at = ConversationState.ENDED, now
    conversation.version += 1
    if conversation.speaks_until is not None and conversation.speaks_until > now:
        conversation.called_off_at = now
        conversation.agreed_edition += 1
    if conversation.held_at is None:
        matching.release(conversation.purpose)


def _begin(asker: Viewer, member: Member, *, origin: str, note: str) -> Conversation:
    now = clock.now()
    by_role = (
        db.session.execute(
            select(Availability.identity).where(Availability.member_id == member.id)
        ).scalar_one_or_none()
        is Identity.ROLE
    )
    waits_until = _quiet_until(member.id, now)
    conversation = Conversation(
        id=clock.token(16),
        state=ConversationState.REQUESTED,
        origin=origin[:80],
        asker_id=asker.member_id or 0,
        member_id=member.id,
        place_of_id=member.id,
        by_role=by_role,
        link_box="",
        requested_at=now,
        waits_until=waits_until,
        due_at=_answer_by(member, waits_until or now),
        agreed_edition=0,
        messages_count=0,
        last_at=now,
    )
    key = conversation.give_key()
    conversation.note_box = key.seal(note, purpose="note")
    db.session.add(conversation)
    db.session.flush()  # participants point at it
    db.session.add_all(
        Participant(
            conversation_id=conversation.id,
            member_id=one,
            part=Part.ACTIVE,
            agreed_by=[],
            from_number=1,
            seen_number=0,
            unread=0 if one == asker.member_id else 1,
            joined_at=now,
        )
        for one in (conversation.asker_id, conversation.member_id)
    )
    db.session.flush()
    return conversation


def _open(conversation: Conversation, at: datetime | None = None) -> None:
    now = at or clock.now()
    conversation.state, conversation.accepted_at, conversation.last_at = ConversationState.OPEN, now, now
    conversation.version += 1
    places.keep(conversation)
    events.publish(
        told.ConversationAccepted(
            conversation.id, conversation.origin, conversation.asker_id, conversation.member_id
        )
    )


def _close(conversation: Conversation, state: ConversationState, reason: str) -> None:
    now = clock.now()
    conversation.state, conversation.ended_at, conversation.last_at = state, now, now
    conversation.waits_until = None
    conversation.version += 1
    matching.release(conversation.purpose)
    member = db.session.get_one(Participant, (conversation.id, conversation.member_id))
    member.part, member.left_at, member.unread = Part.LEFT, now, 0
    events.publish(
        told.ConversationReleased(
            conversation.id, conversation.origin, conversation.asker_id, conversation.member_id, reason
        )
    )


def _bring(conversation: Conversation) -> None:
    """Tell the member, unless it waits for the end of their quiet hours."""
    if conversation.waits_until is None:
        telling.tell_of_request(
            conversation.member_id,
            conversation.id,
            by_mail=matching_queries.reach([conversation.member_id])[conversation.member_id].by_mail,
        )


def _quiet_until(member_id: int, now: datetime) -> datetime | None:
    """The end of the quiet hours in which the member is; None outside them."""
    from_at = matching_queries.reach([member_id], now)[member_id].from_at
    return from_at if from_at > now else None


def _answer_by(member: Member, delivered_at: datetime) -> datetime:
    return working_time.add_working_days(
        delivered_at, policy.ANSWER_DAYS, member.time_zone, working_time.calendar()
    )


def _place_until(conversation: Conversation) -> datetime:
    """A little longer than the answer may take: it is this package's job that moves on."""
    return conversation.due_at + timedelta(days=1)


def _waiting_for(member: Viewer, conversation_id: str) -> Conversation:
    conversation, _me = find_own(member, conversation_id, lock=True)
    if conversation.member_id != member.member_id:
        raise NotFound("no such request")
    if conversation.state is not ConversationState.REQUESTED:
        raise Invalid(_("This request was answered already."))
    return conversation


def _is_over_for(member: Viewer, conversation_id: str) -> bool:
    return policy.may_converse(member) and bool(
        db.session.execute(
            select(Conversation.id).where(
                Conversation.id == conversation_id,
                Conversation.member_id == member.member_id,
                Conversation.state.in_(OVER_FOR_MEMBER),
                is_remembered(clock.now()),
            )
        ).first()
    )


def _approachable(asker: Viewer, member_id: int, *, offered: bool) -> Member:
    if member_id == asker.member_id:
        raise Invalid(_("A conversation takes two."))
    member = db.session.get(Member, member_id)
    if member is None or Permission.CONVERSE not in permissions_of(member.status, frozenset()):
        raise NotFound("nobody to ask")
    suspended = member.suspended_until is not None and member.suspended_until > clock.now()
    if (
        member.state is not MemberState.ACTIVE
        or suspended
        or member.email_confirmed_at is None
        or member.status not in CUSTOMERS
        or is_blocked(asker.member_id or 0, member_id)
        or not matching_queries.are_apart(asker.member_id or 0, member_id)
        or (not offered and asked_in_vain(asker.member_id or 0, member_id))
    ):
        raise NoCapacity  # whatever the reason is, it reads the same
    return member


def _check_not_in_touch(viewer: Viewer, other_id: int) -> None:
    there = between(viewer.member_id or 0, other_id)
    if there is not None:
        raise InTouch(there.id)


def _check_not_too_many(asker: Viewer, origin: str) -> None:
    waiting = db.session.execute(
        select(func.count())
        .select_from(Conversation)
        .where(
            Conversation.asker_id == asker.member_id,
            Conversation.origin == origin[:80],
            Conversation.state == ConversationState.REQUESTED,
        )
    ).scalar_one()
    if waiting >= policy.AT_ONCE:
        raise Invalid(
            _(
                "You can approach %(most)s people at once. Wait for an answer, or take a request back.",
                most=policy.AT_ONCE,
            )
        )


def _slot(member_id: int, slot_id: int | None) -> Slot | None:
    if slot_id is None:
        return None
    slot = db.session.get(Slot, slot_id)
    if slot is None or slot.member_id != member_id:
        raise NotFound("no such time")
    if not matching_queries.takes_conversations(member_id):
        raise NoCapacity  # the times they opened before can be booked again once they say so
    return slot


def _clean(note: str) -> str:
    note = note.replace("\r\n", "\n").replace("\x00", "").strip()
    if not note:
        raise Invalid(_("Say in a few words what you would like to talk about."), "note")
    if len(note) > policy.LONGEST_NOTE:
        raise Invalid(_("At most %(most)s characters fit.", most=number(policy.LONGEST_NOTE)), "note")
    return note
