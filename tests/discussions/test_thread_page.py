"""The page of a thread: what stands where, for whom, and how many statements it takes."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from portal.discussions import reading_state
from portal.discussions.models import ReadMark, Thread, ThreadKind
from portal.discussions.services import acceptance, editing, following, removal, tools, voting
from portal.discussions.services.editing import Edit
from portal.kernel import clock
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.queries import viewer_of
from tests.conftest import (
    make_board,
    make_company,
    make_customer,
    make_member,
    make_moderator,
    make_prospect,
    noon,
)
from tests.discussions.factories import fill_thread, hold, make_comment, make_post, make_thread, opening_of
from tests.support.statements import Statements

SignIn = Callable[[int], FlaskClient]
Count = Callable[[], AbstractContextManager[Statements]]


def of_the_page(seen: Statements) -> int:
    """How many statements ran, without the look every two seconds whether the settings changed."""
    return sum(1 for text in seen.texts if not text.startswith("SELECT site_version"))


def ids_in_order(page: str) -> list[str]:
    return re.findall(r'<(?:article|section|p)[^>]* id="((?:p|place)\d+)"', page)


def test_the_accepted_answer_follows_the_question_and_leaves_a_line_in_its_place(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        asker, helper = make_customer("Ines"), make_customer("Tomasz")
        thread = make_thread(asker, make_board())
        make_post(helper, thread, "First guess.")
        answer = make_post(helper, thread, "The one that works.")
        make_post(helper, thread, "An afterthought.")
        acceptance.accept(viewer_of(asker), thread.id, answer.id)
        address = f"/threads/{thread.id}/{thread.slug}"
    page = client.get(address).text
    assert ids_in_order(page) == ["p1", "p3", "p2", "place3", "p4"]
    assert page.count("The one that works.</p>") == 1
    assert "Accepted by Ines" in page
    assert "Answered question" in page


def test_on_a_later_page_the_accepted_answer_stands_whole_in_its_place(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        asker, helper = make_customer("Ines"), make_customer("Tomasz")
        thread = make_thread(asker, make_board())
        fill_thread(thread, asker, 30)
        answer = make_post(helper, thread, "The one that works.")
        acceptance.accept(viewer_of(asker), thread.id, answer.id)
        address, place = f"/threads/{thread.id}/{thread.slug}", f"/posts/{answer.id}"
    assert "The one that works.</p>" in client.get(address).text, "after the question too"
    assert client.get(place).headers["Location"] == f"{address}?page=2#p31"
    assert "The one that works.</p>" in client.get(f"{address}?page=2").text


def test_comments_stand_under_their_post_in_order(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        asker, helper = make_customer(), make_customer()
        thread = make_thread(asker, make_board())
        answer = make_post(helper, thread)
        comments = [make_comment(asker, answer, f"Remark {n}.") for n in range(55)]
        address, late = f"/threads/{thread.id}/{thread.slug}", comments[-1].id
        removal.hide_post(comments[0].id, rule="Rule 4", reason="A name.", case_id=3, by_id=asker)
        answer_id = answer.id
    page = client.get(address).text
    remarks = [int(number) for number in re.findall(r"Remark (\d+)\.", page)]
    assert remarks == list(range(1, 50)), "the first fifty, the removed one without its words"
    assert "A comment was removed." in page
    assert client.get(f"/posts/{late}").headers["Location"] == f"{address}?comments={answer_id}#c{late}"
    whole = client.get(f"{address}?comments={answer_id}").text
    assert f'id="c{late}"' in whole
    assert "noindex" in whole


def test_a_long_thread_pages_by_number(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author = make_customer()
        thread = make_thread(author, make_board())
        fill_thread(thread, author, 2000)
        address = f"/threads/{thread.id}/{thread.slug}"
        number = thread.id
        middle = db.session.execute(
            db.text("SELECT id FROM posts WHERE thread_id = :t AND number = 1001"), {"t": number}
        ).scalar_one()
    seen = []
    for page in (1, 2, 51, 100):
        text = client.get(f"{address}?page={page}").text
        seen.append([int(one) for one in re.findall(r'<article[^>]* id="p(\d+)"', text)])
    assert seen == [list(range(first, first + 20)) for first in (1, 21, 1001, 1981)]
    assert client.get(f"/posts/{middle}").headers["Location"] == f"{address}?page=51#p1001"
    assert client.get(f"/threads/{number}/go?number=1001").headers["Location"] == f"{address}?page=51#p1001"
    assert client.get(f"/threads/{number}/go?number=9999").headers["Location"] == f"{address}?page=100#p2000"
    for nowhere in ("101", "0", "-1", "x", "1000000000000000000000", "٣"):
        assert client.get(f"{address}?page={nowhere}").status_code == 404, nowhere
    last = client.get(f"{address}?page=100").text
    assert "page=99" in last
    assert f'rel="canonical" href="http://localhost:8000{address}?page=100"' in last


def test_addresses_lead_to_the_one_that_counts(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author, moderator = make_customer(), viewer_of(make_moderator())
        board, staff = make_board(), make_board(audience="staff")
        thread, target = make_thread(author, board), make_thread(author, board, "Where it went in the end")
        hidden = make_thread(moderator, staff, "A thread for the staff alone")
        gone = make_thread(moderator, staff, "This one is merged among the staff")
        right = f"/threads/{thread.id}/{thread.slug}"
        for wrong in (f"/threads/{thread.id}", f"/threads/{thread.id}/other"):
            answer = client.get(wrong)
            assert (answer.status_code, answer.headers["Location"]) == (301, right)
        tools.merge_threads(moderator, thread.id, target.id, "Asked twice.")
        tools.merge_threads(moderator, gone.id, hidden.id, "Asked twice.")
        ends, closed = f"/threads/{target.id}/{target.slug}", f"/threads/{gone.id}/{gone.slug}"
    answer = client.get(right)
    assert (answer.status_code, answer.headers["Location"]) == (301, ends)
    assert client.get(closed).status_code == 404, "a redirect would tell that the target exists"


def test_a_war_story_stands_in_three_sections(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        thread = make_thread(
            make_customer(), make_board(), "The night of the moths", kind=ThreadKind.WAR_STORY
        )
        address = f"/threads/{thread.id}/{thread.slug}"
    page = client.get(address).text
    assert re.findall(r'class="story__title"[^>]*>([^<]+)<', page) == [
        "What happened",
        "What it cost",
        "What we would do differently",
    ]
    assert page.count("Watch the age of files") >= 1


def test_what_is_the_viewers_own_is_marked_and_nobody_elses(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    with app.app_context():
        asker, helper = make_customer("Ines"), make_customer("Tomasz")
        thread = make_thread(asker, make_board())
        answer = make_post(helper, thread)
        voting.vote(viewer_of(asker), answer.id)
        following.bookmark(viewer_of(asker), answer.id)
        address, answer_id = f"/threads/{thread.id}/{thread.slug}", answer.id
    asker_sees, helper_sees, visitor_sees = (
        browser.get(address).text for browser in (sign_in(asker), sign_in(helper), client)
    )
    vote = f'action="/posts/{answer_id}/vote?_method=DELETE"'
    assert vote in asker_sees
    assert f'action="/posts/{answer_id}/bookmark?_method=DELETE"' in asker_sees
    assert "Accept as the answer" in asker_sees
    assert f"/posts/{answer_id}/edit" not in asker_sees
    assert f"/posts/{answer_id}/vote" not in helper_sees, "nobody votes for themselves"
    assert f"/posts/{answer_id}/edit" in helper_sees
    assert "Accept as the answer" not in helper_sees
    assert "1 found it helpful" in helper_sees
    for word in ("csrf", "/vote", "/edit", "/flags", "Quote"):
        assert word not in visitor_sees
    assert "1 found it helpful" in visitor_sees


def test_new_posts_begin_under_a_line(app: Flask, sign_in: SignIn, at: Callable[..., None]) -> None:
    at(noon())
    with app.app_context():
        reader, author = make_customer(), make_customer()
        thread = make_thread(author, make_board(slug="b"))
        fill_thread(thread, author, 19)
        address = f"/threads/{thread.id}/{thread.slug}"
    browser = sign_in(reader)
    assert 'id="new"' not in browser.get(address).text, "all of it is new the first time"
    at(noon() + timedelta(hours=3))
    with app.app_context():
        for number in range(4):
            make_post(author, thread.id, f"News {number}.")
        reading_state.flush()
    board = browser.get("/boards/b").text
    assert "4 new" in board
    assert f'href="{address}#new"' in board
    page = browser.get(address).text
    assert page.index('id="p19"') < page.index('id="new"') < page.index('id="p20"')
    assert "3 h ago" in page
    second = browser.get(f"{address}?page=2").text
    assert "News 3." in second
    assert 'id="new"' in second, "up to here only the first page was read"
    assert 'id="new"' not in browser.get(f"{address}?page=2").text
    assert "new</span>" not in browser.get("/boards/b").text, "known before it is written"


def test_a_tombstone_says_why_and_the_author_of_a_held_post_sees_it(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    with app.app_context():
        author = make_customer("Tomasz")
        thread = make_thread(make_customer(), make_board())
        post = make_post(author, thread, "Held words.")
        hold(post.id)
        address = f"/threads/{thread.id}/{thread.slug}"
    own = sign_in(author).get(address).text
    assert "Held words." in own
    assert "A moderator looks at it first" in own
    assert "Held words." not in client.get(address).text


def test_a_closed_thread_says_why(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        thread = make_thread(make_customer(), make_board())
        tools.close_thread(viewer_of(make_moderator()), thread.id, "Answered in the manual.")
        address = f"/threads/{thread.id}/{thread.slug}"
    page = client.get(address).text
    assert "This thread is closed." in page
    assert "Answered in the manual." in page


def test_an_edit_leaves_a_mark_with_its_history(
    app: Flask, client: FlaskClient, at: Callable[..., None]
) -> None:
    at(noon())
    with app.app_context():
        author = make_customer()
        thread = make_thread(author, make_board())
        post = make_post(author, thread)
        address, post_id = f"/threads/{thread.id}/{thread.slug}", post.id
    assert "edited" not in client.get(address).text
    at(noon() + timedelta(hours=1))
    with app.app_context():
        editing.edit_post(viewer_of(author), post_id, Edit(body="Better.", reason="Typo", version=1))
    assert f'href="/posts/{post_id}/history"' in client.get(address).text


@pytest.mark.parametrize("who", ["visitor", "prospect", "customer", "moderator"])
def test_outsiders_read_a_company_by_name_only_with_its_leave(
    app: Flask, client: FlaskClient, sign_in: SignIn, at: Callable[..., None], who: str
) -> None:
    at(noon("2026-03-02") + timedelta(hours=11))
    with app.app_context():
        quiet = make_company("Quiet Works")
        named = make_company("Open Works", named_in_public=True, named_until=date(2026, 3, 2))
        thread = make_thread(make_customer("Ines", company_id=quiet), make_board(slug="b"))
        make_post(make_customer("Tom", company_id=named), thread)
        make_thread(make_customer("Uta", company_id=named), thread.board_id, "Another question of ours")
        address = f"/threads/{thread.id}/{thread.slug}"
        people = {"prospect": make_prospect(), "customer": make_customer(), "moderator": make_moderator()}
    reader = client if who == "visitor" else sign_in(people[who])
    insider = who in ("customer", "moderator")
    for path in (address, "/boards/b"):
        page = reader.get(path).text
        assert ("Quiet Works" in page) == insider
        assert ("Manufacturer, 500–999 people, Germany" in page) == (not insider)
        assert "Open Works" in page
    at(noon("2026-03-03") - timedelta(hours=11))
    for path in (address, "/boards/b"):
        assert ("Open Works" in reader.get(path).text) == insider, "its leave ended with the day"


def test_the_vendor_speaks_under_an_amber_bar(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        thread = make_thread(make_customer(), make_board())
        make_post(make_member("Callum", status="vendor", title="Product manager"), thread)
        address = f"/threads/{thread.id}/{thread.slug}"
    page = client.get(address).text
    assert re.search(r'<article class="post post--vendor" id="p2"', page)
    assert "Works for Northwind Flow" in page


def test_structured_data_is_read_by_machines(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    with app.app_context():
        asker, helper = make_customer("Ines </script><b>"), make_customer("Tom")
        board = make_board()
        title, words = "Does `</script><script>x` end a block?", 'Say "url": "/no" **so**.'
        thread = make_thread(asker, board, title, words)
        answer = make_post(helper, thread, "It does <b>not</b>.")
        make_post(helper, thread, "Another answer.")
        acceptance.accept(viewer_of(asker), thread.id, answer.id)
        story = make_thread(helper, board, "What the night taught us", kind=ThreadKind.WAR_STORY)
        paths = [f"/threads/{one.id}/{one.slug}" for one in (thread, story)]
        ids = (thread.id, answer.id)
    blocks = []
    for path in paths:
        page = client.get(path).text
        found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
        assert len(found) == 1
        blocks.append(json.loads(found[0]))
        graph = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', page))
        assert (graph["type"], graph["url"]) == ("article", f"http://localhost:8000{path}")
        assert unescape(graph["title"]) in (title, "What the night taught us")
        assert graph["description"], "the beginning of what is said"
    question, posting = blocks[0]["mainEntity"], blocks[1]
    assert (blocks[0]["@type"], question["@type"], question["name"]) == ("QAPage", "Question", title)
    assert question["answerCount"] == 2
    assert question["acceptedAnswer"]["text"].startswith("It does")
    assert question["acceptedAnswer"]["url"] == f"http://localhost:8000/posts/{ids[1]}"
    assert [one["text"] for one in question["suggestedAnswer"]] == ["Another answer."]
    assert '"url": "/no"' in question["text"].replace("“", '"').replace("”", '"')
    assert posting["@type"] == "DiscussionForumPosting"
    assert posting["author"]["name"] == "Tom"
    mine = sign_in(asker).get(paths[0]).text
    assert "ld+json" not in mine


@pytest.mark.parametrize("who", ["visitor", "customer", "moderator", "sales"])
def test_a_page_takes_as_many_statements_for_many_posts_as_for_few(
    app: Flask, client: FlaskClient, sign_in: SignIn, statements: Count, who: str
) -> None:
    with app.app_context():
        author = make_customer()
        board = make_board()
        few = make_thread(author, board, "A short thread", tags="one, two")
        many = make_thread(author, board, "A long thread", tags="one, two")
        before = make_thread(author, board, "A thread that was read before", tags="one, two")
        make_post(make_customer(), few)
        fill_thread(many, author, 60)
        opening = opening_of(many)
        for number in range(10):
            make_comment(author, opening, f"Remark {number}.")
        addresses = [f"/threads/{one.id}/{one.slug}" for one in (before, few, many)]
        people = {
            "customer": make_customer(),
            "moderator": make_moderator(),
            "sales": make_member("Sal", status=Status.VENDOR, duties=(Duty.SALES,)),
        }
    reader = client if who == "visitor" else sign_in(people[who])
    for path in ("/", addresses.pop(0)):  # settings, menu and lists are kept in the process
        reader.get(path)
    counts = []
    for address in addresses:
        with statements() as first:
            assert reader.get(address).status_code == 200
        with statements() as again:
            assert reader.get(address).status_code == 200
        counts.append((of_the_page(first), of_the_page(again)))
    assert counts[0] == counts[1]
    cold, warm = counts[0]
    # For sales and service: whether a prospect is named in the title, the posts, a summary, what is close.
    names = 4 if who == "sales" else 0
    assert cold <= 13 + names, "made for the first time: posts, comments, an ask, what is close to it"
    assert warm <= {"visitor": 1, "sales": 7}.get(who, 6)


def test_reading_writes_nothing_until_it_is_flushed(
    app: Flask, client: FlaskClient, sign_in: SignIn, statements: Count
) -> None:
    with app.app_context():
        reader = make_customer()
        thread = make_thread(make_customer(), make_board())
        make_post(make_customer(), thread)
        address, thread_id = f"/threads/{thread.id}/{thread.slug}", thread.id
    browser = sign_in(reader)
    with statements() as seen:
        browser.get(address)
        client.get(address)
        client.get(address)
    assert seen.writes == []
    with app.app_context():
        assert reading_state.flush() == 2
        mark = db.session.get_one(ReadMark, (reader, thread_id))
        assert mark.last_number == 2
        assert db.session.get_one(Thread, thread_id).views_count == 3
        assert reading_state.flush() == 0


def test_a_read_mark_only_moves_on(in_app: Flask) -> None:
    reader = make_customer()
    thread = make_thread(make_customer(), make_board())
    for number, expected in ((5, 5), (3, 5), (9, 9)):
        reading_state.note_read(reader, thread.id, number)
        assert reading_state.newer(reader, thread.id, None, None)[0] >= number
        reading_state.flush()
        db.session.expire_all()
        assert db.session.get_one(ReadMark, (reader, thread.id)).last_number == expected
    reading_state.note_read(reader, 987654, 1)
    reading_state.note_read(987654, thread.id, 1)
    assert reading_state.flush() == 2, "what is gone meanwhile stops nobody else's mark"
    with unit_of_work():
        db.session.execute(delete(ReadMark))
    assert reading_state.newer(reader, thread.id, 4, clock.now())[0] == 4


def test_the_author_of_a_removed_thread_is_led_to_the_decision(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        author, reader = make_customer("Ines"), make_customer("Tomasz")
        thread = make_thread(author, make_board()).id
        removal.hide_post(
            opening_of(thread).id, rule="Rule 2", reason="It insults.", case_id=1, by_id=make_moderator()
        )
    own = sign_in(author).get(f"/threads/{thread}").text
    assert "read it and appeal among your notices</a>" in own
    others = sign_in(reader).get(f"/threads/{thread}").text
    assert "The author was told." in others
    assert "among your notices" not in others
