"""What one missed: made once a period, only when there is something, and never of what may not be read."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from portal.discussions import digest
from portal.discussions.models import Audience, ThreadKind
from portal.discussions.services import removal
from portal.discussions.services.posting import open_thread
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.notifications.models import Digest
from portal.notifications.services import mailing, preferences
from tests.conftest import make_board, make_customer, make_prospect, noon, viewer_of
from tests.notifications.test_telling import Kept, sender

MONDAY = noon("2026-03-02")


@pytest.fixture
def reader(in_app: Flask, at: Callable[[datetime], None]) -> Viewer:
    at(MONDAY - timedelta(days=3))
    return viewer_of(make_customer("Dana", time_zone="Europe/Warsaw"))


@pytest.fixture
def author(reader: Viewer, at: Callable[[datetime], None]) -> Viewer:
    at(MONDAY - timedelta(days=1))
    member = make_customer("Ines")
    preferences.choose_digest(member, Digest.OFF)
    return viewer_of(member)


def write(author: Viewer, title: str, audience: Audience = Audience.PUBLIC) -> int:
    return (
        open_thread(
            author, make_board(audience=audience), kind=ThreadKind.DISCUSSION, title=title, body="Some words."
        ).last_post_id
        or 0
    )


def test_one_mail_on_monday_with_what_was_not_read(
    reader: Viewer, author: Viewer, at: Callable[[datetime], None]
) -> None:
    write(author, "Lanes in practice")
    write(author, "Breakers in practice")
    at(MONDAY)
    assert digest.make_due() == 1
    assert digest.make_due() == 0
    kept = Kept()
    assert mailing.send_due(sender(kept)) == 1
    text = kept.messages[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Lanes in practice" in text
    assert "Breakers in practice" in text
    assert kept.messages[0]["Subject"] == "2 threads you have not read"
    at(MONDAY + timedelta(days=1))
    assert digest.make_due() == 0


def test_nothing_new_is_no_mail(reader: Viewer, at: Callable[[datetime], None]) -> None:
    at(MONDAY)
    assert digest.make_due() == 0


def test_a_post_hidden_meanwhile_is_left_out(
    reader: Viewer, author: Viewer, at: Callable[[datetime], None]
) -> None:
    opening = write(author, "Lanes in practice")
    at(MONDAY)
    assert digest.make_due() == 1
    removal.hide_post(opening, rule="4", reason="names", case_id=1, by_id=1)
    kept = Kept()
    assert mailing.send_due(sender(kept)) == 0
    assert kept.messages == []


def test_boards_out_of_sight_are_left_out(author: Viewer, at: Callable[[datetime], None]) -> None:
    prospect = viewer_of(make_prospect())
    write(author, "Among customers", Audience.CUSTOMERS)
    assert digest.items_for(prospect, MONDAY - timedelta(days=30)) == []
    assert len(digest.items_for(viewer_of(make_customer()), MONDAY - timedelta(days=30))) == 1


def test_a_clock_that_jumps_makes_no_second_one(
    reader: Viewer, author: Viewer, at: Callable[[datetime], None]
) -> None:
    preferences.choose_digest(reader.member_id or 0, Digest.DAILY)
    write(author, "Lanes in practice")
    at(MONDAY)
    assert digest.make_due() == 1
    for jump in (timedelta(hours=-1), timedelta(hours=3), timedelta(hours=-5)):
        at(MONDAY + jump)
        assert digest.make_due() == 0
    db.session.rollback()
    at(MONDAY + timedelta(days=1))
    write(author, "Breakers in practice")
    assert digest.make_due() == 1


def test_off_is_off_also_by_the_link_in_the_mail(
    reader: Viewer, author: Viewer, at: Callable[[datetime], None]
) -> None:
    write(author, "Lanes in practice")
    preferences.unsubscribe(reader.member_id or 0, preferences.DIGEST)
    at(MONDAY)
    assert digest.make_due() == 0
