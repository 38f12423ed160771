"""The pages about notices, as a browser sees them."""

import html
import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.removal import hide_post
from portal.kernel.db import db
from portal.notifications import queries
from portal.notifications.models import Digest, Notice
from portal.notifications.services import notifying, preferences
from portal.notifications.services.recount import recount
from tests.conftest import make_board, make_customer, viewer_of
from tests.support.people import submit


def answered(app: Flask) -> int:
    """A member whose question was answered."""
    with app.app_context():
        asker = viewer_of(make_customer("Ines"))
        thread = open_thread(
            asker,
            make_board(),
            kind=ThreadKind.QUESTION,
            title="How do you isolate one partner?",
            body="Late.",
        )
        post_reply(viewer_of(make_customer("Tomasz")), thread.id, "A lane for each.")
    return asker.member_id or 0


def test_notices_are_listed_opened_and_marked(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    browser = sign_in(answered(app))
    page = browser.get("/notifications").text
    assert "Tomasz answered your question" in page
    assert "1 new<span" in page, "in the masthead"
    opened = browser.get("/notifications/1")
    assert (opened.status_code, opened.location) == (303, "/posts/2")
    assert "1 new<span" not in browser.get("/notifications").text


def test_what_was_removed_since_is_counted_no_longer(
    app: Flask, sign_in: Callable[[int], FlaskClient]
) -> None:
    browser = sign_in(answered(app))
    with app.app_context():
        hide_post(2, rule="Rule 4", reason="A number.", case_id=1, by_id=0)
    page = browser.get("/notifications", follow_redirects=True)
    assert "Nothing to tell you yet" in page.text
    assert "1 new<span" not in page.text
    with app.app_context():
        assert recount() == []


def many_notices(app: Flask, count: int) -> tuple[int, int]:
    """A member with so many notices about one thread, and the thread: the first was told first."""
    member, thread = answered(app), 1
    with app.app_context():
        other = viewer_of(make_customer("Otto"))
        for number in range(count - 1):
            post_reply(other, thread, f"Further thought number {number}.")
    return member, thread


def bell(browser: FlaskClient) -> int:
    found = re.search(r"(\d+) new<span", browser.get("/settings/notifications").text)
    return int(found[1]) if found else 0


def test_the_bell_counts_what_was_not_read_wherever_it_stands(
    app: Flask, sign_in: Callable[[int], FlaskClient]
) -> None:
    """Looking at the list reads nothing; opening what a notice is about does, or one button for all."""
    member, _thread = many_notices(app, 33)
    browser = sign_in(member)
    assert bell(browser) == 33
    first = browser.get("/notifications").text
    older = browser.get(html.unescape(re.search(r'href="(/notifications\?before=[^"]+)"', first)[1])).text
    assert "Tomasz answered your question" in older
    assert "Tomasz answered your question" not in first
    assert bell(browser) == 33
    browser.get("/notifications/1")
    assert bell(browser) == 32
    submit(browser, "/notifications/read", {})
    assert bell(browser) == 0
    with app.app_context():
        assert recount() == []


def test_what_was_removed_since_is_counted_no_longer_wherever_it_stands(
    app: Flask, sign_in: Callable[[int], FlaskClient]
) -> None:
    """Nobody turns pages to find the one notice that the bell counts, and that is shown nowhere."""
    member, _thread = many_notices(app, 33)
    browser = sign_in(member)
    with app.app_context():
        hide_post(2, rule="Rule 4", reason="A number.", case_id=1, by_id=0)
    page = browser.get("/notifications", follow_redirects=True)
    assert "Tomasz answered" not in page.text
    assert bell(browser) == 32
    with app.app_context():
        assert recount() == []


def test_what_is_new_alone_is_listed_too(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    member, _thread = many_notices(app, 33)
    browser = sign_in(member)
    with app.app_context():
        told = select(Notice.id).where(Notice.member_id == member).order_by(Notice.id)
        notifying.mark_read(member, list(db.session.execute(told).scalars())[2:])
    page = browser.get("/notifications").text
    assert "Tomasz answered" not in page
    assert 'href="/notifications?show=new"' in page
    new = browser.get("/notifications?show=new").text
    assert new.count('class="notices__link"') == 2
    assert "Tomasz answered" in new
    with app.app_context():
        notifying.mark_read(member)
    new = browser.get("/notifications?show=new").text
    assert "Nothing new" in new
    assert 'href="/notifications"' in new
    assert "show=new" not in browser.get("/notifications").text, "nothing to choose between"


def test_pages_of_what_is_new_go_on_with_what_is_new(
    app: Flask, sign_in: Callable[[int], FlaskClient]
) -> None:
    member, _thread = many_notices(app, 33)
    browser = sign_in(member)
    first = browser.get("/notifications?show=new").text
    following = html.unescape(re.search(r'href="(/notifications\?[^"]*before=[^"]+)"', first)[1])
    assert "show=new" in following
    assert browser.get(following).text.count('class="notices__link"') == 3


def test_without_notices_the_page_says_what_will_stand_there(
    app: Flask, sign_in: Callable[[int], FlaskClient]
) -> None:
    with app.app_context():
        member = make_customer()
    assert "Nothing to tell you yet" in sign_in(member).get("/notifications").text


def test_anothers_notice_is_not_found(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    answered(app)
    with app.app_context():
        other = make_customer()
    assert sign_in(other).get("/notifications/1").status_code == 404


def test_the_choices_page_shows_every_kind(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    page = sign_in(answered(app)).get("/settings/notifications").text
    assert "somebody mentions you" in page
    assert "On Mondays" in page


def test_the_link_in_a_mail_asks_first_and_the_button_of_a_mail_program_does_it_at_once(
    app: Flask, client: FlaskClient
) -> None:
    member = answered(app)
    secret = app.config["SETTINGS"].SECRET_KEY
    address = "/unsubscribe/" + preferences.unsubscribe_token(secret, member, "reply")
    assert "Stop these mails" in client.get(address).text
    with app.app_context():
        assert next(c for c in queries.choices_of(member) if c.kind.name == "reply").by_mail
    done = client.post(address, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200, "RFC 8058: no redirect for a mail program"
    with app.app_context():
        assert not next(c for c in queries.choices_of(member) if c.kind.name == "reply").by_mail
        client.post("/unsubscribe/" + preferences.unsubscribe_token(secret, member, "digest"))
        assert queries.digest_of(member) is Digest.OFF
    assert client.get("/unsubscribe/forged").status_code == 404


def test_the_button_on_the_page_leads_to_a_page_that_says_how_it_stands(
    app: Flask, client: FlaskClient
) -> None:
    secret, member = app.config["SETTINGS"].SECRET_KEY, answered(app)
    for kind in ("reply", "digest"):
        address = "/unsubscribe/" + preferences.unsubscribe_token(secret, member, kind)
        assert "Stop these mails" in client.get(address).text
        assert client.post(address).location == address
        page = client.get(address).text
        assert "Done: no more mails of this kind" in page
        assert "Stop these mails" not in page
