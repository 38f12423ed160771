"""What members did for the vendor, as moderators wrote it down."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.consents.models import Activity
from portal.kernel.db import Base, check, short_enum

LONGEST_WORDS = 300


class Engagement(Base):
    """One activity that a member performed. Taken back it stays, with who did that, when and why.

    The member reads `words`. The ledger shows it and never counts it (`Rule.ENGAGEMENT`).
    """

    __tablename__ = "engagements"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    activity: Mapped[Activity] = mapped_column(short_enum(Activity))
    done_on: Mapped[date] = mapped_column()
    words: Mapped[str] = mapped_column(String(LONGEST_WORDS))  # where and for whom
    recorded_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    recorded_at: Mapped[datetime] = mapped_column()
    withdrawn_at: Mapped[datetime | None] = mapped_column()
    withdrawn_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    withdrawn_reason: Mapped[str] = mapped_column(String(LONGEST_WORDS), default="", server_default="")

    __table_args__ = (
        Index("ix_engagements_member", "member_id", "done_on", "id"),
        check("what_it_was", "words <> ''"),
        check("why_it_was_taken_back", "(withdrawn_at IS NULL) = (withdrawn_reason = '')"),
    )
