"""Notes, candidates and what members agreed to."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "askings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("activities", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.JSON(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_askings_by_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_askings_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_askings")),
    )
    with op.batch_alter_table("askings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_askings_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_askings_member_id"), ["member_id"], unique=False)
        batch_op.create_index(
            "uq_askings_open",
            ["member_id"],
            unique=True,
            sqlite_where=sa.text("answered_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL AND withdrawn_at IS NULL"),
        )

    op.create_table(
        "candidates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "spotted",
                "nominated",
                "asked",
                "consented",
                "active",
                "resting",
                "retired",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("stage_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_after_by_id", sa.Integer(), nullable=True),
        sa.Column("rests_until", sa.Date(), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("was_worth", sa.Double(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["looked_after_by_id"],
            ["members.id"],
            name=op.f("fk_candidates_looked_after_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_candidates_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint("member_id", name=op.f("uq_candidates_member_id")),
    )
    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_candidates_looked_after_by_id"), ["looked_after_by_id"], unique=False
        )
        batch_op.create_index("ix_candidates_stage", ["stage", "stage_at", "id"], unique=False)

    op.create_table(
        "company_consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column(
            "activity",
            sa.Enum(
                "call",
                "quote",
                "logo",
                "case_study",
                "speaking",
                "press",
                "analysts",
                name="activity",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("given_by", sa.String(length=160), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_on > given_on", name=op.f("ck_company_consents_ends_later")),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_company_consents_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"],
            ["members.id"],
            name=op.f("fk_company_consents_recorded_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_consents")),
    )
    with op.batch_alter_table("company_consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_company_consents_company_id"), ["company_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_company_consents_recorded_by_id"), ["recorded_by_id"], unique=False
        )

    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column(
            "activity",
            sa.Enum(
                "call",
                "quote",
                "logo",
                "case_study",
                "speaking",
                "press",
                "analysts",
                name="activity",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended",
            sa.Enum(
                "withdrawn", "renewed", name="ended", native_enum=False, create_constraint=True, length=24
            ),
            nullable=True,
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended IS NULL)", name=op.f("ck_consents_why_it_ended")),
        sa.CheckConstraint("expires_at > given_at", name=op.f("ck_consents_ends_later")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_consents_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_consents_member", ["member_id", "id"], unique=False)
        batch_op.create_index(
            "uq_consents_open",
            ["member_id", "activity"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "member_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_member_notes_by_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_notes_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_notes")),
    )
    with op.batch_alter_table("member_notes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_member_notes_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_notes_member_id"), ["member_id"], unique=False)

    op.create_table(
        "nominations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column(
            "part",
            sa.Enum(
                "moderator",
                "account_owner",
                "peer",
                "self",
                name="nominatedby",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("post_ids", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_nominations_by_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_nominations_member_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["read_by_id"],
            ["members.id"],
            name=op.f("fk_nominations_read_by_id_members"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nominations")),
    )
    with op.batch_alter_table("nominations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_nominations_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_nominations_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_nominations_read_by_id"), ["read_by_id"], unique=False)
        batch_op.create_index(
            "ix_nominations_waiting",
            ["at", "id"],
            unique=False,
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        )

    op.create_table(
        "candidate_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "spotted",
                "nominated",
                "asked",
                "consented",
                "active",
                "resting",
                "retired",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=600), nullable=False),
        sa.Column("unmet", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_candidate_steps_by_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidates.id"],
            name=op.f("fk_candidate_steps_candidate_id_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate_steps")),
    )
    with op.batch_alter_table("candidate_steps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidate_steps_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_candidate_steps_candidate_id"), ["candidate_id"], unique=False)

    op.create_table(
        "spotlights",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("badges", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_spotlights_member_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_spotlights_post_id_posts"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_spotlights")),
    )
    with op.batch_alter_table("spotlights", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spotlights_post_id"), ["post_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("spotlights", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spotlights_post_id"))

    op.drop_table("spotlights")
    with op.batch_alter_table("candidate_steps", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidate_steps_candidate_id"))
        batch_op.drop_index(batch_op.f("ix_candidate_steps_by_id"))

    op.drop_table("candidate_steps")
    with op.batch_alter_table("nominations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_nominations_waiting",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_nominations_read_by_id"))
        batch_op.drop_index(batch_op.f("ix_nominations_member_id"))
        batch_op.drop_index(batch_op.f("ix_nominations_by_id"))

    op.drop_table("nominations")
    with op.batch_alter_table("member_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_member_notes_member_id"))
        batch_op.drop_index(batch_op.f("ix_member_notes_by_id"))

    op.drop_table("member_notes")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_consents_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index("ix_consents_member")
        batch_op.drop_index(batch_op.f("ix_consents_expires_at"))

    op.drop_table("consents")
    with op.batch_alter_table("company_consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_company_consents_recorded_by_id"))
        batch_op.drop_index(batch_op.f("ix_company_consents_company_id"))

    op.drop_table("company_consents")
    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.drop_index("ix_candidates_stage")
        batch_op.drop_index(batch_op.f("ix_candidates_looked_after_by_id"))

    op.drop_table("candidates")
    with op.batch_alter_table("askings", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_askings_open",
            sqlite_where=sa.text("answered_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL AND withdrawn_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_askings_member_id"))
        batch_op.drop_index(batch_op.f("ix_askings_by_id"))

    op.drop_table("askings")
