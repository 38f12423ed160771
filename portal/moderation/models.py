"""Rules, flags, cases, decisions, appeals."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Versioned, check, short_enum
from portal.kernel.vault import Keyed


class CaseKind(StrEnum):
    """Why a moderator has to look."""

    FLAGS = "flags"
    HELD = "held"
    APPEAL = "appeal"
    CONVERSATION = "conversation"  # messages that a participant disclosed
    BLOCKS = "blocks"  # several people blocked one; nothing is disclosed
    CONNECT = "connect"  # an ask that nobody answered in time
    TOOL = "tool"  # a moderator used a tool of the thread: decided at once, for its author and the log


class CaseState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"  # the author took the post back before anybody decided


class FlagOutcome(StrEnum):
    """What became of a flag. Fair: no breach, but a fair question, which does not count against its maker.
    Withdrawn: taken back by its maker; it is told to nobody and only counts towards the limit on flags."""

    PENDING = "pending"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    FAIR = "fair"
    WITHDRAWN = "withdrawn"


class PostMeasure(StrEnum):
    """What a decision does to the post or its thread."""

    NONE = "none"
    HIDE = "hide"
    CLOSE = "close"
    RELEASE = "release"
    REFUSE = "refuse"
    EDIT = "edit"
    MOVE = "move"
    SPLIT = "split"
    MERGE = "merge"


class MemberMeasure(StrEnum):
    """What a decision does to the author."""

    NONE = "none"
    WARN = "warn"
    SUSPEND = "suspend"
    BAN = "ban"
    NO_CONVERSATIONS = "no_conversations"  # may begin no new ones until the date; reads nothing


class AppealOutcome(StrEnum):
    PENDING = "pending"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


class Rule(Versioned, Base):
    """A published rule. Its number is never given to another, since decisions cite it."""

    __tablename__ = "rules"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(30), unique=True)  # its anchor on /rules
    title: Mapped[str] = mapped_column(String(100))  # "No personal data of others"
    short: Mapped[str] = mapped_column(String(40))  # "personal data": in the queue
    flag_label: Mapped[str] = mapped_column(String(100))  # "It names people without their leave"
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    severity: Mapped[int] = mapped_column(default=1)  # 1 can wait a day, 2 some hours, 3 the first to look at
    templates: Mapped[list[str]] = mapped_column(JSON, default=list)  # reasons to begin from
    active: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime | None] = mapped_column()


class RuleRevision(Base):
    """What a rule said before it was changed."""

    __tablename__ = "rule_revisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_number: Mapped[int] = mapped_column(ForeignKey("rules.number", ondelete="CASCADE"), index=True)
    version: Mapped[int] = mapped_column()
    title: Mapped[str] = mapped_column(String(100))
    html: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column()  # when another text took its place


class Case(Versioned, Base):
    """One thing to look at: all that is said against a post, a held post, an appeal, a report."""

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[CaseKind] = mapped_column(short_enum(CaseKind))
    state: Mapped[CaseState] = mapped_column(short_enum(CaseState), default=CaseState.OPEN)
    # "post:12", "appeal:3", "ask:7"; null once decided: one open case for each target.
    open_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="SET NULL"), index=True)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("threads.id", ondelete="SET NULL"), index=True)
    board_id: Mapped[int | None] = mapped_column(ForeignKey("boards.id", ondelete="SET NULL"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="RESTRICT"), index=True)
    # As they were when it was opened.
    title: Mapped[str] = mapped_column(String(240))
    link: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(String(160))
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)  # why it was held, as the author reads it
    rule_number: Mapped[int | None] = mapped_column(ForeignKey("rules.number", ondelete="RESTRICT"))
    flags_count: Mapped[int] = mapped_column(default=0)
    weight: Mapped[int] = mapped_column(default=0)  # hundredths; one company counts once
    opened_at: Mapped[datetime] = mapped_column()
    due_at: Mapped[datetime] = mapped_column()  # the more urgent, the sooner
    claimed_by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"))
    claimed_until: Mapped[datetime | None] = mapped_column()
    decided_at: Mapped[datetime | None] = mapped_column()
    appeals_case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    peers_only: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # no vendor account sees it

    __table_args__ = (
        Index("ix_cases_queue", "state", "due_at", "id"),
        Index("ix_cases_log", "state", "decided_at", "id"),
        check("open_has_key", "(state = 'open') = (open_key IS NOT NULL)"),
    )


class Flag(Base):
    """A member's word that a post breaks a rule: one that stands for each member and post."""

    __tablename__ = "flags"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    reporter_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    rule_number: Mapped[int | None] = mapped_column(
        ForeignKey("rules.number", ondelete="RESTRICT")
    )  # null: something else
    comment: Mapped[str] = mapped_column(String(1000), default="")
    weight: Mapped[int] = mapped_column()  # hundredths, by the flagger's record at that time
    outcome: Mapped[FlagOutcome] = mapped_column(short_enum(FlagOutcome), default=FlagOutcome.PENDING)
    created_at: Mapped[datetime] = mapped_column()

    @classmethod
    def stands(cls) -> ColumnElement[bool]:
        """SQL: its maker has not taken it back."""
        return cls.outcome != FlagOutcome.WITHDRAWN

    __table_args__ = (
        Index(
            "ix_flags_standing",
            "post_id",
            "reporter_id",
            unique=True,
            sqlite_where=text("outcome <> 'withdrawn'"),
            postgresql_where=text("outcome <> 'withdrawn'"),
        ),
        Index("ix_flags_reporter", "reporter_id", "created_at"),
    )


class Decision(Base):
    """What was decided on a case, with the rule and the reason. Never changed; undone or overturned."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="SET NULL"), index=True)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("threads.id", ondelete="SET NULL"))
    board_id: Mapped[int | None] = mapped_column(ForeignKey("boards.id", ondelete="SET NULL"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="RESTRICT"))
    post_measure: Mapped[PostMeasure] = mapped_column(short_enum(PostMeasure), default=PostMeasure.NONE)
    member_measure: Mapped[MemberMeasure] = mapped_column(
        short_enum(MemberMeasure), default=MemberMeasure.NONE
    )
    appeal_outcome: Mapped[AppealOutcome | None] = mapped_column(short_enum(AppealOutcome))  # of an appeal
    rule_number: Mapped[int | None] = mapped_column(ForeignKey("rules.number", ondelete="RESTRICT"))
    rule_label: Mapped[str] = mapped_column(String(160), default="")  # as cited: "Rule 4, no personal data …"
    reason: Mapped[str] = mapped_column(String(600), default="")
    note: Mapped[str] = mapped_column(String(1000), default="")  # for moderators alone
    suspended_until: Mapped[datetime | None] = mapped_column()
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # what undoing has to bring back
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="RESTRICT"), index=True)
    decided_at: Mapped[datetime] = mapped_column(index=True)
    undone_at: Mapped[datetime | None] = mapped_column()
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"))
    overturned_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (Index("ix_decisions_member", "member_id", "decided_at"),)


class Appeal(Base):
    """The author's word against a decision; somebody else decides it."""

    __tablename__ = "appeals"

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id", ondelete="CASCADE"), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
    outcome: Mapped[AppealOutcome] = mapped_column(short_enum(AppealOutcome), default=AppealOutcome.PENDING)
    created_at: Mapped[datetime] = mapped_column()
    decided_at: Mapped[datetime | None] = mapped_column()


class ModeratorAlias(Base):
    """The letter under which a moderator stands in the public log, always the same."""

    __tablename__ = "moderator_aliases"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    letter: Mapped[str] = mapped_column(String(4), unique=True)


class CaseKey(Keyed, Base):
    """The key under which moderation keeps what was disclosed to one case; gone when the case is over."""

    __tablename__ = "case_keys"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    bound_to: Mapped[str] = mapped_column(String(40), unique=True)  # a random name, in everything it seals

    @property
    def vault_owner(self) -> str:
        return f"case:{self.bound_to}"


class Evidence(Base):
    """One message that a participant disclosed to a case: sealed with the case's own key, never changed."""

    __tablename__ = "evidence"

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(32), unique=True)  # random, bound into the box
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    shared_by_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    box: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column()
    shared_at: Mapped[datetime] = mapped_column()


class EvidenceReading(Base):
    """That a moderator opened what was disclosed: shown to those whose messages they are."""

    __tablename__ = "evidence_readings"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    reader_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    messages: Mapped[int] = mapped_column()
    at: Mapped[datetime] = mapped_column()


class Shift(Base):
    """The days on which a moderator is on duty, both included, counted in the zone of the calendar."""

    __tablename__ = "shifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    first_day: Mapped[date] = mapped_column()
    last_day: Mapped[date] = mapped_column(index=True)

    __table_args__ = (
        Index("ix_shifts_member", "member_id", "last_day"),
        check("in_order", "first_day <= last_day"),
    )


class PracticeAnswer(Base):
    """How a moderator decided one of the practice cases; the last try counts, and only for themselves."""

    __tablename__ = "practice_answers"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(30), primary_key=True)
    post_measure: Mapped[PostMeasure] = mapped_column(short_enum(PostMeasure))
    member_measure: Mapped[MemberMeasure] = mapped_column(short_enum(MemberMeasure))
    rule_number: Mapped[int | None] = mapped_column()
    reason: Mapped[str] = mapped_column(String(600), default="")
    answered_at: Mapped[datetime] = mapped_column()
