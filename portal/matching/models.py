"""What members say about being asked, the places that are taken, and who was shown when."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Versioned, check, short_enum

LIMIT_PER_QUARTER = 2
ANSWER_REQUESTS_PER_MONTH = 2
MOST_PER_QUARTER = 12
MOST_ANSWER_REQUESTS = 10


class Kind(StrEnum):
    """What a customer is asked for."""

    CONVERSATION = "conversation"
    ANSWER_REQUEST = "answer_request"


class Identity(StrEnum):
    """What a person who asks reads about a customer before the customer has accepted."""

    NAME = "name"
    ROLE = "role"


class Shown(StrEnum):
    """How somebody came before a person who asks, or an ask before them."""

    PROPOSED = "proposed"
    ANSWER_REQUEST = "answer_request"


class Availability(Versioned, Base):
    """What a member says about being asked. Without a row the defaults hold."""

    __tablename__ = "availability"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    limit_per_quarter: Mapped[int] = mapped_column(default=LIMIT_PER_QUARTER)
    staff_limit: Mapped[int | None] = mapped_column()  # only ever lowers; gone once the member chooses anew
    answer_requests_per_month: Mapped[int] = mapped_column(default=ANSWER_REQUESTS_PER_MONTH)
    conversations_open: Mapped[bool] = mapped_column(default=True)
    answer_requests_open: Mapped[bool] = mapped_column(default=True)
    paused_until: Mapped[datetime | None] = mapped_column()
    quiet_from: Mapped[int | None] = mapped_column()  # hours of the day in the member's zone
    quiet_to: Mapped[int | None] = mapped_column()
    identity: Mapped[Identity] = mapped_column(short_enum(Identity), default=Identity.NAME)
    company_address_required: Mapped[bool] = mapped_column(default=False)
    talk_about: Mapped[str] = mapped_column(String(200), default="")
    values: Mapped[list[str]] = mapped_column(JSON, default=list)
    by_mail: Mapped[bool] = mapped_column(default=True)
    welcomed_at: Mapped[datetime | None] = mapped_column()  # the first minute was filled in or dismissed

    __table_args__ = (
        check("limit", f"limit_per_quarter BETWEEN 0 AND {MOST_PER_QUARTER}"),
        check("staff_limit", f"staff_limit IS NULL OR staff_limit BETWEEN 0 AND {MOST_PER_QUARTER}"),
        check("answer_requests", f"answer_requests_per_month BETWEEN 0 AND {MOST_ANSWER_REQUESTS}"),
        check("quiet_from", "quiet_from IS NULL OR quiet_from BETWEEN 0 AND 23"),
        check("quiet_to", "quiet_to IS NULL OR quiet_to BETWEEN 0 AND 23"),
    )


class Slot(Base):
    """A time that a member opened for booking; `taken_by` is the purpose that booked it."""

    __tablename__ = "slots"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime] = mapped_column()
    minutes: Mapped[int] = mapped_column()
    taken_by: Mapped[str | None] = mapped_column(String(80), index=True)

    __table_args__ = (UniqueConstraint("member_id", "starts_at"),)


class Reservation(Base):
    """A place of a member's limit: outstanding, then held at a moment, or released.

    It counts while it is outstanding, and for 90 days after it was held. `expires_at` is empty once the
    member has accepted.
    """

    __tablename__ = "reservations"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    kind: Mapped[Kind] = mapped_column(short_enum(Kind), default=Kind.CONVERSATION)
    purpose: Mapped[str] = mapped_column(String(80))
    reserved_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    held_at: Mapped[datetime | None] = mapped_column()
    released_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        Index(
            "uq_reservations_open_purpose",
            "purpose",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        check("one_end", "held_at IS NULL OR held_at >= reserved_at"),
    )


class Exposure(Base):
    """A member was proposed to somebody, or an ask was brought to them: once for each purpose."""

    __tablename__ = "exposures"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    kind: Mapped[Shown] = mapped_column(short_enum(Shown))
    purpose: Mapped[str] = mapped_column(String(80), index=True)
    at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (
        UniqueConstraint("member_id", "kind", "purpose"),
        Index("ix_exposures_kind", "kind", "at", "member_id"),
    )
