"""What sales and service know of companies."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "company_health",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column(
            "health",
            sa.Enum(
                "green", "amber", "red", name="health", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_company_health_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["set_by_id"],
            ["members.id"],
            name=op.f("fk_company_health_set_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_health")),
    )
    with op.batch_alter_table("company_health", schema=None) as batch_op:
        batch_op.create_index("ix_company_health_company", ["company_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_company_health_set_by_id"), ["set_by_id"], unique=False)

    op.create_table(
        "escalations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=500), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=500), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome = '')", name=op.f("ck_escalations_how_it_ended")),
        sa.ForeignKeyConstraint(
            ["closed_by_id"],
            ["members.id"],
            name=op.f("fk_escalations_closed_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_escalations_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"],
            ["members.id"],
            name=op.f("fk_escalations_opened_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
    )
    with op.batch_alter_table("escalations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_escalations_closed_by_id"), ["closed_by_id"], unique=False)
        batch_op.create_index("ix_escalations_company", ["company_id", "id"], unique=False)
        batch_op.create_index(
            "ix_escalations_open",
            ["company_id"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_escalations_opened_by_id"), ["opened_by_id"], unique=False)

    op.create_table(
        "holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column(
            "placed_as",
            sa.Enum(
                "sales", "service", name="placedas", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("placed_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_because", sa.String(length=500), server_default="", nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because = '')", name=op.f("ck_holds_why_it_ended")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_holds_why_it_is_there")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_holds_ends_later")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_holds_company_id_companies"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ended_by_id"], ["members.id"], name=op.f("fk_holds_ended_by_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["placed_by_id"], ["members.id"], name=op.f("fk_holds_placed_by_id_members"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.create_index("ix_holds_company", ["company_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_holds_ended_by_id"), ["ended_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_holds_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_holds_placed_by_id"), ["placed_by_id"], unique=False)

    op.create_table(
        "satisfaction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column(
            "measure",
            sa.Enum("csat", "nps", name="measure", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("surveyed_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("entered_by_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(measure = 'csat' AND value BETWEEN 0 AND 100) OR (measure = 'nps' AND value BETWEEN -100 AND 100)",
            name=op.f("ck_satisfaction_within_its_scale"),
        ),
        sa.CheckConstraint("sample >= 1", name=op.f("ck_satisfaction_somebody_answered")),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_satisfaction_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["entered_by_id"],
            ["members.id"],
            name=op.f("fk_satisfaction_entered_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_satisfaction")),
        sa.UniqueConstraint(
            "company_id",
            "measure",
            "surveyed_on",
            "source",
            name=op.f("uq_satisfaction_company_id_measure_surveyed_on_source"),
        ),
    )
    with op.batch_alter_table("satisfaction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_satisfaction_entered_by_id"), ["entered_by_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("satisfaction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_satisfaction_entered_by_id"))

    op.drop_table("satisfaction")
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holds_placed_by_id"))
        batch_op.drop_index(batch_op.f("ix_holds_expires_at"))
        batch_op.drop_index(batch_op.f("ix_holds_ended_by_id"))
        batch_op.drop_index("ix_holds_company")

    op.drop_table("holds")
    with op.batch_alter_table("escalations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_escalations_opened_by_id"))
        batch_op.drop_index(
            "ix_escalations_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index("ix_escalations_company")
        batch_op.drop_index(batch_op.f("ix_escalations_closed_by_id"))

    op.drop_table("escalations")
    with op.batch_alter_table("company_health", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_company_health_set_by_id"))
        batch_op.drop_index("ix_company_health_company")

    op.drop_table("company_health")
