"""When the two speak: times proposed, agreed, moved, called off; and that it took place, or did not."""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.conversations import events as told
from portal.conversations import policy
from portal.conversations.models import (
    Conversation,
    ConversationState,
    Message,
    MessageKind,
    Rating,
    TimeProposal,
)
from portal.conversations.services import messages, places
from portal.kernel import clock, events, form_keys
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import services as matching
from portal.matching.errors import NoCapacity


def propose_times(
    author: Viewer, conversation_id: str, times: tuple[tuple[datetime, int], ...], *, form_key: str = ""
) -> None:
    """Propose times (start, minutes) to speak. Raises NotFound, Invalid beside `times`; Repeated."""
    with form_keys.once(form_key, author.member_id or 0) as outcome:
        conversation = messages.open_one(author, conversation_id)
        add_times(conversation, author.member_id or 0, times)
        outcome.place = f"/conversations/{conversation.id}#end"


def agree_time(member: Viewer, conversation_id: str, time_id: str) -> None:
    """Take a time that another proposed, in the place of one agreed on before.

    Raises NotFound; Invalid when it is past or one's own, or no place of the limit is left after one was
    called off.
    """
    with unit_of_work():
        take(messages.open_one(member, conversation_id), member.member_id or 0, time_id)


def take(conversation: Conversation, member_id: int, time_id: str) -> None:
    """The same inside a unit of work, on a locked conversation that is open."""
    proposal = db.session.get(TimeProposal, time_id)
    if proposal is None or proposal.conversation_id != conversation.id:
        raise NotFound("no such time")
    if proposal.by_id == member_id:
        raise Invalid(_("You proposed this time yourself; the other side takes it."))
    if proposal.starts_at <= clock.now():
        raise Invalid(_("This time is over. Propose another one."))
    before = (conversation.agreed_at, conversation.agreed_minutes)
    if before == (proposal.starts_at, proposal.minutes) and conversation.called_off_at is None:
        return
    if conversation.held_at is None:
        try:
            places.keep(conversation)
        except NoCapacity:
            raise Invalid(
                _(
                    "The place was given back when the time was called off, and this quarter's are taken "
                    "meanwhile. You can still write to each other here."
                )
            ) from None
    conversation.agreed_at, conversation.agreed_minutes = proposal.starts_at, proposal.minutes
    conversation.called_off_at = None
    conversation.agreed_edition += 1
    conversation.version += 1
    matching.free_slot(conversation.purpose)  # a booked time that was moved is open again
    messages.note_event(conversation, member_id, MessageKind.AGREED)


def call_off(member: Viewer, conversation_id: str) -> bool:
    """The agreed time does not take place; either side may say so. Gives whether the place is free again.

    They can go on writing, and agree on another time. It stays counted where they have talked in writing.
    Raises NotFound; Invalid when there is no time to call off.
    """
    with unit_of_work():
        conversation = _of_the_two(member, conversation_id)
        until = conversation.speaks_until
        if until is None or until <= clock.now():
            raise Invalid(_("There is no time to call off."))
        _strike(conversation)
        matching.free_slot(conversation.purpose)
        was_held = conversation.held_at is not None
        released = _give_back(conversation)
        messages.note_event(conversation, member.member_id or 0, MessageKind.CALLED_OFF, news="called_off")
        if released:
            by_asker = conversation.asker_id == member.member_id
            events.publish(
                told.ConversationReleased(
                    conversation.id,
                    conversation.origin,
                    conversation.asker_id,
                    conversation.member_id,
                    "withdrawn" if by_asker else "called off",
                )
            )
        if released and was_held:
            _publish_missed(conversation)
        return released


def deny(member: Viewer, conversation_id: str) -> bool:
    """Somebody did not come: the agreed time did not take place. Gives whether the place is free again.

    Can be said from the time on for two weeks, as long as one has not said how it was. Raises NotFound,
    Invalid.
    """
    with unit_of_work():
        conversation = _of_the_two(member, conversation_id)
        if not policy.may_deny(conversation, clock.now()):
            raise Invalid(_("This can be said in the two weeks after the time that you agreed on."))
        rated_by = set(
            db.session.execute(
                select(Rating.by_id).where(Rating.conversation_id == conversation.id)
            ).scalars()
        )
        if member.member_id in rated_by:
            raise Invalid(_("You have said how it was, so it took place."))
        was_held = conversation.held_at is not None
        _strike(conversation)
        # Where the other side said how it was, it is word against word: then it stays counted.
        released = not rated_by and _give_back(conversation)
        messages.note_event(conversation, member.member_id or 0, MessageKind.MISSED, news="missed")
        if released and was_held:
            _publish_missed(conversation)
        return released


def _of_the_two(member: Viewer, conversation_id: str) -> Conversation:
    conversation = messages.open_one(member, conversation_id)
    if member.member_id not in (conversation.asker_id, conversation.member_id):
        raise NotFound("not one of the two")
    return conversation


def _publish_missed(conversation: Conversation) -> None:
    events.publish(
        told.ConversationMissed(
            conversation.id, conversation.origin, conversation.asker_id, conversation.member_id
        )
    )


def _strike(conversation: Conversation) -> None:
    conversation.called_off_at = clock.now()
    conversation.agreed_edition += 1
    conversation.version += 1


def _give_back(conversation: Conversation) -> bool:
    """The place is free again, unless the two have talked in writing. Inside a unit of work."""
    if conversation.held_at is None:
        return matching.release(conversation.purpose)
    if conversation.held_at != conversation.agreed_at and not _only_arranged(conversation):
        return False
    conversation.held_at = None
    return matching.did_not_happen(conversation.purpose)


def _only_arranged(conversation: Conversation) -> bool:
    written = db.session.execute(
        select(func.count())
        .select_from(Message)
        .where(
            Message.conversation_id == conversation.id,
            Message.kind == MessageKind.TEXT,
            Message.author_id == conversation.place_of_id,
        )
    ).scalar_one()
    return written <= policy.ARRANGING


def add_times(conversation: Conversation, author_id: int, times: tuple[tuple[datetime, int], ...]) -> Message:
    """Add proposed times. Inside a unit of work, on a locked conversation."""
    now = clock.now()
    if not times:
        raise Invalid(_("Give at least one time."), "times")
    if len(times) > policy.MOST_TIMES:
        raise Invalid(_("At most %(most)s times at once.", most=policy.MOST_TIMES), "times")
    for starts_at, minutes in times:
        if not now < starts_at <= now + timedelta(days=180):
            raise Invalid(_("Give times from now on, within half a year."), "times")
        if minutes not in policy.LENGTHS:
            raise Invalid(_("Choose one of the lengths."), "minutes")
    message = messages.note_event(conversation, author_id, MessageKind.TIMES)
    db.session.flush()  # the times point at it
    db.session.add_all(
        TimeProposal(
            id=clock.token(16),
            conversation_id=conversation.id,
            message_id=message.id,
            by_id=author_id,
            starts_at=starts_at,
            minutes=minutes,
        )
        for starts_at, minutes in sorted(set(times))
    )
    return message


def hold_due() -> int:
    """Conversations whose agreed time has passed took place; gives how many."""
    now = clock.now()
    ids = db.session.execute(
        select(Conversation.id)
        .where(
            Conversation.state == ConversationState.OPEN,
            Conversation.held_at.is_(None),
            Conversation.called_off_at.is_(None),
            Conversation.agreed_at <= now - policy.TOOK_PLACE,
        )
        .limit(200)
    ).scalars()
    count = 0
    for conversation_id in list(ids):
        with unit_of_work():
            conversation = db.session.get_one(
                Conversation, conversation_id, with_for_update=True, populate_existing=True
            )
            if (
                conversation.held_at is None
                and conversation.called_off_at is None
                and conversation.agreed_at is not None
                and conversation.agreed_at <= now - policy.TOOK_PLACE
            ):
                messages.hold(conversation, conversation.agreed_at)
                count += 1
    return count
