"""Tools on a thread are not for a peer moderator whose own company or competitor is a party."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Post, Thread, ThreadKind
from portal.discussions.services import tools
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel.access import Duty, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company
from portal.moderation.models import PostMeasure
from portal.moderation.services.deciding import decide
from tests.conftest import make_board, make_company, make_customer, make_moderator, viewer_of
from tests.moderation.conftest import ask, flagged, hiding

OWN = "Your own company is a party here, so somebody else decides."
RIVAL = "A competitor of your company is a party here, so somebody else decides."


def peer_of(company: int) -> Viewer:
    return viewer_of(make_customer("Petra Vogel", company_id=company, duties=(Duty.MODERATOR,)))


def every_tool(board: int, thread: Thread, post: Post) -> dict[str, Callable[[Viewer], object]]:
    elsewhere = make_board("Elsewhere")
    other = ask(viewer_of(make_customer()), board, "Another thread about the same")
    edit = Edit(body="Other words.", reason="Shorter.", rule=4, version=post.version)
    return {
        "close": lambda who: tools.close_thread(who, thread.id, "Enough."),
        "reopen": lambda who: tools.reopen_thread(who, thread.id),
        "pin": lambda who: tools.pin_thread(who, thread.id),
        "edit": lambda who: edit_post(who, post.id, edit),
        "move": lambda who: tools.move_thread(who, thread.id, elsewhere, "Why."),
        "split": lambda who: tools.split_thread(who, thread.id, [post.id], "A thread of its own", "Why."),
        "merge away": lambda who: tools.merge_threads(who, other.id, thread.id, "Why."),
        "merge into": lambda who: tools.merge_threads(who, thread.id, other.id, "Why."),
    }


@pytest.mark.parametrize("who", ["colleague", "competitor", "declared by the other", "stranger", "vendor"])
def test_a_peer_uses_no_tool_where_the_own_company_or_a_competitor_wrote(board: int, who: str) -> None:
    own, other = make_company(), make_company()
    rivals = {"competitor": (own, other), "declared by the other": (other, own)}
    with unit_of_work():
        for declaring, declared in [rivals[who]] if who in rivals else []:
            db.session.get_one(Company, declaring).competitors = [declared]
    writer = viewer_of(make_customer(company_id=own if who == "colleague" else other))
    thread = ask(viewer_of(make_customer()), board)
    post = post_reply(writer, thread.id, "Theirs loses messages as well.")
    actor = viewer_of(make_moderator()) if who == "vendor" else peer_of(own)
    refused = {"colleague": OWN, "competitor": RIVAL, "declared by the other": RIVAL}.get(who)
    for name, use in every_tool(board, thread, post).items():
        if refused is None:
            if name != "merge into":  # the thread it came from is gone by then
                use(actor)
            continue
        with pytest.raises(Forbidden) as error:
            use(actor)
        assert error.value.message == refused, name
    if refused is not None:
        kept = db.session.get_one(Post, post.id)
        assert (kept.source, kept.thread_id) == ("Theirs loses messages as well.", thread.id)
        assert db.session.get_one(Thread, thread.id).closed_at is None


def test_a_peers_own_words_and_nameless_people_are_left_to_others(board: int) -> None:
    peer = peer_of(make_company())
    own = ask(peer, board)
    with pytest.raises(Forbidden, match="what you wrote yourself"):
        tools.close_thread(peer, own.id, "Enough.")
    role = open_thread(
        viewer_of(make_customer()),
        board,
        kind=ThreadKind.QUESTION,
        title="Who has left the other vendor?",
        body="We think of it.",
        author_shown_as="role",
    )
    with pytest.raises(Forbidden, match="appears without a name"):
        tools.close_thread(peer, role.id, "Enough.")


def test_one_who_flagged_is_a_party_and_a_decision_still_closes(board: int) -> None:
    own = make_company()
    peer, other = peer_of(own), peer_of(make_company())
    thread = ask(viewer_of(make_customer()), board)
    post = post_reply(viewer_of(make_customer()), thread.id, "Call Alan at his private number.")
    case = flagged(post, viewer_of(make_customer(company_id=own)))
    with pytest.raises(Forbidden, match="Your own company"):
        tools.close_thread(peer, thread.id, "Enough.")
    post_reply(other, thread.id, "We had the same.")
    decide(other, case.id, hiding(case, post=PostMeasure.CLOSE))
    assert db.session.get_one(Thread, thread.id).closed_reason.startswith("Rule 4")


def test_the_pages_say_so_and_offer_nothing(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        own = make_company()
        thread = ask(viewer_of(make_customer(company_id=own)), make_board())
        post_id = post_reply(viewer_of(make_customer(company_id=own)), thread.id, "We had the same.").id
        peer = peer_of(own).member_id or 0
    browser = sign_in(peer)
    page = browser.get(f"/threads/{thread.id}/tools")
    assert OWN in page.text
    assert "Close the thread" not in page.text
    for address in (f"/threads/{thread.id}/split", f"/threads/{thread.id}/merge", f"/posts/{post_id}/edit"):
        assert browser.get(address).status_code == 403, address
