"""Holds, health, escalations and satisfaction of companies: each row says who entered it, and when."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Versioned, check, short_enum

LONGEST_WORDS = 500  # characters of a reason, of what an escalation is about and how it ended
LONGEST_SOURCE = 200


class PlacedAs(StrEnum):
    """On whose behalf a hold was placed."""

    SALES = "sales"
    SERVICE = "service"


class Health(StrEnum):
    """How the company is doing with the vendor, as service sees it."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Measure(StrEnum):
    """How satisfaction was asked for: CSAT in percent of those satisfied, NPS from −100 to 100."""

    CSAT = "csat"
    NPS = "nps"


class Hold(Versioned, Base):
    """Sales or service ask the vendor's own people not to approach a company. Never prolonged."""

    __tablename__ = "holds"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(LONGEST_WORDS))
    placed_as: Mapped[PlacedAs] = mapped_column(short_enum(PlacedAs))
    placed_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None] = mapped_column()  # before its time; one that ran out has none
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    ended_because: Mapped[str] = mapped_column(String(LONGEST_WORDS), default="", server_default="")
    # When whoever placed it was told that it ends in a week, and that it has ended by itself.
    reminded_at: Mapped[datetime | None] = mapped_column()
    told_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        Index("ix_holds_company", "company_id", "id"),
        check("ends_later", "expires_at > created_at"),
        check("why_it_is_there", "reason <> ''"),
        check("why_it_ended", "(ended_at IS NULL) = (ended_because = '')"),
    )


class CompanyHealth(Base):
    """What service said of a company at a moment. Rows are only added; the latest is in force."""

    __tablename__ = "company_health"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    health: Mapped[Health] = mapped_column(short_enum(Health))
    reason: Mapped[str] = mapped_column(String(LONGEST_WORDS))
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column()

    __table_args__ = (Index("ix_company_health_company", "company_id", "id"),)


class Escalation(Versioned, Base):
    """Something that service is putting right for a company; while it is open the vendor asks for nothing."""

    __tablename__ = "escalations"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    what: Mapped[str] = mapped_column(String(LONGEST_WORDS))
    opened_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    opened_at: Mapped[datetime] = mapped_column()
    closed_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    closed_at: Mapped[datetime | None] = mapped_column()
    outcome: Mapped[str] = mapped_column(String(LONGEST_WORDS), default="", server_default="")

    __table_args__ = (
        Index("ix_escalations_company", "company_id", "id"),
        Index(
            "ix_escalations_open",
            "company_id",
            sqlite_where=sql("closed_at IS NULL"),
            postgresql_where=sql("closed_at IS NULL"),
        ),
        check("how_it_ended", "(closed_at IS NULL) = (outcome = '')"),
    )


class Satisfaction(Base):
    """What one survey among people of a company gave."""

    __tablename__ = "satisfaction"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    measure: Mapped[Measure] = mapped_column(short_enum(Measure))
    value: Mapped[int] = mapped_column()
    sample: Mapped[int] = mapped_column()  # how many people answered
    surveyed_on: Mapped[date] = mapped_column()
    source: Mapped[str] = mapped_column(String(LONGEST_SOURCE))  # which survey, and where it stands
    entered_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    at: Mapped[datetime] = mapped_column()

    __table_args__ = (
        UniqueConstraint("company_id", "measure", "surveyed_on", "source"),
        check("somebody_answered", "sample >= 1"),
        check(
            "within_its_scale",
            "(measure = 'csat' AND value BETWEEN 0 AND 100)"
            " OR (measure = 'nps' AND value BETWEEN -100 AND 100)",
        ),
    )
