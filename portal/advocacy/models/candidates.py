"""What moderators write down about members, who was nominated, asked, and where each stands."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Versioned, short_enum


class MemberNote(Base):
    """A note of a vendor moderator about a member, who gets it with their data."""

    __tablename__ = "member_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column()


class Stage(StrEnum):
    """How far it is with a member who may speak for the vendor."""

    SPOTTED = "spotted"
    NOMINATED = "nominated"
    ASKED = "asked"
    CONSENTED = "consented"
    ACTIVE = "active"
    RESTING = "resting"
    RETIRED = "retired"


class Candidate(Versioned, Base):
    """A member whom moderators have an eye on. One row a member; no member reads a word of it."""

    __tablename__ = "candidates"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), unique=True)
    stage: Mapped[Stage] = mapped_column(short_enum(Stage))
    stage_at: Mapped[datetime] = mapped_column()
    looked_after_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    rests_until: Mapped[date | None] = mapped_column()
    declined_at: Mapped[datetime | None] = mapped_column()  # stands for six months
    was_worth: Mapped[float] = mapped_column(default=0.0)  # helpfulness when last looked at as a whole
    reviewed_at: Mapped[datetime] = mapped_column()
    created_at: Mapped[datetime] = mapped_column()

    __table_args__ = (Index("ix_candidates_stage", "stage", "stage_at", "id"),)


LEFT_ALONE = ("held", "red", "escalated")  # why the vendor leaves a company alone at present


class CandidateStep(Base):
    """One move from stage to stage: who, when, why.

    `unmet` says which gates were not met then, and why the company was to be left alone.
    """

    __tablename__ = "candidate_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id", ondelete="CASCADE"), index=True)
    stage: Mapped[Stage] = mapped_column(short_enum(Stage))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column()
    reason: Mapped[str] = mapped_column(String(600), default="")
    unmet: Mapped[list[str]] = mapped_column(default=list)

    @property
    def was_early(self) -> bool:
        """Whether neither of the two ways was met."""
        return any(name not in LEFT_ALONE for name in self.unmet)

    @property
    def was_to_be_left_alone(self) -> bool:
        """Whether it was done although the company was held, red or had an open escalation."""
        return any(name in LEFT_ALONE for name in self.unmet)


class NominatedBy(StrEnum):
    """In which part somebody nominates."""

    MODERATOR = "moderator"
    ACCOUNT_OWNER = "account_owner"
    PEER = "peer"
    SELF = "self"


class Nomination(Base):
    """Somebody says why a member should be asked. `post_ids` are the pieces of evidence that were picked."""

    __tablename__ = "nominations"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    part: Mapped[NominatedBy] = mapped_column(short_enum(NominatedBy))
    note: Mapped[str] = mapped_column(Text)
    post_ids: Mapped[list[int]] = mapped_column(default=list)
    at: Mapped[datetime] = mapped_column()
    read_at: Mapped[datetime | None] = mapped_column()  # a moderator has dealt with it
    read_by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)

    __table_args__ = (
        Index(
            "ix_nominations_waiting",
            "at",
            "id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )


class Asking(Base):
    """A member was asked, in words of their own, whether they are open to some activities."""

    __tablename__ = "askings"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    words: Mapped[str] = mapped_column(Text)
    activities: Mapped[list[str]] = mapped_column(default=list)
    at: Mapped[datetime] = mapped_column()
    seen_at: Mapped[datetime | None] = mapped_column()
    answered_at: Mapped[datetime | None] = mapped_column()
    agreed: Mapped[list[str]] = mapped_column(default=list)
    withdrawn_at: Mapped[datetime | None] = mapped_column()  # by the vendor, before an answer

    __table_args__ = (
        Index(
            "uq_askings_open",
            "member_id",
            unique=True,
            sqlite_where=text("answered_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=text("answered_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )


class Spotlight(Base):
    """What a member chose to be shown with on their own page; without a row nothing is shown."""

    __tablename__ = "spotlights"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="SET NULL"), index=True)
    words: Mapped[str] = mapped_column(String(300), default="")
    badges: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime] = mapped_column()
