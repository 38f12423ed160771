"""Who rises, narrowed on the page and in the file alike."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.queries import standing
from portal.advocacy.services import choosing, remembering
from portal.console import explorer, rising
from portal.discussions.models import ShownAs, ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.voting import vote
from portal.kernel import clock
from tests.conftest import (
    make_board,
    make_company,
    make_customer,
    make_moderator,
    make_prospect,
    noon,
    viewer_of,
)
from tests.discussions.factories import make_post, make_thread, opening_of
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]


def somebody_who_rises(name: str, industry: str, board: int) -> int:
    helper = make_customer(name, company_id=make_company(industry=industry))
    thank(helper, board)
    return helper


def thank(helper: int, board: int) -> None:
    """Somebody of another company accepts an answer of theirs."""
    asker = make_customer(company_id=make_company())
    thread = make_thread(asker, board)
    accept(viewer_of(asker), thread.id, make_post(helper, thread).id)


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


def test_a_long_list_comes_in_pages_that_keep_what_it_is_narrowed_to(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        board, moderator = make_board(), make_moderator()
        for number in range(rising.ROWS + 2):
            somebody_who_rises(f"Riser {number:02}", "22", board)
        somebody_who_rises("Lars Toxil", "48-49", board)
    browser = sign_in(moderator)
    first = browser.get("/console/rising?industry=22&sort=name").text
    assert first.count("data-row>") == rising.ROWS
    assert "1 to 25 of 27" in first
    more = unescape(re.findall(r'href="([^"]+)" rel="next"', first)[0])
    last = browser.get(more).text
    assert "26 to 27 of 27" in last
    assert re.findall(r"data-row-open>([^<]+)<", last) == ["Riser 25", "Riser 26"]
    assert 'rel="next"' not in last
    assert "/console/rising?industry=22&amp;sort=name" in last
    file = browser.get(more.replace("/rising", "/rising.csv")).text
    assert file.count("Riser") == rising.ROWS + 2
    assert "Lars Toxil" not in file


def test_it_can_be_narrowed_to_why_and_sorted(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        board, moderator = make_board(), make_moderator()
        with clock.frozen(clock.now() - timedelta(days=100)):
            somebody_who_rises("Fading Fay", "22", board)
            grown = somebody_who_rises("Grown Gus", "22", board)
        for _ in range(2):
            thank(grown, board)
        thank(somebody_who_rises("New Ned", "22", board), board)

    def names(query: str) -> list[str]:
        return re.findall(r"data-row-open>([^<]+)<", sign_in(moderator).get(f"/console/rising?{query}").text)

    assert names("") == ["Grown Gus", "New Ned", "Fading Fay"]
    assert names("sort=growth") == ["New Ned", "Grown Gus", "Fading Fay"]
    assert names("sort=lately") == ["Grown Gus", "New Ned", "Fading Fay"]
    assert names("why=doubled&sort=name") == ["Grown Gus", "New Ned"]
    assert names("why=unranked&sort=name") == ["Fading Fay", "New Ned"]
    page = sign_in(moderator).get("/console/rising").text
    assert "new within 60 days, not ranked yet" in page
    assert re.search(r"\d\.\d times what it was", page)


def test_a_guest_who_was_thanked_does_not_rise(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        board, moderator = make_board(), make_moderator()
        guest = make_prospect("Gil Guest")
        thank(guest, board)
        assert standing.standing_of(guest).helpfulness > 0
        assert standing.rising(9) == []
        assert standing.rising(9, clock.now() - timedelta(microseconds=1)) == []
    assert "Nobody rises yet" in sign_in(moderator).get("/console/rising").text


def test_whoever_wants_no_approach_takes_nobodys_place_in_the_list(in_app: Flask) -> None:
    board = make_board()
    first, second = (somebody_who_rises(name, "23", board) for name in ("Anna", "Bram"))
    thank(first, board)
    assert [one.member_id for one in standing.rising(1)] == [first]
    choosing.choose(viewer_of(first), not_scored=False, not_approached=True)
    assert [one.member_id for one in standing.rising(1)] == [second]
    assert [one.member_id for one in standing.rising(1, approachable=False)] == [first]


def test_where_staff_write_most_it_says_so_instead_of_a_list(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        board, staff = make_board(), make_moderator()
        somebody_who_rises("Anna Early", "23", board)
        for _time in range(2):
            make_post(staff, make_thread(make_customer(), board))
    browser = sign_in(staff)
    page = browser.get("/console/rising").text
    assert "Your own people wrote 67% of the answers." in page
    assert "Anna Early" not in page
    assert 'href="/console/rising?anyway=yes"' in page
    assert "Anna Early" in browser.get("/console/rising?anyway=yes").text
    with app.app_context():
        for _time in range(2):
            thank(make_customer(), board)
    page = browser.get("/console/rising").text
    assert "Anna Early" in page
    assert "Your own people wrote" not in page


def test_whoever_has_nothing_to_show_is_not_said_to_have_had_a_conversation(
    app: Flask, sign_in: SignIn
) -> None:
    with app.app_context():
        board, moderator, helper = make_board(), make_moderator(), make_customer("Anna Early")
        story = make_thread(
            helper, board, "As a role", kind=ThreadKind.WAR_STORY, author_shown_as=ShownAs.ROLE
        )
        vote(viewer_of(make_customer()), opening_of(story).id)
    row = sign_in(moderator).get("/console/rising").text.partition("Anna Early")[2].partition("</tr>")[0]
    assert "a conversation, of which nothing is shown" not in row
    assert "nothing that can be shown here" in row


def rises_on_the_list_of_members() -> set[int]:
    """Who is found there under "rising", of those who want to be approached."""
    wanted = explorer.Wanted(standing=standing.RISING)
    found = explorer.members(wanted)
    assert explorer.facets(explorer.Wanted()).standing[standing.RISING] == len(found)
    return {one.id for one in found if not one.not_approached}


def test_the_list_of_members_and_the_page_of_those_who_rise_mean_the_same(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    """Ranked and grown, not ranked, thanked long ago, never thanked; and as time goes by."""
    board, begun = make_board(), noon()
    at(begun)
    grown, steady, new, never = (make_customer(name) for name in ("Grown", "Steady", "New", "Never"))
    old = somebody_who_rises("Old", "22", board)
    for days, helper, times in ((0, steady, 5), (170, grown, 3), (175, new, 1), (180, grown, 3)):
        at(begun + timedelta(days=days))
        for _time in range(times):
            thank(helper, board)
    named = {grown: "grown", steady: "steady", new: "new", never: "never", old: "old"}
    for days, expected in (
        (181, {"grown", "new", "old"}),
        (366, {"new"}),
        (500, {"new"}),
        (560, set()),
    ):
        at(begun + timedelta(days=days, hours=1))
        remembering.remember()
        rising_now = {one.member_id for one in standing.rising(100)} & named.keys()
        assert {named[one] for one in rising_now} == expected, days
        assert rises_on_the_list_of_members() & named.keys() == rising_now, days


def test_who_is_ranked_and_rises_is_found_under_both_and_named_so(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    board, helper = make_board(), make_customer("Grown")
    for _time in range(3):
        thank(helper, board)
    remembering.remember()
    for name in (standing.RANKED, standing.RISING):
        [line] = [one for one in explorer.members(explorer.Wanted(standing=name)) if one.id == helper]
        assert line.standing is not None
        assert (line.standing.label, line.standing.doubled) == (standing.RANKED, True)
    assert helper not in {one.id for one in explorer.members(explorer.Wanted(standing=standing.TOO_EARLY))}
    counted = explorer.facets(explorer.Wanted()).standing
    assert (counted[standing.RANKED], counted[standing.RISING]) == (1, 1)
    assert counted[standing.TOO_EARLY] == 3  # those who thanked
