"""Atom, the sitemap and robots.txt: valid XML, public content only, whatever the texts hold."""

from collections.abc import Callable
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring
from flask import Flask
from flask.testing import FlaskClient

from portal.discussions.models import Audience, PostState
from portal.discussions.queries import feeds
from portal.kernel.access import Duty, Status
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Company, Member, MemberState
from tests.conftest import make_board, make_company, make_customer, make_member, make_prospect, noon
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


ABOUT = ["", "how-it-works", "rules", "transparency"]
HERE = "http://localhost:8000/"


def paths(client: FlaskClient, path: str = "/sitemap.xml") -> list[str]:
    """Every address in the file, as a path without its first stroke."""
    found = texts(fromstring(client.get(path).data), f".//{SITEMAP}loc")
    assert all(address.startswith(HERE) for address in found)
    return [address.removeprefix(HERE) for address in found]


def test_an_empty_site_has_valid_feeds(client: FlaskClient) -> None:
    assert fromstring(client.get("/feeds/latest.atom").data).findall(f"{ATOM}entry") == []
    assert paths(client) == ABOUT
    assert client.get("/boards/none.atom").status_code == 404
    for part in ("threads-0", "members-0", "threads-99999999999999999999", "members-99999999999999999999"):
        assert client.get(f"/sitemap/{part}.xml").status_code == 404


def test_the_sitemap_lists_every_public_page_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        author = make_customer(username="ada")
        fill_board(make_board(slug="open"), author, 3)
        fill_board(make_board(slug="closed", audience=Audience.CUSTOMERS), author, 3)
    found = paths(client)
    assert found == [
        *ABOUT,
        "boards/open",
        *(f"threads/{number}/question-number-{number}" for number in (1, 2, 3)),
        "members/ada",
    ]
    for path in found:
        page = client.get(f"/{path}")
        assert page.status_code == 200
        assert 'name="robots" content="noindex"' not in page.text


def test_members_are_listed_whose_page_outsiders_find_something_on(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        public, inner = make_board(), make_board(audience=Audience.CUSTOMERS)
        thread = make_thread(make_customer(username="asks"), public)
        make_post(make_customer(username="answers"), thread, "An answer for everybody.")
        make_thread(make_prospect(username="tries-it"), public)
        make_customer(username="silent")
        make_thread(make_customer(username="inside"), inner)
        make_thread(make_customer(username="hides", visibility={"contributions": "members"}), public)
        banned, kept_back = make_customer(username="banned"), make_customer(username="held-back")
        make_thread(banned, public)
        kept = make_thread(kept_back, public)
        with unit_of_work():
            db.session.get_one(Member, banned).state = MemberState.BANNED
            kept.state = PostState.HELD
    listed = {path.removeprefix("members/") for path in paths(client) if path.startswith("members/")}
    assert listed == {"asks", "answers", "tries-it"}
    for name in ("asks", "answers", "tries-it", "silent", "inside", "hides", "held-back"):
        page = client.get(f"/members/{name}")
        assert page.status_code == 200
        assert ('name="robots" content="noindex"' not in page.text) == (name in listed), name


def test_to_sales_no_prospect_is_listed(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        board = make_board()
        make_thread(make_prospect(username="tries-it"), board)
        make_thread(make_customer(username="asks"), board)
        sales = make_member(status=Status.VENDOR, duties=(Duty.SALES,))
    listed = [path for path in paths(sign_in(sales)) if path.startswith("members/")]
    assert listed == ["members/asks"]


def test_companies_are_listed_only_while_they_may_be_named(
    app: Flask, client: FlaskClient, at: Callable[[datetime], None]
) -> None:
    at(noon())
    with app.app_context():
        make_company("Quiet Works")
        make_company("Past Works", named_in_public=True, named_until=noon().date() - timedelta(days=1))
        named = make_company("Open Works", named_in_public=True, named_until=noon().date())
        slug = db.session.get_one(Company, named).slug

    def listed() -> list[str]:
        return [path for path in paths(client) if path.startswith("companies/")]

    assert listed() == [f"companies/{slug}"]
    assert client.get(f"/companies/{slug}").status_code == 200
    with app.app_context(), unit_of_work():
        db.session.get_one(Company, named).named_in_public = False
    assert listed() == [], "at once, not an hour later"
    with app.app_context(), unit_of_work():
        db.session.get_one(Company, named).named_in_public = True
    at(noon() + timedelta(days=1))
    assert listed() == [], "its leave has ended"


def test_a_large_site_has_an_index_of_parts_and_none_is_empty(app: Flask, client: FlaskClient) -> None:
    assert feeds.SITEMAP_ROWS <= 50_000, "the protocol's limit"
    with app.app_context():
        fill_board(make_board(slug="open"), make_customer(username="ada"), 3)
        late = make_customer(username="late")
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE threads SET id = 25001 WHERE id = 3")
            connection.exec_driver_sql(f"UPDATE members SET id = 30001 WHERE id = {late}")
        make_thread(30001, 1, "A thread by somebody who came late")
    assert paths(client) == [
        f"sitemap/{part}.xml" for part in ("boards", "threads-0", "threads-2", "members-0", "members-3")
    ]
    pages = {path: paths(client, f"/{path}") for path in paths(client)}
    assert [len(page) for page in pages.values()] == [5, 2, 2, 1, 1]
    assert pages["sitemap/members-3.xml"] == ["members/late"]
    for part in ("threads-1", "threads-3", "members-1"):
        assert client.get(f"/sitemap/{part}.xml").status_code == 404


def test_robots_are_told_where_the_sitemap_is(client: FlaskClient) -> None:
    lines = client.get("/robots.txt").text.splitlines()
    assert "Sitemap: http://localhost:8000/sitemap.xml" in lines
    assert "Disallow: /search" in lines
    assert "Disallow: /" not in lines
