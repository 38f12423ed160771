"""Links that sign in, requests that wait for the morning, times called off."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("agreed_edition", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_conversations_waits_until"), ["waits_until"], unique=False)

    with op.batch_alter_table("mailed_links", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place", sa.String(length=400), server_default="", nullable=False))
        batch_op.add_column(sa.Column("kept_box", sa.Text(), server_default="", nullable=False))
        batch_op.drop_constraint(op.f("ck_mailed_links_linkpurpose"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_mailed_links_linkpurpose"), "purpose IN ('password', 'email', 'claim', 'sign_in')"
        )
    with op.batch_alter_table("conversation_messages", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_conversation_messages_messagekind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_conversation_messages_messagekind"),
            "kind IN ('text', 'times', 'agreed', 'called_off', 'missed', 'joined', 'left')",
        )


def downgrade() -> None:
    # The wider checks stay: rows of the new kinds are there, and nothing is lost on the way back.
    with op.batch_alter_table("mailed_links", schema=None) as batch_op:
        batch_op.drop_column("kept_box")
        batch_op.drop_column("place")

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversations_waits_until"))
        batch_op.drop_column("called_off_at")
        batch_op.drop_column("agreed_edition")
        batch_op.drop_column("waits_until")
