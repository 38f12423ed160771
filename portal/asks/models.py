"""The ask, its timeline, answer requests, proposals, invites."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Versioned, check, short_enum
from portal.kernel.vault import Keyed
from portal.members.models import RoleLevel


class AskMode(StrEnum):
    """In the open: a question thread with a clock. In private: straight to proposals, read by nobody else."""

    OPEN = "open"
    CONVERSATION = "conversation"


class AskState(StrEnum):
    """Held: its thread waits for a moderator, the clock has not begun. Gone: its thread was removed."""

    HELD = "held"
    RUNNING = "running"
    ANSWERED = "answered"
    SETTLED = "settled"
    GONE = "gone"


class StageKind(StrEnum):
    """What stands in the timeline of an ask."""

    ASKED = "asked"
    WAVE = "wave"  # customers were asked
    NOBODY = "nobody"  # there was nobody left to ask
    VENDOR = "vendor"  # the vendor replied; the clock runs on
    ANSWERED = "answered"  # a customer answered; the clock stops
    TALK = "talk"  # a customer would rather talk
    DOUBTED = "doubted"  # "this does not answer me"
    TAKEN_BACK = "taken_back"  # the answer was removed; the clock runs on
    DUE = "due"  # nobody answered in time: a moderator's case
    CONNECT = "connect"  # the asker wants to be connected now
    INTRODUCED = "introduced"  # a moderator asked customers, or proposed some
    SETTLED = "settled"
    SUMMARY = "summary"
    GONE = "gone"
    BACK = "back"


class Outcome(StrEnum):
    """What became of an answer request."""

    PENDING = "pending"
    ANSWERED = "answered"
    TALK = "talk"
    NOT_NOW = "not_now"
    PASSED_ON = "passed_on"
    OVER = "over"  # somebody else answered, or the ask ended


class Via(StrEnum):
    """How a request came to a member."""

    MATCH = "match"
    COLLEAGUE = "colleague"


class ProposalState(StrEnum):
    """Open: may be approached. Approached: was asked. Gone: no longer there, whatever the reason."""

    OPEN = "open"
    APPROACHED = "approached"
    GONE = "gone"


class InviteKind(StrEnum):
    """A colleague who knows better, or somebody whom the vendor's people bring in."""

    COLLEAGUE = "colleague"
    GUEST = "guest"


class Ask(Versioned, Base):
    """A question to customers. An open one is a thread with a clock, a private one its asker's alone."""

    __tablename__ = "asks"

    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"), unique=True)
    asker_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    mode: Mapped[AskMode] = mapped_column(short_enum(AskMode))
    state: Mapped[AskState] = mapped_column(short_enum(AskState))
    shown_as: Mapped[str] = mapped_column(String(8), default="role")  # name, role
    indexable: Mapped[bool] = mapped_column(default=False)  # the asker lets search engines read it
    may_connect: Mapped[bool] = mapped_column(default=False)  # a moderator may ask customers for the asker
    # The situation, as far as the asker said it.
    industry: Mapped[str] = mapped_column(String(8), default="")
    size_band: Mapped[str] = mapped_column(String(12), default="")
    region: Mapped[str] = mapped_column(String(2), default="")
    product_ids: Mapped[list[int]] = mapped_column(default=list)
    use_case: Mapped[str] = mapped_column(String(200), default="")
    replacing: Mapped[str] = mapped_column(String(200), default="")
    role_level: Mapped[RoleLevel | None] = mapped_column(short_enum(RoleLevel))
    needed_by: Mapped[date | None] = mapped_column()
    dropped: Mapped[list[str]] = mapped_column(default=list)  # criteria given up, with the asker's consent
    matters: Mapped[list[str]] = mapped_column(default=list, server_default="[]")  # what matters most to them
    weighed: Mapped[int] = mapped_column(default=0, server_default="0")  # how often they said so
    # The clock. `hours_left` counts working hours and is there while it stands still.
    promise_hours: Mapped[int] = mapped_column(default=24)
    created_at: Mapped[datetime] = mapped_column()
    asked_at: Mapped[datetime | None] = mapped_column()  # published
    due_at: Mapped[datetime | None] = mapped_column()
    hours_left: Mapped[float | None] = mapped_column()
    answered_at: Mapped[datetime | None] = mapped_column()  # by the answer in force
    answer_post_id: Mapped[int | None] = mapped_column()
    in_time: Mapped[bool] = mapped_column(default=False)  # of the answer in force
    doubted_post_id: Mapped[int | None] = mapped_column()  # "this does not answer me": once
    rounds: Mapped[int] = mapped_column(default=1)  # how often the clock was set going
    connect_wanted_at: Mapped[datetime | None] = mapped_column()
    settled_at: Mapped[datetime | None] = mapped_column()
    settled_by: Mapped[str] = mapped_column(String(10), default="")  # asker, moderator, time
    summary_source: Mapped[str] = mapped_column(Text, default="")
    summary_html: Mapped[str] = mapped_column(Text, default="")
    summary_by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"))
    summary_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        Index("ix_asks_asker", "asker_id", "id"),
        Index("ix_asks_asked", "mode", "asked_at"),
        check("private_has_no_thread", "mode = 'open' OR thread_id IS NULL"),
    )


class AskStage(Base):
    """One step of an ask: planned (no `at`) or done. Each is there once, so nobody is told twice."""

    __tablename__ = "ask_stages"

    id: Mapped[int] = mapped_column(primary_key=True)
    ask_id: Mapped[int] = mapped_column(ForeignKey("asks.id", ondelete="CASCADE"))
    kind: Mapped[StageKind] = mapped_column(short_enum(StageKind))
    number: Mapped[int] = mapped_column(default=0)  # of the wave, the round, the post, the request
    planned_at: Mapped[datetime | None] = mapped_column()
    at: Mapped[datetime | None] = mapped_column()
    attempts: Mapped[int] = mapped_column(default=0)
    private: Mapped[bool] = mapped_column(default=False)  # for the asker alone
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)  # counts; never who

    __table_args__ = (
        UniqueConstraint("ask_id", "kind", "number"),
        Index(
            "ix_ask_stages_planned",
            "planned_at",
            "id",
            sqlite_where=text("at IS NULL"),
            postgresql_where=text("at IS NULL"),
        ),
    )


class PrivateQuestion(Keyed, Base):
    """The words of an ask in private, sealed: for its asker, and whom they then write to."""

    __tablename__ = "private_questions"

    ask_id: Mapped[int] = mapped_column(ForeignKey("asks.id", ondelete="CASCADE"), primary_key=True)
    bound_to: Mapped[str] = mapped_column(String(40), unique=True)  # a random name, in everything it seals
    title_box: Mapped[str] = mapped_column(Text)
    body_box: Mapped[str] = mapped_column(Text)

    @property
    def vault_owner(self) -> str:
        return f"private question:{self.bound_to}"


class AnswerRequest(Base):
    """An open ask brought to one customer, with the reason why it came to them."""

    __tablename__ = "answer_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    ask_id: Mapped[int] = mapped_column(ForeignKey("asks.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    via: Mapped[Via] = mapped_column(short_enum(Via), default=Via.MATCH)
    wave: Mapped[int] = mapped_column(default=1)
    fit: Mapped[float] = mapped_column(default=0.0)
    same: Mapped[list[str]] = mapped_column(default=list)
    differs: Mapped[list[str]] = mapped_column(default=list)
    unknown: Mapped[list[str]] = mapped_column(default=list)
    answered_alike: Mapped[int] = mapped_column(default=0)  # questions like it that the member answered
    created_at: Mapped[datetime] = mapped_column()
    deliver_at: Mapped[datetime] = mapped_column()  # after the member's quiet hours
    sent_at: Mapped[datetime | None] = mapped_column()
    seen_at: Mapped[datetime | None] = mapped_column()
    outcome: Mapped[Outcome] = mapped_column(short_enum(Outcome), default=Outcome.PENDING)
    outcome_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        UniqueConstraint("ask_id", "member_id"),
        Index("ix_answer_requests_member", "member_id", "id"),
        Index(
            "ix_answer_requests_waiting",
            "deliver_at",
            sqlite_where=text("sent_at IS NULL AND outcome = 'pending'"),
            postgresql_where=text("sent_at IS NULL AND outcome = 'pending'"),
        ),
    )


class AskProposal(Base):
    """A customer proposed to the asker for a conversation, with the explanation as it was then."""

    __tablename__ = "ask_proposals"

    id: Mapped[int] = mapped_column(primary_key=True)
    ask_id: Mapped[int] = mapped_column(ForeignKey("asks.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"))  # a moderator
    made_at: Mapped[datetime] = mapped_column()
    fit: Mapped[float] = mapped_column(default=0.0)
    same: Mapped[list[str]] = mapped_column(default=list)
    differs: Mapped[list[str]] = mapped_column(default=list)
    unknown: Mapped[list[str]] = mapped_column(default=list)
    load: Mapped[int] = mapped_column(default=0)
    limit: Mapped[int] = mapped_column(default=0)
    chosen_as: Mapped[str] = mapped_column(String(20), default="")
    least: Mapped[bool] = mapped_column(default=False)  # nobody who fits is asked less
    fitting: Mapped[int | None] = mapped_column()  # how many fit; only from five on
    relaxed: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[ProposalState] = mapped_column(short_enum(ProposalState), default=ProposalState.OPEN)
    state_at: Mapped[datetime] = mapped_column()

    __table_args__ = (UniqueConstraint("ask_id", "member_id"),)


class Invite(Base):
    """A link to join: works once, until it expires. It never takes the place of a confirmed address."""

    __tablename__ = "invites"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[InviteKind] = mapped_column(short_enum(InviteKind))
    from_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254), default="")  # a colleague's; blanked when it is over
    request_id: Mapped[int | None] = mapped_column(ForeignKey("answer_requests.id", ondelete="CASCADE"))
    reference: Mapped[str] = mapped_column(String(120), default="")  # the sender's own words
    created_at: Mapped[datetime] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column(index=True)
    withdrawn_at: Mapped[datetime | None] = mapped_column()
    # Filled only with the guest's consent: "report nothing" leaves them as they are.
    used_by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    used_at: Mapped[datetime | None] = mapped_column()
    spoke: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index("ix_invites_from", "from_id", "id"),)


class KeptAsk(Base):
    """What a visitor wrote before joining: kept a week, sealed with a random token."""

    __tablename__ = "kept_asks"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(index=True)
