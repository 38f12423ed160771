"""A member is shown with what they choose, and with nothing else."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.advocacy.queries.recognition import badges_of, shown_of
from portal.advocacy.queries.standing import standing_of
from portal.advocacy.services import recognition
from portal.advocacy.services.rebuilding import rebuild
from portal.discussions.models import ShownAs, ThreadKind, Vote
from portal.discussions.services.acceptance import accept
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import clock
from portal.kernel.access import VISITOR
from portal.kernel.db import db
from portal.kernel.errors import Invalid
from portal.kernel.unit_of_work import unit_of_work
from tests.conftest import make_board, make_customer, make_moderator, make_prospect, viewer_of
from tests.discussions.factories import make_post, make_thread, opening_of

SignIn = Callable[[int], FlaskClient]


def accepted_answer(helper: int) -> int:
    asker = viewer_of(make_customer())
    thread = open_thread(
        asker, make_board(), kind=ThreadKind.QUESTION, title="Which port is it?", body="Well?"
    )
    post = post_reply(viewer_of(helper), thread.id, "Port 22, and 10022 for tests.")
    accept(asker, thread.id, post.id)
    return post.id


def test_nothing_is_shown_until_it_is_chosen(in_app: Flask) -> None:
    helper = make_customer("Tomasz")
    post = accepted_answer(helper)
    assert badges_of(helper) == ["first_accepted"]
    assert shown_of(VISITOR, helper) is None
    recognition.show(viewer_of(helper), post_id=post, words="It took us a week.", badges=False)
    shown = shown_of(VISITOR, helper)
    assert shown is not None
    assert shown.deed is not None
    assert (shown.deed.title, shown.words, shown.badges) == ("Which port is it?", "It took us a week.", [])
    recognition.hide(viewer_of(helper))
    assert shown_of(VISITOR, helper) is None


def thanked_by(helper: int, givers: list[int]) -> None:
    board = make_board()
    for giver in givers:
        thread = make_thread(giver, board)
        accept(viewer_of(giver), thread.id, make_post(helper, thread).id)


def test_ten_companies_helped_are_ten_that_somebody_confirmed(in_app: Flask) -> None:
    helper = make_customer("Tomasz")
    nine = [make_customer() for _n in range(9)]
    thanked_by(helper, [*nine, nine[0], *(make_prospect() for _n in range(3))])
    assert badges_of(helper) == ["first_accepted"]
    thanked_by(helper, [make_customer()])
    assert badges_of(helper) == ["first_accepted", "helped_ten"]


def test_votes_brought_from_elsewhere_whose_voters_nobody_knows_are_no_companies(in_app: Flask) -> None:
    helper = make_customer("Tomasz")
    story = make_thread(helper, make_board(), "What went wrong", kind=ThreadKind.WAR_STORY)
    with unit_of_work():
        for _n in range(5):
            db.session.add(Vote(post_id=opening_of(story).id, value=1, created_at=clock.now()))
    thanked_by(helper, [make_customer() for _n in range(6)])
    rebuild()
    assert standing_of(helper).companies == 11
    assert badges_of(helper) == ["first_accepted", "war_story"]


def test_a_badge_for_a_war_story_is_for_one_told_by_name(in_app: Flask) -> None:
    helper, board = make_customer("Tomasz"), make_board()
    make_thread(helper, board, "A question")
    make_thread(helper, board, "Told as a role", kind=ThreadKind.WAR_STORY, author_shown_as=ShownAs.ROLE)
    assert badges_of(helper) == []
    make_thread(helper, board, "Told by name", kind=ThreadKind.WAR_STORY)
    assert badges_of(helper) == ["war_story"]


def test_only_ones_own_piece_can_be_chosen(in_app: Flask) -> None:
    post = accepted_answer(make_customer())
    with pytest.raises(Invalid, match="your own"):
        recognition.show(viewer_of(make_customer()), post_id=post)
    with pytest.raises(Invalid, match="not shown like this"):
        recognition.show(viewer_of(make_moderator()), post_id=post)


def test_the_page_shows_it_at_once_and_stops_at_once(
    app: Flask, sign_in: SignIn, client: FlaskClient
) -> None:
    with app.app_context():
        helper = make_customer("Tomasz", username="tomasz")
        post = accepted_answer(helper)
    assert "First accepted answer" not in client.get("/members/tomasz").text
    with app.app_context():
        recognition.show(viewer_of(helper), post_id=post, words="It took us a week.")
    page = client.get("/members/tomasz").text
    assert "First accepted answer" in page
    assert "It took us a week." in page
    with app.app_context():
        recognition.hide(viewer_of(helper))
    assert "First accepted answer" not in client.get("/members/tomasz").text
    assert "Being seen" in sign_in(helper).get("/me/recognition").text
