"""Flags taken back stay and count."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("flags", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_flags_flagoutcome"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_flags_flagoutcome"),
            "outcome IN ('pending', 'upheld', 'dismissed', 'fair', 'withdrawn')",
        )
        batch_op.drop_constraint(op.f("uq_flags_post_id_reporter_id"), type_="unique")
    op.create_index(
        "ix_flags_standing",
        "flags",
        ["post_id", "reporter_id"],
        unique=True,
        sqlite_where=sa.text("outcome <> 'withdrawn'"),
        postgresql_where=sa.text("outcome <> 'withdrawn'"),
    )


def downgrade() -> None:
    op.drop_index("ix_flags_standing", table_name="flags")
    # The code before did not know them: it forgot a flag that was taken back.
    op.execute("DELETE FROM flags WHERE outcome = 'withdrawn'")
    with op.batch_alter_table("flags", schema=None) as batch_op:
        batch_op.create_unique_constraint(op.f("uq_flags_post_id_reporter_id"), ["post_id", "reporter_id"])
