"""After a conversation: what each side says of it in private, what was decided, and thanks."""

from flask_babel import gettext as _
from sqlalchemy import select

from portal.conversations import events as told
from portal.conversations import policy
from portal.conversations.models import Conversation, Decided, Rating, Thanks
from portal.conversations.queries.finding import find_own
from portal.conversations.services import telling
from portal.kernel import clock, events, form_keys, preserving
from portal.kernel.access import Status, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members.events import MemberChanged
from portal.members.models import Member


def rate(
    member: Viewer,
    conversation_id: str,
    *,
    useful: bool | None = None,
    honest: bool | None = None,
    again: bool | None = None,
    decided: Decided | None = None,
    shared: bool = False,
) -> Rating:
    """Say how it was; only oneself reads it, unless `shared` with the other side. May be changed later.

    `decided` is for prospects. Raises NotFound; Invalid before it took place.
    """
    with unit_of_work():
        conversation, _me = _held(member, conversation_id)
        rating = db.session.get(Rating, (conversation.id, member.member_id))
        if rating is None:
            rating = Rating(conversation_id=conversation.id, by_id=member.member_id or 0)
            db.session.add(rating)
        former = (rating.useful, rating.honest, rating.again, rating.decided, rating.shared)
        if rating.at is not None and former != (useful, honest, again, decided, shared):
            _keep_former(rating)
        if rating.at is None or rating.useful is not useful:
            rating.at = clock.now()  # whoever says the same again does not say it anew
        rating.useful, rating.honest, rating.again = useful, honest, again
        rating.decided = decided if member.status is Status.PROSPECT else None
        rating.shared = shared
        db.session.flush()
        events.publish(
            told.ConversationRated(
                conversation.id,
                conversation.origin,
                member.member_id or 0,
                _other(conversation, member.member_id or 0),
                useful,
            )
        )
    return rating


def _keep_former(rating: Rating) -> None:
    words = {
        "useful": rating.useful,
        "honest": rating.honest,
        "again": rating.again,
        "decided": rating.decided.value if rating.decided else None,
        "shared": rating.shared,
        "at": rating.at.isoformat(),
    }
    preserving.keep_former(rating.by_id, f"rating of {rating.conversation_id}", words)


def thank(
    member: Viewer, conversation_id: str, text: str, *, may_be_public: bool = False, form_key: str = ""
) -> None:
    """Thank the other side, once; `may_be_public`: they may show it. Raises NotFound, Invalid; Repeated."""
    text = " ".join(text.replace("\x00", "").split())
    with form_keys.once(form_key, member.member_id or 0) as outcome:
        conversation, _me = _held(member, conversation_id)
        other = _other(conversation, member.member_id or 0)
        if not text:
            raise Invalid(_("Write a few words."), "text")
        if len(text) > policy.LONGEST_THANKS:
            raise Invalid(_("At most %(most)s characters fit.", most=policy.LONGEST_THANKS), "text")
        if thanks_by(conversation.id, member.member_id or 0) is not None:
            raise Invalid(_("You have thanked them already."), "text")
        row = Thanks(
            id=clock.token(16),
            conversation_id=conversation.id,
            by_id=member.member_id or 0,
            to_id=other,
            may_be_public=may_be_public,
            public_text="",
            at=clock.now(),
        )
        row.text_box = conversation.key().seal(text, purpose=f"thanks:{row.id}")
        db.session.add(row)
        telling.tell(telling.NEWS, [other], conversation.id, "thanks")
        outcome.place = f"/conversations/{conversation.id}"


def publish_thanks(receiver: Viewer, thanks_id: str, *, shown: bool) -> None:
    """Show a thank-you on one's page, or no longer; its writer has to allow it. Raises NotFound, Invalid."""
    with unit_of_work():
        row = db.session.get(Thanks, thanks_id, with_for_update=True)
        if row is None or row.to_id != receiver.member_id:
            raise NotFound("no such thank-you")
        if shown and not row.may_be_public:
            raise Invalid(_("Whoever wrote it wants it to stay between you."))
        conversation = db.session.get_one(Conversation, row.conversation_id)
        row.public_text = conversation.key().open(row.text_box, purpose=f"thanks:{row.id}") if shown else ""
        member = db.session.get_one(Member, receiver.member_id)
        member.version += 1  # kept copies of the page are old now
        events.publish(MemberChanged(member.id))


def thanks_by(conversation_id: str, by_id: int) -> Thanks | None:
    """What one side said as thanks."""
    return db.session.execute(
        select(Thanks).where(Thanks.conversation_id == conversation_id, Thanks.by_id == by_id)
    ).scalar()


def _other(conversation: Conversation, member_id: int) -> int:
    return conversation.member_id if member_id == conversation.asker_id else conversation.asker_id


def _held(member: Viewer, conversation_id: str) -> tuple[Conversation, object]:
    conversation, me = find_own(member, conversation_id, lock=True)
    if member.member_id not in (conversation.asker_id, conversation.member_id):
        raise NotFound("not one of the two")
    if conversation.held_at is None:
        raise Invalid(_("You can say how it was once you have talked."))
    return conversation, me
