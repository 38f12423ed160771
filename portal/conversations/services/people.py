"""A further person in a conversation: proposed by one, agreed to by all, accepted by the newcomer."""

from flask_babel import gettext as _
from sqlalchemy import select

from portal.conversations import policy
from portal.conversations.models import Conversation, ConversationState, MessageKind, Part, Participant
from portal.conversations.queries.finding import active_ids, asked_in_vain, find_own, is_blocked
from portal.conversations.services import messages, telling
from portal.conversations.services.requesting import check_may_begin
from portal.kernel import clock
from portal.kernel.access import Permission, Viewer, permissions_of
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.matching import queries as matching_queries
from portal.members.models import Member, MemberState


def propose_person(member: Viewer, conversation_id: str, username: str) -> None:
    """Propose that somebody joins; everybody who takes part has to agree.

    It is a conversation with somebody new, so who may begin none proposes nobody. Raises NotFound, Forbidden,
    Invalid.
    """
    check_may_begin(member)
    with unit_of_work():
        conversation = _open_one(member, conversation_id)
        username = username.strip().lstrip("@").lower()
        person = db.session.execute(select(Member).where(Member.username == username)).scalar_one_or_none()
        now = clock.now()
        if (
            person is None
            or person.state is not MemberState.ACTIVE
            or person.email_confirmed_at is None
            or Permission.CONVERSE not in permissions_of(person.status, frozenset())
            or not _can_join(person, there := active_ids(conversation_id))
            or asked_in_vain(member.member_id or 0, person.id)
        ):
            # An account of the vendor, too: nobody from the vendor in the room. Why it is reads the same.
            raise Invalid(_("Nobody of this user name can be added to a private conversation."), "username")
        row = db.session.get(Participant, (conversation_id, person.id))
        if person.id in there or (row is not None and row.part in (Part.PROPOSED, Part.INVITED)):
            raise Invalid(_("They take part already, or were proposed."), "username")
        if len(there) >= policy.MOST_PEOPLE:
            raise Invalid(_("At most %(most)s people fit.", most=policy.MOST_PEOPLE), "username")
        if row is None:
            row = Participant(
                conversation_id=conversation_id, member_id=person.id, seen_number=0, unread=0, joined_at=now
            )
            db.session.add(row)
        row.part, row.agreed_by, row.left_at, row.joined_at = (
            Part.PROPOSED,
            [member.member_id or 0],
            None,
            now,
        )
        row.from_number = conversation.messages_count + 1
        _invite_if_agreed(conversation, row)
        telling.tell(
            telling.NEWS, [one for one in there if one != member.member_id], conversation_id, "person"
        )


def _can_join(person: Member, there: list[int]) -> bool:
    """What holds between two holds with everybody who takes part: blocks, competitors, with whom."""
    suspended = person.suspended_until is not None and person.suspended_until > clock.now()
    return not suspended and not any(
        is_blocked(one, person.id)
        or matching_queries.compete(one, person.id)
        or not matching_queries.lets_in(one, person.id)
        or not matching_queries.lets_in(person.id, one)
        for one in there
        if one != person.id
    )


def agree_to_person(member: Viewer, conversation_id: str, person_id: int) -> None:
    """Agree to have somebody. Raises NotFound."""
    with unit_of_work():
        conversation = _open_one(member, conversation_id)
        row = _proposed(conversation_id, person_id)
        if member.member_id not in row.agreed_by:
            row.agreed_by = [*row.agreed_by, member.member_id or 0]
        _invite_if_agreed(conversation, row)


def refuse_person(member: Viewer, conversation_id: str, person_id: int) -> None:
    """Do not have somebody; one word is enough. Raises NotFound."""
    with unit_of_work():
        _open_one(member, conversation_id)
        row = _proposed(conversation_id, person_id)
        row.part, row.left_at = Part.LEFT, clock.now()


def join(member: Viewer, conversation_id: str) -> None:
    """Accept an invitation; what was said before stays unread. Raises NotFound, Invalid."""
    with unit_of_work():
        conversation, me = find_own(member, conversation_id, lock=True, invited=True)
        if me.part is Part.ACTIVE:
            return
        if conversation.state is not ConversationState.OPEN:
            raise Invalid(_("This conversation is over."))
        me.part, me.joined_at, me.unread = Part.ACTIVE, clock.now(), 0
        me.from_number = conversation.messages_count + 1
        db.session.flush()
        messages.note_event(conversation, member.member_id or 0, MessageKind.JOINED)


def stay_away(member: Viewer, conversation_id: str) -> None:
    """Decline an invitation. Raises NotFound."""
    with unit_of_work():
        _conversation, me = find_own(member, conversation_id, lock=True, invited=True)
        if me.part is not Part.INVITED:
            raise NotFound("no such invitation")
        me.part, me.left_at, me.unread = Part.LEFT, clock.now(), 0


def _invite_if_agreed(conversation: Conversation, row: Participant) -> None:
    if set(active_ids(conversation.id)) <= set(row.agreed_by):
        row.part, row.unread = Part.INVITED, 1
        telling.tell(telling.REQUEST, [row.member_id], conversation.id, "invited")


def _proposed(conversation_id: str, person_id: int) -> Participant:
    row = db.session.get(Participant, (conversation_id, person_id), populate_existing=True)
    if row is None or row.part is not Part.PROPOSED:
        raise NotFound("nobody was proposed")
    return row


def _open_one(member: Viewer, conversation_id: str) -> Conversation:
    conversation, _me = find_own(member, conversation_id, lock=True)
    if conversation.state is not ConversationState.OPEN:
        raise Invalid(_("This conversation is not open."))
    return conversation
