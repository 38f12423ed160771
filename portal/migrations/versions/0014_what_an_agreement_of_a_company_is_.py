"""What an agreement of a company is limited to."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("company_consents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("limits", sa.String(length=300), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("company_consents", schema=None) as batch_op:
        batch_op.drop_column("limits")
