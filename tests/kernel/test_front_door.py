"""The front door hands out what the application would have answered, and nothing else."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.models import Thread
from portal.discussions.reading_state import flush, reset
from portal.discussions.services import removal
from portal.kernel.db import db
from tests.conftest import make_board, make_customer, make_moderator, noon
from tests.discussions.factories import make_post, make_thread, opening_of
from tests.support.statements import Statements

Count = Callable[[], AbstractContextManager[Statements]]


@pytest.fixture
def thread(app: Flask) -> tuple[int, str]:
    with app.app_context():
        made = make_thread(make_customer("Ines"), make_board("Integrations", slug="b"), "Sync stops at noon")
        return made.id, f"/threads/{made.id}/{made.slug}"


@pytest.fixture
def asked(app: Flask) -> list[str]:
    """The paths that reached the application itself."""
    seen: list[str] = []
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: seen.append(request.path))
    return seen


def test_the_second_visitor_is_answered_at_the_door(
    client: FlaskClient, thread: tuple[int, str], asked: list[str], statements: Count
) -> None:
    for path in (thread[1], "/boards/b", "/"):
        first = client.get(path)
        asked.clear()
        with statements() as seen:
            second = client.get(path)
            known = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert asked == []
        assert len(seen) == 2
        assert second.data == first.data
        of_both = {"X-Request-Id"}
        assert {name: value for name, value in second.headers if name not in of_both} == {
            name: value for name, value in first.headers if name not in of_both
        }
        assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]
        assert (known.status_code, known.data) == (304, b"")
        assert known.headers["ETag"] == first.headers["ETag"]
        assert known.headers["Content-Security-Policy"]


def test_what_changed_or_went_is_asked_for_anew(
    app: Flask, client: FlaskClient, thread: tuple[int, str], asked: list[str]
) -> None:
    def page() -> tuple[int, str]:
        asked.clear()
        answer = client.get(thread[1])
        return answer.status_code, answer.text

    page()
    with app.app_context():
        make_post(make_customer(), thread[0], "Restart the queue first.")
    assert "Restart the queue first." in page()[1]
    assert asked
    page()
    assert not asked
    with app.app_context():
        opening = opening_of(thread[0]).id
        removal.hide_post(opening, rule="Rule 1", reason="Spam.", case_id=1, by_id=make_moderator())
    assert "Sync stops at noon" not in page()[1]
    assert asked


def test_time_alone_changes_a_page(
    client: FlaskClient, thread: tuple[int, str], asked: list[str], at: Callable[..., None]
) -> None:
    at(noon())
    client.get("/boards/b")
    at(noon() + timedelta(seconds=59))
    client.get("/boards/b")
    assert len(asked) == 1
    at(noon() + timedelta(seconds=61))
    client.get("/boards/b")
    assert len(asked) == 2


def test_members_other_methods_and_odd_queries_are_not_answered_at_the_door(
    app: Flask, client: FlaskClient, thread: tuple[int, str], asked: list[str]
) -> None:
    path = thread[1]
    client.get(path)
    asked.clear()
    with_cookie = app.test_client()
    with_cookie.set_cookie(app.config["SESSION_COOKIE_NAME"], "rubbish")
    assert with_cookie.get(path).headers["Cache-Control"] == "no-store"
    assert client.get(path, headers={"Authorization": "Basic eDp5"}).headers["Cache-Control"] == "no-store"
    assert client.head(path).data == b""
    assert client.post(path).status_code in (401, 405)
    client.get(f"{path}?utm=1")
    client.get(f"{path}?utm=1")
    assert len(asked) == 6


def test_a_board_that_is_not_public_never_lies_at_the_door(
    app: Flask, sign_in: Callable[[int], FlaskClient], client: FlaskClient
) -> None:
    with app.app_context():
        member = make_customer()
        make_thread(member, make_board(slug="inside", audience="customers"), "Only for customers")
    assert "Only for customers" in sign_in(member).get("/boards/inside").text
    for _ in range(2):
        assert client.get("/boards/inside").status_code == 404


def test_views_are_counted_at_the_door_too(app: Flask, client: FlaskClient, thread: tuple[int, str]) -> None:
    reset()
    for _ in range(3):
        client.get(thread[1])
    with app.app_context():
        flush()
        assert db.session.execute(select(Thread.views_count)).scalar_one() == 3
