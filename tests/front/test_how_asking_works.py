"""What a guest reads of matching and private conversations before asking, and where it is linked."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.asks import policy as asks_policy
from portal.conversations import policy as conversations_policy
from portal.matching.criteria import WANTED_FIT
from tests.asks.scenes import board


def words_of(client: FlaskClient, path: str) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", client.get(path).get_data(as_text=True))


@pytest.mark.parametrize("path", ["/ask", "/how-it-works", "/privacy", "/"])
def test_who_can_read_is_one_step_away(app: Flask, client: FlaskClient, path: str):
    with app.app_context():
        board()
    page = client.get(path).get_data(as_text=True)
    assert 'href="/conversations/who-can-read"' in page.partition("<footer")[0 if path != "/" else 2]


def test_beside_the_button_of_asking(app: Flask, client: FlaskClient):
    with app.app_context():
        board()
    page = client.get("/ask").get_data(as_text=True)
    before_sending = page.partition("Before you send")[2].partition("form__end")[0]
    assert "/conversations/who-can-read" in before_sending


def test_how_it_works_says_how_customers_are_chosen_and_what_a_conversation_is(client: FlaskClient):
    page = client.get("/how-it-works").get_data(as_text=True)
    for anchor in ("matching", "conversations"):
        assert f'id="{anchor}"' in page
        assert f'href="#{anchor}"' in page
    words = words_of(client, "/how-it-works")
    assert f"{WANTED_FIT:.2f} is wanted" in words
    assert "drawn at random" in words
    assert "complains plays no part" in words
    assert (conversations_policy.AT_ONCE, asks_policy.COUNTS_MORE) == (2, 3)
    assert "ask two customers at once" in words
    assert "it counts three times" in words
    assert conversations_policy.ANSWER_DAYS == 2
    assert "After two working days without an answer" in words


def test_the_page_claims_no_more_than_the_console_shows(client: FlaskClient):
    words = words_of(client, "/conversations/who-can-read")
    assert "places of a member are taken in 90 days, as a number of the beginning of the week" in words
    assert "counts of a member, from five on" in words
