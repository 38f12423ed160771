"""Editing through the pages: history, deletion, and two people at one post."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.comparing import both_in_one
from portal.discussions.models import Audience, Post, PostRevision, PostState, Thread
from portal.discussions.services.drafts import save_draft
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.removal import hide_post
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from tests.conftest import make_board, make_prospect, noon, viewer_of
from tests.discussions.browsing import hidden_fields, send
from tests.discussions.scenes import Scene

LATER = noon("2026-03-02").replace(hour=15)  # beyond the grace for quick fixes, within the session


@pytest.fixture
def scene(app: Flask, sign_in: Callable[[int], FlaskClient], at: Callable[[datetime], None]) -> Scene:
    at(noon("2026-03-02"))
    return Scene(app, sign_in)


def edit(scene: Scene, post_id: int, body: str, **fields: object) -> None:
    with scene.app.app_context():
        version = scene.post(post_id).version
        edit_post(viewer_of(scene.helper_id), post_id, Edit(body=body, version=version, **fields))


def test_an_author_changes_the_text_and_lands_at_the_post(scene: Scene):
    answer = scene.answer("Use a lane for each partner.")
    page = scene.helper.get(f"/posts/{answer}/edit").get_data(as_text=True)
    assert "Use a lane for each partner." in page
    assert "leaves no mark" in page
    form = hidden_fields(page, f"/posts/{answer}")
    sent = scene.helper.post(f"/posts/{answer}", data={**form, "body": "Use one lane for each."})
    assert (sent.status_code, sent.headers["Location"]) == (
        303,
        f"/threads/{scene.thread_id}/{scene.slug}#p2",
    )
    assert scene.post(answer).source == "Use one lane for each."
    assert scene.count(PostRevision) == 0


def test_the_opening_also_has_title_and_tags(scene: Scene):
    opening = scene.posts()[0]
    fields = {
        "title": "How do you isolate two bad partners?",
        "tags": "lanes sftp",
        "body": "Two down.",
        "version": opening.version,
    }
    assert send(scene.asker, f"/posts/{opening.id}", fields, method="PUT").status_code == 303
    with scene.app.app_context():
        thread = db.session.get_one(Thread, scene.thread_id)
        assert (thread.title, thread.tags) == ("How do you isolate two bad partners?", ["lanes", "sftp"])
    refused = send(
        scene.asker, f"/posts/{opening.id}", {**fields, "title": "Short", "version": opening.version + 1}
    )
    assert refused.status_code == 422
    assert "Two down." in refused.get_data(as_text=True)
    bad = {**fields, "title": "Short", "body": " ", "tags": "a b c d e f"}
    page = send(scene.asker, f"/posts/{opening.id}", bad).get_data(as_text=True)
    assert "3 things need another look" in page


def test_others_change_nothing_but_a_moderator_may_with_a_reason(scene: Scene):
    answer = scene.answer("Call Piotr on 555-0100.")
    fields = {"body": "Call the operator.", "version": 1}
    assert scene.asker.get(f"/posts/{answer}/edit").status_code == 403
    assert send(scene.asker, f"/posts/{answer}", fields).status_code == 403
    assert send(scene.asker, f"/posts/{answer}", method="DELETE").status_code == 403
    without = send(scene.moderator, f"/posts/{answer}", fields)
    assert without.status_code == 422
    assert 'id="reason-error"' in without.get_data(as_text=True)
    ruleless = send(scene.moderator, f"/posts/{answer}", {**fields, "reason": "A name."})
    assert ruleless.status_code == 422
    assert 'id="rule-error"' in ruleless.get_data(as_text=True)
    cited = {**fields, "reason": "A name.", "rule": "4"}
    assert send(scene.moderator, f"/posts/{answer}", {**cited, "rule": "99"}).status_code == 422
    assert send(scene.moderator, f"/posts/{answer}", cited).status_code == 303
    assert "Rule 4" in scene.asker.get(f"/posts/{answer}/history").get_data(as_text=True)
    assert scene.post(answer).source == "Call the operator."


def test_words_that_a_rule_took_out_are_for_their_author_and_moderators(
    scene: Scene, client: FlaskClient, at: Callable[[datetime], None]
):
    answer = scene.answer("Call Piotr on 555-0100.")
    at(LATER)
    edit(scene, answer, "Call Piotr on 555-0100 at night.")
    cited = {"body": "Call the operator.", "reason": "A number.", "rule": "4", "version": 2}
    assert send(scene.moderator, f"/posts/{answer}", cited).status_code == 303
    at(LATER.replace(hour=16))
    edit(scene, answer, "Call the operator of the day.")
    first = f"/posts/{answer}/history"
    with scene.app.app_context():
        ids = db.session.execute(select(PostRevision.id).order_by(PostRevision.id)).scalars().all()
    for path in (first, f"{first}?before={ids[1]}"):
        for reader in (scene.helper, scene.moderator):
            assert "555-0100" in reader.get(path).get_data(as_text=True)
        for reader in (scene.asker, client):
            page = reader.get(path).get_data(as_text=True)
            assert "555-0100" not in page
            assert "Piotr" not in page
            assert "took words out by a rule" in page
    page = scene.asker.get(first).get_data(as_text=True)
    assert "of the day</ins>" in page, "what was changed afterwards is there for everybody"
    assert "Rule 4" in page


def test_the_history_shows_what_went_and_what_came(scene: Scene, at: Callable[[datetime], None]):
    answer = scene.answer("We have 61 carriers.\n\nMost of them over SFTP.")
    at(LATER)
    edit(scene, answer, "We have 63 carriers.\n\nMost of them over SFTP.", reason="two more")
    at(LATER.replace(hour=16))
    edit(scene, answer, "We have 63 carriers.\n\nHalf of them over AS2.")
    page = scene.asker.get(f"/posts/{answer}/history").get_data(as_text=True)
    assert "<del>61</del><ins>63</ins>" in page
    assert "two more" in page
    assert page.index("AS2") < page.index("two more"), "newest first"
    assert "Changed by Tomasz" in page


def test_a_long_history_is_paged_without_losing_an_edit(scene: Scene, at: Callable[[datetime], None]):
    answer = scene.answer("Text 0.")
    at(LATER)
    for number in range(1, 26):
        edit(scene, answer, f"Text {number}.")
    first = scene.asker.get(f"/posts/{answer}/history").get_data(as_text=True)
    assert "<del>5</del><ins>6</ins>" in first
    assert "<del>4</del><ins>5</ins>" not in first
    older = first.split("history?before=")[1].split('"')[0]
    second = scene.asker.get(f"/posts/{answer}/history?before={older}").get_data(as_text=True)
    for number in range(5):
        assert f"<del>{number}</del><ins>{number + 1}</ins>" in second
    assert "<ins>6</ins>" not in second


def test_the_history_is_for_those_who_may_read_the_post(
    scene: Scene, client: FlaskClient, at: Callable[[datetime], None]
):
    answer = scene.answer("The canary sings.")
    at(LATER)
    edit(scene, answer, "Nothing sings.")
    path = f"/posts/{answer}/history"
    assert "canary" in client.get(path).get_data(as_text=True)
    with scene.app.app_context():
        hide_post(answer, rule="Rule 4", reason="Names.", case_id=1, by_id=scene.moderator_id)
    for browser in (client, scene.asker, scene.helper):
        gone = browser.get(path)
        assert gone.status_code == 404
        assert "canary" not in gone.get_data(as_text=True)


def test_the_history_of_an_inner_board_is_not_there_for_others(scene: Scene, client: FlaskClient):
    with scene.app.app_context():
        board_id = make_board("Customers only", audience=Audience.CUSTOMERS)
        thread_id, _slug = scene.ask("Something among customers", board_id)
        opening = db.session.scalar(select(Post.id).where(Post.thread_id == thread_id))
        prospect = make_prospect("Paul")
    assert client.get(f"/posts/{opening}/history").status_code == 404
    assert scene.sign_in(prospect).get(f"/posts/{opening}/edit").status_code == 404
    assert scene.helper.get(f"/posts/{opening}/history").status_code == 200


def test_a_stale_edit_shows_both_texts_and_overwrites_nothing(scene: Scene, at: Callable[[datetime], None]):
    answer = scene.answer("We have 61 carriers.")
    form = hidden_fields(scene.helper.get(f"/posts/{answer}/edit").get_data(as_text=True), f"/posts/{answer}")
    at(LATER)
    edit(scene, answer, "We have 61 carriers. Half of them on AS2 by spring.")
    stale = scene.helper.post(f"/posts/{answer}", data={**form, "body": "We have 63 carriers."})
    page = stale.get_data(as_text=True)
    assert stale.status_code == 409
    assert "<ins>63</ins>" in page
    assert re.search(r"<ins>[^<]*Half of them on AS2 by spring", page)
    for choice in ("Edit both into one", "Keep the saved one", "Replace it with mine"):
        assert choice in page
    assert scene.post(answer).source.endswith("by spring.")

    again = hidden_fields(page, f"/posts/{answer}")
    both = scene.helper.post(f"/posts/{answer}/edit", data={**again, "body": "We have 63 carriers."})
    text = both.get_data(as_text=True)
    assert "We have 61 carriers. Half of them on AS2 by spring.\nWe have 63 carriers." in text
    assert hidden_fields(text, f"/posts/{answer}")["version"] == str(scene.post(answer).version)

    replaced = scene.helper.post(f"/posts/{answer}", data={**again, "body": "We have 63 carriers."})
    assert replaced.status_code == 303
    assert scene.post(answer).source == "We have 63 carriers."


def test_a_form_without_its_version_overwrites_nothing(scene: Scene):
    answer = scene.answer("We have 61 carriers.")
    for version in ({}, {"version": ""}, {"version": "x"}, {"version": "99"}):
        sent = send(scene.helper, f"/posts/{answer}", {"body": "Something else entirely.", **version})
        assert sent.status_code == 409
    assert scene.post(answer).source == "We have 61 carriers."


@pytest.mark.parametrize(
    ("saved", "mine", "both"),
    [
        ("a\nb\nc", "a\nb\nc", "a\nb\nc"),
        ("a\nb", "a\nx", "a\nb\nx"),
        ("a\nb\nc", "a\nc", "a\nb\nc"),
        ("a\nc", "a\nb\nc", "a\nb\nc"),
        ("we have 61 carriers", "we have 63 carriers", "we have 61 carriers\nwe have 63 carriers"),
        ("", "new", "new"),
    ],
)
def test_both_texts_in_one_lose_no_line(saved: str, mine: str, both: str):
    assert both_in_one(saved, mine) == both


def test_an_unsent_edit_of_an_older_version_is_offered_not_put_in(
    scene: Scene, at: Callable[[datetime], None]
):
    answer = scene.answer("We have 61 carriers.")
    with scene.app.app_context():
        save_draft(
            scene.helper_id, f"edit:{answer}:1", {"body": "We have 63 carriers.", "reason": "two more"}, 0
        )
    assert "We have 63 carriers." in scene.helper.get(f"/posts/{answer}/edit").get_data(as_text=True)
    at(LATER)
    edit(scene, answer, "We have 61 carriers, most on SFTP.")
    page = scene.helper.get(f"/posts/{answer}/edit").get_data(as_text=True)
    assert "We have 61 carriers, most on SFTP." in page
    assert "We have 63 carriers." not in page
    assert f"/posts/{answer}/edit?draft=1" in page
    compared = scene.helper.get(f"/posts/{answer}/edit?draft=1").get_data(as_text=True)
    assert "<ins>63</ins>" in compared
    assert scene.helper.get(f"/posts/{answer}/edit?draft=7").status_code == 404


def test_deleting_is_asked_for_and_leaves_a_line(scene: Scene):
    answer = scene.answer()
    asked = scene.helper.get(f"/posts/{answer}/delete")
    assert f'action="/posts/{answer}?_method=DELETE"' in asked.get_data(as_text=True)
    assert scene.post(answer).state is PostState.VISIBLE
    gone = send(scene.helper, f"/posts/{answer}", method="DELETE")
    assert (gone.status_code, gone.headers["Location"][-3:]) == (303, "#p2")
    assert scene.post(answer).state is PostState.DELETED
    assert scene.helper.get(f"/posts/{answer}/edit").status_code == 404


def test_an_answered_opening_stays(scene: Scene):
    scene.answer()
    opening = scene.posts()[0].id
    refused = send(scene.asker, f"/posts/{opening}", method="DELETE")
    assert refused.status_code == 422
    assert "Others have written here" in refused.get_data(as_text=True)
    assert scene.post(opening).state is PostState.VISIBLE


def test_an_imported_post_is_edited_as_markdown(scene: Scene, at: Callable[[datetime], None]):
    answer = scene.answer("placeholder")
    with scene.app.app_context(), unit_of_work():
        post = db.session.get_one(Post, answer)
        post.source, post.source_format = "<p>Use <b>lanes</b> for 61 partners.</p>", "html"
    page = scene.helper.get(f"/posts/{answer}/edit").get_data(as_text=True)
    assert "Use **lanes** for 61 partners." in page
    at(LATER)
    edit(scene, answer, "Use **lanes** for 63 partners.")
    history = scene.asker.get(f"/posts/{answer}/history").get_data(as_text=True)
    assert "<del>61</del><ins>63</ins>" in history
    assert "&lt;p&gt;" not in history
