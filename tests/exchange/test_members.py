"""Members as CSV: whole or not at all, twice the same as once, nobody mailed unasked, no cell that runs."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal import create_app
from portal.exchange.members import COLUMNS
from portal.kernel import audit
from portal.kernel.access import Status
from portal.kernel.db import Base, db
from portal.members.models import Company, CompanyKind, Member, VerifiedBy
from portal.members.services.signing_in import member_by_password
from portal.settings import Settings
from tests.conftest import make_company, make_customer, make_member, make_prospect
from tests.exchange.communities import all_rows, report_of, run_export, run_import
from tests.support.people import PASSWORD, mail_to, path_in, sent_mails, submit

PEOPLE = """Email,Name,Status,Company,Company_domains,Title,Country,Shoe size
ines@castellan.example,Ines Okafor,customer,Castellan Freight,castellan.example,Head of IT,DE,38
tomasz@castellan.example,Tomasz Wiśniewski,customer,castellan freight,,,pl,
lea@free.example,"Lea ""Lee"" Marchetti",,Halden Foods,,,,
ruth@northwind.example,Ruth Adeyemi,vendor,,,,,
"""


@pytest.fixture
def empty_site(settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    folder = tmp_path / "empty"
    folder.mkdir()
    address = f"sqlite:///{folder / 'portal.sqlite'}"
    app = create_app(replace(settings, INSTANCE_PATH=folder, DATABASE_URL=address))
    with app.app_context():
        Base.metadata.create_all(db.engine)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="utf-8")
    return path


def member(email: str) -> Member:
    db.session.rollback()
    return db.session.execute(select(Member).where(Member.email == email)).scalar_one()


def company_of(who: Member) -> str:
    return db.session.get_one(Company, who.company_id).name if who.company_id else ""


def test_a_dry_run_says_what_would_become_of_each_line(in_app: Flask, people: Path):
    before = all_rows(in_app)
    done = run_import(in_app, "members", people, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "line 2: customer of Castellan Freight" in done.output
    assert "line 4: prospect" in done.output
    assert "nothing was written" in done.output
    assert all_rows(in_app) == before


def test_people_and_companies_are_made_once_and_nobody_is_mailed(in_app: Flask, people: Path):
    done = run_import(in_app, "members", people, "--json")
    assert done.exit_code == 0, done.output
    report = report_of(done)
    assert (report["read"], report["made"]) == ({"rows": 4}, {"members": 4, "companies": 1})
    assert report["ignored"] == {"column shoe size": 1}
    assert sent_mails(in_app) == []

    ines, tomasz, lea = (
        member(f"{name}.example") for name in ("ines@castellan", "tomasz@castellan", "lea@free")
    )
    assert (ines.status, ines.verified_by, ines.title) == (
        Status.CUSTOMER,
        VerifiedBy.MODERATOR,
        "Head of IT",
    )
    assert ines.company_id == tomasz.company_id
    assert (tomasz.region, company_of(tomasz)) == ("PL", "Castellan Freight")
    # No status: the company is what somebody says of themselves.
    assert (lea.status, lea.company_id, lea.company_claim) == (Status.PROSPECT, None, "Halden Foods")
    assert member("ruth@northwind.example").status is Status.VENDOR
    assert all(who.email_confirmed_at is None for who in (ines, tomasz, lea))
    company = db.session.get_one(Company, ines.company_id)
    assert (company.kind, company.members_count) == (CompanyKind.CUSTOMER, 2)
    assert audit.verify().problems == []

    once = all_rows(in_app)
    again = report_of(run_import(in_app, "members", people, "--json"))
    assert (again["made"], again["skipped"]) == ({}, [])
    assert all_rows(in_app) == once


def test_an_invitation_is_mailed_once_and_opens_the_account(in_app: Flask, people: Path):
    run_import(in_app, "members", people)
    assert report_of(run_import(in_app, "members", people, "--invite", "--json"))["made"] == {
        "invitations": 4
    }
    assert report_of(run_import(in_app, "members", people, "--invite", "--json"))["made"] == {}
    assert len(sent_mails(in_app)) == 4
    link = path_in(mail_to(in_app, "ines@castellan.example"), "/password/")
    set_password = submit(in_app.test_client(), link, {"password": PASSWORD, "again": PASSWORD})
    assert set_password.status_code == 303, set_password.text
    ines = member("ines@castellan.example")
    assert (ines.status, ines.verified_by) == (Status.CUSTOMER, VerifiedBy.MAIL)
    assert member_by_password("ines@castellan.example", PASSWORD) == ines.id


BAD = {
    "no-address,Ines Okafor,,": "whole mail address",
    ",Ines Okafor,,": "no mail address",
    "a@b.example,x,,": "2 to 80 characters",
    "a@b.example,Click www.evil.example,,": "cannot contain an address",
    "a@b.example,Ann Bell,king,": "status has to be one of",
    "a@b.example,Ann Bell,customer,": "would be prospect, not customer: no company is given",
    "a@northwind.example,Ann Bell,customer,Castellan Freight": "on a domain of the vendor",
    "a@b.example,Ann Bell,vendor,": "on no domain of the vendor",
    "a@b.example,Ann Bell,customer,Prospect Ltd": "would be prospect, not customer",
    "INES@castellan.example,Ines Twice,,": "the same address as in line 2",
}


@pytest.mark.parametrize(("row", "reason"), BAD.items())
def test_one_bad_line_stops_all_of_it_or_is_left_out(in_app: Flask, tmp_path: Path, row: str, reason: str):
    make_company("Prospect Ltd", kind=CompanyKind.PROSPECT)
    path = tmp_path / "people.csv"
    path.write_text(f"email,name,status,company\nines@castellan.example,Ines Okafor,,\n{row}\n")
    before = all_rows(in_app)
    done = run_import(in_app, "members", path, "--json")
    assert done.exit_code == 1
    report = report_of(done)
    assert [(bad["file"], bad["line"]) for bad in report["skipped"]] == [("people.csv", 3)]
    assert reason in report["skipped"][0]["reason"]
    assert all_rows(in_app) == before

    done = run_import(in_app, "members", path, "--skip-bad", "--json")
    assert done.exit_code == 1
    assert report_of(done)["made"] == {"members": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name\nInes\n", "line 1: the first line has to name the columns"),
        (b"email,name,email\n", "the column email is there twice"),
        (b"email,name\na@b.example,Ann,more\n", "line 2: 3 cells, but 2 columns"),
        (b"email,name\na@b.example,\xff\n", "not UTF-8"),
        (b'email,name\na@b.example,"Ann\n', "line 2"),
        (b"", "line 1"),
    ],
)
def test_a_file_that_is_no_table_is_refused_whole(app: Flask, tmp_path: Path, content: bytes, said: str):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    done = run_import(app, "members", path)
    assert done.exit_code == 1
    assert said in done.output
    assert run_import(app, "members", tmp_path / "nowhere.csv").exit_code == 1


def test_semicolons_and_lines_within_cells(app: Flask, tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text('name;email\n"Ines\nOkafor";ines@castellan.example\nX;nowhere\n', encoding="utf-8-sig")
    report = report_of(run_import(app, "members", path, "--skip-bad", "--json"))
    assert report["made"] == {"members": 1}
    assert report["skipped"][0]["line"] == 4
    with app.app_context():
        assert member("ines@castellan.example").name == "Ines Okafor"


def test_who_is_here_already_is_left_as_they_are(in_app: Flask, people: Path):
    make_prospect("Ines O.", email="ines@castellan.example")
    done = run_import(in_app, "members", people, "--json")
    assert done.exit_code == 0
    [note] = report_of(done)["skipped"]
    assert (note["line"], note["reason"]) == (2, "left as it is: is prospect here, the list says customer")
    assert member("ines@castellan.example").name == "Ines O."


RUNNING = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "'=1", "''", "'t Hooft"]


@pytest.fixture
def community(in_app: Flask) -> None:
    company = make_company("=Castellan Freight", domain="castellan.example")
    make_customer(
        "Ines Okafor", email="ines@castellan.example", company_id=company, languages=["de", "en"],
        region="DE", time_zone="Europe/Berlin", password_hash="$argon2id$secret",
    )  # fmt: skip
    for number, words in enumerate(RUNNING):
        make_prospect(email=f"p{number}@free.example", title=words, company_claim=words, confirmed=False)
    make_member(
        "Left",
        status=Status.FORMER,
        email="left@free.example",
        company_id=make_company(kind=CompanyKind.FORMER),
    )
    make_member("Imported", email=None, confirmed=False)


def rows_of(text: str) -> dict[str, dict[str, str]]:
    return {row["email"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.usefixtures("community")
def test_an_export_has_no_cell_that_a_spreadsheet_runs_and_no_secret(in_app: Flask, tmp_path: Path):
    path = tmp_path / "members.csv"
    done = run_export(in_app, "members", path, "--json")
    assert report_of(done)["made"] == {"members": len(RUNNING) + 2}
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text(encoding="utf-8")
    assert "argon2" not in text
    found = list(csv.reader(io.StringIO(text)))
    assert tuple(found[0]) == COLUMNS
    assert [cell for row in found for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert run_export(in_app, "members").stdout.replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert rows_of(text)["p6@free.example"]["title"] == "'t Hooft"


@pytest.mark.usefixtures("community")
def test_what_is_exported_comes_in_the_same_elsewhere(in_app: Flask, tmp_path: Path, empty_site: Flask):
    path = tmp_path / "members.csv"
    run_export(in_app, "members", path)
    done = run_import(empty_site, "members", path, "--json")
    assert done.exit_code == 0, done.output
    assert report_of(done)["skipped"] == []
    back = tmp_path / "back.csv"
    run_export(empty_site, "members", back)
    assert rows_of(back.read_text("utf-8")) == rows_of(path.read_text("utf-8"))
    with empty_site.app_context():
        assert member("ines@castellan.example").verified_by is VerifiedBy.MAIL
