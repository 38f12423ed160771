"""Notes of requests are reported too."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("conversation_reports", schema=None) as batch_op:
        batch_op.add_column(sa.Column("note_by_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_conversation_reports_note_by_id"), ["note_by_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_conversation_reports_note_by_id_members"),
            "members",
            ["note_by_id"],
            ["id"],
            ondelete="SET NULL",
        )


def downgrade() -> None:
    with op.batch_alter_table("conversation_reports", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_conversation_reports_note_by_id_members"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_conversation_reports_note_by_id"))
        batch_op.drop_column("note_by_id")
