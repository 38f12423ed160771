"""The page of the programme: what it says in words, its tables as files, and what it keeps to itself."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.console.programme import PARTS, WEEKS
from portal.conversations import services as conversations
from portal.kernel import clock, page_cache
from portal.kernel.access import Duty
from portal.matching.queries.loads import QUARTER
from portal.matching.services.reserving import KEPT
from tests.conftest import make_customer, make_moderator, make_prospect, viewer_of
from tests.matching.scenes import choose, had_request, held

SignIn = Callable[[int], FlaskClient]

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
NOW = MONDAY + timedelta(days=2, hours=10)
LONG_AGO = MONDAY - timedelta(days=300)


def _read(browser: FlaskClient, address: str = "/console/programme") -> str:
    page_cache.clear()
    answer = browser.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(answer.text))


def _words(browser: FlaskClient) -> str:
    """What stands in the page itself, without what changes with each request and each minute."""
    page = _read(browser).partition("<main")[2].partition("</main>")[0]
    assert page
    return page


def _site(people: int = 0) -> tuple[int, list[int]]:
    with clock.frozen(LONG_AGO):
        return make_moderator(), [make_customer() for _one in range(people)]


def test_before_the_first_customer_it_says_what_will_stand_here(app: Flask, sign_in: SignIn) -> None:
    with app.app_context(), clock.frozen(NOW):
        browser = sign_in(_site()[0])
        page = _read(browser)
    assert "Nobody can be asked yet" in page
    assert "<svg role" not in page


def test_of_four_customers_it_says_why_it_says_nothing(app: Flask, sign_in: SignIn) -> None:
    with app.app_context(), clock.frozen(NOW):
        moderator, people = _site(4)
        for member in people:
            held(member, f"ask:{member}", MONDAY - timedelta(days=9))
        browser = sign_in(moderator)
        page = _read(browser)
        files = [browser.get(f"/console/programme/{part}.csv").get_data(as_text=True) for part in PARTS]
    assert "fewer than five members could be asked" in page
    assert 'class="figures"' not in page
    assert all(cell in ("", "0") for row in _rows(files[0])[1:] for cell in row[1:])
    assert [len(_rows(text)) for text in files[1:]] == [1, 1]


def test_it_says_in_words_how_fairly_being_asked_is_shared(app: Flask, sign_in: SignIn) -> None:
    with app.app_context(), clock.frozen(NOW):
        moderator, people = _site(50)
        for member in people[:45]:
            had_request(member, "open:1", MONDAY - timedelta(days=20))
        for member in people[:20]:
            held(member, f"ask:{member}", MONDAY - timedelta(days=9))
        for member in people[:10]:
            held(member, f"again:{member}", MONDAY - timedelta(days=8))
        browser = sign_in(moderator)
        page = _read(browser)
        assert "about 90% were asked or proposed to somebody in the 90 days before this week." in page
        assert "Nobody is above their limit." in page
        assert (
            "Of 50 who can be asked 5 are idle; of 50 who take conversations 10 are at their limit." in page
        )
        assert "The Gini is 0.65; shared as evenly as can be, so many conversations would give 0.40." in page
        assert "<dd>2 of 2</dd>" in page
        choose(people[0], limit_per_quarter=1)
        assert "Somebody has more than their limit, which was lowered since." in _read(browser)


def test_everybody_asked_and_hardly_anybody_asked_are_told_in_words(app: Flask, sign_in: SignIn) -> None:
    with app.app_context(), clock.frozen(NOW):
        moderator, people = _site(50)
        browser = sign_in(moderator)
        page = _read(browser)
        assert "fewer than five members were asked or proposed to somebody" in page
        assert "above their limit" not in page
        for member in people[:47]:
            had_request(member, "open:1", MONDAY - timedelta(days=20))
        page = _read(browser)
    assert "All who can be asked, fewer than five left out, were asked or proposed" in page
    assert "Of 50 who can be asked fewer than 5 are idle" in page


def test_a_conversation_changes_nothing_before_the_next_monday(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        moderator, people = _site(40)
        for member in people[:10]:
            held(member, f"ask:{member}", MONDAY - timedelta(days=30))
        browser = sign_in(moderator)
        with clock.frozen(MONDAY + timedelta(hours=1)):
            asker = make_prospect()
            before = _words(browser)
        said = {before}
        for number, member in enumerate(people[20:35]):
            with clock.frozen(MONDAY + timedelta(days=1, minutes=number)):
                talk = conversations.request(viewer_of(make_prospect()), member, note="May I ask?")
                said.add(_words(browser))
                if number % 2:
                    conversations.decline(viewer_of(member), talk.id)
                else:
                    conversations.accept(viewer_of(member), talk.id)
                said.add(_words(browser))
                had_request(member, f"open:{asker}")
        with clock.frozen(MONDAY + timedelta(days=6, hours=23)):
            said.add(_words(browser))
        assert len(said) == 1
        with clock.frozen(MONDAY + timedelta(days=7)):
            assert _words(browser) != before


@pytest.mark.parametrize("weeks", WEEKS)
def test_every_chart_has_its_table_and_is_a_file(app: Flask, sign_in: SignIn, weeks: int) -> None:
    with app.app_context(), clock.frozen(NOW):
        moderator, people = _site(30)
        for member in people[:12]:
            held(member, f"ask:{member}", MONDAY - timedelta(days=9))
        browser = sign_in(moderator)
        page = _read(browser, f"/console/programme?weeks={weeks}")
        assert page.count("The same as a table") == page.count("<svg role") == 2
        for part in PARTS:
            address = f"/console/programme/{part}.csv" + ("" if weeks == WEEKS[0] else f"?weeks={weeks}")
            assert f'href="{address}"' in page
            answer = browser.get(address)
            assert answer.mimetype == "text/csv"
            rows = _rows(answer.get_data(as_text=True))
            assert len({len(row) for row in rows}) == 1
        rows = _rows(browser.get(f"/console/programme/weeks.csv?weeks={weeks}").get_data(as_text=True))
        assert len(rows) == weeks + 1
        assert rows[-1] == ["2026-06-01", "30", "10", "20", "30", "10", "0", "0.6", "0.6"]
        assert browser.get("/console/programme/salaries.csv").status_code == 404


def test_all_weeks_lie_within_the_time_for_which_it_is_kept_who_was_asked() -> None:
    assert timedelta(weeks=max(WEEKS)) + QUARTER < KEPT


def test_neither_peers_nor_sales_read_it(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        peer = make_customer(duties=(Duty.MODERATOR,))
        browser = sign_in(peer)
    assert browser.get("/console/programme").status_code == 403
    assert browser.get("/console/programme/weeks.csv").status_code == 403
    assert 'href="/console/programme"' not in browser.get("/console/").text


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\N{BYTE ORDER MARK}"))))
