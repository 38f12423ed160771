"""What members did for the vendor."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "engagements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column(
            "activity",
            sa.Enum(
                "call",
                "quote",
                "logo",
                "case_study",
                "speaking",
                "press",
                "analysts",
                name="activity",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=300), server_default="", nullable=False),
        sa.CheckConstraint("words <> ''", name=op.f("ck_engagements_what_it_was")),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason = '')",
            name=op.f("ck_engagements_why_it_was_taken_back"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_engagements_member_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"],
            ["members.id"],
            name=op.f("fk_engagements_recorded_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"],
            ["members.id"],
            name=op.f("fk_engagements_withdrawn_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagements")),
    )
    with op.batch_alter_table("engagements", schema=None) as batch_op:
        batch_op.create_index("ix_engagements_member", ["member_id", "done_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_engagements_recorded_by_id"), ["recorded_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_engagements_withdrawn_by_id"), ["withdrawn_by_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("engagements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_engagements_withdrawn_by_id"))
        batch_op.drop_index(batch_op.f("ix_engagements_recorded_by_id"))
        batch_op.drop_index("ix_engagements_member")

    op.drop_table("engagements")
