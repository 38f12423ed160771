"""Asks, their timeline, requests, proposals and invites."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_asks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_asks")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_kept_asks_token_hash")),
    )
    with op.batch_alter_table("kept_asks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_asks_created_at"), ["created_at"], unique=False)

    op.create_table(
        "asks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=True),
        sa.Column("asker_id", sa.Integer(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum(
                "open", "conversation", name="askmode", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "running",
                "answered",
                "settled",
                "gone",
                name="askstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("shown_as", sa.String(length=8), nullable=False),
        sa.Column("indexable", sa.Boolean(), nullable=False),
        sa.Column("may_connect", sa.Boolean(), nullable=False),
        sa.Column("industry", sa.String(length=8), nullable=False),
        sa.Column("size_band", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("product_ids", sa.JSON(), nullable=False),
        sa.Column("use_case", sa.String(length=200), nullable=False),
        sa.Column("replacing", sa.String(length=200), nullable=False),
        sa.Column(
            "role_level",
            sa.Enum(
                "executive",
                "manager",
                "lead",
                "practitioner",
                name="rolelevel",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("needed_by", sa.Date(), nullable=True),
        sa.Column("dropped", sa.JSON(), nullable=False),
        sa.Column("promise_hours", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hours_left", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_post_id", sa.Integer(), nullable=True),
        sa.Column("in_time", sa.Boolean(), nullable=False),
        sa.Column("doubted_post_id", sa.Integer(), nullable=True),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("connect_wanted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=10), nullable=False),
        sa.Column("summary_source", sa.Text(), nullable=False),
        sa.Column("summary_html", sa.Text(), nullable=False),
        sa.Column("summary_by_id", sa.Integer(), nullable=True),
        sa.Column("summary_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("mode = 'open' OR thread_id IS NULL", name=op.f("ck_asks_private_has_no_thread")),
        sa.ForeignKeyConstraint(
            ["asker_id"], ["members.id"], name=op.f("fk_asks_asker_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["summary_by_id"], ["members.id"], name=op.f("fk_asks_summary_by_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_asks_thread_id_threads"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asks")),
        sa.UniqueConstraint("thread_id", name=op.f("uq_asks_thread_id")),
    )
    with op.batch_alter_table("asks", schema=None) as batch_op:
        batch_op.create_index("ix_asks_asked", ["mode", "asked_at"], unique=False)
        batch_op.create_index("ix_asks_asker", ["asker_id", "id"], unique=False)

    op.create_table(
        "answer_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ask_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column(
            "via",
            sa.Enum("match", "colleague", name="via", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("fit", sa.Double(), nullable=False),
        sa.Column("same", sa.JSON(), nullable=False),
        sa.Column("differs", sa.JSON(), nullable=False),
        sa.Column("unknown", sa.JSON(), nullable=False),
        sa.Column("answered_alike", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deliver_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "pending",
                "answered",
                "talk",
                "not_now",
                "passed_on",
                "over",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["ask_id"], ["asks.id"], name=op.f("fk_answer_requests_ask_id_asks"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_answer_requests_member_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_requests")),
        sa.UniqueConstraint("ask_id", "member_id", name=op.f("uq_answer_requests_ask_id_member_id")),
    )
    with op.batch_alter_table("answer_requests", schema=None) as batch_op:
        batch_op.create_index("ix_answer_requests_member", ["member_id", "id"], unique=False)
        batch_op.create_index(
            "ix_answer_requests_waiting",
            ["deliver_at"],
            unique=False,
            sqlite_where=sa.text("sent_at IS NULL AND outcome = 'pending'"),
            postgresql_where=sa.text("sent_at IS NULL AND outcome = 'pending'"),
        )

    op.create_table(
        "ask_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ask_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fit", sa.Double(), nullable=False),
        sa.Column("same", sa.JSON(), nullable=False),
        sa.Column("differs", sa.JSON(), nullable=False),
        sa.Column("unknown", sa.JSON(), nullable=False),
        sa.Column("load", sa.Integer(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("chosen_as", sa.String(length=20), nullable=False),
        sa.Column("least", sa.Boolean(), nullable=False),
        sa.Column("fitting", sa.Integer(), nullable=True),
        sa.Column("relaxed", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "approached",
                "gone",
                name="proposalstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ask_id"], ["asks.id"], name=op.f("fk_ask_proposals_ask_id_asks"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_ask_proposals_by_id_members"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_ask_proposals_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ask_proposals")),
        sa.UniqueConstraint("ask_id", "member_id", name=op.f("uq_ask_proposals_ask_id_member_id")),
    )
    with op.batch_alter_table("ask_proposals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ask_proposals_member_id"), ["member_id"], unique=False)

    op.create_table(
        "ask_stages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ask_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "asked",
                "wave",
                "nobody",
                "vendor",
                "answered",
                "talk",
                "doubted",
                "taken_back",
                "due",
                "connect",
                "introduced",
                "settled",
                "summary",
                "gone",
                "back",
                name="stagekind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ask_id"], ["asks.id"], name=op.f("fk_ask_stages_ask_id_asks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ask_stages")),
        sa.UniqueConstraint("ask_id", "kind", "number", name=op.f("uq_ask_stages_ask_id_kind_number")),
    )
    with op.batch_alter_table("ask_stages", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ask_stages_planned",
            ["planned_at", "id"],
            unique=False,
            sqlite_where=sa.text("at IS NULL"),
            postgresql_where=sa.text("at IS NULL"),
        )

    op.create_table(
        "private_questions",
        sa.Column("ask_id", sa.Integer(), nullable=False),
        sa.Column("bound_to", sa.String(length=40), nullable=False),
        sa.Column("title_box", sa.Text(), nullable=False),
        sa.Column("body_box", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped_key", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["ask_id"], ["asks.id"], name=op.f("fk_private_questions_ask_id_asks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ask_id", name=op.f("pk_private_questions")),
        sa.UniqueConstraint("bound_to", name=op.f("uq_private_questions_bound_to")),
    )
    with op.batch_alter_table("private_questions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_private_questions_key_id"), ["key_id"], unique=False)

    op.create_table(
        "invites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "colleague", "guest", name="invitekind", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by_id", sa.Integer(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spoke", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_id"], ["members.id"], name=op.f("fk_invites_from_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["answer_requests.id"],
            name=op.f("fk_invites_request_id_answer_requests"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["used_by_id"], ["members.id"], name=op.f("fk_invites_used_by_id_members"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invites_token_hash")),
    )
    with op.batch_alter_table("invites", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invites_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_invites_from", ["from_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invites_used_by_id"), ["used_by_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("invites", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invites_used_by_id"))
        batch_op.drop_index("ix_invites_from")
        batch_op.drop_index(batch_op.f("ix_invites_expires_at"))

    op.drop_table("invites")
    with op.batch_alter_table("private_questions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_private_questions_key_id"))

    op.drop_table("private_questions")
    with op.batch_alter_table("ask_stages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_ask_stages_planned",
            sqlite_where=sa.text("at IS NULL"),
            postgresql_where=sa.text("at IS NULL"),
        )

    op.drop_table("ask_stages")
    with op.batch_alter_table("ask_proposals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ask_proposals_member_id"))

    op.drop_table("ask_proposals")
    with op.batch_alter_table("answer_requests", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_answer_requests_waiting",
            sqlite_where=sa.text("sent_at IS NULL AND outcome = 'pending'"),
            postgresql_where=sa.text("sent_at IS NULL AND outcome = 'pending'"),
        )
        batch_op.drop_index("ix_answer_requests_member")

    op.drop_table("answer_requests")
    with op.batch_alter_table("asks", schema=None) as batch_op:
        batch_op.drop_index("ix_asks_asker")
        batch_op.drop_index("ix_asks_asked")

    op.drop_table("asks")
    with op.batch_alter_table("kept_asks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_asks_created_at"))

    op.drop_table("kept_asks")
