"""Imported communities: the running sums, the ledger and a rebuild from nothing say the same."""

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.advocacy.models import Counts, Entry, MemberScore
from portal.advocacy.queries.accounts import rows_by_receiver, values_at
from portal.advocacy.queries.weights import in_force
from portal.cli import main
from portal.kernel.db import db
from portal.members.models import Member
from tests.advocacy.scenes import by_sums, rebuilt
from tests.exchange.communities import run_import
from tests.support.data import real_data

pytestmark = [pytest.mark.data, pytest.mark.long]
LATER = {"docusign": datetime.fromisoformat("2015-08-01T00:00:00+00:00")}


def test_a_rebuild_from_nothing_gives_what_the_import_gave(
    app: Flask, at: Callable[[datetime], None]
) -> None:
    folder = real_data("docusign")
    result = run_import(
        app, "jsonl", folder / "posts.jsonl.gz", "--users", folder / "users.jsonl.gz", "--json"
    )
    assert result.exit_code == 0, result.output
    moment = LATER["docusign"]
    at(moment)
    with app.app_context():
        ids = list(db.session.execute(select(MemberScore.receiver_id)).scalars())
        assert len(ids) > 200
        kept = set(db.session.execute(select(Entry.counts).distinct()).scalars())
        assert kept == {Counts.THANKS, Counts.PARTICIPATION}
        first = by_sums(ids)
        ledger = dict.fromkeys(ids, 0.0)
        for receiver, rows in rows_by_receiver():
            ledger[receiver] = values_at(receiver, rows, [moment], in_force())[0].helpfulness
        assert ledger == pytest.approx(first, rel=1e-9, abs=1e-12)
        assert rebuilt(ids, from_nothing=True) == pytest.approx(first, rel=1e-9, abs=1e-12)
        day = (moment - timedelta(days=90)).date().isoformat()
        names = dict(db.session.execute(select(Member.external_id, Member.id)).tuples().all())
    printed = app.test_cli_runner().invoke(main, ["score", "export", "--at", day, moment.date().isoformat()])
    assert printed.exit_code == 0, printed.output
    rows = list(csv.DictReader(io.StringIO(printed.output[printed.output.index("origin") :])))
    assert {row["origin"] for row in rows} == {day, moment.date().isoformat()}
    told = {row["member"]: float(row["helpfulness"]) for row in rows if row["origin"] != day}
    assert {names[member]: score for member, score in told.items()} == pytest.approx(
        {one: score for one, score in first.items() if score > 0}, rel=1e-9, abs=1e-12
    )
