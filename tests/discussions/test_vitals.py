"""How well the community works, on both databases: who answers, how soon, who comes back."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from portal.discussions.models import Audience, Thread, ThreadKind
from portal.discussions.queries.vitals import Vitals, vitals
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.access import Status
from tests.conftest import make_board, make_customer, make_member, make_moderator, viewer_of

At = Callable[[datetime], None]
WEDNESDAY = datetime(2026, 3, 18, 12, tzinfo=UTC)


def figures(weeks: int = 12, board: str = "") -> Vitals:
    """As a moderator of the vendor reads them."""
    return vitals(viewer_of(make_moderator()), weeks, board)


def question(asker: int, board: int, title: str = "How do you isolate one bad partner?") -> Thread:
    return open_thread(viewer_of(asker), board, kind=ThreadKind.QUESTION, title=title, body="All late.")


def test_questions_are_counted_by_who_answered_first(in_app: Flask, at: At) -> None:
    at(WEDNESDAY - timedelta(days=60))
    asker, helper, staff = make_customer(), make_customer(), make_moderator()
    board, other = make_board("Integrations"), make_board("Pricing")
    hidden = make_board("Staff room", audience=Audience.STAFF)
    at(WEDNESDAY - timedelta(days=8))
    by_customer, by_staff = question(asker, board), question(asker, board, "Which port is it?")
    question(asker, other, "What does a lane cost?")
    question(staff, board, "What do you think of this?")
    question(staff, hidden, "Who takes the night shift?")
    at(WEDNESDAY - timedelta(days=8) + timedelta(hours=2))
    post_reply(viewer_of(helper), by_customer.id, "One lane each.")
    post_reply(viewer_of(staff), by_staff.id, "Port 22.")
    at(WEDNESDAY - timedelta(days=8) + timedelta(hours=6))
    post_reply(viewer_of(staff), by_customer.id, "As she says.")
    post_reply(viewer_of(helper), by_staff.id, "And 10022 for the test system.")
    at(WEDNESDAY)
    found = figures(12)
    of_all = found.all
    assert (of_all.questions, of_all.by_customer, of_all.by_staff, of_all.none) == (3, 1, 1, 1)
    assert of_all.wait == 2 * 3600
    assert of_all.wait_for_customer == 4 * 3600
    assert [(row.begins, row.questions) for row in found.weeks[-2:]] == [
        (date(2026, 3, 9), 3),
        (date(2026, 3, 16), 0),
    ]
    assert [(row.name, row.questions, row.waiting) for row in found.boards] == [
        ("Integrations", 2, 0),
        ("Pricing", 1, 1),
    ]
    assert [(one.questions, one.by_customer) for one in found.boards[0].weeks[-2:]] == [(2, 1), (0, 0)]
    only = figures(12, next(row.slug for row in found.boards if row.name == "Pricing"))
    assert (only.all.questions, only.all.none) == (1, 1)


def test_a_question_of_today_does_not_wait_yet(in_app: Flask, at: At) -> None:
    at(WEDNESDAY)
    question(make_customer(), make_board())
    at(WEDNESDAY + timedelta(hours=23))
    assert [row.waiting for row in figures().boards] == [0]
    at(WEDNESDAY + timedelta(hours=25))
    assert [row.waiting for row in figures().boards] == [1]


def test_who_is_new_who_returns_and_who_wrote_a_second_time(in_app: Flask, at: At) -> None:
    at(WEDNESDAY - timedelta(days=200))
    board = make_board()
    old, quick, slow, once = (make_customer() for _ in range(4))
    question(old, board, "A question of last year")
    for days, who in ((50, quick), (50, slow), (50, once), (43, quick), (8, slow), (8, old)):
        at(WEDNESDAY - timedelta(days=days))
        question(who, board, f"Another question of {who}")
    at(WEDNESDAY)
    make_member(status=Status.VENDOR)
    make_customer()
    found = figures(12)
    weeks = {row.begins: row for row in found.weeks}
    assert (weeks[date(2026, 1, 26)].newcomers, weeks[date(2026, 1, 26)].returning) == (3, 0)
    assert (weeks[date(2026, 2, 2)].newcomers, weeks[date(2026, 2, 2)].returning) == (0, 1)
    assert (weeks[date(2026, 3, 9)].newcomers, weeks[date(2026, 3, 9)].returning) == (0, 2)
    assert weeks[date(2026, 3, 16)].joined == 1
    january = next(row for row in found.months if row.begins == date(2026, 1, 1))
    assert (january.first, january.second, january.days, january.is_open) == (3, 1, 7.0, False)


@pytest.mark.long
def test_few_shoulders_are_seen_and_staff_that_answer_most(in_app: Flask, at: At) -> None:
    at(WEDNESDAY)
    board, staff, asker = make_board(), make_moderator(), make_customer()
    helpers = [make_customer() for _ in range(10)]
    for number in range(10):
        thread = question(asker, board, f"Question {number}")
        post_reply(viewer_of(helpers[0]), thread.id, f"The busiest answers {number}.")
    for number, helper in enumerate(helpers[1:]):
        post_reply(viewer_of(helper), thread.id, f"Another answers once: {number}.")
    few = figures().concentration
    assert (few.answers, few.people, few.top_1, few.top_10) == (19, 10, 1, 1)
    assert round(few.share_10, 1) == 52.6
    assert not figures().staff_answer_most
    for number in range(20):
        post_reply(viewer_of(staff), question(asker, board, f"For staff {number}").id, f"Ours: {number}.")
    assert figures().staff_answer_most
    assert round(figures().staff_share) == 51
