"""Conversations, who takes part, what was said (sealed), times, reports, blocks, ratings, thanks."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel import clock
from portal.kernel.db import Base, Versioned, check, short_enum
from portal.kernel.vault import Keyed


def random_id() -> str:
    """An id that nobody guesses: conversations, messages and reports have no numbers."""
    return clock.token(16)


class ConversationState(StrEnum):
    """Requested: waits for an answer. Open: accepted. All others are over."""

    REQUESTED = "requested"
    OPEN = "open"
    DECLINED = "declined"  # silent: the asker reads only "not available now"
    RELEASED = "released"  # nobody answered in time, or the member was gone
    WITHDRAWN = "withdrawn"  # by the asker, before an answer
    ENDED = "ended"  # fewer than two are left


class Part(StrEnum):
    """How somebody takes part. Proposed: the others have not all agreed yet; invited: they have."""

    ACTIVE = "active"
    PROPOSED = "proposed"
    INVITED = "invited"
    LEFT = "left"


class MessageKind(StrEnum):
    TEXT = "text"
    TIMES = "times"  # times that somebody proposes
    AGREED = "agreed"
    CALLED_OFF = "called_off"  # the agreed time does not take place
    MISSED = "missed"  # somebody did not come
    JOINED = "joined"
    LEFT = "left"


class Decided(StrEnum):
    """What a prospect decided in the end, if it says so."""

    CHOSE = "chose"
    CHOSE_OTHER = "chose_other"
    OPEN = "open"


class Conversation(Keyed, Versioned, Base):
    """One private conversation, or the request for one. Its words stand sealed in other rows."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(24), primary_key=True, default=random_id)
    state: Mapped[ConversationState] = mapped_column(short_enum(ConversationState))
    origin: Mapped[str] = mapped_column(String(80), default="")  # opaque, from whoever asked: "ask:12"
    asker_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    # Whose limit a place was taken of.
    place_of_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    by_role: Mapped[bool] = mapped_column(default=False)  # until it is accepted the asker reads a role
    note_box: Mapped[str] = mapped_column(Text, default="")
    link_box: Mapped[str] = mapped_column(Text, default="")  # address of a meeting tool
    requested_at: Mapped[datetime] = mapped_column(index=True)
    waits_until: Mapped[datetime | None] = mapped_column(index=True)  # quiet hours: not brought before then
    due_at: Mapped[datetime] = mapped_column()
    accepted_at: Mapped[datetime | None] = mapped_column()
    ended_at: Mapped[datetime | None] = mapped_column()
    held_at: Mapped[datetime | None] = mapped_column()
    agreed_at: Mapped[datetime | None] = mapped_column()  # when they speak
    agreed_minutes: Mapped[int | None] = mapped_column()
    agreed_edition: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # for calendars: the later wins
    called_off_at: Mapped[datetime | None] = mapped_column()  # the agreed time did not or will not take place
    messages_count: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column()

    __table_args__ = (
        Index("ix_conversations_due", "state", "due_at"),
        Index("ix_conversations_approaches", "asker_id", "origin", "state"),
        check("not_oneself", "asker_id <> member_id"),
    )

    @property
    def speaks_until(self) -> datetime | None:
        """The end of the agreed time; None where there is none, or it was called off."""
        if self.agreed_at is None or self.called_off_at is not None:
            return None
        return self.agreed_at + timedelta(minutes=self.agreed_minutes or 0)

    @property
    def vault_owner(self) -> str:
        return f"conversation:{self.id}"

    @property
    def purpose(self) -> str:
        """Under which a place of the limit is reserved."""
        return f"conversation:{self.id}"


class Participant(Base):
    """Somebody in a conversation, from message `from_number` on."""

    __tablename__ = "conversation_participants"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[Part] = mapped_column(short_enum(Part), default=Part.ACTIVE)
    agreed_by: Mapped[list[int]] = mapped_column(default=list)  # who agreed to have a further person
    from_number: Mapped[int] = mapped_column(default=1)
    seen_number: Mapped[int] = mapped_column(default=0)
    seen_at: Mapped[datetime | None] = mapped_column()
    unread: Mapped[int] = mapped_column(default=0)
    joined_at: Mapped[datetime] = mapped_column()
    left_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (Index("ix_conversation_participants_member", "member_id", "part"),)


class Message(Base):
    """What was said, sealed: as it was typed, and as HTML. A deleted one goes for good after 30 days."""

    __tablename__ = "conversation_messages"

    id: Mapped[str] = mapped_column(String(24), primary_key=True, default=random_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column()
    kind: Mapped[MessageKind] = mapped_column(short_enum(MessageKind), default=MessageKind.TEXT)
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    source_box: Mapped[str] = mapped_column(Text, default="")
    html_box: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime] = mapped_column()
    deleted_at: Mapped[datetime | None] = mapped_column(index=True)

    __table_args__ = (UniqueConstraint("conversation_id", "number"),)


class TimeProposal(Base):
    """A time that somebody proposes for speaking."""

    __tablename__ = "conversation_times"

    id: Mapped[str] = mapped_column(String(24), primary_key=True, default=random_id)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    message_id: Mapped[str] = mapped_column(
        ForeignKey("conversation_messages.id", ondelete="CASCADE"), index=True
    )
    by_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime] = mapped_column()
    minutes: Mapped[int] = mapped_column()


class Report(Base):
    """Messages, or the note of the request, that a participant disclosed to reviewers. The words themselves
    stand with the case.
    """

    __tablename__ = "conversation_reports"

    id: Mapped[str] = mapped_column(String(24), primary_key=True, default=random_id)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), unique=True)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    about_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    # Who disclosed the note, where it was disclosed.
    note_by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    peers_only: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column()
    decided_at: Mapped[datetime | None] = mapped_column()
    nothing_done: Mapped[bool | None] = mapped_column()  # of the decision in force


class ReportedMessage(Base):
    """That a message was disclosed, and by whom."""

    __tablename__ = "conversation_reported"

    report_id: Mapped[str] = mapped_column(
        ForeignKey("conversation_reports.id", ondelete="CASCADE"), primary_key=True
    )
    message_id: Mapped[str] = mapped_column(
        ForeignKey("conversation_messages.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    by_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)


class Block(Base):
    """Somebody wants to hear nothing from somebody any more."""

    __tablename__ = "conversation_blocks"

    blocker_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    blocked_id: Mapped[int] = mapped_column(
        ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime] = mapped_column()


class Rating(Base):
    """What one side says of a conversation afterwards, in private. Nobody rates a person."""

    __tablename__ = "conversation_ratings"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    by_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    useful: Mapped[bool | None] = mapped_column()
    honest: Mapped[bool | None] = mapped_column()
    again: Mapped[bool | None] = mapped_column()
    decided: Mapped[Decided | None] = mapped_column(short_enum(Decided))
    shared: Mapped[bool] = mapped_column(default=False)  # the other side may read it
    at: Mapped[datetime] = mapped_column()


class Thanks(Base):
    """A thank-you that its receiver keeps. In words for everybody only when both want that."""

    __tablename__ = "conversation_thanks"

    id: Mapped[str] = mapped_column(String(24), primary_key=True, default=random_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    by_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    to_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    text_box: Mapped[str] = mapped_column(Text)
    may_be_public: Mapped[bool] = mapped_column(default=False)  # its writer's word
    public_text: Mapped[str] = mapped_column(String(600), default="")  # once its receiver wants it too
    at: Mapped[datetime] = mapped_column()

    __table_args__ = (UniqueConstraint("conversation_id", "by_id", "to_id"),)
