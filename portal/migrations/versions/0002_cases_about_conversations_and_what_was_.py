"""Cases about conversations and what was disclosed to them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_keys",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("bound_to", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped_key", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_keys_case_id_cases"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_keys")),
        sa.UniqueConstraint("bound_to", name=op.f("uq_case_keys_bound_to")),
    )
    with op.batch_alter_table("case_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_keys_key_id"), ["key_id"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("shared_by_id", sa.Integer(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["members.id"], name=op.f("fk_evidence_author_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_evidence_case_id_cases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["shared_by_id"],
            ["members.id"],
            name=op.f("fk_evidence_shared_by_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("ref", name=op.f("uq_evidence_ref")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_shared_by_id"), ["shared_by_id"], unique=False)

    op.create_table(
        "evidence_readings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_evidence_readings_case_id_cases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["reader_id"],
            ["members.id"],
            name=op.f("fk_evidence_readings_reader_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_readings")),
    )
    with op.batch_alter_table("evidence_readings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_readings_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_readings_reader_id"), ["reader_id"], unique=False)

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("peers_only", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.drop_constraint(op.f("ck_cases_casekind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_cases_casekind"),
            "kind IN ('flags', 'held', 'appeal', 'conversation', 'blocks', 'connect')",
        )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_decisions_membermeasure"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_decisions_membermeasure"),
            "member_measure IN ('none', 'warn', 'suspend', 'ban', 'no_conversations')",
        )


def downgrade() -> None:
    # The wider checks stay: rows of the new kinds are there, and nothing is lost on the way back.
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("peers_only")

    with op.batch_alter_table("evidence_readings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_readings_reader_id"))
        batch_op.drop_index(batch_op.f("ix_evidence_readings_case_id"))

    op.drop_table("evidence_readings")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_shared_by_id"))
        batch_op.drop_index(batch_op.f("ix_evidence_case_id"))
        batch_op.drop_index(batch_op.f("ix_evidence_author_id"))

    op.drop_table("evidence")
    with op.batch_alter_table("case_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_keys_key_id"))

    op.drop_table("case_keys")
