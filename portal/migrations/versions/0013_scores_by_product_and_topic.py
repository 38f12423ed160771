"""Scores by product and topic."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "score_scopes",
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("fixed", sa.Float(precision=53), nullable=False),
        sa.Column("falling", sa.Float(precision=53), nullable=False),
        sa.Column("unknown", sa.Float(precision=53), nullable=False),
        sa.Column("given", sa.Float(precision=53), nullable=False),
        sa.Column("changes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recent", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["receiver_id"],
            ["members.id"],
            name=op.f("fk_score_scopes_receiver_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scope", "receiver_id", name=op.f("pk_score_scopes")),
    )
    with op.batch_alter_table("score_scopes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_score_scopes_changes_at"), ["changes_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_scopes_receiver_id"), ["receiver_id"], unique=False)

    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tags", sa.String(length=400), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_column("tags")

    with op.batch_alter_table("score_scopes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_score_scopes_receiver_id"))
        batch_op.drop_index(batch_op.f("ix_score_scopes_changes_at"))

    op.drop_table("score_scopes")
