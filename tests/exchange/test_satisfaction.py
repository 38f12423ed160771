"""`portal import satisfaction`: line by line, nothing twice, nothing of who is no customer."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cli import main
from portal.kernel.audit import AuditEntry
from portal.kernel.db import db
from portal.members.models import CompanyKind
from portal.relations.models import Satisfaction
from tests.conftest import make_company, noon

HEAD = "company,measure,value,sample,surveyed_on,source\n"
GOOD = "Acme Foods,csat,91,13,2026-02-01,Winter survey\nbolt.example,NPS,−25,4,2026-01-05,By phone\n"


@pytest.fixture
def run(app: Flask, tmp_path: Path, at: Callable[[datetime], None]) -> Callable[..., tuple[int, str]]:
    at(noon())
    with app.app_context():
        make_company("Acme Foods", domain="acme.example")
        make_company("Bolt", domain="bolt.example")
        make_company("Hidden Prospect", kind=CompanyKind.PROSPECT, domain="hidden.example")

    def runs(text: str, *options: str) -> tuple[int, str]:
        file = tmp_path / "surveys.csv"
        file.write_text(text, encoding="utf-8")
        result = app.test_cli_runner().invoke(main, ["import", "satisfaction", str(file), *options])
        return result.exit_code, result.output

    return runs


def entered(app: Flask) -> list[tuple[str, int, int]]:
    with app.app_context():
        rows = db.session.scalars(select(Satisfaction).order_by(Satisfaction.id)).all()
        return [(row.measure.value, row.value, row.sample) for row in rows]


def test_good_lines_are_entered_once_and_corrected_when_they_differ(app: Flask, run):
    assert "line 2: Acme Foods, csat 91 of 2026-02-01: entered" in run(HEAD + GOOD, "--dry-run")[1]
    assert entered(app) == []
    assert run(HEAD + GOOD)[0] == 0
    assert entered(app) == [("csat", 91, 13), ("nps", -25, 4)]
    code, output = run(HEAD + GOOD, "--json")
    assert (code, json.loads(output)["made"]) == (0, {})
    assert [line["result"].split(": ")[1] for line in json.loads(output)["lines"]] == ["here already"] * 2
    assert run(HEAD + GOOD.replace("91,13", "89,14"))[0] == 0
    assert entered(app) == [("csat", 89, 14), ("nps", -25, 4)]
    with app.app_context():
        actions = db.session.scalars(select(AuditEntry.action)).all()
    assert actions.count("record satisfaction") == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Hidden Prospect,csat,91,13,2026-02-01,x", "no customer is called"),
        ("hidden.example,csat,91,13,2026-02-01,x", "no customer is called"),
        ("Acme Foods,smile,91,13,2026-02-01,x", "measure has to be one of csat, nps"),
        ("Acme Foods,csat,many,13,2026-02-01,x", "value has to be a whole number"),
        ("Acme Foods,csat,191,13,2026-02-01,x", "CSAT is a percentage"),
        ("Acme Foods,csat,91,0,2026-02-01,x", "at least one"),
        ("Acme Foods,csat,91,13,1.2.2026,x", "surveyed_on has to be a day"),
        ("Acme Foods,csat,91,13,2026-03-03,x", "of the future"),
        ("Acme Foods,csat,91,13,2026-02-01,", "no source"),
    ],
)
def test_a_bad_line_stops_all_of_it_unless_it_is_skipped(app: Flask, run, line: str, said: str):
    code, output = run(HEAD + GOOD + line + "\n")
    assert code == 1
    assert said in output
    assert entered(app) == []
    assert run(HEAD + GOOD + line + "\n", "--skip-bad")[0] == 1
    assert len(entered(app)) == 2


def test_what_is_no_such_table_is_said(run):
    code, output = run("company,measure\nAcme Foods,csat\n")
    assert code == 1
    assert "the first line has to name the columns" in output
