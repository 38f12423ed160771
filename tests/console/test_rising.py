"""Who rises, narrowed on the page and in the file alike."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.services.acceptance import accept
from tests.conftest import make_board, make_company, make_customer, make_moderator, viewer_of
from tests.discussions.factories import make_post, make_thread
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]


def somebody_who_rises(name: str, industry: str, board: int) -> int:
    helper = make_customer(name, company_id=make_company(industry=industry))
    asker = make_customer(company_id=make_company())
    thread = make_thread(asker, board)
    accept(viewer_of(asker), thread.id, make_post(helper, thread).id)
    return helper


def test_the_file_has_what_the_page_is_narrowed_to(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        board = make_board()
        somebody_who_rises("Tamsin Boyle", "48-49", board)
        somebody_who_rises("Lars Toxil", "22", board)
        moderator = make_moderator()
    browser = sign_in(moderator)
    page = browser.get("/console/rising?industry=22").text
    assert "Lars Toxil" in page
    assert "Tamsin Boyle" not in page
    assert "/console/rising.csv?industry=22" in page
    text = browser.get("/console/rising.csv?industry=22").text
    assert "Lars Toxil" in text
    assert "Tamsin Boyle" not in text
    assert "Tamsin Boyle" in browser.get("/console/rising.csv").text


def test_it_takes_the_same_statements_however_many_rise(
    app: Flask, sign_in: SignIn, statements: Callable[[], Statements]
) -> None:
    with app.app_context():
        board, moderator = make_board(), make_moderator()
        somebody_who_rises("Tamsin Boyle", "22", board)
    browser = sign_in(moderator)
    counts = []
    for more in (0, 4):
        with app.app_context():
            for number in range(more):
                somebody_who_rises(f"Riser {number}", "22", board)
        browser.get("/console/rising")
        with statements() as seen:  # type: ignore[attr-defined]
            page = browser.get("/console/rising").text
        counts.append(len(seen))
    assert page.count("data-row>") == 5
    assert counts[0] == counts[1]
