"""Customers, account owners and members themselves suggest somebody, with what they may read of it."""

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.models import Nomination
from portal.advocacy.services import candidates
from portal.discussions.models import Audience, Board, Post, PostState, ShownAs, Thread, ThreadKind
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import personal
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from tests.conftest import (
    make_board,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    viewer_of,
)
from tests.support.people import fields_of, submit

SignIn = Callable[[int], FlaskClient]
PAGE = "/members/tomasz/suggestion"


@pytest.fixture
def tomasz(app: Flask) -> int:
    with app.app_context():
        return make_customer("Tomasz", username="tomasz", company_id=make_company("Huta"))


@pytest.fixture
def peer(app: Flask) -> int:
    with app.app_context():
        return make_customer("Petra")


def answered(helper: int, title: str, *, audience: Audience = Audience.PUBLIC, asker: int = 0) -> int:
    """An answer of the helper to a question with this title, accepted."""
    by = viewer_of(asker or make_customer())
    board = make_board(audience=audience)
    thread = open_thread(by, board, kind=ThreadKind.QUESTION, title=title, body="Well?")
    post = post_reply(viewer_of(helper), thread.id, "Because of this.")
    accept(by, thread.id, post.id)
    return post.id


def place_of(app: Flask, post: int) -> str:
    with app.app_context():
        thread = db.session.get_one(Thread, db.session.get_one(Post, post).thread_id)
        return f"/threads/{thread.id}/{thread.slug}"


def picked(app: Flask) -> list[list[int]]:
    with app.app_context():
        return [list(one.post_ids) for one in db.session.query(Nomination).order_by(Nomination.id)]


def test_it_stands_in_the_menu_of_a_post_for_customers_elsewhere_and_account_owners(
    app: Flask, tomasz: int, sign_in: SignIn
) -> None:
    with app.app_context():
        post = answered(tomasz, "How many lanes?")
        company = viewer_of(tomasz).company_id
        readers = {
            "customer": make_customer(),
            "colleague": make_customer(company_id=company),
            "former": make_member(status=Status.FORMER, company_id=make_company()),
            "prospect": make_prospect(),
            "sales": make_member(status=Status.VENDOR, duties=(Duty.SALES,)),
            "service": make_member(status=Status.VENDOR, duties=(Duty.SERVICE,)),
            "vendor": make_member(status=Status.VENDOR),
            "moderator": make_moderator(),
            "oneself": tomasz,
        }
    path, link = place_of(app, post), f'href="/posts/{post}/suggestion"'
    seen = {name: sign_in(number).get(path).text for name, number in readers.items()}
    seen["visitor"] = app.test_client().get(path).text
    assert {name for name, page in seen.items() if link in page} == {"customer", "sales", "service"}
    assert seen["customer"].count("/suggestion") == 1, "not under the question"
    answers = {
        name: sign_in(readers[name]).get(f"/posts/{post}/suggestion") for name in ("customer", "colleague")
    }
    assert {name: one.status_code for name, one in answers.items()} == {"customer": 302, "colleague": 404}


def test_from_a_post_to_the_form_and_back_to_the_post(
    app: Flask, tomasz: int, peer: int, sign_in: SignIn
) -> None:
    with app.app_context():
        first, second = (answered(tomasz, f"How many lanes, {number}?") for number in range(2))
    browser = sign_in(peer)
    to = browser.get(f"/posts/{first}/suggestion")
    assert to.location == f"{PAGE}?post={first}"
    shown = browser.get(to.location).text
    assert re.search(rf'value="{first}" checked', shown)
    assert f'value="{second}"' in shown
    empty = submit(browser, to.location, {"note": "", "evidence": str(second)})
    assert empty.status_code == 422
    assert f'value="{second}" checked' in empty.text
    assert f'value="{first}" checked' not in empty.text, "what was unticked stays so"
    looked = submit(
        browser, to.location, {"note": "Helped us.", "look": "find", "find": "zebra", "evidence": str(first)}
    )
    assert looked.status_code == 200
    assert "Helped us." in looked.text
    sent = submit(browser, to.location, {"note": "Helped us.", "evidence": [str(first), str(second)]})
    assert sent.location.startswith(place_of(app, first))
    assert sent.location.endswith("#p2")
    assert picked(app) == [[first, second]]
    with app.app_context():
        ruth = sign_in(make_moderator())
    page = ruth.get("/console/candidates/tomasz").text
    notes = page.split('id="nominations"')[1].split("<details")[0]
    assert "Petra, by a peer" in notes
    assert notes.count("How many lanes") == 2
    with app.app_context(), unit_of_work():
        db.session.get_one(Post, first).state = PostState.HIDDEN
    page = ruth.get("/console/candidates/tomasz").text
    assert "A post that was taken down since" in page
    assert "How many lanes, 0?" not in page


def test_only_what_one_may_read_is_listed_or_taken(
    app: Flask, tomasz: int, peer: int, sign_in: SignIn
) -> None:
    with app.app_context():
        former = answered(tomasz, "Among customers alone?", audience=Audience.CUSTOMERS)
        hidden, unnamed = answered(tomasz, "Which was hidden?"), answered(tomasz, "Without a name?")
        plain = answered(tomasz, "In the open?")
        with unit_of_work():
            db.session.get_one(Post, hidden).state = PostState.HIDDEN
            db.session.get_one(Post, unnamed).author_shown_as = ShownAs.ROLE
    shown = sign_in(peer).get(PAGE).text
    assert {one for one in (former, hidden, unnamed, plain) if f'value="{one}"' in shown} == {former, plain}
    moderating = sign_in(_peer_moderator(app))
    for browser in (sign_in(peer), moderating):
        for post in (hidden, unnamed, 999_999):
            assert f'value="{post}"' not in browser.get(f"{PAGE}?post={post}").text
            assert browser.get(f"/posts/{post}/suggestion").status_code == 404
            sent = submit(browser, PAGE, {"note": "Typed with care.", "evidence": str(post)})
            assert sent.status_code == 422
            assert "Typed with care." in sent.text
            for title in ("Which was hidden?", "Without a name?"):
                assert title not in sent.text
    assert picked(app) == []
    with app.app_context():
        mine = answered(peer, "What did Petra say?")
        with pytest.raises(Invalid, match="what this member wrote"):
            candidates.nominate(viewer_of(peer), tomasz, "Helps.", post_ids=[mine])


def _peer_moderator(app: Flask) -> int:
    with app.app_context():
        return make_customer(duties=(Duty.MODERATOR,))


def test_a_board_for_fewer_gives_nothing_away(app: Flask, tomasz: int, peer: int, sign_in: SignIn) -> None:
    with app.app_context():
        post = answered(tomasz, "On a board that goes to staff?")
        thread = db.session.get_one(Thread, db.session.get_one(Post, post).thread_id)
        with unit_of_work():
            db.session.get_one(Board, thread.board_id).audience = Audience.STAFF
    browser = sign_in(peer)
    assert "goes to staff" not in browser.get(PAGE).text
    assert "goes to staff" not in browser.get(f"{PAGE}?post={post}").text
    assert browser.get(f"/posts/{post}/suggestion").status_code == 404
    refused = submit(browser, PAGE, {"note": "Helps.", "evidence": str(post)})
    assert refused.status_code == 422
    assert "goes to staff" not in refused.text


def test_whoever_lists_nothing_is_not_listed_here_either(
    app: Flask, tomasz: int, peer: int, sign_in: SignIn
) -> None:
    with app.app_context():
        met, other = answered(tomasz, "Where they met?"), answered(tomasz, "Somewhere else?")
        with unit_of_work():
            db.session.get_one(Member, tomasz).visibility = {"contributions": "nobody"}
    browser = sign_in(peer)
    assert "Somewhere else?" not in browser.get(PAGE).text
    page = f"{PAGE}?post={met}"
    shown = browser.get(page).text
    assert f'value="{met}" checked' in shown
    assert f'value="{other}"' not in shown
    looked = submit(browser, page, {"note": "Helps.", "look": "find", "find": "else"})
    assert "Somewhere else?" not in looked.text
    assert submit(browser, page, {"note": "Helps.", "evidence": str(met)}).status_code == 303
    assert picked(app) == [[met]]


def test_sales_read_no_prospects_name_in_what_is_listed(app: Flask, tomasz: int, sign_in: SignIn) -> None:
    with app.app_context():
        paula = make_prospect("Paula Quandt")
        post = answered(tomasz, "Paula Quandt asks how many lanes", asker=paula)
        sales = make_member("Gareth", status=Status.VENDOR, duties=(Duty.SALES,))
    browser = sign_in(sales)
    shown = browser.get(PAGE).text
    assert f'value="{post}"' in shown
    assert "Quandt" not in shown
    assert "quandt" not in shown
    looked = submit(browser, PAGE, {"note": "Helps.", "look": "find", "find": "Quand"}).text
    assert f'value="{post}"' in looked, "words are no way to find out"
    sent = submit(browser, PAGE, {"note": "Worth hearing.", "evidence": str(post)})
    assert sent.location == "/members/tomasz"
    assert picked(app) == [[post]]


def test_one_suggests_oneself_with_what_one_wrote(app: Flask, tomasz: int, sign_in: SignIn) -> None:
    with app.app_context():
        post = answered(tomasz, "How many lanes?")
    browser = sign_in(tomasz)
    assert 'href="/me/suggestion"' in browser.get("/me/consents").text
    sent = submit(browser, "/me/suggestion", {"note": "I would speak.", "evidence": str(post)})
    assert sent.location == "/me/consents"
    assert picked(app) == [[post]]
    with app.app_context():
        told = json.dumps([one.export(tomasz) for one in personal.registered()], default=str)
        assert f'"/posts/{post}"' in told
        prospect = make_prospect()
    assert sign_in(prospect).get("/me/suggestion").status_code == 404


def test_an_old_form_keeps_the_note_and_what_was_picked(
    app: Flask, tomasz: int, peer: int, sign_in: SignIn
) -> None:
    with app.app_context():
        post = answered(tomasz, "How many lanes?")
    browser = sign_in(peer)
    stale = browser.post(
        f"{PAGE}?post={post}", data={"note": "Typed with care.", "evidence": str(post), "csrf_token": "old"}
    )
    assert stale.status_code == 400
    assert "Typed with care." in stale.text
    again = fields_of(stale, f"{PAGE}?post={post}")
    assert again["evidence"] == str(post)
    assert browser.post(f"{PAGE}?post={post}", data={**again, "note": "Typed with care."}).status_code == 303
    assert picked(app) == [[post]]
