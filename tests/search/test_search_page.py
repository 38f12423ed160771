"""`/search`: what each reader finds, what is counted, what odd questions and broken indexes do."""

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.discussions.models import Audience, Post, ThreadKind
from portal.discussions.queries import searching
from portal.discussions.queries.narrowing import Asked
from portal.discussions.queries.similar import resembling
from portal.discussions.services import acceptance, posting, removal, voting
from portal.kernel.access import VISITOR
from portal.kernel.db import db
from portal.search import services as search
from tests.conftest import make_board, make_customer, make_moderator, make_prospect, viewer_of
from tests.support.statements import Statements


def ask(author: int, board: int, title: str, body: str, **fields: str) -> int:
    """A question; gives the id of its thread."""
    return posting.open_thread(
        viewer_of(author), board, kind=ThreadKind.QUESTION, title=title, body=body, **fields
    ).id


def opening_of(thread_id: int) -> int:
    return db.session.execute(
        select(Post.id).where(Post.thread_id == thread_id).order_by(Post.id).limit(1)
    ).scalar_one()


def titles(page: str) -> list[str]:
    found = re.findall(r'class="threads__title"[^>]*>(.*?)</a>', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", title)).strip() for title in found]


def total(page: str) -> str:
    found = re.search(r'<h2 id="found"[^>]*>(.*?)</h2>', page, re.DOTALL)
    return found.group(1).strip() if found else ""


@pytest.fixture
def community(app: Flask) -> dict[str, int]:
    """Threads about beluga on a public, a prospects', a customers' and a staff board."""
    with app.app_context():
        author, staff = make_customer("Ines Okafor"), make_moderator("Sam Staff")
        boards = {audience.value: make_board(f"Board {audience}", audience=audience) for audience in Audience}
        made = {"author": author, "staff_author": staff}
        for name, board in boards.items():
            writer = staff if name == "staff" else author
            made[name] = ask(writer, board, f"The {name} question", f"beluga {name}word", tags=f"tag-{name}")
        search.drain()
        return made


READERS: list[tuple[str, Callable[[], int] | None, set[str]]] = [
    ("visitor", None, {"public"}),
    ("prospect", make_prospect, {"public", "prospects"}),
    ("customer", make_customer, {"public", "prospects", "customers"}),
    ("moderator", make_moderator, {"public", "prospects", "customers", "staff"}),
]


@pytest.mark.parametrize(("reader", "make", "readable"), READERS, ids=[name for name, _, _ in READERS])
def test_readers_find_and_count_only_what_they_may_read(
    app: Flask,
    client: FlaskClient,
    sign_in: Callable[[int], FlaskClient],
    community: dict[str, int],
    reader: str,
    make: Callable[[], int] | None,
    readable: set[str],
) -> None:
    with app.app_context():
        browser = sign_in(make()) if make else client
    for address in ("/search?q=beluga", "/search?q=question", "/search?q=beluga&sort=newest"):
        page = browser.get(address).get_data(as_text=True)
        assert set(titles(page)) == {f"The {name} question" for name in readable}
        assert total(page) == f"{len(readable)} thread{'s' if len(readable) > 1 else ''}"
        for audience in Audience:
            shown = audience.value in readable
            assert (f"tag-{audience}" in page) == shown, "facets of tags"
            assert (f"Board {audience} (1)" in page) == shown, "facets of boards"
            assert (f"{audience}word" in page) == shown, "snippets"
    for audience in Audience:
        for address in (
            f"/search?q={audience}word",
            f"/search?q=beluga&tag=tag-{audience}",
            f"/search?tag=tag-{audience}",
        ):
            page = browser.get(address).get_data(as_text=True)
            assert titles(page) == ([f"The {audience} question"] if audience.value in readable else [])


def test_a_word_out_of_sight_is_never_suggested(
    app: Flask, client: FlaskClient, community: dict[str, int]
) -> None:
    del community
    with app.app_context():
        staff = make_moderator()
        board = make_board(audience=Audience.STAFF)
        ask(staff, board, "About the acquisition", "xylophone merger plans")
        ask(make_customer(), make_board(), "Public instruments", "we play the harmonica")
        search.drain()
        for viewer, expected in ((VISITOR, None), (viewer_of(staff), "xylophone")):
            suggestion = searching.find(viewer, Asked(q="xylophonne")).suggestion
            assert (suggestion.text if suggestion else None) == expected
    page = client.get("/search?q=xylophonne").get_data(as_text=True)
    assert "xylophone" not in page
    assert "Nothing found for “xylophonne”" in page
    page = client.get("/search?q=harmonika").get_data(as_text=True)
    assert "Did you mean" in page
    assert "harmonica</a>?" in page
    assert "That has 1 thread." in page


def test_posts_out_of_sight_do_not_decide_whether_some_words_are_enough(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        staff = make_moderator()
        secret = make_board(audience=Audience.STAFF)
        for number in range(8):
            ask(staff, secret, f"Staff thread {number}", "osprey heron")
        ask(make_customer(), make_board(), "Public thread", "osprey alone")
        search.drain()
    page = client.get("/search?q=osprey+heron").get_data(as_text=True)
    assert titles(page) == ["Public thread"]
    assert total(page) == "1 thread"


def test_hidden_held_and_deleted_posts_are_not_found(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author = make_customer()
        thread = ask(author, make_board(), "Seen by everybody", "lemming")
        reply = posting.post_reply(viewer_of(make_customer()), thread, "the vicuna speaks").id
        search.drain()
        assert titles(client.get("/search?q=vicuna").get_data(as_text=True)) == ["Seen by everybody"]
        # Before the index hears of it, the visibility query already knows.
        removal.hide_post(reply, rule="Rule 2", reason="vicuna secret", case_id=1, by_id=author)
        assert titles(client.get("/search?q=vicuna").get_data(as_text=True)) == []
        removal.hide_post(opening_of(thread), rule="Rule 2", reason="x", case_id=2, by_id=author)
        assert titles(client.get("/search?q=lemming").get_data(as_text=True)) == []


def test_results_are_grouped_and_lead_to_the_best_post(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        asker, helper = make_customer("Asta Asker"), make_customer("Hal Helper")
        thread = ask(asker, make_board("Integrations"), "How to pair the scanner", "It blinks.")
        answer = posting.post_reply(viewer_of(helper), thread, "Hold the **axolotl** button.").id
        posting.post_reply(viewer_of(asker), thread, "The axolotl button, really?")
        acceptance.accept(viewer_of(asker), thread, answer)
        search.drain()
    page = client.get("/search?q=axolotl").get_data(as_text=True)
    assert total(page) == "1 thread"
    assert f'href="/posts/{answer}"' in page
    assert "<mark>axolotl</mark> button" in page
    assert "accepted answer" in page
    assert "1 more post here matches" in page
    opening = client.get("/search?q=scanner+blinks").get_data(as_text=True)
    assert f'href="/threads/{thread}/how-to-pair-the-scanner"' in opening
    assert "<mark>scanner</mark>" in opening


def test_words_in_other_scripts_and_with_signs(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author, board = make_customer(), make_board()
        ask(author, board, "The client in C++", "linker flags")
        ask(author, board, "Statistics in R please", "data frames")
        ask(author, board, "全文検索の機能について", "日本語の投稿です")
        ask(author, board, "Crème brûlée at lunch", "dessert")
        search.drain()
    for words, title in [
        ("C%2B%2B", "The client in C++"),
        ("R", "Statistics in R please"),
        ("検索", "全文検索の機能について"),
        ("日本語", "全文検索の機能について"),
        ("creme brulee", "Crème brûlée at lunch"),
        ('"statistics in R"', "Statistics in R please"),
    ]:
        assert titles(client.get(f"/search?q={words}").get_data(as_text=True)) == [title], words


def test_filters_and_facets(app: Flask, client: FlaskClient, at: Callable[..., None]) -> None:
    with app.app_context():
        one, two = make_customer("One", username="one"), make_customer("Two", username="two")
        left, right = make_board("Left", slug="left"), make_board("Right", slug="right")
        at(datetime(2026, 1, 10, 12, tzinfo=UTC))
        answered = ask(one, left, "Answered tapir", "tapir", tags="zoo")
        reply = posting.post_reply(viewer_of(two), answered, "tapir answer").id
        acceptance.accept(viewer_of(one), answered, reply)
        at(datetime(2026, 2, 10, 12, tzinfo=UTC))
        ask(two, right, "Waiting tapir", "tapir", tags="zoo")
        posting.open_thread(
            viewer_of(one),
            right,
            kind=ThreadKind.DISCUSSION,
            title="Discussed tapir",
            body="tapir",
            tags="park",
        )
        search.drain()

    def found(query: str) -> set[str]:
        return set(titles(client.get(f"/search?q=tapir&{query}").get_data(as_text=True)))

    assert found("") == {"Answered tapir", "Waiting tapir", "Discussed tapir"}
    assert found("board=left") == {"Answered tapir"}
    assert found("kind=discussion") == {"Discussed tapir"}
    assert found("tag=zoo") == {"Answered tapir", "Waiting tapir"}
    assert found("author=two") == {"Answered tapir", "Waiting tapir"}
    assert found("author=Two&board=right") == {"Waiting tapir"}
    assert found("answered=yes") == {"Answered tapir"}
    assert found("answered=no") == {"Waiting tapir"}
    assert found("after=2026-02-01") == {"Waiting tapir", "Discussed tapir"}
    assert found("before=2026-02-10") == {"Answered tapir"}
    assert found("after=2026-02-10&before=2026-02-11") == {"Waiting tapir", "Discussed tapir"}
    assert found("board=nowhere") == set()
    with app.app_context():
        facets = searching.find(VISITOR, Asked(q="tapir", board="right")).facets
    counts = {name: {choice.value: choice.threads for choice in choices} for name, choices in facets.items()}
    assert counts["board"] == {"left": 1, "right": 2}, "a facet leaves its own filter aside"
    assert counts["kind"] == {"question": 1, "discussion": 1}
    assert counts["tag"] == {"zoo": 1, "park": 1}
    assert counts["author"] == {"one": 1, "two": 1}
    assert counts["answered"] == {"no": 1}
    newest = titles(client.get("/search?q=tapir&sort=newest").get_data(as_text=True))
    assert newest == ["Discussed tapir", "Waiting tapir", "Answered tapir"]
    assert titles(client.get("/search?tag=zoo").get_data(as_text=True)) == ["Waiting tapir", "Answered tapir"]


def test_without_words_the_filters_come_before_the_cut(
    app: Flask, client: FlaskClient, at: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_HITS", 2)
    with app.app_context():
        one, two, board = make_customer(), make_customer(), make_board("Left", slug="left")
        at(datetime(2026, 1, 10, 12, tzinfo=UTC))
        old = ask(one, board, "The old tapir", "tapir")
        reply = posting.post_reply(viewer_of(two), old, "tapir answer").id
        acceptance.accept(viewer_of(one), old, reply)
        voting.vote(viewer_of(two), opening_of(old))
        at(datetime(2026, 2, 10, 12, tzinfo=UTC))
        for number in range(3):
            ask(one, board, f"A new tapir {number}", "tapir")

    def found(query: str) -> list[str]:
        return titles(client.get(f"/search?board=left&{query}").text)

    assert len(found("")) == 2
    assert found("before=2026-01-11") == ["The old tapir"]
    assert found("answered=yes") == ["The old tapir"]
    assert found("sort=helpful")[0] == "The old tapir"
    assert found("after=2026-02-01&answered=yes") == []


def test_an_empty_page_says_that_not_all_was_looked_at(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_HITS", 2)
    with app.app_context():
        author, board = make_customer(), make_board("Left", slug="left")
        for number in range(3):
            ask(author, board, f"A tapir {number}", "tapir")
        search.drain()
    page = client.get("/search?q=tapir&board=nowhere").text
    assert titles(page) == []
    assert "posts were looked at" in page


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?q=", 200),
        ("?q=%00%01", 200),
        ("?q=%3F%3F%3F%3F*", 200),
        ("?q=%5Ba+TO+z%5D", 200),
        ("?q=vis:private", 200),
        ("?q=" + "NOT+" * 500, 200),
        ("?q=" + "a" * 100_000, 200),
        ("?q=" + "%22" * 300, 200),
        ("?q=%ff%fe", 200),
        ("?q=a&page=0", 404),
        ("?q=a&page=x", 404),
        ("?q=a&page=1000000000", 404),
        ("?q=a&page=2", 404),
        ("?q=a&after=yesterday", 422),
        ("?q=a&before=2026-13-40", 422),
        ("?q=a&after=0001-01-01", 422),
        ("?q=a&sort=email", 422),
        ("?q=a&kind=secret", 422),
        ("?q=a&answered=1", 422),
        ("?board=%3Cscript%3E&q=a", 200),
    ],
)
def test_odd_questions(app: Flask, client: FlaskClient, query: str, status: int) -> None:
    with app.app_context():
        search.drain()
    answer = client.get(f"/search{query}")
    assert answer.status_code == status
    assert "<script>" not in answer.get_data(as_text=True)


def test_what_was_typed_and_what_was_found_is_escaped(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        ask(
            make_customer("<b>Bold</b>"),
            make_board("<i>Board</i>"),
            "<script>wombat()</script>",
            "wombat `<img src=x>`",
        )
        search.drain()
    page = client.get("/search?q=wombat+%3Cscript%3E%22'").get_data(as_text=True)
    assert titles(page) == ["<script>wombat()</script>"]
    for raw in ("<script>wombat", "<b>Bold", "<i>Board", "<img src=x"):
        assert raw not in page
    assert 'value="wombat &lt;script&gt;&#34;&#39;"' in page


def test_field_syntax_finds_words_only(app: Flask, client: FlaskClient, community: dict[str, int]) -> None:
    del app, community
    for query in (
        "board:staff",
        "audience:staff+beluga",
        "*:*",
        "staffword*",
        "%22staffword",
        "beluga+OR+staffword",
    ):
        page = client.get(f"/search?q={query}").get_data(as_text=True)
        assert "The staff question" not in page
        assert "tag-staff" not in page


def test_without_an_index_titles_are_found_and_the_page_says_so(
    app: Flask, client: FlaskClient, community: dict[str, int]
) -> None:
    del community
    index = app.config["SETTINGS"].index_path
    for path in index.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:7])
    answer = client.get("/search?q=question")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Search is being put in order" in page
    assert titles(page) == ["The public question"]
    assert "tag-staff" not in page
    assert titles(client.get("/search?q=beluga").get_data(as_text=True)) == []
    assert titles(client.get("/search?q=100%25_").get_data(as_text=True)) == []
    with app.app_context():
        search.drain()
    page = client.get("/search?q=beluga").get_data(as_text=True)
    assert titles(page) == ["The public question"]
    assert "Search is being put in order" not in page


def test_pages_of_results(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author, board = make_customer(), make_board()
        for number in range(searching.ROWS + 3):
            ask(author, board, f"Thread number {number}", "pangolin")
        search.drain()
    first = client.get("/search?q=pangolin&sort=newest").get_data(as_text=True)
    second = client.get("/search?q=pangolin&sort=newest&page=2").get_data(as_text=True)
    assert len(titles(first)) == searching.ROWS
    assert len(titles(second)) == 3
    assert not set(titles(first)) & set(titles(second))
    assert "page=2" in first
    assert "page=3" not in second


def test_the_number_of_statements_does_not_grow(
    app: Flask,
    sign_in: Callable[[int], FlaskClient],
    statements: Callable[[], AbstractContextManager[Statements]],
) -> None:
    with app.app_context():
        author, board = make_customer(), make_board()
        ask(author, board, "Thread number zero", "capybara", tags="one")
        search.drain()
        browser = sign_in(make_customer())
    browser.get("/search")
    with statements() as few:
        assert len(titles(browser.get("/search?q=capybara").get_data(as_text=True))) == 1
    with app.app_context():
        for number in range(12):
            thread = ask(author, board, f"Thread number {number}", "capybara", tags=f"t{number}")
            posting.post_reply(viewer_of(make_customer()), thread, "capybara too")
        search.drain()
    browser.get("/search")
    with statements() as many:
        assert len(titles(browser.get("/search?q=capybara").get_data(as_text=True))) == 13
    assert len(many) <= len(few), f"{few}\n---\n{many}"
    assert len(many) <= 5, str(many)
    with statements() as again:
        assert len(titles(browser.get("/search?q=capybara").get_data(as_text=True))) == 13
    assert len(again) == len(many) - 1, "only the words are asked for again"
    with statements() as corrected:
        browser.get("/search?q=capibara")
    assert len(corrected) <= 6, str(corrected)


def test_threads_like_the_one_being_written_are_found_by_the_index(
    app: Flask, community: dict[str, int]
) -> None:
    with app.app_context():
        staff = viewer_of(community["staff_author"])
        assert [line.title for line in resembling(VISITOR, "About the public question")] == [
            "The public question"
        ]
        assert "The staff question" not in [line.title for line in resembling(VISITOR, "A staff question")]
        assert resembling(staff, "A staff question")[0].title == "The staff question"
