"""Unsent text: kept while one writes, never overwritten by an older window, seen by nobody else."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Draft
from portal.discussions.services import drafts
from portal.discussions.services.removal import hide_post
from tests.conftest import noon
from tests.discussions.browsing import send, send_as_script
from tests.discussions.scenes import Scene


@pytest.fixture
def scene(app: Flask, sign_in: Callable[[int], FlaskClient]) -> Scene:
    return Scene(app, sign_in)


def put(browser: FlaskClient, place: str, sequence: int, **fields: str):
    """As the autosave module does: form-encoded, with the last sequence it knows."""
    return send_as_script(browser, f"/drafts/{place}", "PUT", data={**fields, "sequence": sequence})


def test_each_save_counts_up(scene: Scene):
    place = f"thread:{scene.thread_id}"
    first = put(scene.helper, place, 0, body="Half")
    assert (first.status_code, first.json["sequence"]) == (200, 1)
    assert datetime.fromisoformat(first.json["saved_at"]).tzinfo is not None
    assert put(scene.helper, place, 1, body="Half a sentence").json["sequence"] == 2
    page = scene.helper.get(f"/threads/{scene.thread_id}/{scene.slug}").get_data(as_text=True)
    assert "Half a sentence" in page
    assert 'data-draft-seq="2"' in page
    assert f'data-draft-url="/drafts/{place}"' in page


def test_an_older_window_overwrites_nothing_and_gets_both_texts(scene: Scene):
    place = f"thread:{scene.thread_id}"
    put(scene.helper, place, 0, body="From the desk")
    put(scene.helper, place, 1, body="From the desk, longer")
    stale = put(scene.helper, place, 1, body="From the phone")
    assert stale.status_code == 409
    assert stale.json["sequence"] == 2
    assert stale.json["saved"] == {"body": "From the desk, longer"}
    assert stale.json["mine"] == {"body": "From the phone"}
    assert put(scene.helper, place, stale.json["sequence"], body="From the phone").status_code == 200


def test_the_same_text_again_is_no_conflict(scene: Scene):
    put(scene.helper, "new:integrations", 0, title="A title of mine")
    assert put(scene.helper, "new:integrations", 0, title="A title of mine").status_code == 200


def test_drafts_are_one_persons_own(scene: Scene):
    place = f"thread:{scene.thread_id}"
    put(scene.helper, place, 0, body="The canary sings")
    for browser in (scene.asker, scene.moderator):
        assert "canary" not in browser.get(f"/threads/{scene.thread_id}/{scene.slug}").get_data(as_text=True)
        assert "canary" not in browser.get("/me/drafts").get_data(as_text=True)
        assert send_as_script(browser, f"/drafts/{place}", "DELETE").status_code == 200
    assert scene.count(Draft) == 1


def test_only_places_of_forms_are_kept_and_only_their_fields(scene: Scene):
    for place in ("somewhere", "thread:x", "edit:1", "new:../x", "thread:" + "9" * 40):
        assert put(scene.helper, place, 0, body="x").status_code == 404
    put(scene.helper, "new:", 0, title="A title", author="9", secret="s", body="b")
    with scene.app.app_context():
        draft = drafts._find(scene.helper_id, "new:")
        assert draft is not None
        assert draft.fields == {"title": "A title", "body": "b"}


def test_too_much_text_is_refused(scene: Scene):
    refused = put(scene.helper, "new:", 0, body="x" * 200_001)
    assert refused.status_code == 422
    assert scene.count(Draft) == 0


def test_json_is_understood_too_and_nonsense_does_no_harm(scene: Scene):
    place = f"thread:{scene.thread_id}"
    kept = send_as_script(
        scene.helper, f"/drafts/{place}", "PUT", json={"fields": {"body": "By JSON"}, "sequence": 0}
    )
    assert kept.json["sequence"] == 1
    for sent in ([], {"fields": [], "sequence": {}}, {"fields": {"body": 7}, "sequence": "many"}):
        assert send_as_script(scene.helper, f"/drafts/{place}", "PUT", json=sent).status_code in (200, 409)


def test_the_list_leads_back_to_each_place(scene: Scene):
    answer = scene.answer()
    own = scene.posts()[0].id
    for browser, place in (
        (scene.asker, "new:integrations"),
        (scene.asker, f"thread:{scene.thread_id}"),
        (scene.asker, f"comment:{answer}"),
        (scene.asker, f"edit:{own}:1"),
    ):
        put(browser, place, 0, body=f"Text for {place}", title="About lanes")
    page = scene.asker.get("/me/drafts").get_data(as_text=True)
    for path in (
        "/threads/new?board=integrations",
        f"/threads/{scene.thread_id}/posts",
        f"/posts/{answer}/comments",
        f"/posts/{own}/edit?draft=1",
    ):
        assert f'href="{path}"' in page
        assert scene.asker.get(path).status_code == 200
    gone = send(scene.asker, f"/drafts/comment:{answer}?from=list", method="DELETE")
    assert (gone.status_code, gone.headers["Location"]) == (303, "/me/drafts")
    assert scene.count(Draft) == 3


def test_a_draft_for_a_place_out_of_sight_keeps_its_text(scene: Scene):
    answer = scene.answer()
    put(scene.asker, f"comment:{answer}", 0, body="My own words")
    with scene.app.app_context():
        hide_post(answer, rule="Rule 6", reason="It sells.", case_id=1, by_id=scene.moderator_id)
    page = scene.asker.get("/me/drafts").get_data(as_text=True)
    assert "can no longer be read" in page
    assert "My own words" in page
    assert "Use a lane for each partner" not in page


def test_the_empty_list_says_what_drafts_are(scene: Scene):
    assert "No draft is waiting" in scene.asker.get("/me/drafts").get_data(as_text=True)


def test_old_drafts_go_by_themselves(scene: Scene, at: Callable[[datetime], None]):
    at(noon())
    with scene.app.app_context():
        drafts.save_draft(scene.asker_id, "new:", {"body": "old"}, 0)
        at(noon() + timedelta(days=100))
        drafts.save_draft(scene.asker_id, "thread:1", {"body": "newer"}, 0)
        at(noon() + timedelta(days=181))
        assert drafts.forget_old_drafts() == 1
    assert scene.count(Draft) == 1
