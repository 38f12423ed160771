"""The page of community health: what it says in words, its tables as files, and what it costs."""

import csv
import io
from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from tests.conftest import make_board, make_customer, make_moderator, viewer_of
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]


def talk(board: int, by_staff: int = 0, by_customer: int = 0) -> None:
    asker, helper, staff = (viewer_of(one) for one in (make_customer(), make_customer(), make_moderator()))
    for number in range(by_staff + by_customer):
        thread = open_thread(asker, board, kind=ThreadKind.QUESTION, title=f"Question {number}", body="Why?")
        post_reply(staff if number < by_staff else helper, thread.id, f"Because of {number}.")


def test_an_empty_community_says_so(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        moderator = make_moderator()
    assert "Nothing has been asked in this time" in sign_in(moderator).get("/console/health").text


def test_where_staff_write_most_answers_it_says_so_and_what_to_do(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        board, moderator = make_board(slug="integrations"), make_moderator()
        talk(board, by_staff=3, by_customer=1)
    browser = sign_in(moderator)
    page = browser.get("/console/health").text
    assert "Your own people wrote 75% of the answers." in page
    assert "Leave a question to customers for a day" in page
    with app.app_context():
        talk(board, by_customer=6)
    page = browser.get("/console/health").text
    assert "Your own people wrote" not in page
    assert "A customer was the first to answer 70% of the questions, your own people 30%" in page


def test_every_table_is_a_file_of_what_is_shown(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        board, moderator = make_board("=SUM(A1)", slug="odd"), make_moderator()
        make_board("Other", slug="other")
        talk(board, by_staff=1, by_customer=2)
    browser = sign_in(moderator)

    def rows(address: str) -> list[list[str]]:
        answer = browser.get(address)
        assert answer.mimetype == "text/csv"
        assert "attachment" in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"
        return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))

    assert rows("/console/health/boards.csv")[1][:5] == ["'=SUM(A1)", "3", "2", "1", "0"]
    assert len(rows("/console/health/boards.csv?board=other")) == 1
    assert len(rows("/console/health/weeks.csv?weeks=26")) == 27
    assert rows("/console/health/concentration.csv")[3] == ["everyone who answered", "1", "100"]
    for part in ("people", "first-posts", "by-board-and-week"):
        assert len(rows(f"/console/health/{part}.csv")) > 1
    assert browser.get("/console/health/salaries.csv").status_code == 404


def test_the_number_of_statements_does_not_grow(
    app: Flask, sign_in: SignIn, statements: Callable[[], AbstractContextManager[Statements]]
) -> None:
    with app.app_context():
        moderator = make_moderator()
        talk(make_board(), by_staff=1, by_customer=1)
    browser = sign_in(moderator)
    browser.get("/console/health")
    counts = []
    for more in (0, 5):
        with app.app_context():
            for _ in range(more):
                talk(make_board(), by_staff=1, by_customer=2)
        with statements() as seen:
            assert browser.get("/console/health?weeks=26").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12, seen
