"""What members say about being asked and the places of their limit."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "availability",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("limit_per_quarter", sa.Integer(), nullable=False),
        sa.Column("staff_limit", sa.Integer(), nullable=True),
        sa.Column("answer_requests_per_month", sa.Integer(), nullable=False),
        sa.Column("conversations_open", sa.Boolean(), nullable=False),
        sa.Column("answer_requests_open", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column(
            "identity",
            sa.Enum("name", "role", name="identity", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("company_address_required", sa.Boolean(), nullable=False),
        sa.Column("talk_about", sa.String(length=200), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("by_mail", sa.Boolean(), nullable=False),
        sa.Column("welcomed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "answer_requests_per_month BETWEEN 0 AND 10", name=op.f("ck_availability_answer_requests")
        ),
        sa.CheckConstraint("limit_per_quarter BETWEEN 0 AND 12", name=op.f("ck_availability_limit")),
        sa.CheckConstraint(
            "quiet_from IS NULL OR quiet_from BETWEEN 0 AND 23", name=op.f("ck_availability_quiet_from")
        ),
        sa.CheckConstraint(
            "quiet_to IS NULL OR quiet_to BETWEEN 0 AND 23", name=op.f("ck_availability_quiet_to")
        ),
        sa.CheckConstraint(
            "staff_limit IS NULL OR staff_limit BETWEEN 0 AND 12", name=op.f("ck_availability_staff_limit")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_availability_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_availability")),
    )
    op.create_table(
        "exposures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "proposed",
                "answer_request",
                name="shown",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_exposures_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exposures")),
        sa.UniqueConstraint("member_id", "kind", "purpose", name=op.f("uq_exposures_member_id_kind_purpose")),
    )
    with op.batch_alter_table("exposures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exposures_at"), ["at"], unique=False)
        batch_op.create_index("ix_exposures_kind", ["kind", "at", "member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_exposures_purpose"), ["purpose"], unique=False)

    op.create_table(
        "reservations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "conversation",
                "answer_request",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("held_at IS NULL OR held_at >= reserved_at", name=op.f("ck_reservations_one_end")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_reservations_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reservations_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reservations_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reservations_reserved_at"), ["reserved_at"], unique=False)
        batch_op.create_index(
            "uq_reservations_open_purpose",
            ["purpose"],
            unique=True,
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )

    op.create_table(
        "slots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_slots_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slots")),
        sa.UniqueConstraint("member_id", "starts_at", name=op.f("uq_slots_member_id_starts_at")),
    )
    with op.batch_alter_table("slots", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_slots_taken_by"), ["taken_by"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("slots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slots_taken_by"))

    op.drop_table("slots")
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_reservations_open_purpose",
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_reservations_reserved_at"))
        batch_op.drop_index(batch_op.f("ix_reservations_member_id"))
        batch_op.drop_index(batch_op.f("ix_reservations_expires_at"))

    op.drop_table("reservations")
    with op.batch_alter_table("exposures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exposures_purpose"))
        batch_op.drop_index("ix_exposures_kind")
        batch_op.drop_index(batch_op.f("ix_exposures_at"))

    op.drop_table("exposures")
    op.drop_table("availability")
