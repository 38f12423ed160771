"""What legal orders keep."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_kept_words_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_words")),
    )
    with op.batch_alter_table("kept_words", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_words_member_id"), ["member_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("kept_words", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_words_member_id"))

    op.drop_table("kept_words")
