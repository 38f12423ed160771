"""`portal doctor` names each problem in one line, and none where there is none."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask_migrate import stamp

from portal.kernel import clock, heartbeat, vault
from portal.kernel.db import Base, db
from portal.search import services as search
from portal.settings import Settings
from portal.upkeep import erasures
from portal.upkeep.commands import doctor
from portal.upkeep.doctor import problems
from portal.wiring import MIGRATIONS
from tests.conftest import make_customer, make_prospect
from tests.conversations.conftest import talking
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
    heartbeat.beat("worker")


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
        ({"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}, "Redis does not answer"),
        ({"MAIL_URL": f"smtp://127.0.0.1:{free_port()}"}, "the mail server 127.0.0.1 does not answer"),
    ],
)
def test_each_problem_has_its_line(settings: Settings, mail_server, changes: dict[str, object], line: str):  # type: ignore[no-untyped-def] # a fixture
    lines = found(settings, **{**GOOD, "MAIL_URL": mail_server.url, **changes})
    assert len(lines) == 1, lines
    assert lines[0].startswith(line)


@pytest.mark.usefixtures("healthy")
def test_a_silent_worker_and_a_damaged_list_of_erasures_have_their_lines(settings: Settings, mail_server):  # type: ignore[no-untyped-def] # a fixture
    (settings.INSTANCE_PATH / erasures.FILE).write_text("nothing of the kind\n")
    with clock.frozen(clock.now() + timedelta(minutes=10)):
        lines = found(settings, **GOOD, MAIL_URL=mail_server.url)
    # Where there is a server, its clock did not stand still with ours.
    lines = [line for line in lines if not line.startswith("this machine's clock")]
    assert [line.split(",")[0] for line in lines] == [
        "the worker was not seen in the last three minutes: no mail",
        "the list of erasures cannot be read",
    ]


@pytest.mark.usefixtures("healthy")
def test_a_lost_key_of_conversations_has_its_line_and_the_command_fails(app: Flask, settings: Settings):
    talking(make_prospect(), make_customer(), "hello")
    db.session.rollback()
    vault.configure(lambda: "a key that was never the one of this site")
    try:
        [line] = found(settings)
        assert "CONVERSATION_KEY" in line
        assert "which is not there" in line
        result = app.test_cli_runner().invoke(doctor)
        assert result.exit_code == 1
        assert line in result.output
    finally:
        vault.configure(lambda: settings.conversation_keys)


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(("seconds", "said"), [(90, "90 s ahead of"), (-90, "90 s behind"), (5, "")])
def test_a_clock_that_differs_from_the_databases_has_its_line(
    settings: Settings, seconds: int, said: str
) -> None:
    clock.shift(timedelta(seconds=seconds))
    try:
        lines = [line for line in found(settings) if "clock" in line]
    finally:
        clock.shift(timedelta(0))
    if settings.is_sqlite or not said:
        assert lines == []
    else:
        assert said in lines[0]


def test_a_database_without_tables_and_no_index(in_app: Flask, settings: Settings):
    Base.metadata.drop_all(db.engine)
    lines = found(settings)
    assert any("portal db upgrade" in line for line in lines)
    assert any("portal search rebuild" in line for line in lines)
