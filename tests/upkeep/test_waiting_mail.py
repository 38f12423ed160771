"""Mails that were waiting when a backup was made: a restore sends none twice and loses none."""

import os
from pathlib import Path

import pytest
from click import Command
from flask import Flask
from flask_migrate import stamp

from portal.kernel.db import db
from portal.notifications import commands as mail_commands
from portal.notifications import queries
from portal.notifications.models import Mail
from portal.notifications.services import mailing
from portal.settings import Settings
from portal.upkeep import commands
from portal.wiring import MIGRATIONS
from tests.conftest import make_customer
from tests.support.postgres import TOOLS


@pytest.fixture(autouse=True)
def _postgres_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    if TOOLS is not None:
        monkeypatch.setenv("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")


class Box:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def send(self, message: object) -> None:
        self.ids.append(str(message["Message-ID"]))  # type: ignore[index] # a message has headers


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def sender(box: Box) -> mailing.Sender:
    return mailing.Sender("https://flow.example", "flow@flow.example", "a secret", box)


@pytest.fixture
def archive(in_app: Flask, tmp_path: Path) -> Path:
    """A backup with one mail that waits; the site has the schema of the migrations."""
    stamp(directory=str(MIGRATIONS))
    make_customer("Ines")
    mailing.queue_account_mail("ines@castellan.example", subject="Confirm your address", paragraphs=["Here."])
    path = tmp_path / "site.tar.gz"
    run(in_app, commands.backup, path)
    return path


def run(app: Flask, command: Command, *words: object, code: int = 0) -> str:
    db.session.rollback()
    with app.app_context():
        done = app.test_cli_runner().invoke(command, [str(word) for word in words])
    assert done.exit_code == code, f"{done.output}\n{done.exception}"
    return done.output


def restore(app: Flask, archive: Path, *options: str) -> str:
    db.session.remove()
    db.engine.dispose()
    return run(app, commands.restore, archive, "--replace", *options)


def test_what_went_out_after_the_backup_does_not_go_twice(
    in_app: Flask, settings: Settings, archive: Path, box: Box, sender: mailing.Sender
) -> None:
    assert mailing.send_due(sender) == 1
    assert "1 mails that were waiting are held" in restore(in_app, archive)
    assert mailing.send_due(sender) == 0
    assert queries.mail_counts() == queries.MailCounts(waiting=0, failed=1)
    listed = run(in_app, mail_commands.list_mails)
    assert "0 waiting, 1 given up or held" in listed
    assert "ines@castellan.example  Confirm your address: held" in listed


def test_what_is_held_can_be_sent_and_is_the_same_mail(
    in_app: Flask, archive: Path, box: Box, sender: mailing.Sender
) -> None:
    mailing.send_due(sender)
    restore(in_app, archive)
    run(in_app, mail_commands.send, code=1)
    assert "1 mails wait" in run(in_app, mail_commands.send, "--held")
    assert mailing.send_due(sender) == 1
    assert len(box.ids) == 2
    assert len(set(box.ids)) == 1, "whoever has the first can tell that the second is the same"
    assert run(in_app, mail_commands.send, db.session.scalar(db.select(Mail.id))).startswith("0 mails")


def test_after_a_planned_move_it_is_sent(
    in_app: Flask, archive: Path, box: Box, sender: mailing.Sender
) -> None:
    assert "held" not in restore(in_app, archive, "--send-mail")
    assert mailing.send_due(sender) == 1
    assert len(box.ids) == 1
