"""Pages for visitors: kept whole, without a cookie, proven by an ETag; and never a word too long."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.services import removal, tools, voting
from portal.discussions.services.boards import change_board
from portal.members.queries import viewer_of
from tests.conftest import make_admin, make_board, make_customer, make_moderator, noon
from tests.discussions.factories import make_post, make_thread, opening_of
from tests.support.statements import Statements


@pytest.fixture
def site(app: Flask) -> dict[str, int | str]:
    with app.app_context():
        asker, board = make_customer("Ines"), make_board("Integrations", slug="b")
        thread = make_thread(asker, board, tags="sftp")
        other = make_thread(asker, board, "Another one about sftp", tags="sftp")
        return {
            "asker": asker,
            "board": board,
            "thread": thread.id,
            "other": other.id,
            "address": f"/threads/{thread.id}/{thread.slug}",
        }


def paths(site: dict) -> list[str]:
    return [
        site["address"],
        "/boards/b",
        "/",
        "/feeds/latest.atom",
        "/boards/b.atom",
        "/sitemap.xml",
        "/robots.txt",
    ]


def test_a_visitors_page_carries_no_cookie_and_no_token(client: FlaskClient, site: dict) -> None:
    for path in paths(site):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, no-cache", path
        assert "Set-Cookie" not in answer.headers
        assert "Vary" not in answer.headers
        assert "csrf" not in answer.text
        again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == answer.headers["ETag"]


def test_with_a_cookie_nothing_is_shared(
    client: FlaskClient, site: dict, sign_in: Callable[[int], FlaskClient]
) -> None:
    stale = client.application.test_client()
    stale.set_cookie("candor", "rubbish")
    for browser in (sign_in(site["asker"]), stale):
        for path in (site["address"], "/boards/b", "/"):
            answer = browser.get(path)
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "no-store"
            assert "ETag" not in answer.headers


def test_a_kept_page_costs_one_statement(
    client: FlaskClient,
    site: dict,
    statements: Callable[[], AbstractContextManager[Statements]],
    at: Callable[..., None],
) -> None:
    at(noon())
    for path in (site["address"], "/boards/b", "/"):
        tag = client.get(path).headers["ETag"]
        for headers in ({}, {"If-None-Match": tag}):
            with statements() as seen:
                client.get(path, headers=headers)
            assert len([text for text in seen.texts if not text.startswith("SELECT site_version")]) <= 1, path


def test_every_change_makes_another_page(app: Flask, client: FlaskClient, site: dict) -> None:
    tags = {path: [client.get(path).headers["ETag"]] for path in paths(site)[:5]}

    def changed() -> set[str]:
        found = set()
        for path, seen in tags.items():
            tag = client.get(path, headers={"If-None-Match": seen[-1]}).headers["ETag"]
            if tag != seen[-1]:
                assert tag not in seen
                seen.append(tag)
                found.add(path)
        return found

    with app.app_context():
        answer = make_post(make_customer(), site["thread"]).id
    assert {site["address"], "/boards/b", "/"} <= changed()
    with app.app_context():
        voting.vote(viewer_of(site["asker"]), answer)
    assert site["address"] in changed()
    with app.app_context():
        removal.hide_post(answer, rule="Rule 1", reason="Spam.", case_id=1, by_id=make_moderator())
    assert {site["address"], "/boards/b", "/"} <= changed()
    assert "Spam." in client.get(site["address"]).text


def test_what_was_taken_away_stands_beside_nothing(app: Flask, client: FlaskClient, site: dict) -> None:
    assert "Another one about sftp" in client.get(site["address"]).text
    with app.app_context():
        hidden = make_board(audience="customers")
        tools.move_thread(viewer_of(make_moderator()), site["other"], hidden, "For customers.", rule=4)
    for path in paths(site):
        assert "Another one about sftp" not in client.get(path).text, path


def test_what_was_removed_stands_beside_nothing(app: Flask, client: FlaskClient, site: dict) -> None:
    assert "Another one about sftp" in client.get(site["address"]).text
    with app.app_context():
        opening = opening_of(site["other"]).id
        removal.hide_post(opening, rule="Rule 1", reason="Spam.", case_id=1, by_id=make_moderator())
    for path in paths(site):
        assert "Another one about sftp" not in client.get(path).text, path


def test_a_board_that_closes_to_visitors_closes_at_once(app: Flask, client: FlaskClient, site: dict) -> None:
    for path in paths(site):
        client.get(path)
    with app.app_context():
        change_board(
            viewer_of(make_admin()),
            site["board"],
            name="Integrations",
            description="",
            audience="customers",
            archived=False,
            version=1,
        )
    for path in (site["address"], "/boards/b", "/boards/b.atom"):
        assert client.get(path).status_code == 404, path
    for path in ("/", "/feeds/latest.atom", "/sitemap.xml"):
        assert "isolate" not in client.get(path).text, path
        assert "Integrations" not in client.get(path).text, path


def test_made_up_queries_do_not_fill_what_is_kept(client: FlaskClient, site: dict) -> None:
    tags = {client.get(f"/boards/b?utm_source={number}&x={number}").headers["ETag"] for number in range(3)}
    assert len(tags) == 1
