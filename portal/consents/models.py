"""Consents of persons and of companies: each for one activity, with the text agreed to and an end."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, check, short_enum


class Activity(StrEnum):
    """What somebody can be asked to do."""

    CALL = "call"
    QUOTE = "quote"
    LOGO = "logo"
    CASE_STUDY = "case_study"
    SPEAKING = "speaking"
    PRESS = "press"
    ANALYSTS = "analysts"


class Ended(StrEnum):
    """Why a consent ended before, or at, its date."""

    WITHDRAWN = "withdrawn"
    RENEWED = "renewed"


class Consent(Base):
    """A member agreed to one activity. Rows are only added; all that changes later is that one ends."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    activity: Mapped[Activity] = mapped_column(short_enum(Activity))
    text: Mapped[str] = mapped_column(Text)  # as it was shown
    text_hash: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(40))  # where it was given
    given_at: Mapped[datetime] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None] = mapped_column()
    ended: Mapped[Ended | None] = mapped_column(short_enum(Ended))

    __table_args__ = (
        Index(
            "uq_consents_open",
            "member_id",
            "activity",
            unique=True,
            sqlite_where=sql("ended_at IS NULL"),
            postgresql_where=sql("ended_at IS NULL"),
        ),
        Index("ix_consents_member", "member_id", "id"),
        check("ends_later", "expires_at > given_at"),
        check("why_it_ended", "(ended_at IS NULL) = (ended IS NULL)"),
    )


class CompanyConsent(Base):
    """A company agreed that its name, logo or story is used: beside the person's own consent."""

    __tablename__ = "company_consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"), index=True)
    activity: Mapped[Activity] = mapped_column(short_enum(Activity))
    given_by: Mapped[str] = mapped_column(String(160))  # who there agreed, and how: a contract, a mail
    # What it is limited to, such as one place; "" for no limit.
    limits: Mapped[str] = mapped_column(String(300), default="", server_default="")
    given_on: Mapped[date] = mapped_column()
    expires_on: Mapped[date] = mapped_column()
    recorded_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    recorded_at: Mapped[datetime] = mapped_column()
    ended_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (check("ends_later", "expires_on > given_on"),)
