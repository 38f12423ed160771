"""What matters most to an asker."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("asks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("matters", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("weighed", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("asks", schema=None) as batch_op:
        batch_op.drop_column("weighed")
        batch_op.drop_column("matters")
