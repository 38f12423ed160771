"""A request from somebody's page that came to nothing leads to three others."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.asks.models import Ask, AskMode, ProposalState
from portal.asks.queries.finding import proposals_of
from portal.asks.queries.private import words_of
from portal.asks.services import asking, connecting
from portal.conversations import services as conversations
from portal.kernel.db import db
from portal.kernel.errors import Invalid, NotFound
from tests.asks.scenes import TUESDAY, ask, board, make_customers, make_prospect
from tests.conftest import viewer_of
from tests.conversations.conftest import asked

SignIn = Callable[[int], FlaskClient]
NOTE = "How did the first winter on Flow go for a plant like ours?"


@pytest.fixture(autouse=True)
def on_tuesday(at: Callable[[datetime], None]) -> None:
    at(TUESDAY)


@pytest.mark.parametrize("silence", [False, True], ids=["declined", "silence"])
def test_three_others_are_proposed_with_the_words_that_were_written(
    in_app: Flask, at: Callable[[datetime], None], silence: bool
):
    customers = make_customers(5)
    asker = viewer_of(make_prospect())
    first = asked(asker, customers[0], NOTE, origin="profile")
    if silence:
        at(TUESDAY + timedelta(days=5))
        conversations.release_due()
    else:
        conversations.decline(viewer_of(customers[0]), first.id)
    made = asking.ask_others(asker, first.id)
    assert made.mode is AskMode.CONVERSATION
    assert words_of(asker, made)[1] == NOTE
    proposed = {row.member_id for row in proposals_of(made.id) if row.state is ProposalState.OPEN}
    assert len(proposed) == 3
    assert customers[0] not in proposed, "not again"
    connecting.propose_again(asker, made.id)
    assert customers[0] not in {
        row.member_id for row in proposals_of(made.id) if row.state is ProposalState.OPEN
    }
    assert asking.ask_others(asker, first.id).id == made.id, "pressed twice it is one"


def test_of_a_request_that_came_from_an_ask_it_is_that_ask(in_app: Flask):
    board()
    make_customers(5)
    asker = viewer_of(make_prospect())
    one = ask(asker.member_id or 0)
    connecting.connect_now(asker, one.id, may_connect=False)
    first = proposals_of(one.id)[0]
    [talk] = connecting.approach(asker, one.id, [first.id], note=NOTE).conversation_ids
    conversations.decline(viewer_of(first.member_id), talk)
    assert asking.ask_others(asker, talk).id == one.id


def test_only_its_asker_and_only_when_it_is_over(in_app: Flask):
    [customer] = make_customers(1)
    asker = viewer_of(make_prospect())
    request = asked(asker, customer, NOTE)
    with pytest.raises(Invalid):
        asking.ask_others(asker, request.id)
    for other in (customer, make_prospect()):
        with pytest.raises(NotFound):
            asking.ask_others(viewer_of(other), request.id)
    conversations.decline(viewer_of(customer), request.id)
    with pytest.raises(NotFound):
        asking.ask_others(viewer_of(customer), request.id)
    assert db.session.query(Ask).count() == 0


def test_on_the_page_it_is_one_button(app: Flask, sign_in: SignIn):
    app.config["WTF_CSRF_ENABLED"] = False  # tests/house looks after those
    with app.app_context():
        customers = make_customers(5)
        asker = make_prospect()
        talk = asked(asker, customers[0], NOTE, origin="profile").id
        conversations.decline(viewer_of(customers[0]), talk)
    browser = sign_in(asker)
    page = browser.get(f"/conversations/{talk}").get_data(as_text=True)
    button = re.search(r'action="(/conversations/[^"]+/others)"', page)
    assert button is not None
    answer = browser.post(button.group(1))
    assert (answer.status_code, answer.location.endswith("/connect")) == (303, True)
    shown = browser.get(answer.location).get_data(as_text=True)
    assert shown.count('name="pick"') == 3
    assert NOTE in shown, "the note begins with what was written"
    assert browser.post("/conversations/nothing/others").status_code == 404


def test_after_a_no_none_of_their_asks_proposes_them(in_app: Flask):
    board()
    customers = make_customers(3)
    asker = viewer_of(make_prospect())
    conversations.decline(viewer_of(customers[0]), asked(asker, customers[0], NOTE).id)
    one = ask(asker.member_id or 0)
    connecting.connect_now(asker, one.id, may_connect=False)
    assert {row.member_id for row in proposals_of(one.id)} == set(customers[1:])
    other = make_prospect()
    connecting.connect_now(viewer_of(other), (two := ask(other)).id, may_connect=False)
    assert {row.member_id for row in proposals_of(two.id)} == set(customers)
