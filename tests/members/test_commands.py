"""Accounts and a new site from the command line."""

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.kernel.db import db
from portal.members.commands import member
from portal.members.models import Member
from portal.settings import load
from portal.upkeep import setup
from tests.conftest import make_customer

VENDOR = "ruth@northwind.example"


def stored(app: Flask, email: str) -> Member:
    with app.app_context():
        return db.session.execute(select(Member).where(Member.email == email)).scalar_one()


def test_an_account_with_a_duty_and_a_password(app: Flask) -> None:
    runner = app.test_cli_runner()
    create = [
        "create",
        "--email",
        VENDOR,
        "--name",
        "Ruth Adeyemi",
        "--role",
        "moderator",
        "--password-stdin",
    ]
    made = runner.invoke(member, create, input="a long enough pass phrase\n")
    assert made.exit_code == 0, made.output
    assert stored(app, VENDOR).duties == ["moderator"]
    again = runner.invoke(member, create, input="a long enough pass phrase\n")
    assert again.exit_code == 1
    assert "has an account already" in again.output
    browser = app.test_client()
    page = browser.get("/login").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    fields = {"email": VENDOR, "password": "a long enough pass phrase", "csrf_token": token[1]}
    assert browser.post("/login", data=fields).status_code == 303


def test_without_a_password_a_link_sets_one(app: Flask) -> None:
    made = app.test_cli_runner().invoke(member, ["create", "--email", VENDOR, "--name", "Ruth Adeyemi"])
    link = re.search(r"http://localhost:8000(/\S+)", made.output)
    assert link is not None, made.output
    assert app.test_client().get(link[1]).status_code == 200


@pytest.mark.parametrize("duty", ["sales", "admin"])
def test_duties_that_do_not_go_together_are_refused(app: Flask, duty: str) -> None:
    runner = app.test_cli_runner()
    first = "moderator" if duty == "sales" else "service"
    runner.invoke(member, ["create", "--email", VENDOR, "--name", "Ruth Adeyemi", "--role", first])
    refused = runner.invoke(member, ["grant", VENDOR, duty])
    assert refused.exit_code == 1
    assert stored(app, VENDOR).duties == [first]


def test_a_customer_cannot_be_given_the_vendors_duties(app: Flask) -> None:
    with app.app_context():
        make_customer(email="ines@castellan.example")
    refused = app.test_cli_runner().invoke(member, ["grant", "ines@castellan.example", "admin"])
    assert refused.exit_code == 1
    unknown = app.test_cli_runner().invoke(member, ["grant", "nobody@castellan.example", "admin"])
    assert "Nobody has the address" in unknown.output


ANSWERS = {
    "site_name": "Northwind Flow",
    "public_url": "https://community.northwind.example",
    "vendor_domains": "northwind.example",
    "mail_url": "",
    "admin_email": VENDOR,
}


def test_a_new_sites_settings_are_written_for_the_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "portal.env").write_text("METRICS_FROM=10.0.0.1\nSITE_NAME=Old\n")
    setup.write_settings(tmp_path, ANSWERS)
    assert (tmp_path / "portal.env").stat().st_mode & 0o777 == 0o600
    found = load({"INSTANCE_PATH": str(tmp_path)})
    assert (found.SITE_NAME, found.SITE_ENV) == ("Northwind Flow", "production")
    assert found.METRICS_FROM == ("10.0.0.1",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"admin_email": "ruth@elsewhere.example"}, "must be on a domain of the vendor"),
        ({"site_name": "A\nSECRET_KEY=x"}, "must be one line"),
    ],
)
def test_what_cannot_be_set_up_is_said_and_nothing_written(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    with pytest.raises(setup.SetupError, match=said):
        setup.write_settings(tmp_path, {**ANSWERS, **change})
    assert not (tmp_path / "portal.env").exists()


def test_the_first_admin_gets_a_link(app: Flask) -> None:
    with app.app_context():
        path = setup.first_admin(VENDOR, "Ruth Adeyemi")
    assert stored(app, VENDOR).duties == ["admin"]
    assert app.test_client().get(path).status_code == 200
