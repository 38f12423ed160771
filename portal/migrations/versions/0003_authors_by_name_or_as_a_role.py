"""Whether authors appear by name or as a role."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "author_shown_as",
                sa.Enum("name", "role", name="shownas", native_enum=False, create_constraint=True, length=24),
                server_default="name",
                nullable=False,
            )
        )

    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "author_shown_as",
                sa.Enum("name", "role", name="shownas", native_enum=False, create_constraint=True, length=24),
                server_default="name",
                nullable=False,
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_threads_shownas"), type_="check")
        batch_op.drop_column("author_shown_as")

    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_posts_shownas"), type_="check")
        batch_op.drop_column("author_shown_as")
