"""The ledger of entries, the sums kept beside it, the six numbers, and what members decide about it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, check, short_enum


class Rule(StrEnum):
    """What happened, each in its own words."""

    ACCEPTED = "accepted"  # the asker accepted the answer
    VOTE = "vote"  # somebody upvoted the answer or war story
    CONVERSATION = "conversation"  # the other side found it useful
    FIRST_ANSWER = "first_answer"  # the member's first answer to a question
    FLAG_UPHELD = "flag_upheld"  # what the member reported was decided that way
    ENGAGEMENT = "engagement"  # an activity that the member performed for the vendor


class Act(StrEnum):
    """What a row of the ledger does: the last one of a source says how things stand."""

    MADE = "made"
    REVERSED = "reversed"
    RESTORED = "restored"
    REVISED = "revised"  # the same event counts differently: a place among the five, a confirmed company


class Counts(StrEnum):
    THANKS = "thanks"
    PARTICIPATION = "participation"
    NONE = "none"


class Damped(StrEnum):
    """Why an entry that could count does not."""

    NOTHING = ""
    FIVE = "five"  # five upvotes on this post count already
    COMPANY = "company"  # an upvote from this company on this post counts already
    OWN = "own"  # from the member's own company


class Entry(Base):
    """One row of the ledger: written once, with the event, and never edited.

    A source (rule and source) has a chain of rows, numbered by `turn`: made, perhaps reversed, restored,
    revised; each carries the whole fact, so that the last one before a moment says what counted then.
    """

    __tablename__ = "score_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[Rule] = mapped_column(short_enum(Rule))
    source: Mapped[str] = mapped_column(String(80))  # within the rule: "<post>:<member>", "<thread>:<post>" …
    turn: Mapped[int] = mapped_column(default=0)
    act: Mapped[Act] = mapped_column(short_enum(Act), default=Act.MADE)
    reverses_id: Mapped[int | None] = (
        mapped_column()
    )  # the row that this one takes back or puts in force again
    counts: Mapped[Counts] = mapped_column(short_enum(Counts))
    damped: Mapped[Damped] = mapped_column(short_enum(Damped), default=Damped.NOTHING)
    receiver_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    receiver_company: Mapped[str] = mapped_column(String(40))  # as it was then, see advocacy.keys
    giver_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    giver_key: Mapped[str] = mapped_column(String(40))  # the person, or a keyed hash where nobody may read it
    giver_company: Mapped[str] = mapped_column(String(40))
    post_id: Mapped[int | None] = mapped_column()
    thread_id: Mapped[int | None] = mapped_column(index=True)
    occurred_at: Mapped[datetime] = mapped_column()  # from when it decays
    at: Mapped[datetime] = mapped_column()  # from when this row is in force
    recorded_at: Mapped[datetime] = mapped_column()
    by_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    reason: Mapped[str] = mapped_column(String(600), default="")  # of a moderator's correction
    case_id: Mapped[int | None] = mapped_column()

    __table_args__ = (
        UniqueConstraint("rule", "source", "turn"),
        Index("ix_score_entries_pair", "receiver_id", "giver_key"),
        Index("ix_score_entries_post", "post_id"),
        Index("ix_score_entries_at", "at", "id"),
        check("correction_has_reason", "by_id IS NULL OR act = 'made' OR reason <> ''"),
    )


class GiverSum(Base):
    """What one person's thanks to a member add up to, before any limit. Keys are keyed hashes."""

    __tablename__ = "score_givers"

    receiver_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    giver: Mapped[str] = mapped_column(String(32), primary_key=True)
    company: Mapped[str] = mapped_column(String(32))
    total: Mapped[float] = mapped_column(Float(53))  # as of the epoch, see advocacy.formula
    last_at: Mapped[datetime] = mapped_column()

    __table_args__ = (Index("ix_score_givers_company", "receiver_id", "company"),)


class CompanySum(Base):
    """What one company's thanks to a member count: `fixed` + `falling` × decay, until `changes_at`."""

    __tablename__ = "score_companies"

    receiver_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    company: Mapped[str] = mapped_column(String(32), primary_key=True)
    fixed: Mapped[float] = mapped_column(Float(53))
    falling: Mapped[float] = mapped_column(Float(53))
    changes_at: Mapped[datetime | None] = mapped_column()
    last_at: Mapped[datetime] = mapped_column()


class MemberScore(Base):
    """A member's sums: at any moment before `changes_at` the score is a formula of these columns."""

    __tablename__ = "score_members"

    receiver_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    fixed: Mapped[float] = mapped_column(Float(53), default=0.0)  # companies and persons at their limit
    falling: Mapped[float] = mapped_column(Float(53), default=0.0)  # the other thanks, as of the epoch
    unknown: Mapped[float] = mapped_column(Float(53), default=0.0)  # imported votes without a voter
    given: Mapped[float] = mapped_column(Float(53), default=0.0)  # participation before its limit
    changes_at: Mapped[datetime | None] = mapped_column(index=True)  # when a limit stops to bind
    recent: Mapped[list[str]] = mapped_column(JSON, default=list)  # last thanks of the latest companies
    unknown_recent: Mapped[list[str]] = mapped_column(JSON, default=list)
    ranked_until: Mapped[datetime | None] = mapped_column(index=True)  # without a further thanks
    high_until: Mapped[datetime | None] = mapped_column()  # confidence high, the same way
    # What helpfulness was at a moment of the past, for those near the top: see services.remembering.
    before: Mapped[float | None] = mapped_column(Float(53))
    before_at: Mapped[datetime | None] = mapped_column()


class ScopeScore(Base):
    """The same sums from the threads of one product or tag alone, see queries.scopes; for lists.

    `changes_at` is also when something happened since they were counted: then they are counted anew.
    """

    __tablename__ = "score_scopes"

    scope: Mapped[str] = mapped_column(String(16), primary_key=True)
    receiver_id: Mapped[int] = mapped_column(
        ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    fixed: Mapped[float] = mapped_column(Float(53), default=0.0)
    falling: Mapped[float] = mapped_column(Float(53), default=0.0)
    unknown: Mapped[float] = mapped_column(Float(53), default=0.0)
    given: Mapped[float] = mapped_column(Float(53), default=0.0)
    changes_at: Mapped[datetime | None] = mapped_column(index=True)
    recent: Mapped[list[str]] = mapped_column(JSON, default=list)  # last thanks of the latest companies


class WeightsDecision(Base):
    """The six numbers as somebody decided them, with the reason that members read. The highest id rules."""

    __tablename__ = "score_weights"

    id: Mapped[int] = mapped_column(primary_key=True)
    half_life_days: Mapped[int] = mapped_column()
    person_limit: Mapped[float] = mapped_column(Float(53))
    company_limit: Mapped[float] = mapped_column(Float(53))
    votes_per_post: Mapped[int] = mapped_column()
    answer_points: Mapped[float] = mapped_column(Float(53))
    answer_limit: Mapped[float] = mapped_column(Float(53))
    companies_to_rank: Mapped[int] = mapped_column()
    reason: Mapped[str] = mapped_column(String(600))
    decided_at: Mapped[datetime] = mapped_column()
    decided_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    applied_at: Mapped[datetime | None] = mapped_column()  # when the sums followed


class ScoreChoice(Base):
    """What a member chose: entries are kept in either case, and shown to nobody else."""

    __tablename__ = "score_choices"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    not_scored: Mapped[bool] = mapped_column(default=False)
    not_approached: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column()


class Contest(Base):
    """A member says that an entry, or the whole, is wrong: a case, answered."""

    __tablename__ = "score_contests"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    entry_id: Mapped[int | None] = mapped_column(
        ForeignKey("score_entries.id", ondelete="SET NULL"), index=True
    )
    words: Mapped[str] = mapped_column(String(1000))
    case_id: Mapped[int | None] = mapped_column(index=True)
    made_at: Mapped[datetime] = mapped_column()
    answer: Mapped[str] = mapped_column(String(1000), default="")
    answered_at: Mapped[datetime | None] = mapped_column()
    answered_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
