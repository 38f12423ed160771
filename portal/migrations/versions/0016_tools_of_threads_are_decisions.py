"""Tools of threads are decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MEASURES = "'none', 'hide', 'close', 'release', 'refuse', 'edit', 'move', 'split', 'merge'"

cases = sa.table("cases", sa.column("id"), sa.column("kind"), sa.column("appeals_case_id"))
decisions = sa.table("decisions", sa.column("case_id"))
appeals = sa.table("appeals", sa.column("case_id"))


def upgrade() -> None:
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_cases_casekind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_cases_casekind"),
            "kind IN ('flags', 'held', 'appeal', 'conversation', 'blocks', 'connect', 'tool')",
        )
    for table in ("decisions", "practice_answers"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(op.f(f"ck_{table}_postmeasure"), type_="check")
            batch_op.create_check_constraint(op.f(f"ck_{table}_postmeasure"), f"post_measure IN ({MEASURES})")


def downgrade() -> None:
    # The code before knows nothing of them; what they did to the threads stays. The wider checks do no harm.
    tool = cases.c.kind == "tool"
    of_tools = sa.select(cases.c.id).where(tool).scalar_subquery()
    again = cases.alias()
    answers = sa.select(again.c.id).where(again.c.appeals_case_id.in_(of_tools)).scalar_subquery()
    op.execute(sa.delete(appeals).where(appeals.c.case_id.in_(answers)))
    for which in (answers, of_tools):
        op.execute(sa.delete(decisions).where(decisions.c.case_id.in_(which)))
    op.execute(sa.delete(cases).where(cases.c.id.in_(answers)))
    op.execute(sa.delete(cases).where(tool))
