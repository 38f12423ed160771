"""Whoever opens a thread as role, industry, size and country has no name in it, for anybody."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Audience, Post, ShownAs, Thread
from portal.discussions.queries import by_people, lists
from portal.discussions.queries.narrowing import Asked
from portal.discussions.queries.searching import find
from portal.discussions.services import acceptance, editing, erasing, following, tools
from portal.discussions.services.editing import Edit
from portal.exchange import exporting
from portal.exchange.records import Report
from portal.kernel.access import Duty, Status, Viewer
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.moderation.queries import cases, queue
from portal.moderation.services.flags import flag_post
from portal.notifications.queries import notices_of
from tests.conftest import make_board, make_company, make_customer, make_member, make_moderator, viewer_of
from tests.discussions.factories import make_comment, make_post, make_thread, opening_of

SignIn = Callable[[int], FlaskClient]
NAME, USERNAME, COMPANY = "Zephyrine Quillfeather", "zephyrine-q", "Palimpsest Works"
SIGNS = (NAME, "Zephyrine", USERNAME, COMPANY, "zephyrine.png")


def make_asker(**fields: object) -> int:
    company = make_company(COMPANY, industry="31-33", size_band="500-999", region="DE")
    return make_customer(
        NAME,
        username=USERNAME,
        title="Head of IT",
        company_id=company,
        picture="zephyrine.png",
        **fields,
    )


def ask(asker: int, board: int, **fields: object) -> Thread:
    return make_thread(asker, board, "How do you leave a vendor?", author_shown_as="role", **fields)


def betrayed(text: str) -> list[str]:
    """Which signs of the asker stand in this text."""
    return [sign for sign in SIGNS if sign.lower() in text.lower()]


@pytest.fixture
def board(in_app: Flask) -> int:
    return make_board("Before you buy", slug="before-you-buy")


@pytest.fixture
def asker(in_app: Flask) -> Viewer:
    return viewer_of(make_asker())


@pytest.fixture
def helper(in_app: Flask) -> Viewer:
    return viewer_of(make_customer("Tomasz"))


@pytest.fixture
def moderator(in_app: Flask) -> Viewer:
    return viewer_of(make_moderator("Ruth"))


def everybody(helper: Viewer, moderator: Viewer) -> list[Viewer]:
    sales = viewer_of(make_member("Sal", status=Status.VENDOR, duties=(Duty.SALES,)))
    admin = viewer_of(make_member("Ada", status=Status.VENDOR, duties=(Duty.ADMIN,)))
    return [Viewer(), helper, moderator, sales, admin]


def test_lists_and_search_say_role_and_kind_of_company(
    board: int, asker: Viewer, helper: Viewer, moderator: Viewer
) -> None:
    thread = ask(asker.member_id, board)
    for viewer in everybody(helper, moderator):
        line = lists.latest_threads(viewer)[0]
        assert (line.author.name, line.author.username, line.author.picture_url) == ("Head of IT", "", "")
        assert line.author.company == "Manufacturer, 500–999 people, Germany"
        assert line.author.company_slug == ""
        found = find(viewer, Asked(board="before-you-buy"))
        assert [one.id for one in found.threads] == [thread.id]
        assert betrayed(repr(found)) == []
        assert found.facets["author"] == []
        assert find(viewer, Asked(author=USERNAME)).total == 0
    assert find(asker, Asked(author=USERNAME)).total == 1


def test_the_page_of_a_person_lists_it_to_nobody_else(
    board: int, asker: Viewer, helper: Viewer, moderator: Viewer
) -> None:
    asked = ask(asker.member_id, board)
    make_post(asker, asked, "One more thing about the data.")
    openly = make_thread(asker, board, "How often do you test a restore?")
    for viewer in everybody(helper, moderator):
        assert [line.id for line in by_people.threads_by(viewer, [asker.member_id]).rows] == [openly.id]
        assert by_people.posts_by(viewer, asker.member_id).rows == []
        assert by_people.counts_of(viewer, asker.member_id).threads == 1
    assert len(by_people.threads_by(asker, [asker.member_id]).rows) == 2
    assert by_people.counts_of(asker, asker.member_id).threads == 2


def test_notices_and_quotes_have_no_name(board: int, asker: Viewer, helper: Viewer) -> None:
    thread = ask(asker.member_id, board)
    make_post(helper, thread, "Export first.")
    following.follow_thread(viewer_of(helper.member_id), thread.id)
    reply = make_post(asker, thread, "And then?")
    sentences = [shown.line.sentence for shown in notices_of(viewer_of(helper.member_id)).rows]
    assert sentences == ["Head of IT wrote in a thread you follow"]
    assert reply.author_shown_as is ShownAs.ROLE


def test_posts_keep_it_when_they_are_split_off_or_merged(
    board: int, asker: Viewer, helper: Viewer, moderator: Viewer
) -> None:
    thread = ask(asker.member_id, board)
    make_post(helper, thread, "Export first.")
    second = make_post(asker, thread, "And what of the pictures in it?")
    new = tools.split_thread(moderator, thread.id, [second.id], "Pictures when leaving a vendor", "Why.")
    assert new.author_shown_as is ShownAs.ROLE
    other = make_thread(helper, board, "Leaving: what did you forget?")
    tools.merge_threads(moderator, thread.id, other.id, "Asked twice.")
    assert [line.author.name for line in lists.latest_threads(helper) if line.id == new.id] == ["Head of IT"]
    opening = db.session.scalars(db.select(Post).where(Post.author_id == asker.member_id)).first()
    assert opening.thread_id == other.id
    assert opening.author_shown_as is ShownAs.ROLE
    later = make_post(asker, other, "Thank you, all of you.")
    assert later.author_shown_as is ShownAs.ROLE, "one who has no name in a thread gets none by going on"
    assert make_post(helper, new, "In the archive.").author_shown_as is ShownAs.NAME


def test_people_of_the_vendor_always_have_a_name(board: int, moderator: Viewer) -> None:
    assert ask(moderator.member_id, board).author_shown_as is ShownAs.NAME


def test_a_title_that_gives_the_person_away_is_not_shown(board: int, helper: Viewer) -> None:
    chief = make_customer("Zephyrine Quillfeather", title="Quillfeather & Sons, owner", username="zq")
    ask(chief, board)
    hidden = make_customer("Ada", title="Astronaut-in-chief", visibility={"title": "nobody"})
    ask(hidden, board)
    assert [line.author.name for line in lists.latest_threads(helper)] == ["A customer", "A customer"]


def test_moderators_decide_without_a_name(
    board: int, asker: Viewer, helper: Viewer, moderator: Viewer
) -> None:
    flag = flag_post(helper, opening_of(ask(asker.member_id, board)).id, rule_number=4)
    named = flag_post(helper, opening_of(make_thread(asker, board)).id, rule_number=4)
    view = cases.case_view(moderator, flag.case_id)
    assert view.line.author.name == view.post.author.name == "Head of IT"
    assert view.record.joined_at is None
    assert view.record.posts_count == 0
    assert cases.case_view(moderator, named.case_id).line.author.name == NAME
    assert {line.author.name for line in queue.queue(moderator, queue.Filters()).page.rows} == {
        "Head of IT",
        NAME,
    }


def test_an_export_has_another_person_in_each_thread(
    board: int, asker: Viewer, helper: Viewer, tmp_path: Path
) -> None:
    first, second = ask(asker.member_id, board), ask(asker.member_id, board)
    answer = make_post(helper, first, "Export first.")
    make_comment(asker, answer, "To where?")
    acceptance.accept(asker, first.id, answer.id)
    exporting.export(tmp_path, Report())
    lines = (tmp_path / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    votes = (tmp_path / "votes.jsonl").read_text(encoding="utf-8")
    authors = {row["id"]: row["author"] for row in map(json.loads, lines)}
    assert authors[f"t{first.id}"] == f"t{first.id}-1"
    assert authors[f"t{second.id}"] == f"t{second.id}-1"
    assert [author for author in authors.values() if author == f"u{asker.member_id}"] == []
    assert f'"voter":"t{first.id}-1"' in votes
    assert f'"u{asker.member_id}"' not in votes
    assert betrayed("\n".join(lines) + votes) == []


def test_the_author_of_an_erased_account_has_neither(board: int, asker: Viewer, helper: Viewer) -> None:
    ask(asker.member_id, board)
    with unit_of_work():
        erasing.erase_words(asker.member_id, True)
    assert betrayed(repr(lists.latest_threads(helper))) == []


PAGES = (
    "/",
    "/boards/before-you-buy",
    "/threads/{thread}/{slug}",
    "/threads/{thread}/posts?quote={opening}",
    "/threads/{thread}/tools",
    "/threads/{thread}/split",
    "/threads/{thread}/merge",
    "/posts/{opening}/history",
    "/posts/{reply}/history",
    "/posts/{opening}/quotation",
    "/posts/{reply}/comments",
    "/posts/{opening}/flag",
    "/posts/{opening}/edit",
    "/search?q=vendor",
    "/tags/leaving",
    "/feeds/latest.atom",
    "/boards/before-you-buy.atom",
    "/notifications",
    "/me/bookmarks",
    "/me/following",
    "/console/queue",
    "/console/cases/{case}",
    "/transparency",
)


@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.PROSPECTS])
def test_no_page_has_a_name(app: Flask, sign_in: SignIn, audience: Audience) -> None:
    with app.app_context():
        board = make_board("Before you buy", slug="before-you-buy", audience=audience)
        asker, helper = viewer_of(make_asker()), viewer_of(make_customer("Tomasz"))
        readers = [helper.member_id, make_moderator("Ruth")]
        readers += [
            make_member("Sal", status=Status.VENDOR, duties=(Duty.SALES,)),
            make_member("Ada", status=Status.VENDOR, duties=(Duty.ADMIN,)),
            make_member("Pia", status=Status.PROSPECT),
        ]
        thread = ask(asker.member_id, board, tags="leaving")
        opening = opening_of(thread)
        answer = make_post(helper, thread, "Export first.")
        acceptance.accept(asker, thread.id, answer.id)
        reply = make_post(asker, thread, "And the pictures?")
        make_comment(asker, answer, "To where?")
        editing.edit_post(
            asker,
            reply.id,
            Edit(body="And the pictures in it?", version=reply.version, reason="clearer"),
        )
        for post in (opening, reply):
            following.bookmark(helper, post.id)
        case = flag_post(helper, opening.id, rule_number=4).case_id
        places = {
            "thread": thread.id,
            "slug": thread.slug,
            "opening": opening.id,
            "reply": reply.id,
            "case": case,
        }
    seen = 0
    for browser in [app.test_client(), *map(sign_in, readers)]:
        for page in PAGES:
            answer = browser.get(page.format(**places), follow_redirects=True)
            assert betrayed(answer.text) == [], (page, answer.status_code)
            seen += "Head of IT" in answer.text
    assert seen > 30
    own = sign_in(asker.member_id).get(f"/threads/{places['thread']}/{places['slug']}").text
    assert "you; nobody else reads your name here" in own
    other = sign_in(readers[0]).get(f"/threads/{places['thread']}/{places['slug']}").text
    assert "nobody else reads your name here" not in other
