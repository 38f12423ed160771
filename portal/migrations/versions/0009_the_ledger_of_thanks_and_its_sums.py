"""The ledger of thanks and its sums."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "score_choices",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("not_scored", sa.Boolean(), nullable=False),
        sa.Column("not_approached", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_score_choices_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_score_choices")),
    )
    op.create_table(
        "score_companies",
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("company", sa.String(length=32), nullable=False),
        sa.Column("fixed", sa.Float(precision=53), nullable=False),
        sa.Column("falling", sa.Float(precision=53), nullable=False),
        sa.Column("changes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["receiver_id"],
            ["members.id"],
            name=op.f("fk_score_companies_receiver_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("receiver_id", "company", name=op.f("pk_score_companies")),
    )
    op.create_table(
        "score_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "rule",
            sa.Enum(
                "accepted",
                "vote",
                "conversation",
                "first_answer",
                "flag_upheld",
                "engagement",
                name="rule",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column(
            "act",
            sa.Enum(
                "made",
                "reversed",
                "restored",
                "revised",
                name="act",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column(
            "counts",
            sa.Enum(
                "thanks",
                "participation",
                "none",
                name="counts",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "damped",
            sa.Enum(
                "",
                "five",
                "company",
                "own",
                name="damped",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("receiver_company", sa.String(length=40), nullable=False),
        sa.Column("giver_id", sa.Integer(), nullable=True),
        sa.Column("giver_key", sa.String(length=40), nullable=False),
        sa.Column("giver_company", sa.String(length=40), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("thread_id", sa.Integer(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=600), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "by_id IS NULL OR act = 'made' OR reason <> ''",
            name=op.f("ck_score_entries_correction_has_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_score_entries_by_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["giver_id"], ["members.id"], name=op.f("fk_score_entries_giver_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["receiver_id"],
            ["members.id"],
            name=op.f("fk_score_entries_receiver_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_entries")),
        sa.UniqueConstraint("rule", "source", "turn", name=op.f("uq_score_entries_rule_source_turn")),
    )
    with op.batch_alter_table("score_entries", schema=None) as batch_op:
        batch_op.create_index("ix_score_entries_at", ["at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_entries_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_entries_giver_id"), ["giver_id"], unique=False)
        batch_op.create_index("ix_score_entries_pair", ["receiver_id", "giver_key"], unique=False)
        batch_op.create_index("ix_score_entries_post", ["post_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_entries_thread_id"), ["thread_id"], unique=False)

    op.create_table(
        "score_givers",
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("giver", sa.String(length=32), nullable=False),
        sa.Column("company", sa.String(length=32), nullable=False),
        sa.Column("total", sa.Float(precision=53), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["receiver_id"],
            ["members.id"],
            name=op.f("fk_score_givers_receiver_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("receiver_id", "giver", name=op.f("pk_score_givers")),
    )
    with op.batch_alter_table("score_givers", schema=None) as batch_op:
        batch_op.create_index("ix_score_givers_company", ["receiver_id", "company"], unique=False)

    op.create_table(
        "score_members",
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("fixed", sa.Float(precision=53), nullable=False),
        sa.Column("falling", sa.Float(precision=53), nullable=False),
        sa.Column("unknown", sa.Float(precision=53), nullable=False),
        sa.Column("given", sa.Float(precision=53), nullable=False),
        sa.Column("changes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recent", sa.JSON(), nullable=False),
        sa.Column("unknown_recent", sa.JSON(), nullable=False),
        sa.Column("ranked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("high_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["receiver_id"],
            ["members.id"],
            name=op.f("fk_score_members_receiver_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("receiver_id", name=op.f("pk_score_members")),
    )
    with op.batch_alter_table("score_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_score_members_changes_at"), ["changes_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_members_ranked_until"), ["ranked_until"], unique=False)

    op.create_table(
        "score_weights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("half_life_days", sa.Integer(), nullable=False),
        sa.Column("person_limit", sa.Float(precision=53), nullable=False),
        sa.Column("company_limit", sa.Float(precision=53), nullable=False),
        sa.Column("votes_per_post", sa.Integer(), nullable=False),
        sa.Column("answer_points", sa.Float(precision=53), nullable=False),
        sa.Column("answer_limit", sa.Float(precision=53), nullable=False),
        sa.Column("companies_to_rank", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=600), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["members.id"],
            name=op.f("fk_score_weights_decided_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_weights")),
    )
    with op.batch_alter_table("score_weights", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_score_weights_decided_by_id"), ["decided_by_id"], unique=False)

    op.create_table(
        "score_contests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=1000), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["answered_by_id"],
            ["members.id"],
            name=op.f("fk_score_contests_answered_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["score_entries.id"],
            name=op.f("fk_score_contests_entry_id_score_entries"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_score_contests_member_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_contests")),
    )
    with op.batch_alter_table("score_contests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_score_contests_answered_by_id"), ["answered_by_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_score_contests_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_contests_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_contests_member_id"), ["member_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("score_contests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_score_contests_member_id"))
        batch_op.drop_index(batch_op.f("ix_score_contests_entry_id"))
        batch_op.drop_index(batch_op.f("ix_score_contests_case_id"))
        batch_op.drop_index(batch_op.f("ix_score_contests_answered_by_id"))

    op.drop_table("score_contests")
    with op.batch_alter_table("score_weights", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_score_weights_decided_by_id"))

    op.drop_table("score_weights")
    with op.batch_alter_table("score_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_score_members_ranked_until"))
        batch_op.drop_index(batch_op.f("ix_score_members_changes_at"))

    op.drop_table("score_members")
    with op.batch_alter_table("score_givers", schema=None) as batch_op:
        batch_op.drop_index("ix_score_givers_company")

    op.drop_table("score_givers")
    with op.batch_alter_table("score_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_score_entries_thread_id"))
        batch_op.drop_index("ix_score_entries_post")
        batch_op.drop_index("ix_score_entries_pair")
        batch_op.drop_index(batch_op.f("ix_score_entries_giver_id"))
        batch_op.drop_index(batch_op.f("ix_score_entries_by_id"))
        batch_op.drop_index("ix_score_entries_at")

    op.drop_table("score_entries")
    op.drop_table("score_companies")
    op.drop_table("score_choices")
