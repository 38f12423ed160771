"""Private conversations and legal orders to keep data."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation_blocks",
        sa.Column("blocker_id", sa.Integer(), nullable=False),
        sa.Column("blocked_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["blocked_id"],
            ["members.id"],
            name=op.f("fk_conversation_blocks_blocked_id_members"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["blocker_id"],
            ["members.id"],
            name=op.f("fk_conversation_blocks_blocker_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("blocker_id", "blocked_id", name=op.f("pk_conversation_blocks")),
    )
    with op.batch_alter_table("conversation_blocks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_blocks_blocked_id"), ["blocked_id"], unique=False)

    op.create_table(
        "conversations",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "open",
                "declined",
                "released",
                "withdrawn",
                "ended",
                name="conversationstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("asker_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("place_of_id", sa.Integer(), nullable=False),
        sa.Column("by_role", sa.Boolean(), nullable=False),
        sa.Column("note_box", sa.Text(), nullable=False),
        sa.Column("link_box", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed_minutes", sa.Integer(), nullable=True),
        sa.Column("messages_count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped_key", sa.String(length=160), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("asker_id <> member_id", name=op.f("ck_conversations_not_oneself")),
        sa.ForeignKeyConstraint(
            ["asker_id"], ["members.id"], name=op.f("fk_conversations_asker_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_conversations_member_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["place_of_id"],
            ["members.id"],
            name=op.f("fk_conversations_place_of_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.create_index("ix_conversations_approaches", ["asker_id", "origin", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversations_asker_id"), ["asker_id"], unique=False)
        batch_op.create_index("ix_conversations_due", ["state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversations_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversations_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversations_place_of_id"), ["place_of_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversations_requested_at"), ["requested_at"], unique=False)

    op.create_table(
        "postponed_erasures",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("keep_text", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_postponed_erasures_member_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_postponed_erasures")),
    )
    op.create_table(
        "preservations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_preservations_member_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preservations")),
    )
    with op.batch_alter_table("preservations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_preservations_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_preservations_until"), ["until"], unique=False)

    op.create_table(
        "conversation_messages",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("conversation_id", sa.String(length=24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "text",
                "times",
                "agreed",
                "joined",
                "left",
                name="messagekind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("source_box", sa.Text(), nullable=False),
        sa.Column("html_box", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["members.id"],
            name=op.f("fk_conversation_messages_author_id_members"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_messages_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_messages")),
        sa.UniqueConstraint(
            "conversation_id", "number", name=op.f("uq_conversation_messages_conversation_id_number")
        ),
    )
    with op.batch_alter_table("conversation_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_messages_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversation_messages_deleted_at"), ["deleted_at"], unique=False)

    op.create_table(
        "conversation_participants",
        sa.Column("conversation_id", sa.String(length=24), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column(
            "part",
            sa.Enum(
                "active",
                "proposed",
                "invited",
                "left",
                name="part",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("agreed_by", sa.JSON(), nullable=False),
        sa.Column("from_number", sa.Integer(), nullable=False),
        sa.Column("seen_number", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unread", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_participants_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_conversation_participants_member_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", "member_id", name=op.f("pk_conversation_participants")),
    )
    with op.batch_alter_table("conversation_participants", schema=None) as batch_op:
        batch_op.create_index("ix_conversation_participants_member", ["member_id", "part"], unique=False)

    op.create_table(
        "conversation_ratings",
        sa.Column("conversation_id", sa.String(length=24), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("useful", sa.Boolean(), nullable=True),
        sa.Column("honest", sa.Boolean(), nullable=True),
        sa.Column("again", sa.Boolean(), nullable=True),
        sa.Column(
            "decided",
            sa.Enum(
                "chose",
                "chose_other",
                "open",
                name="decided",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_conversation_ratings_by_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_ratings_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", "by_id", name=op.f("pk_conversation_ratings")),
    )
    op.create_table(
        "conversation_thanks",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("conversation_id", sa.String(length=24), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("text_box", sa.Text(), nullable=False),
        sa.Column("may_be_public", sa.Boolean(), nullable=False),
        sa.Column("public_text", sa.String(length=600), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_conversation_thanks_by_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_thanks_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["to_id"], ["members.id"], name=op.f("fk_conversation_thanks_to_id_members"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_thanks")),
        sa.UniqueConstraint(
            "conversation_id",
            "by_id",
            "to_id",
            name=op.f("uq_conversation_thanks_conversation_id_by_id_to_id"),
        ),
    )
    with op.batch_alter_table("conversation_thanks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_thanks_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversation_thanks_to_id"), ["to_id"], unique=False)

    op.create_table(
        "conversation_times",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("conversation_id", sa.String(length=24), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_conversation_times_by_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_times_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["conversation_messages.id"],
            name=op.f("fk_conversation_times_message_id_conversation_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_times")),
    )
    with op.batch_alter_table("conversation_times", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_times_by_id"), ["by_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_conversation_times_conversation_id"), ["conversation_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_conversation_times_message_id"), ["message_id"], unique=False)

    op.create_table(
        "conversation_reports",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("conversation_id", sa.String(length=24), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("reporter_id", sa.Integer(), nullable=False),
        sa.Column("about_id", sa.Integer(), nullable=False),
        sa.Column("peers_only", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nothing_done", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["about_id"],
            ["members.id"],
            name=op.f("fk_conversation_reports_about_id_members"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_conversation_reports_case_id_cases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_reports_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"],
            ["members.id"],
            name=op.f("fk_conversation_reports_reporter_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_reports")),
        sa.UniqueConstraint("case_id", name=op.f("uq_conversation_reports_case_id")),
    )
    with op.batch_alter_table("conversation_reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_reports_about_id"), ["about_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_conversation_reports_conversation_id"), ["conversation_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_conversation_reports_reporter_id"), ["reporter_id"], unique=False
        )

    op.create_table(
        "conversation_reported",
        sa.Column("report_id", sa.String(length=24), nullable=False),
        sa.Column("message_id", sa.String(length=24), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["members.id"], name=op.f("fk_conversation_reported_by_id_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["conversation_messages.id"],
            name=op.f("fk_conversation_reported_message_id_conversation_messages"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["conversation_reports.id"],
            name=op.f("fk_conversation_reported_report_id_conversation_reports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("report_id", "message_id", name=op.f("pk_conversation_reported")),
    )
    with op.batch_alter_table("conversation_reported", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversation_reported_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversation_reported_message_id"), ["message_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("conversation_reported", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversation_reported_message_id"))
        batch_op.drop_index(batch_op.f("ix_conversation_reported_by_id"))

    op.drop_table("conversation_reported")
    with op.batch_alter_table("conversation_reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversation_reports_reporter_id"))
        batch_op.drop_index(batch_op.f("ix_conversation_reports_conversation_id"))
        batch_op.drop_index(batch_op.f("ix_conversation_reports_about_id"))

    op.drop_table("conversation_reports")
    with op.batch_alter_table("conversation_times", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversation_times_message_id"))
        batch_op.drop_index(batch_op.f("ix_conversation_times_conversation_id"))
        batch_op.drop_index(batch_op.f("ix_conversation_times_by_id"))

    op.drop_table("conversation_times")
    with op.batch_alter_table("conversation_thanks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversation_thanks_to_id"))
        batch_op.drop_index(batch_op.f("ix_conversation_thanks_by_id"))

    op.drop_table("conversation_thanks")
    op.drop_table("conversation_ratings")
    with op.batch_alter_table("conversation_participants", schema=None) as batch_op:
        batch_op.drop_index("ix_conversation_participants_member")

    op.drop_table("conversation_participants")
    with op.batch_alter_table("conversation_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversation_messages_deleted_at"))
        batch_op.drop_index(batch_op.f("ix_conversation_messages_author_id"))

    op.drop_table("conversation_messages")
    with op.batch_alter_table("preservations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_preservations_until"))
        batch_op.drop_index(batch_op.f("ix_preservations_member_id"))

    op.drop_table("preservations")
    op.drop_table("postponed_erasures")
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversations_requested_at"))
        batch_op.drop_index(batch_op.f("ix_conversations_place_of_id"))
        batch_op.drop_index(batch_op.f("ix_conversations_member_id"))
        batch_op.drop_index(batch_op.f("ix_conversations_key_id"))
        batch_op.drop_index("ix_conversations_due")
        batch_op.drop_index(batch_op.f("ix_conversations_asker_id"))
        batch_op.drop_index("ix_conversations_approaches")

    op.drop_table("conversations")
    with op.batch_alter_table("conversation_blocks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversation_blocks_blocked_id"))

    op.drop_table("conversation_blocks")
