"""Scores of 60 days ago are kept for those near the top."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("companies", schema=None) as batch_op:
        batch_op.drop_column("threads_count")

    with op.batch_alter_table("score_members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("before", sa.Float(precision=53), nullable=True))
        batch_op.add_column(sa.Column("before_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("score_members", schema=None) as batch_op:
        batch_op.drop_column("before_at")
        batch_op.drop_column("before")

    with op.batch_alter_table("companies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("threads_count", sa.INTEGER(), server_default="0", nullable=False))
