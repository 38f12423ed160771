"""What is said: sealed before it is stored, seen by the others, taken back by who said it."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select, update

from portal.conversations import events as told
from portal.conversations import policy
from portal.conversations.models import (
    Conversation,
    ConversationState,
    Message,
    MessageKind,
    Part,
    Participant,
    ReportedMessage,
)
from portal.conversations.queries.finding import active_ids, find_own
from portal.conversations.services import telling
from portal.kernel import clock, events, form_keys, preserving
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.markup import MarkupTooLarge, render
from portal.kernel.numbers import number
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import services as matching

FORGET_JOB = "forget deleted messages"


def send_message(author: Viewer, conversation_id: str, text: str, *, form_key: str = "") -> Message:
    """Say something in Markdown; the others hear that there is one. Raises NotFound, Invalid, Repeated."""
    with form_keys.once(form_key, author.member_id or 0) as outcome:
        conversation = open_one(author, conversation_id)
        message = add_text(conversation, author.member_id or 0, text)
        outcome.place = f"/conversations/{conversation.id}#end"
    return message


def set_link(member: Viewer, conversation_id: str, link: str) -> None:
    """Keep the address of a meeting tool, sealed; "" takes it away. Raises NotFound, Invalid."""
    link = link.strip()
    if link and (
        not link.startswith(("https://", "http://")) or len(link) > 500 or any(c.isspace() for c in link)
    ):
        raise Invalid(_("Write the address as https://…"), "link")
    with unit_of_work():
        conversation = open_one(member, conversation_id)
        if conversation.link_box:
            for one in active_ids(conversation.id):  # sealed as it is: an order opens nothing
                words = {"box": conversation.link_box}
                preserving.keep_former(one, f"link of {conversation.id}", words)
        conversation.link_box = conversation.key().seal(link, purpose="link") if link else ""
        conversation.version += 1


def delete_message(author: Viewer, conversation_id: str, message_id: str) -> None:
    """Take back what one said. Its recipients can still report it for 30 days. Raises NotFound."""
    with unit_of_work():
        conversation, _me = find_own(author, conversation_id, lock=True)
        message = db.session.get(Message, message_id)
        if (
            message is None
            or message.conversation_id != conversation.id
            or message.author_id != author.member_id
            or message.kind is not MessageKind.TEXT
        ):
            raise NotFound("no such message")
        if message.deleted_at is None:
            message.deleted_at = clock.now()


def mark_seen(viewer: Viewer, conversation_id: str, number: int) -> None:
    """The viewer has everything up to this message on the screen."""
    with unit_of_work():
        me = db.session.get(Participant, (conversation_id, viewer.member_id))
        if me is not None and (me.unread or me.seen_number < number):
            me.seen_number, me.seen_at, me.unread = max(number, me.seen_number), clock.now(), 0
        telling.seen(viewer.member_id or 0, conversation_id)


def add_text(conversation: Conversation, author_id: int, text: str) -> Message:
    """Add a message. Inside a unit of work, on a locked conversation."""
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise Invalid(_("Write something first."), "body")
    if len(text) > policy.LONGEST_MESSAGE:
        raise Invalid(_("At most %(most)s characters fit.", most=number(policy.LONGEST_MESSAGE)), "body")
    try:
        html = render(text).html
    except MarkupTooLarge as error:
        raise Invalid(str(error) or _("This text is too intricate. Make it simpler."), "body") from error
    message = _add(conversation, author_id, MessageKind.TEXT)
    key = conversation.key()
    message.source_box = key.seal(text, purpose=f"message:{message.id}")
    message.html_box = key.seal(html, purpose=f"html:{message.id}")
    _note_held(conversation, author_id)
    return message


def note_event(conversation: Conversation, author_id: int, kind: MessageKind, *, news: str = "") -> Message:
    """Something happened that stands between the messages; with `news` the others hear of it as such.

    Inside a unit of work.
    """
    return _add(conversation, author_id, kind, news)


def hold(conversation: Conversation, at: datetime) -> None:
    """It took place, and counts from this moment. Inside a unit of work."""
    conversation.held_at = at
    matching.hold(conversation.purpose, at)
    events.publish(
        told.ConversationHeld(
            conversation.id, conversation.origin, conversation.asker_id, conversation.member_id, at
        )
    )


def open_one(member: Viewer, conversation_id: str) -> Conversation:
    """A conversation in which something can be said, locked. Raises NotFound; Invalid when it is over."""
    conversation, _me = find_own(member, conversation_id, lock=True)
    if conversation.state is not ConversationState.OPEN:
        raise Invalid(_("This conversation is not open, so nothing can be sent."), "body")
    return conversation


def forget_deleted() -> int:
    """Empty messages that were deleted 30 days ago, unless an order keeps them; gives how many."""
    before = clock.now() - policy.REPORTABLE
    with unit_of_work():
        result = db.session.execute(
            update(Message)
            .where(
                Message.deleted_at < before,
                Message.source_box != "",
                Message.author_id.not_in(preserving.preserved_ids()),
                ~exists().where(
                    Participant.conversation_id == Message.conversation_id,
                    Participant.member_id.in_(preserving.preserved_ids()),
                ),
            )
            .values(source_box="", html_box="")
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def forget_requests() -> int:
    """Remove requests that came to nothing 90 days ago; gives how many."""
    before = clock.now() - policy.REQUESTS_KEPT
    kept = preserving.preserved_ids()
    with unit_of_work():
        result = db.session.execute(
            delete(Conversation)
            .where(
                Conversation.state.in_(
                    [ConversationState.DECLINED, ConversationState.RELEASED, ConversationState.WITHDRAWN]
                ),
                Conversation.ended_at < before,
                Conversation.asker_id.not_in(kept),
                Conversation.member_id.not_in(kept),
            )
            .execution_options(synchronize_session=False)
        )
    return result.rowcount  # type: ignore[attr-defined]


def _add(conversation: Conversation, author_id: int, kind: MessageKind, news: str = "") -> Message:
    now = clock.now()
    conversation.messages_count += 1
    conversation.last_at = now
    message = Message(
        id=clock.token(16),
        conversation_id=conversation.id,
        number=conversation.messages_count,
        kind=kind,
        author_id=author_id,
        source_box="",
        html_box="",
        sent_at=now,
    )
    db.session.add(message)
    others = db.session.execute(
        select(Participant).where(
            Participant.conversation_id == conversation.id,
            Participant.part == Part.ACTIVE,
            Participant.member_id != author_id,
        )
    ).scalars()
    fresh, everybody = [], []
    for other in others:
        everybody.append(other.member_id)
        if other.unread == 0:
            fresh.append(other.member_id)  # who has unread messages already was told
        other.unread += 1
    if news:
        telling.tell(telling.NEWS, everybody, conversation.id, news)
    else:
        telling.tell(telling.MESSAGE, fresh, conversation.id)
    return message


def _note_held(conversation: Conversation, author_id: int) -> None:
    """Once both have written it took place: the note of the request is the asker's first word."""
    if conversation.held_at is not None or conversation.called_off_at is not None:
        return  # after a time was called off they arrange another one
    by_member = db.session.execute(
        select(Message.id).where(
            Message.conversation_id == conversation.id,
            Message.kind == MessageKind.TEXT,
            Message.author_id == conversation.member_id,
        )
    )
    if author_id == conversation.member_id or by_member.first() is not None:
        hold(conversation, clock.now())


def was_disclosed(message_ids: list[str]) -> set[str]:
    """Which of these messages were disclosed to a case."""
    return set(
        db.session.execute(
            select(ReportedMessage.message_id).where(ReportedMessage.message_id.in_(message_ids))
        ).scalars()
    )
