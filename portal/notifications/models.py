"""Notices, what each member wants to hear how, and mails waiting to be sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, short_enum


class Digest(StrEnum):
    """How often somebody hears of what they missed."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


class Notice(Base):
    """Something a member is told. Its words are found when it is shown, through the visibility rules."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(24))
    source_key: Mapped[str] = mapped_column(String(60))  # what it is about: nobody is told twice of the same
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    post_id: Mapped[int | None] = mapped_column(index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(index=True)
    read_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        UniqueConstraint("member_id", "source_key"),
        Index("ix_notices_member", "member_id", "id"),
    )


class Preference(Base):
    """A member's choice for one kind of notice, where it differs from the kind's default."""

    __tablename__ = "notice_preferences"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    in_app: Mapped[bool] = mapped_column()
    by_mail: Mapped[bool] = mapped_column()


class DigestSetting(Base):
    """When a member last heard of what they missed, and how often they want to."""

    __tablename__ = "digest_settings"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    every: Mapped[Digest] = mapped_column(short_enum(Digest), default=Digest.WEEKLY)
    last_made_at: Mapped[datetime | None] = mapped_column(index=True)


class Mail(Base):
    """One mail to one address: waiting, sent, or given up. The words are dropped once it is sent."""

    __tablename__ = "mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), unique=True)
    kind: Mapped[str] = mapped_column(String(24))
    message_id: Mapped[str] = mapped_column(String(160), unique=True)
    recipient: Mapped[str] = mapped_column(String(254), default="")  # "" for a notice: looked up when sent
    subject: Mapped[str] = mapped_column(String(250), default="")
    body: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column()
    due_at: Mapped[datetime] = mapped_column()
    claimed_until: Mapped[datetime | None] = mapped_column()
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column()
    failed_at: Mapped[datetime | None] = mapped_column()
    error: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index(
            "ix_mails_waiting",
            "due_at",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )
