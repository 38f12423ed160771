"""Scores of 60 days ago are kept for those near the top."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.create_index("ix_members_joined", ["created_at", "id"], unique=False)

    with op.batch_alter_table("score_members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("before", sa.Float(precision=53), nullable=True))
        batch_op.add_column(sa.Column("before_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.create_index(
            "ix_threads_accepted",
            ["accepted_at"],
            unique=False,
            sqlite_where=sa.text("accepted_at IS NOT NULL"),
            postgresql_where=sa.text("accepted_at IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_threads_accepted",
            sqlite_where=sa.text("accepted_at IS NOT NULL"),
            postgresql_where=sa.text("accepted_at IS NOT NULL"),
        )

    with op.batch_alter_table("score_members", schema=None) as batch_op:
        batch_op.drop_column("before_at")
        batch_op.drop_column("before")

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_index("ix_members_joined")
