"""Atom, the sitemap and robots.txt: valid XML, public content only, whatever the texts hold."""

from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Audience
from portal.discussions.queries import feeds
from portal.kernel.db import db
from tests.conftest import make_board, make_company, make_customer
from tests.discussions.factories import fill_board, make_post, make_thread

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def texts(root: Element, path: str) -> list[str]:
    return [found.text or "" for found in root.findall(path)]


def test_a_feed_holds_the_newest_threads_whatever_is_in_them(app: Flask, client: FlaskClient) -> None:
    odd = "Is a bell \x07 and <b>]]></b> & \ufffe a 'title' \U0001f600?"
    with app.app_context():
        quiet = make_company("Quiet Works")
        author = make_customer("Ines <i>Okafor</i>", company_id=quiet)
        board = make_board("Questions & answers", slug="b")
        old = make_thread(author, board, "The first thread of all", "See [the manual](/rules) or `<x>`.")
        make_post(make_customer(), old, "An answer is not in the feed.")
        make_thread(author, board, odd)
        hidden = make_board(audience=Audience.PROSPECTS)
        make_thread(author, hidden, "Nothing of this is public")
        number = old.id
    for path in ("/feeds/latest.atom", "/boards/b.atom"):
        answer = client.get(path)
        assert answer.mimetype == "application/atom+xml"
        root = fromstring(answer.data)
        assert root.tag == f"{ATOM}feed"
        entries = root.findall(f"{ATOM}entry")
        assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
            "Is a bell  and <b>]]></b> &  a 'title' \U0001f600?",
            "The first thread of all",
        ]
        last = entries[-1]
        assert last.findtext(f"{ATOM}id") == f"http://localhost:8000/threads/{number}"
        assert last.findtext(f"{ATOM}author/{ATOM}name") == (
            "Ines <i>Okafor</i>, Manufacturer, 500–999 people, Germany"
        )
        content = last.findtext(f"{ATOM}content") or ""
        assert 'href="http://localhost:8000/rules"' in content
        assert "&lt;x&gt;" in content
        assert "Quiet Works" not in answer.text
        assert root.find(f"{ATOM}link[@rel='self']") is not None
        for moment in texts(root, f".//{ATOM}updated"):
            assert moment.endswith("+00:00")
    ids = {
        texts(fromstring(client.get(path).data), f"{ATOM}id")[0]
        for path in ("/feeds/latest.atom", "/boards/b.atom")
    }
    assert len(ids) == 2


def test_an_empty_site_has_valid_feeds(client: FlaskClient) -> None:
    assert fromstring(client.get("/feeds/latest.atom").data).findall(f"{ATOM}entry") == []
    assert texts(fromstring(client.get("/sitemap.xml").data), f".//{SITEMAP}loc") == [
        "http://localhost:8000/"
    ]
    assert client.get("/boards/none.atom").status_code == 404
    assert client.get("/sitemap/threads-0.xml").status_code == 404


def test_the_sitemap_lists_every_public_page_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author = make_customer()
        fill_board(make_board(slug="open"), author, 3)
        fill_board(make_board(slug="closed", audience=Audience.CUSTOMERS), author, 3)
    found = texts(fromstring(client.get("/sitemap.xml").data), f".//{SITEMAP}loc")
    assert found == [
        "http://localhost:8000/",
        "http://localhost:8000/boards/open",
        *(f"http://localhost:8000/threads/{number}/question-number-{number}" for number in (1, 2, 3)),
    ]
    for address in found[1:]:
        assert client.get(address.removeprefix("http://localhost:8000")).status_code == 200


def test_a_large_site_has_an_index_of_parts(app: Flask, client: FlaskClient) -> None:
    assert feeds.SITEMAP_THREADS <= 50_000, "the protocol's limit"
    with app.app_context():
        fill_board(make_board(slug="open"), make_customer(), 3)
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE threads SET id = 25001 WHERE id = 3")
    parts = texts(fromstring(client.get("/sitemap.xml").data), f".//{SITEMAP}loc")
    assert [part.removeprefix("http://localhost:8000/sitemap/") for part in parts] == [
        "boards.xml",
        "threads-0.xml",
        "threads-1.xml",
        "threads-2.xml",
    ]
    pages = [
        texts(fromstring(client.get(part.removeprefix("http://localhost:8000")).data), f".//{SITEMAP}loc")
        for part in parts
    ]
    assert [len(page) for page in pages] == [2, 2, 0, 1]
    assert client.get("/sitemap/threads-3.xml").status_code == 404
    assert client.get("/sitemap/threads-99999999999999999999.xml").status_code == 404


def test_robots_are_told_where_the_sitemap_is(client: FlaskClient) -> None:
    lines = client.get("/robots.txt").text.splitlines()
    assert "Sitemap: http://localhost:8000/sitemap.xml" in lines
    assert "Disallow: /search" in lines
    assert "Disallow: /" not in lines
