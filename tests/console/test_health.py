"""The page of community health: what it says in words, its tables as files, and what it costs."""

import csv
import html
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Audience, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import clock
from tests.conftest import make_board, make_customer, make_moderator, viewer_of
from tests.discussions.factories import make_thread
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
    assert rows("/console/health/how-soon.csv")[0][1:] == [
        "median hours to an answer", "median hours to a customer's answer",
        "median hours to an answer by staff",
    ]  # fmt: skip
    with app.app_context():
        asker = make_customer()
        with clock.frozen(clock.now() - timedelta(days=2)):
            open_thread(viewer_of(asker), board, kind=ThreadKind.QUESTION, title="Who knows?", body="Why?")
    [row] = rows("/console/health/unanswered.csv")[1:]
    assert row[0] == "Who knows?"
    assert row[1].startswith("'=SUM(A1), by ")
    shown = browser.get("/console/health").text
    assert all(f'href="/console/health/{part}.csv"' in shown for part in ("how-soon", "unanswered"))
    for part in ("people", "first-posts", "by-board-and-week", "how-soon"):
        assert len(rows(f"/console/health/{part}.csv")) > 1
    assert browser.get("/console/health/salaries.csv").status_code == 404


def test_a_board_without_a_question_in_the_time_says_what_waits_there(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        moderator, lively = make_moderator(), make_board("Lively", slug="lively", position=2)
        quiet = make_board("Quiet", slug="quiet", position=1)
        make_board("Empty", slug="empty", position=3)
        talk(lively, by_customer=1)
        with clock.frozen(clock.now() - timedelta(weeks=20)):
            make_thread(make_customer(), quiet, "Who knows?")
    browser = sign_in(moderator)
    page = browser.get("/console/health").text.partition('id="by-board"')[2].partition("</table>")[0]
    assert page.index("Quiet") < page.index("Lively")
    assert 'href="/boards/quiet?show=unanswered">1</a>' in page
    assert "Empty" not in page
    rows = browser.get("/console/health/boards.csv").get_data(as_text=True).splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["Quiet", "Lively"]
    assert rows[1].split(",")[1:5] + rows[1].split(",")[-1:] == ["0", "0", "0", "0", "1"]


def test_as_many_questions_are_unanswered_as_the_lists_of_today_have_rows(
    app: Flask, sign_in: SignIn
) -> None:
    with app.app_context():
        moderator, board = make_moderator(), make_board("Lively", slug="lively")
        other, staff = make_board("Other", slug="other"), make_board("Inside", audience=Audience.STAFF)
        ages = [*range(5, 365, 30), *range(1, 13)]  # days; twelve of the last two weeks, one of them twice
        for days in ages:
            with clock.frozen(clock.now() - timedelta(days=days)):
                make_thread(make_customer(), board, f"Asked {days} days ago")
        with clock.frozen(clock.now() - timedelta(hours=23)):
            make_thread(make_moderator(), other, "What do you think of this?")
            make_thread(make_customer(), other, "What does it cost?")
            make_thread(make_moderator(), staff, "Who takes the night?")
        with clock.frozen(clock.now() - timedelta(hours=21)):
            make_thread(make_customer(), board, "Too young")
    browser = sign_in(moderator)

    def listed(address: str) -> list[str]:
        return re.findall(r"data-row-open>([^<]+)</a>", browser.get(address).text)

    for on_board, recent, older in (("", 16, 11), ("board=lively", 13, 11), ("board=other", 2, 0)):
        shown = browser.get(f"/console/health?{on_board}").text.partition('id="waiting"')[2]
        part = shown.partition("</section>")[0]
        number = recent + older
        assert f"{number} questions for 22 hours or longer" in part
        lists = [html.unescape(one) for one in re.findall(r'href="(/console/\?what=[^"]+)"', part)]
        assert lists == [f"/console/?what={what}" + (on_board and f"&{on_board}") for what in
                         ("questions", "older") if number > 8]  # fmt: skip
        rows = [row for address in lists for row in listed(address)]
        assert len(rows) == number or not lists
        file = browser.get(f"/console/health/unanswered.csv?{on_board}").text.splitlines()
        assert len(file) == number + 1
        if lists:
            assert f"{recent} of the last 14 days</a>" in part
            assert f"{older} older ones</a>" in part


def test_by_board_and_week_stands_on_the_page_for_every_time(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        moderator = make_moderator()
        talk(make_board("Lively"), by_customer=1)
    browser = sign_in(moderator)
    for weeks in (12, 26, 52):
        page = browser.get(f"/console/health?weeks={weeks}").text
        heat = page.partition('<table class="heat"')[2].partition("</table>")[0]
        assert heat.count('<th scope="col">') == weeks + 1
        assert "Lively" in heat


def test_shares_and_waits_by_customer_and_by_staff_stand_by_board_and_week(
    app: Flask, sign_in: SignIn
) -> None:
    with app.app_context():
        moderator, board = make_moderator(), make_board("Lively")
        asker, helper, staff = (viewer_of(one) for one in (make_customer(), make_customer(), moderator))
        now = clock.now()
        for number, (first, hours, then) in enumerate(
            [(staff, 2, helper), (staff, 4, None), (helper, 30, None)]
        ):
            with clock.frozen(now - timedelta(weeks=2)):
                thread = open_thread(
                    asker, board, kind=ThreadKind.QUESTION, title=f"Question {number}", body="So?"
                )
            with clock.frozen(now - timedelta(weeks=2) + timedelta(hours=hours)):
                post_reply(first, thread.id, "Like this.")
            if then:
                with clock.frozen(now - timedelta(weeks=2) + timedelta(hours=50)):
                    post_reply(then, thread.id, "Or like this.")
    browser = sign_in(moderator)
    shown = {
        measure: re.findall(
            r'<td class="heat__(\d)">([^<]+)</td>', browser.get(f"/console/health?by={measure}").text
        )
        for measure in ("customer", "staff", "none", "wait", "wait-customer", "wait-staff", "nonsense")
    }
    assert shown == {
        "customer": [("1", "33")],
        "staff": [("3", "67")],
        "none": [("0", "0")],
        "wait": [("1", "4")],
        "wait-customer": [("3", "40")],
        "wait-staff": [("1", "3")],
        "nonsense": [("1", "33")],
    }
    told = csv.reader(
        io.StringIO(browser.get("/console/health/by-board-and-week.csv").text.removeprefix("\ufeff"))
    )
    head, *rows = told
    assert head[2:] == [
        "questions", "first answered by a customer", "first answered by staff", "no answer",
        "median hours to an answer", "median hours to a customer's answer",
        "median hours to an answer by staff",
    ]  # fmt: skip
    assert [row[2:] for row in rows if row[2] != "0"] == [["3", "1", "2", "0", "4.0", "40.0", "3.0"]]
    page = browser.get("/console/health?by=wait-staff&weeks=26").text
    assert page.count('class="chart__dot chart__dot--3"') == 1  # the one week has no line to a neighbour
    assert "By board and week, median hours to an answer by your people" in page
    assert "/console/health?weeks=52&amp;by=wait-staff" in page
    assert '<details class="more mt-4" id="by-week" open>' in page


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
