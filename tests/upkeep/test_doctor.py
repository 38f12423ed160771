"""`portal doctor` names each problem in one line, and none where there is none."""

from dataclasses import replace

import pytest
from flask import Flask
from flask_migrate import stamp

from portal.kernel.db import Base, db
from portal.search import services as search
from portal.settings import Settings
from portal.upkeep.doctor import problems
from portal.wiring import MIGRATIONS
from tests.support.site import free_port

GOOD = {
    "SITE_ENV": "production",
    "PUBLIC_URL": "https://community.vendor.example",
    "VENDOR_DOMAINS": ("vendor.example",),
}


@pytest.fixture
def healthy(in_app: Flask) -> None:
    stamp()
    search.rebuild()


def found(settings: Settings, **changes: object) -> list[str]:
    return problems(replace(settings, **changes), str(MIGRATIONS))  # type: ignore[arg-type] # any setting


@pytest.mark.usefixtures("healthy")
def test_a_healthy_site_has_no_problem(settings: Settings, mail_server):  # type: ignore[no-untyped-def] # a fixture
    assert found(settings) == []
    assert found(settings, **GOOD, MAIL_URL=mail_server.url) == []


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY is shorter"),
        ({"PUBLIC_URL": "http://community.vendor.example"}, "PUBLIC_URL is http://"),
        ({"VENDOR_DOMAINS": ()}, "VENDOR_DOMAINS is empty"),
        ({"MAIL_URL": ""}, "MAIL_URL is not set"),
        ({"MAIL_URL": f"smtp://127.0.0.1:{free_port()}"}, "the mail server 127.0.0.1 does not answer"),
    ],
)
def test_each_problem_has_its_line(settings: Settings, mail_server, changes: dict[str, object], line: str):  # type: ignore[no-untyped-def] # a fixture
    lines = found(settings, **{**GOOD, "MAIL_URL": mail_server.url, **changes})
    assert len(lines) == 1, lines
    assert lines[0].startswith(line)


def test_a_database_without_tables_and_no_index(in_app: Flask, settings: Settings):
    Base.metadata.drop_all(db.engine)
    lines = found(settings)
    assert any("portal db upgrade" in line for line in lines)
    assert any("portal search rebuild" in line for line in lines)
