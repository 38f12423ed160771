"""`portal conversations rekey` and `portal preserve`."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.conversations import services
from portal.conversations.commands import conversations, preserve
from portal.conversations.models import Message
from portal.conversations.queries import reading
from portal.conversations.services import messages
from portal.kernel import clock, preserving, vault
from portal.kernel.audit import AuditEntry
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState
from portal.members.services.erasing import erase_account, finish_postponed
from tests.conftest import make_customer, make_prospect, viewer_of
from tests.conversations.conftest import talking


@pytest.fixture
def two(app: Flask):
    with app.app_context():
        return make_prospect("Jonas"), make_customer("Ines", username="ines")


def test_rekey_with_the_key_in_its_file_keeps_every_word(app: Flask, two, settings):
    path = settings.conversation_key_path
    path.parent.mkdir(parents=True)
    path.write_text("the first key of this site, long enough")
    app.config["SETTINGS"] = in_file = replace(settings, key_is_in_file=True)
    vault.configure(lambda: in_file.conversation_keys)
    with app.app_context():
        conversation = talking(*two, "hello")
        first = vault.key_ids()[0]
    result = app.test_cli_runner().invoke(conversations, ["rekey", "--forget-old"])
    assert result.exit_code == 0, result.output
    assert path.stat().st_mode & 0o077 == 0
    with app.app_context():
        assert vault.key_ids() != [first]
        assert len(vault.key_ids()) == 1
        assert reading.page(viewer_of(two[0]), conversation.id).letters[0].source == "hello"
        assert not list(vault.problems())


def test_an_order_keeps_what_would_be_deleted_and_reads_nothing(app: Flask, two):
    runner = app.test_cli_runner()
    day = f"{clock.now() + timedelta(days=90):%Y-%m-%d}"
    assert runner.invoke(preserve, ["nobody", "--reason", "x", "--until", day]).exit_code == 1
    assert runner.invoke(preserve, ["ines", "--reason", "x", "--until", "soon"]).exit_code == 1
    done = runner.invoke(preserve, ["ines", "--reason", "Court 7, 12/26", "--until", day, "--silent"])
    assert done.exit_code == 0, done.output
    with app.app_context():
        assert db.session.execute(select(AuditEntry.action)).scalars().all() == ["preserve data"]
        assert preserving.how_many_in(365) == 1
        conversation = talking(*two, "keep this")
        message = reading.page(viewer_of(two[1]), conversation.id).letters[0]
        services.delete_message(viewer_of(two[1]), conversation.id, message.id)
        with unit_of_work():
            erase_account(two[1], keep_text=False)
        with clock.frozen(clock.now() + timedelta(days=60)):
            assert messages.forget_deleted() == 0
            assert finish_postponed() == 0
        assert db.session.get_one(Message, message.id).source_box
        assert db.session.get_one(Member, two[1]).name == "former member"
        with clock.frozen(clock.now() + timedelta(days=92)):
            assert messages.forget_deleted() == 1
            assert finish_postponed() == 1
        assert db.session.get_one(Member, two[1]).state is MemberState.ERASED
