"""How PostgreSQL plans what is asked again and again."""

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.kernel.db import db
from portal.members.models import Member, MemberState


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_statement_is_planned_for_its_values_however_often_it_runs(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()  # what tests before it prepared is counted too
        _run_it_often()


def _run_it_often() -> None:
    for _time in range(15):
        db.session.execute(select(Member.id).where(Member.state != MemberState.ERASED)).all()
    plans = db.session.execute(
        text(
            "SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements"
            " WHERE statement LIKE :it"
        ),
        {"it": "%FROM members%"},
    ).one()
    assert plans[0] >= 5, "it is prepared"
    assert plans[1] == 0
