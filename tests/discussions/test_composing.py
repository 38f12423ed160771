"""Writing through the pages: threads, answers, comments, previews, and what is refused."""

import re
from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions import screening
from portal.discussions.models import Audience, Draft, Post, PostKind, PostState, Thread, ThreadKind
from portal.discussions.screening import Submission
from portal.discussions.services import tools
from portal.discussions.services.drafts import save_draft
from portal.discussions.services.posting import open_thread, post_reply
from portal.discussions.services.removal import hide_post
from portal.kernel import site
from portal.kernel.db import db
from tests.conftest import make_board, make_prospect, noon, viewer_of
from tests.discussions.browsing import hidden_fields, send, token
from tests.discussions.scenes import Scene


class Tags(HTMLParser):
    """The elements of a text, and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs


@pytest.fixture
def scene(app: Flask, sign_in: Callable[[int], FlaskClient]) -> Scene:
    return Scene(app, sign_in)


def thread_fields(**fields: str) -> dict[str, str]:
    return {
        "board": "integrations",
        "kind": "question",
        "title": "Why does the breaker stay open?",
        "body": "After a certificate change **nothing** is sent.",
        "tags": "breaker, tls",
        **fields,
    }


def test_a_thread_is_opened_and_leads_to_its_place(scene: Scene):
    answer = send(scene.helper, "/threads/new", thread_fields())
    with scene.app.app_context():
        thread = db.session.execute(select(Thread).order_by(Thread.id.desc()).limit(1)).scalar_one()
        assert (thread.title, thread.tags) == ("Why does the breaker stay open?", ["breaker", "tls"])
        assert thread.author_id == scene.helper_id
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/threads/{thread.id}/why-does-the-breaker-stay-open"


def test_a_war_story_is_told_in_three_parts(scene: Scene):
    fields = thread_fields(kind="war_story", happened="A retry storm.", cost="Nine hours.", differently="")
    refused = send(scene.helper, "/threads/new", fields)
    page = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "is empty" in page
    assert 'href="#differently"' in page
    assert "A retry storm." in page
    answer = send(scene.helper, "/threads/new", {**fields, "differently": "Lanes from the first day."})
    assert answer.status_code == 303
    with scene.app.app_context():
        opening = db.session.execute(select(Post).order_by(Post.id.desc()).limit(1)).scalar_one()
        assert opening.sections == {
            "happened": "A retry storm.",
            "cost": "Nine hours.",
            "differently": "Lanes from the first day.",
        }


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"title": "Short"}, "title", "at least 8 characters"),
        ({"board": ""}, "board", "Choose a board"),
        ({"board": "nowhere"}, "board", "Choose a board"),
        ({"kind": "praise"}, "kind", "Choose one of the kinds"),
        ({"body": "   "}, "body", "Write something first"),
        ({"tags": "a b c d e f"}, "tags", "At most 5 tags"),
    ],
)
def test_a_thread_that_cannot_be_taken_comes_back_with_its_text(
    scene: Scene, fields: dict[str, str], field: str, message: str
):
    before = scene.count(Thread)
    sent = thread_fields(**fields)
    answer = send(scene.helper, "/threads/new", sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert message in page
    assert f'href="#{field}"' in page, "the summary leads to the field"
    assert "data-error-summary" in page
    for name in {"title", "body", "tags"} - {field}:
        assert sent[name] in page
    assert scene.count(Thread) == before


def test_everything_that_is_wrong_is_said_at_once(scene: Scene):
    fields = {
        "title": "Short",
        "board": "",
        "kind": "war_story",
        "tags": "a b c d e f",
        "cost": "Nine hours.",
    }
    page = send(scene.helper, "/threads/new", fields).get_data(as_text=True)
    fields_named = re.findall(r'<li><a href="#(\w+)"', page)
    assert fields_named == ["board", "title", "happened", "differently", "tags"], "in the order of the page"
    assert "5 things need another look" in page


def test_boards_are_offered_by_who_reads_them(scene: Scene):
    with scene.app.app_context():
        make_board("Customers only", audience=Audience.CUSTOMERS)
        make_board("Staff room", audience=Audience.STAFF)
        prospect = make_prospect("Paul")
    page = scene.helper.get("/threads/new?board=integrations").get_data(as_text=True)
    assert '<optgroup label="Everyone can read, search engines too">' in page
    assert "Everyone can read this board, search engines too" in page
    assert "Customers only" in page
    assert "Staff room" not in page
    theirs = scene.sign_in(prospect).get("/threads/new").get_data(as_text=True)
    assert "Customers only" not in theirs


def test_boards_out_of_sight_take_no_thread(scene: Scene):
    with scene.app.app_context():
        make_board("Staff room", slug="staff-room", audience=Audience.STAFF)
    answer = send(scene.helper, "/threads/new", thread_fields(board="staff-room"))
    assert answer.status_code == 422
    assert scene.count(Thread) == 1


def test_an_answer_a_reply_and_a_comment(scene: Scene):
    answered = send(scene.helper, f"/threads/{scene.thread_id}/posts", {"body": "Use a lane for each."})
    replied = send(scene.asker, f"/threads/{scene.thread_id}/posts", {"body": "Testing now."})
    posts = scene.posts()
    assert [post.kind for post in posts] == [PostKind.OPENING, PostKind.ANSWER, PostKind.REPLY]
    assert answered.status_code == replied.status_code == 303
    assert answered.headers["Location"] == f"/threads/{scene.thread_id}/{scene.slug}#p2"
    assert replied.headers["Location"].endswith("#p3")
    commented = send(scene.asker, f"/posts/{posts[1].id}/comments", {"body": "How many workers?"})
    comment = scene.posts()[-1]
    assert comment.parent_id == posts[1].id
    assert commented.headers["Location"] == f"/threads/{scene.thread_id}/{scene.slug}#c{comment.id}"


def test_an_answer_on_a_later_page_is_led_to_there(scene: Scene):
    with scene.app.app_context():
        helper = viewer_of(scene.helper_id)
        for number in range(2, 21):
            post_reply(helper, scene.thread_id, f"Answer {number}.")
    answer = send(scene.asker, f"/threads/{scene.thread_id}/posts", {"body": "The twenty-first."})
    assert answer.headers["Location"] == f"/threads/{scene.thread_id}/{scene.slug}?page=2#p21"


def test_an_empty_answer_comes_back_with_the_error_beside_the_field(scene: Scene):
    answer = send(scene.helper, f"/threads/{scene.thread_id}/posts", {"body": " "})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="body-error"' in page
    assert 'aria-invalid="true"' in page
    assert len(scene.posts()) == 1


def test_a_comment_that_is_too_long_is_kept(scene: Scene):
    opening = scene.posts()[0].id
    answer = send(scene.helper, f"/posts/{opening}/comments", {"body": "word " * 300})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "at most 1,200 characters" in page
    assert "word word word" in page


def test_the_same_form_sent_ten_times_makes_one_post(scene: Scene):
    page = scene.helper.get(f"/threads/{scene.thread_id}/posts").get_data(as_text=True)
    form = {
        **hidden_fields(page, f"/threads/{scene.thread_id}/posts"),
        "body": "Use a lane for each partner.",
    }
    assert form["form_key"]
    answers = [scene.helper.post(f"/threads/{scene.thread_id}/posts", data=form) for _ in range(10)]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (303, f"/threads/{scene.thread_id}/{scene.slug}#p2")
    }
    assert len(scene.posts()) == 2


def test_fields_that_are_not_in_the_form_change_nothing(scene: Scene):
    extra = {
        "is_staff": "1",
        "score": "99",
        "author_id": str(scene.asker_id),
        "created_at": "2001-01-01",
        "pinned": "yes",
        "by_vendor": "true",
        "state": "hidden",
        "number": "7",
        "accepted": "1",
    }
    send(scene.helper, f"/threads/{scene.thread_id}/posts", {"body": "Use a lane.", **extra})
    post = scene.posts()[-1]
    assert (post.author_id, post.score, post.by_vendor, post.state, post.number) == (
        scene.helper_id,
        0,
        False,
        PostState.VISIBLE,
        2,
    )
    send(scene.helper, "/threads/new", thread_fields(**extra))
    with scene.app.app_context():
        thread = db.session.execute(select(Thread).order_by(Thread.id.desc()).limit(1)).scalar_one()
        assert (thread.pinned_at, thread.score, thread.accepted_post_id, thread.author_id) == (
            None,
            0,
            None,
            scene.helper_id,
        )


def test_closed_archived_and_hidden_threads_take_no_reply(scene: Scene):
    path = f"/threads/{scene.thread_id}/posts"
    with scene.app.app_context():
        tools.close_thread(viewer_of(scene.moderator_id), scene.thread_id, "Solved in 7.6.")
    answer = send(scene.helper, path, {"body": "One more thing, long enough to keep."})
    assert answer.status_code == 403
    assert "One more thing, long enough to keep." in answer.get_data(as_text=True)
    page = scene.helper.get(path).get_data(as_text=True)
    assert "Solved in 7.6." in page
    assert "<textarea" not in page
    assert "As a moderator you can still write" in scene.moderator.get(path).get_data(as_text=True)
    assert len(scene.posts()) == 1


def test_held_and_removed_threads_take_no_reply(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(screening, "_screens", {lambda _submission: ("It has a link.",): str})
    opened = send(scene.helper, "/threads/new", thread_fields())
    held_id = int(opened.headers["Location"].split("/")[2])
    monkeypatch.setattr(screening, "_screens", {})
    own = send(scene.helper, f"/threads/{held_id}/posts", {"body": "Let me add."})
    assert own.status_code == 403
    assert "waits for a moderator" in own.get_data(as_text=True)
    assert send(scene.asker, f"/threads/{held_id}/posts", {"body": "Let me in."}).status_code == 404
    with scene.app.app_context():
        opening = db.session.scalar(select(Post.id).where(Post.thread_id == scene.thread_id))
        hide_post(opening or 0, rule="Rule 6", reason="It sells.", case_id=1, by_id=scene.moderator_id)
    gone = send(scene.helper, f"/threads/{scene.thread_id}/posts", {"body": "Too late."})
    assert gone.status_code in (403, 404)
    assert len(scene.posts()) == 1


def test_threads_out_of_sight_are_not_there_for_writing(scene: Scene):
    with scene.app.app_context():
        customers = make_board("Customers only", audience=Audience.CUSTOMERS)
        thread_id, _slug = scene.ask("Something among customers", customers)
        opening = db.session.scalar(select(Post.id).where(Post.thread_id == thread_id))
        prospect = make_prospect("Paul")
    browser = scene.sign_in(prospect)
    for path in (f"/threads/{thread_id}/posts", f"/posts/{opening}/comments"):
        hidden = send(browser, path, {"body": "Let me in."})
        missing = send(browser, path.replace(str(thread_id), "98765"), {"body": "Let me in."})
        assert hidden.status_code == missing.status_code == 404
        assert browser.get(path).status_code == 404


def test_numbers_beyond_any_row_are_not_found(scene: Scene):
    for number in (2**31, 10**19, 10**40):
        assert scene.helper.get(f"/threads/{number}/posts").status_code == 404
        assert send(scene.helper, f"/posts/{number}/vote").status_code == 404


def test_who_may_not_write_is_told_so(scene: Scene, client: FlaskClient):
    with scene.app.app_context():
        unconfirmed = make_prospect("Una", confirmed=False)
    path = f"/threads/{scene.thread_id}/posts"
    assert client.post(path, data={"body": "Hello"}).status_code == 401
    browser = scene.sign_in(unconfirmed)
    assert browser.post(path, data={"body": "Hello"}).status_code == 403
    assert len(scene.posts()) == 1


def test_a_preview_is_the_html_that_the_post_will_have(scene: Scene):
    source = "Since **7.4.2** `flow queue reload` <script>alert(1)</script> leaves files alone."
    fragment = send(scene.helper, "/preview", {"body": source})
    send(scene.helper, f"/threads/{scene.thread_id}/posts", {"body": source})
    assert fragment.status_code == 200
    assert fragment.get_data(as_text=True) == scene.posts()[-1].html
    assert "<script" not in fragment.get_data(as_text=True)


def test_without_a_script_a_preview_is_a_page(scene: Scene):
    fields = {"kind": "war_story", "happened": "A **storm**.", "cost": "Nine hours.", "body": "Left over."}
    page = send(scene.helper, "/preview", fields, headers={"Sec-Fetch-Dest": "document"}).get_data(
        as_text=True
    )
    assert "<strong>storm</strong>" in page
    assert "What it cost</h" in page
    assert "Left over." not in page
    assert "<title>What it will look like" in page
    empty = send(scene.helper, "/preview", {"body": " "}, headers={"Sec-Fetch-Dest": "document"})
    assert "Write something first" in empty.get_data(as_text=True)


def test_a_preview_of_too_much_is_refused(scene: Scene):
    answer = send(scene.helper, "/preview", {"body": "[" * 6000})
    assert answer.status_code == 422
    assert "<script" not in answer.get_data(as_text=True)


def test_posts_cannot_imitate_the_page(scene: Scene):
    source = (
        '<div class="notice" id="content" style="position:fixed">Pay here</div>\n\n'
        "[x](javascript:alert(1)) ![y](data:text/html,hi)"
    )
    html = send(scene.helper, "/preview", {"body": source}).get_data(as_text=True)
    found = Tags(html)
    assert set(found.names) == {"p"}
    assert found.attributes == []


def test_whoever_writes_too_fast_keeps_the_text(
    scene: Scene, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
):
    at(noon())
    with scene.app.app_context():
        site.change(posts_per_five_minutes=3)
    path = f"/threads/{scene.thread_id}/posts"
    for number in range(3):
        assert send(scene.helper, path, {"body": f"Answer {number}"}).status_code == 303
    refused = send(scene.helper, path, {"body": "The fourth, which I would miss."})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 300
    assert "The fourth, which I would miss." in refused.get_data(as_text=True)
    assert send(scene.asker, path, {"body": "Others are not held up."}).status_code == 303
    at(noon().replace(minute=5, second=1))
    assert send(scene.helper, path, {"body": "The fourth, which I would miss."}).status_code == 303


def test_a_held_post_says_why(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    def screen(submission: Submission) -> tuple[str, ...]:
        return ("It has a link in a first post.",) if "http" in submission.text else ()

    monkeypatch.setattr(screening, "_screens", {screen: str})
    path = f"/threads/{scene.thread_id}/posts"
    answer = send(scene.helper, path, {"body": "See https://spam.example for more."})
    assert answer.status_code == 303
    assert scene.posts()[-1].state is PostState.HELD
    page = scene.helper.get(path).get_data(as_text=True)
    assert "waits for a moderator" in page
    assert "It has a link in a first post." in page


def test_quoting_a_post_begins_the_composer_with_it(scene: Scene):
    with scene.app.app_context():
        post_id = post_reply(viewer_of(scene.helper_id), scene.thread_id, "Use a lane.\n\nThen reload.").id
        other_id, _slug = scene.ask("Another thread entirely")
    page = scene.asker.get(f"/threads/{scene.thread_id}/posts?quote={post_id}").get_data(as_text=True)
    assert "&gt; Use a lane." in page
    assert f"/posts/{post_id}" in page
    elsewhere = scene.asker.get(f"/threads/{other_id}/posts?quote={post_id}").get_data(as_text=True)
    assert "Use a lane." not in elsewhere


def test_a_draft_is_there_again_and_gone_once_sent(scene: Scene):
    with scene.app.app_context():
        save_draft(scene.helper_id, f"thread:{scene.thread_id}", {"body": "Half a sentence"}, 0)
    path = f"/threads/{scene.thread_id}/posts"
    page = scene.helper.get(path).get_data(as_text=True)
    assert "Half a sentence" in page
    assert 'data-draft-seq="1"' in page
    assert "Half a sentence" not in scene.asker.get(path).get_data(as_text=True)
    send(scene.helper, path, {"body": "Half a sentence, and the rest."})
    assert scene.count(Draft) == 0


def test_without_a_script_similar_threads_are_shown_before_one_is_opened(scene: Scene):
    form_page = scene.helper.get("/threads/new").get_data(as_text=True)
    fields = thread_fields(title="How can I isolate a bad partner?")
    asked = scene.helper.post(
        "/threads/new", data={**hidden_fields(form_page, "/threads/new"), **fields, "similar": "ask"}
    )
    page = asked.get_data(as_text=True)
    assert asked.status_code == 200
    assert "How do you isolate one bad partner?" in page
    assert "Post it anyway" in page
    assert fields["body"] in page
    assert scene.count(Thread) == 1
    back = scene.helper.post("/threads/new/form", data={**hidden_fields(page), **fields})
    assert fields["body"] in back.get_data(as_text=True)
    anyway = scene.helper.post("/threads/new", data={**hidden_fields(page), **fields})
    assert anyway.status_code == 303
    assert scene.count(Thread) == 2


def test_similar_threads_come_as_a_fragment_and_only_those_one_may_read(scene: Scene):
    with scene.app.app_context():
        staff = make_board("Staff room", audience=Audience.STAFF)
        staff_thread = open_thread(
            viewer_of(scene.moderator_id),
            staff,
            kind=ThreadKind.DISCUSSION,
            title="Isolate the bad partner of Castellan",
            body="Canary.",
        )
    answer = scene.helper.get("/threads/similar?title=isolate+bad+partners")
    fragment = answer.get_data(as_text=True)
    assert f"/threads/{scene.thread_id}/" in fragment
    assert f"/threads/{staff_thread.id}/" not in fragment
    assert "<html" not in fragment
    assert "Castellan" in scene.moderator.get("/threads/similar?title=isolate+bad+partners").get_data(
        as_text=True
    )
    assert scene.helper.get("/threads/similar?title=%25").get_data(as_text=True).strip() == ""


def test_a_form_without_its_token_keeps_the_text(scene: Scene):
    answer = scene.helper.post(
        f"/threads/{scene.thread_id}/posts", data={"body": "A long and careful answer."}
    )
    assert answer.status_code == 400
    assert "A long and careful answer." in answer.get_data(as_text=True)
    assert token(scene.helper)
    assert len(scene.posts()) == 1


def test_each_form_for_a_post_has_a_preview_without_a_script(scene: Scene):
    post = next(post for post in scene.posts() if post.number == 1)
    for address in ("/threads/new", f"/threads/{scene.thread_id}/posts", f"/posts/{post.id}/edit"):
        page = scene.asker.get(address).text
        assert 'formaction="/preview"' in page, address
