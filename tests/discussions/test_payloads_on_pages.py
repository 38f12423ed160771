"""Published attacks as title, name and tag: a page with them has the same elements as one without."""

from html.parser import HTMLParser
from itertools import zip_longest

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal.discussions.models import Tag, Thread
from portal.kernel import page_cache
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from tests.conftest import make_board, make_customer
from tests.discussions.factories import make_post, make_thread
from tests.kernel.markup.test_payloads import payloads

pytestmark = [pytest.mark.data, pytest.mark.long]

FILES = ("dompurify-expect.json", "bleach-tests.json", "blns.json")


class Skeleton(HTMLParser):
    """Elements and the names of their attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *sorted(name for name, _ in attributes)))


def first_difference(page: str, plain: str) -> object:
    pairs = zip_longest(Skeleton(page).found, Skeleton(plain).found)
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


def test_no_title_name_or_tag_adds_an_element(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author = make_customer()
        thread = make_thread(author, make_board(slug="talk"), "A plain title", tags="plain")
        make_post(make_customer(), thread)
        username = db.session.get_one(Member, author).username
        paths = [f"/threads/{thread.id}/{thread.slug}", "/boards/talk", f"/members/{username}"]
        thread_id, tag_id = thread.id, db.session.execute(select(Tag.id)).scalar_one()

    def pages(words: str) -> list[str]:
        with app.app_context(), unit_of_work():
            for model, key, column, most in (
                (Thread, thread_id, "title", 200), (Member, author, "name", 80), (Tag, tag_id, "name", 40),
            ):  # fmt: skip
                db.session.execute(update(model).where(model.id == key).values({column: words[:most]}))
            # What a thread shows is its own list.
            db.session.execute(
                update(Thread).where(Thread.id == thread_id).values(tags=["tag " + words[:40]])
            )
        page_cache.clear()
        answers = [client.get(path) for path in paths]
        assert {answer.status_code for answer in answers} == {200}
        return [answer.text for answer in answers]

    plain = pages("x plain words")
    assert all("x plain words" in page for page in plain)
    assert all("tag x plain words" in page for page in plain[:2])
    texts = [text for name in FILES for text in payloads(name)]
    assert len(texts) > 750
    for text in texts:
        words = "x " + text.replace("\0", "")
        for page, same in zip(pages(words), plain, strict=True):
            assert first_difference(page, same) is None, words


def test_an_element_that_gets_in_is_seen() -> None:
    assert first_difference("<p title='a'>x<b>y</b>", "<p title='a'>x") == (("b",), None)
    assert first_difference("<p title='a' onclick='b'>", "<p title='a'>") is not None
