"""Flags, decisions and appeals in the browser of those they concern."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.models import Audience, Post
from portal.kernel import clock
from portal.kernel.db import db
from portal.moderation.models import Appeal, AppealOutcome, Case, Flag, MemberMeasure
from portal.moderation.services import appeals
from portal.moderation.services.cases import claim
from portal.moderation.services.deciding import decide
from portal.moderation.services.rules import name_second
from portal.notifications.models import Mail
from tests.conftest import make_admin, make_board, make_customer, make_moderator, viewer_of
from tests.moderation.conftest import answered, flagged, hiding

SignIn = Callable[[int], FlaskClient]


@dataclass(frozen=True)
class Scene:
    """Ids of the people in a thread and of the post in question."""

    asker: int
    author: int
    reporter: int
    moderator: int
    other: int
    post: int
    source: str


@pytest.fixture
def scene(app: Flask) -> Scene:
    with app.app_context():
        board = make_board("Operations")
        asker, author, reporter = (make_customer(name) for name in ("Dana", "Tamsin", "Lars"))
        post = answered(viewer_of(asker), viewer_of(author), board)
        return Scene(
            asker, author, reporter, make_moderator("Ruth"), make_moderator("Marijke"), post.id, post.source
        )


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the page's forms."""
    return dict(re.findall(r'name="(\w+)" type="hidden" value="([^"]*)"', page))


def token_of(page: str) -> dict[str, str]:
    return {"csrf_token": re.search(r'<meta name="csrf-token" content="([^"]+)"', page)[1]}


def removed(app: Flask, scene: Scene, **fields: object) -> tuple[int, int]:
    """(decision, case) of the post's removal."""
    with app.app_context():
        case = flagged(db.session.get_one(Post, scene.post), viewer_of(scene.reporter))
        decision = decide(viewer_of(scene.moderator), case.id, hiding(case, **fields))
        return decision.id, case.id


def test_a_post_is_flagged_from_the_thread(app: Flask, scene: Scene, sign_in: SignIn) -> None:
    browser = sign_in(scene.reporter)
    thread = browser.get(f"/posts/{scene.post}", follow_redirects=True).text
    assert f'action="/posts/{scene.post}/flags"' in thread
    assert "It names people without their leave (rule 4)" in thread
    answer = browser.post(f"/posts/{scene.post}/flags", data={**token_of(thread), "reason": "4"})
    assert (answer.status_code, answer.location) == (303, f"/posts/{scene.post}")
    assert "A moderator looks at it" in browser.get(answer.location, follow_redirects=True).text
    with app.app_context():
        assert db.session.execute(select(Flag.rule_number)).scalars().all() == [4]
    own = sign_in(scene.author).get(f"/posts/{scene.post}", follow_redirects=True).text
    assert f'action="/posts/{scene.post}/flags"' not in own


def test_the_page_of_its_own_says_what_is_missing_and_keeps_the_words(scene: Scene, sign_in: SignIn) -> None:
    browser = sign_in(scene.reporter)
    for address in (f"/posts/{scene.post}/flags", f"/posts/{scene.post}/flag"):
        assert "What is wrong with this post?" in browser.get(address).text
    sent = fields_of(browser.get(f"/posts/{scene.post}/flags").text)
    for data, field in (
        ({"comment": "He is not here."}, "reason"),
        ({"reason": "99", "comment": "He is not here."}, "reason"),
        ({"reason": "9" * 40, "comment": "He is not here."}, "reason"),
        ({"reason": "other", "comment": "  "}, "comment"),
    ):
        answer = browser.post(f"/posts/{scene.post}/flags", data={**sent, **data})
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.text
        assert data["comment"].strip() in answer.text
    done = browser.post(
        f"/posts/{scene.post}/flags", data={**sent, "reason": "other", "comment": "He is absent."}
    )
    assert done.status_code == 303
    assert "You have flagged this post before" in browser.get(f"/posts/{scene.post}/flags").text


def test_a_moderators_flag_leads_to_the_case(scene: Scene, sign_in: SignIn) -> None:
    browser = sign_in(scene.moderator)
    sent = fields_of(browser.get(f"/posts/{scene.post}/flags").text)
    answer = browser.post(f"/posts/{scene.post}/flags", data={**sent, "reason": "4"})
    assert answer.location == "/console/cases/1"


def test_a_post_out_of_sight_cannot_be_flagged(app: Flask, scene: Scene, sign_in: SignIn) -> None:
    with app.app_context():
        staff = make_board(audience=Audience.STAFF)
        secret = answered(viewer_of(scene.moderator), viewer_of(scene.other), staff).id
    browser = sign_in(scene.reporter)
    token = token_of(browser.get(f"/posts/{scene.post}/flags").text)
    for post_id in (secret, 987654):
        assert browser.get(f"/posts/{post_id}/flags").status_code == 404
        assert browser.post(f"/posts/{post_id}/flags", data={**token, "reason": "4"}).status_code == 404
    with app.app_context():
        assert db.session.execute(select(Flag.id)).all() == []


def test_the_author_reads_the_decision_with_the_own_text_and_appeals(
    app: Flask, scene: Scene, sign_in: SignIn
) -> None:
    decision, _case = removed(app, scene)
    author = sign_in(scene.author)
    page = author.get(f"/decisions/{decision}").text
    for words in (
        "Your post was removed",
        "It gave the number of a technician.",
        scene.source,
        "Moderator A",
    ):
        assert words in page
    for other, refusal in ((sign_in(scene.reporter), 404), (app.test_client(), 303)):
        assert other.get(f"/decisions/{decision}").status_code == refusal
        assert other.get(f"/appeals/new?decision={decision}").status_code == refusal
    form = fields_of(author.get(f"/appeals/new?decision={decision}").text)
    assert author.post("/appeals", data={**form, "text": " "}).status_code == 422
    sent = author.post("/appeals", data={**form, "text": "It was my own number."})
    assert sent.status_code == 303
    assert "It was my own number." in author.get(sent.location, follow_redirects=True).text

    judge = sign_in(scene.other)
    page = judge.get(sent.location).text
    assert "It was my own number." in page
    data = {**fields_of(page), "outcome": "overturned", "reason": "So it was."}
    assert judge.post(f"{sent.location}/decision", data={**data, "reason": ""}).status_code == 422
    assert judge.post(f"{sent.location}/decision", data=data).status_code == 303
    assert "So it was." in author.get(f"/decisions/{decision}").text
    late = judge.post(f"{sent.location}/decision", data={**data, "form_key": "another"})
    assert late.status_code == 409
    assert "So it was." in late.text
    assert "Your post was removed" in author.get("/notifications").text
    decider = sign_in(scene.moderator)
    assert "You took the decision" not in decider.get(sent.location).text  # it is decided


def test_an_appeal_that_was_taken_meanwhile_keeps_what_was_typed_and_is_decided_by_the_next_send(
    app: Flask, scene: Scene, sign_in: SignIn
) -> None:
    decision, _case = removed(app, scene)
    with app.app_context():
        appeal = appeals.appeal(scene.author, decision, "It was my own number.")
        address, case_id = f"/appeals/{appeal.id}", appeal.case_id
    judge = sign_in(scene.other)
    typed = {"outcome": "overturned", "reason": "So it was."}
    first = {**fields_of(judge.get(address).text), **typed}
    with app.app_context():
        claim(viewer_of(scene.other), case_id)  # in another window
    stale = judge.post(f"{address}/decision", data=first)
    assert stale.status_code == 409
    for words in ("This case was changed while you were looking at it.", "So it was."):
        assert words in stale.text
    assert judge.post(f"{address}/decision", data={**fields_of(stale.text), **typed}).status_code == 303


def test_the_named_second_reads_the_appeal_and_nothing_else(
    app: Flask, scene: Scene, sign_in: SignIn
) -> None:
    decision, _case = removed(app, scene)
    with app.app_context():
        wanda = make_customer("Wanda", username="wanda")
        name_second(viewer_of(make_admin()), "wanda")
        appeal = appeals.appeal(scene.author, decision, "It was my own number.")
        appeal_id, case_id = appeal.id, appeal.case_id
    browser = sign_in(wanda)
    page = browser.get(f"/appeals/{appeal_id}").text
    assert "It was my own number." in page
    assert "Lars" not in page
    assert browser.get(f"/console/cases/{case_id}").status_code == 403
    data = {**fields_of(page), "outcome": "upheld", "reason": "A number is a number."}
    assert browser.post(f"/appeals/{appeal_id}/decision", data=data).status_code == 303
    assert "A number is a number." in browser.get(f"/appeals/{appeal_id}").text
    outsider = sign_in(scene.reporter)
    assert outsider.get(f"/appeals/{appeal_id}").status_code == 404
    assert (
        outsider.post(
            f"/appeals/{appeal_id}/decision", data=token_of(outsider.get("/rules").text)
        ).status_code
        == 404
    )


def test_one_who_was_banned_appeals_by_the_mailed_link(
    app: Flask, scene: Scene, sign_in: SignIn, client: FlaskClient
) -> None:
    author = sign_in(scene.author)
    assert author.get("/notifications").status_code == 200
    removed(app, scene, member=MemberMeasure.BAN)
    assert author.get("/notifications").status_code == 303  # the open session is over
    with app.app_context():
        mail = db.session.execute(select(Mail).where(Mail.kind == "account")).scalar_one()
        link = mail.body["button"][1]
    assert client.get(link[:-4] + "AAAA").status_code == 303
    page = client.get(link).text
    assert "your account was closed" in page
    sent = client.post("/appeals", data={**fields_of(page), "text": "That was not me."})
    assert (sent.status_code, sent.location) == (303, "/appeals/sent")
    assert client.get(sent.location).status_code == 200
    with app.app_context():
        appeal = db.session.execute(select(Appeal)).scalar_one()
        version = db.session.get_one(Case, appeal.case_id).version
        appeals.decide_appeal(
            viewer_of(scene.other), appeal.id, AppealOutcome.UPHELD, "It was.", version=version
        )
        subjects = db.session.execute(select(Mail.subject).where(Mail.kind == "account")).scalars().all()
        assert "Your appeal: the decision stands" in subjects


def test_a_suspended_member_reads_and_appeals_and_writes_nothing(
    app: Flask, scene: Scene, sign_in: SignIn
) -> None:
    from_before = sign_in(scene.author)
    token = token_of(from_before.get("/rules").text)
    decision, _case = removed(app, scene, member=MemberMeasure.SUSPEND, suspended_until=in_a_week(app))
    assert from_before.post(f"/posts/{scene.post}/flags", data={**token, "reason": "4"}).status_code == 403
    page = from_before.get(f"/decisions/{decision}").text
    assert "writes again from" in page
    form = fields_of(from_before.get(f"/appeals/new?decision={decision}").text)
    assert from_before.post("/appeals", data={**form, "text": "Please look."}).status_code == 303


def in_a_week(app: Flask):
    with app.app_context():
        return clock.now() + timedelta(days=7)
