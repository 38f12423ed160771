"""The queue and the pages of cases, as moderators use them."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from portal.console import log_queries
from portal.discussions.models import Post, PostState
from portal.discussions.services.posting import post_reply
from portal.kernel import audit
from portal.kernel.access import Duty, Viewer
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.models import Case
from portal.moderation.services.cases import claim
from portal.moderation.services.flags import flag_post
from tests.conftest import make_board, make_company, make_customer, make_moderator, noon, viewer_of
from tests.moderation.conftest import answered, ask, flagged
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]


def token_of(page: str) -> str:
    return (
        re.search(r'name="csrf_token" type="hidden" value="([^"]+)"|name="csrf_token" value="([^"]+)"', page)[
            0
        ]
        .split('value="')[1]
        .rstrip('"')
    )


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the first form of a decision or flag on the page."""
    form = page[page.index("novalidate") :]
    return dict(re.findall(r'<input id="[\w-]+" name="(\w+)" type="hidden" value="([^"]*)"', form))


@pytest.fixture
def moderator(app: Flask) -> int:
    with app.app_context():
        return make_moderator("Ruth Adeyemi")


@pytest.fixture
def case(app: Flask) -> tuple[int, int]:
    """(case, post): an answer that one member flagged."""
    with app.app_context():
        board = make_board("Operations", slug="operations")
        asker, author, reporter = (viewer_of(make_customer(name)) for name in ("Dana", "Tamsin", "Lars"))
        post = answered(asker, author, board)
        return flagged(post, reporter, comment="He cannot answer here.").id, post.id


def test_an_empty_queue_says_so(app: Flask, sign_in: SignIn, moderator: int) -> None:
    page = sign_in(moderator).get("/console/queue").text
    assert "Nothing waits" in page


def test_each_row_says_why_it_is_there_and_what_can_be_done(
    sign_in: SignIn, moderator: int, case: tuple[int, int]
) -> None:
    page = sign_in(moderator).get("/console/queue").text
    assert "1 flag, rule 4: personal data" in page
    assert "#2 in Who do you call when support is closed?" in page
    assert "Operations, by Tamsin" in page
    assert f'href="/console/cases/{case[0]}"' in page
    assert "data-row-do" in page


def test_the_most_urgent_comes_first_and_filters_stand_in_the_address(
    app: Flask, sign_in: SignIn, moderator: int, at: Callable[[datetime], None]
) -> None:
    with app.app_context():
        board, other = make_board("Operations"), make_board("Pricing", slug="pricing")
        asker, author = (viewer_of(make_customer()) for _ in range(2))
        at(noon())
        flagged(answered(asker, author, board, "An old one, off topic."), viewer_of(make_customer()), rule=1)
        at(noon() + timedelta(hours=10))
        grave = post_reply(
            author, ask(asker, other, "Which clause did you strike out?").id, "Ask Alan Pethick."
        )
        flag_post(viewer_of(make_customer()), grave.id, rule_number=4)
    browser = sign_in(moderator)

    def order(address: str) -> list[str]:
        return re.findall(r"data-row-open>([^<]+)</a>", browser.get(address).text)

    grave_title, old_title = (
        "#2 in Which clause did you strike out?",
        "#2 in Who do you call when support is closed?",
    )
    assert order("/console/queue") == [grave_title, old_title]
    assert order("/console/queue?sort=oldest") == [old_title, grave_title]
    assert order("/console/queue?board=pricing") == [grave_title]
    assert order("/console/queue?older=hour") == [old_title]
    assert order("/console/queue?kind=appeal") == []
    assert order("/console/queue?whose=mine") == []
    assert order("/console/queue?state=decided") == []


def test_the_number_of_statements_does_not_grow_with_rows(
    app: Flask,
    sign_in: SignIn,
    moderator: int,
    case: tuple[int, int],
    statements: Callable[[], AbstractContextManager[Statements]],
) -> None:
    with app.app_context():
        company = make_company()
        peer = make_customer(company_id=company, duties=(Duty.MODERATOR,))
    counts: dict[int, list[int]] = {moderator: [], peer: []}
    for more in (0, 6):
        with app.app_context():
            board = make_board()
            for _ in range(more):
                asker, author = viewer_of(make_customer()), viewer_of(make_customer())
                flagged(answered(asker, author, board), *(viewer_of(make_customer()) for _ in range(2)))
        for who, seen_counts in counts.items():
            browser = sign_in(who)
            browser.get("/console/queue")
            with statements() as seen:
                page = browser.get("/console/queue").text
            assert page.count("data-row-do") == 1 + more
            seen_counts.append(len(seen))
    assert counts[moderator][0] == counts[moderator][1] <= 10
    assert counts[peer][0] == counts[peer][1] <= 13


def test_a_case_is_decided_from_its_page(
    app: Flask, sign_in: SignIn, moderator: int, case: tuple[int, int]
) -> None:
    case_id, post_id = case
    browser = sign_in(moderator)
    page = browser.get(f"/console/cases/{case_id}").text
    assert "He cannot answer here." in page
    assert "first flag" in page
    sent = {
        **fields_of(page),
        "post": "hide",
        "member": "none",
        "rule": "4",
        "reason": "It named a technician.",
    }
    preview = browser.post(f"/console/cases/{case_id}/preview", data=sent).text
    assert "Your post was removed. Rule 4, no personal data of others: “It named a technician.”" in " ".join(
        re.sub(r"<[^>]+>", "", preview).split()
    )
    assert "What you flagged was removed" in preview

    shown = browser.post(f"/console/cases/{case_id}/decision", data={**sent, "preview": "yes"})
    assert shown.status_code == 200
    assert "It named a technician." in shown.text
    with app.app_context():
        assert db.session.get_one(Post, post_id).state is PostState.VISIBLE

    answer = browser.post(f"/console/cases/{case_id}/decision", data=sent)
    assert (answer.status_code, answer.location) == (303, f"/console/cases/{case_id}")
    page = browser.get(answer.location).text
    assert "Take it back" in page
    assert f"/transparency/log/{case_id}" in page
    again = browser.post(f"/console/cases/{case_id}/decision", data=sent)
    assert (again.status_code, again.location) == (303, f"/console/cases/{case_id}")
    thread = app.test_client().get(f"/posts/{post_id}", follow_redirects=True).text
    assert "It named a technician." in thread
    assert f"/transparency/log/{case_id}" in thread
    undo = re.search(r'action="(/console/decisions/\d+\?_method=DELETE)"', page)[1]
    assert browser.post(undo, data={"csrf_token": sent["csrf_token"]}).status_code == 303
    with app.app_context():
        assert db.session.get_one(Post, post_id).state is PostState.VISIBLE


def test_what_is_missing_is_said_beside_its_field_and_nothing_is_lost(
    sign_in: SignIn, moderator: int, case: tuple[int, int]
) -> None:
    browser = sign_in(moderator)
    page = browser.get(f"/console/cases/{case[0]}").text
    sent = {**fields_of(page), "post": "hide", "member": "none", "rule": "", "reason": "My careful words."}
    answer = browser.post(f"/console/cases/{case[0]}/decision", data=sent)
    assert answer.status_code == 422
    assert 'href="#rule"' in answer.text
    assert "My careful words." in answer.text
    wrong_rule = browser.post(f"/console/cases/{case[0]}/decision", data={**sent, "rule": "77"})
    assert wrong_rule.status_code == 422
    no_day = {**sent, "rule": "4", "member": "suspend", "until": "soon"}
    assert 'href="#until"' in browser.post(f"/console/cases/{case[0]}/decision", data=no_day).text


def test_a_case_that_changed_meanwhile_keeps_what_was_typed_and_is_decided_by_the_next_send(
    app: Flask, sign_in: SignIn, moderator: int, case: tuple[int, int]
) -> None:
    case_id, _post_id = case
    browser = sign_in(moderator)
    address, typed = f"/console/cases/{case_id}", {"post": "none", "member": "none", "reason": "Fair words."}
    first = {**fields_of(browser.get(address).text), **typed}
    with app.app_context():
        claim(viewer_of(moderator), case_id)  # in another window
    stale = browser.post(f"{address}/decision", data=first)
    assert stale.status_code == 409
    for words in ("This case was changed while you were looking at it.", "Fair words."):
        assert words in stale.text
    again = {**fields_of(stale.text), **typed}
    assert browser.post(f"{address}/decision", data=again).status_code == 303


def test_the_second_moderator_gets_a_page_with_what_the_first_decided(
    app: Flask, sign_in: SignIn, moderator: int, case: tuple[int, int]
) -> None:
    case_id, _post_id = case
    with app.app_context():
        second = make_moderator("Marijke Brouwer")
    one, two = sign_in(moderator), sign_in(second)
    pages = [browser.get(f"/console/cases/{case_id}").text for browser in (one, two)]
    first = {**fields_of(pages[0]), "post": "none", "member": "none", "reason": "Fair to people."}
    late = {**fields_of(pages[1]), "post": "hide", "member": "none", "rule": "4", "reason": "My other view."}
    assert one.post(f"/console/cases/{case_id}/decision", data=first).status_code == 303
    answer = two.post(f"/console/cases/{case_id}/decision", data=late)
    assert answer.status_code == 409
    for words in ("What Ruth Adeyemi decided", "Fair to people.", "My other view."):
        assert words in answer.text


def test_a_case_that_somebody_took_shows_who_has_it(
    app: Flask, sign_in: SignIn, moderator: int, case: tuple[int, int]
) -> None:
    with app.app_context():
        second = make_moderator("Marijke Brouwer")
    one, two = sign_in(moderator), sign_in(second)
    page = one.get("/console/queue").text
    taken = one.post(
        f"/console/cases/{case[0]}/claim",
        data={"csrf_token": token_of(page), "back": "/console/queue?whose=mine"},
    )
    assert taken.location == "/console/queue?whose=mine"
    assert one.get("/console/queue?whose=mine").text.count("data-row-do") == 1
    assert two.get("/console/queue").text.count("data-row-do") == 0
    page = two.get(f"/console/cases/{case[0]}").text
    assert "Ruth Adeyemi has it" in page
    assert "/decision" not in page
    two.post(f"/console/cases/{case[0]}/claim", data={"csrf_token": token_of(page)})
    assert "Marijke Brouwer has it" in one.get(f"/console/cases/{case[0]}").text


def test_a_case_out_of_sight_is_not_there(app: Flask, sign_in: SignIn, moderator: int) -> None:
    with app.app_context():
        staff = make_board("Staff room", audience="staff")
        writer, reporter = viewer_of(make_moderator()), viewer_of(make_moderator())
        case = flagged(answered(reporter, writer, staff), reporter)
        peer = make_customer(duties=(Duty.MODERATOR,))
        case_id = case.id
    browser = sign_in(peer)
    assert browser.get(f"/console/cases/{case_id}").status_code == 404
    assert "Staff room" not in browser.get("/console/queue?whose=anyone").text
    assert sign_in(moderator).get(f"/console/cases/{case_id}").status_code == 200


def test_members_reach_nothing_of_the_console(app: Flask, sign_in: SignIn, case: tuple[int, int]) -> None:
    with app.app_context():
        member = make_customer()
        assert db.session.get(Case, case[0]) is not None
    for address in (
        "/console/",
        "/console/queue",
        f"/console/cases/{case[0]}",
        "/console/log",
        "/console/rules",
    ):
        assert sign_in(member).get(address).status_code == 403


def test_the_file_holds_the_cases_that_the_address_narrows_to(
    sign_in: SignIn, moderator: int, case: tuple[int, int]
) -> None:
    browser = sign_in(moderator)
    page = browser.get("/console/queue?kind=flags&sort=oldest").text
    assert 'href="/console/queue.csv?kind=flags&amp;sort=oldest"' in page
    rows = browser.get("/console/queue.csv?kind=flags&sort=oldest").text.splitlines()
    assert len(rows) == 2
    assert rows[1].startswith(f"{case[0]},")
    assert "Operations, by Tamsin" in rows[1]
    assert len(browser.get("/console/queue.csv?kind=held").text.splitlines()) == 1
    assert len(browser.get("/console/queue.csv?state=decided").text.splitlines()) == 1


def test_the_file_holds_every_case_however_many_there_are(
    app: Flask, sign_in: SignIn, moderator: int, case: tuple[int, int]
) -> None:
    many = 10_001
    with app.app_context():
        first = db.session.get_one(Case, case[0])
        same = {one.name: getattr(first, one.name) for one in Case.__table__.columns if one.name != "id"}
        with unit_of_work():
            db.session.execute(insert(Case), [same | {"open_key": f"more:{n}"} for n in range(many - 1)])
    rows = sign_in(moderator).get("/console/queue.csv?whose=anyone").text.splitlines()
    assert len(rows) == many + 1


def test_the_log_is_read_from_either_end_and_as_a_file(sign_in: SignIn, moderator: int, app: Flask) -> None:
    with app.app_context():
        ruth = viewer_of(moderator)
        for number in range(log_queries.PAGE + 1):
            audit_one(ruth, f"hide post {number}")
    browser = sign_in(moderator)

    def order(address: str) -> list[str]:
        return re.findall(r">(hide post \d+)</td>", browser.get(address).text)

    last = log_queries.PAGE
    assert order("/console/log")[0] == f"hide post {last}"
    oldest = order("/console/log?sort=oldest")
    assert (oldest[0], len(oldest)) == ("hide post 0", log_queries.PAGE)
    more = re.search(
        r'href="(/console/log\?[^"]*before=[^"]*)"', browser.get("/console/log?sort=oldest").text
    )
    assert more is not None
    assert order(more[1].replace("&amp;", "&")) == [f"hide post {last}"]
    rows = browser.get("/console/log.csv?sort=oldest").text.splitlines()
    assert len(rows) == last + 2
    assert "hide post 0" in rows[1]
    assert "Ruth Adeyemi" in rows[1]
    assert len(browser.get("/console/log.csv?action=hide+post+3").text.splitlines()) == 2
    assert browser.get("/console/log?endpoint=x&_anchor=y").status_code == 200


def audit_one(actor: Viewer, action: str) -> None:
    with unit_of_work():
        audit.record(actor, action, "member", actor.member_id, area="moderation")
