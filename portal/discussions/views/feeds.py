"""What feed readers and search engines fetch: Atom, the sitemap, robots.txt. Public content only."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, render_template
from markupsafe import escape

from portal.discussions.guests import veil_over, with_title
from portal.discussions.queries import feeds, find_visible_board, lists
from portal.kernel import clock, kept_pages
from portal.kernel.access import VISITOR, Permission, requires, viewer
from portal.kernel.errors import NotFound
from portal.members.display import Reader, person_line, reader_of
from portal.members.queries.directory import named_companies, version_of_named_companies

blueprint = Blueprint("feeds", __name__)

ATOM = "application/atom+xml"
XML = "application/xml"
MOST_ADDRESSES = 50_000  # in one file, by the protocol
ABOUT = ("/", "/how-it-works", "/rules", "/transparency")  # the pages about the site; they belong to front
Url = tuple[str, datetime | None]
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


@blueprint.get("/feeds/latest.atom")
@requires(Permission.VISIT)
def latest_feed() -> Response:
    """The threads started last on all public boards."""
    version = _today(lists.version_of_what_is_public())
    return kept_pages.answer(("feed",), version, lambda: _feed(feeds.latest_public()), ATOM)


@blueprint.get("/boards/<slug>.atom")
@requires(Permission.VISIT)
def board_feed(slug: str) -> Response:
    """The threads started last on a public board; others have no feed."""
    board = find_visible_board(VISITOR, slug)
    version = (board.content_version, board.site_version)
    return kept_pages.answer(
        ("feed", board.id), _today(version), lambda: _feed(feeds.latest_public(board.id), board), ATOM
    )


@blueprint.get("/sitemap.xml")
@requires(Permission.VISIT)
def sitemap() -> Response:
    """Every public page; on a large site an index of parts."""
    return _kept_xml("sitemap", _sitemap)


@blueprint.get("/sitemap/boards.xml")
@requires(Permission.VISIT)
def sitemap_boards() -> Response:
    """The home page, the pages about the site, the public boards, the companies that may be named."""
    return _kept_xml("sitemap boards", lambda: _urlset(_page_urls()))


@blueprint.get("/sitemap/threads-<int:part>.xml")
@requires(Permission.VISIT)
def sitemap_threads(part: int) -> Response:
    """The public threads of one part of the numbers; 404 for a part without any."""
    return _kept_xml(f"sitemap threads {part}", lambda: _part(part, _thread_urls))


@blueprint.get("/sitemap/members-<int:part>.xml")
@requires(Permission.VISIT)
def sitemap_members(part: int) -> Response:
    """The members of one part of the numbers whose page outsiders may read; 404 for a part without any."""
    return _kept_xml(f"sitemap members {part}", lambda: _part(part, _member_urls))


@blueprint.get("/robots.txt")
@requires(Permission.VISIT)
def robots() -> Response:
    """What crawlers leave alone, and where the sitemap is."""
    return kept_pages.answer(
        ("robots",),
        (),
        lambda: render_template("discussions/robots.txt", sitemap=f"{_public_url()}/sitemap.xml"),
        "text/plain",
    )


def _sitemap() -> str:
    threads, members = feeds.thread_parts(), feeds.member_parts(reader_of(viewer()))
    if not {*threads, *members} - {0}:
        urls = _page_urls() + _thread_urls(0) + _member_urls(0)
        if len(urls) <= MOST_ADDRESSES:
            return _urlset(urls)
    names = [
        "boards",
        *(f"threads-{part}" for part in threads),
        *(f"members-{part}" for part in members),
    ]
    return render_template(
        "discussions/sitemap_index.xml", urls=[f"{_public_url()}/sitemap/{name}.xml" for name in names]
    )


def _page_urls() -> list[Url]:
    boards = [(f"/boards/{board.slug}", board.last_activity_at) for board in feeds.public_boards()]
    companies = [(f"/companies/{slug}", None) for slug in named_companies(feeds.SITEMAP_ROWS)]
    return [
        (f"{_public_url()}{path}", changed)
        for path, changed in [*((path, None) for path in ABOUT), *boards, *companies]
    ]


def _thread_urls(part: int) -> list[Url]:
    # Crawlers carry no session; for somebody of sales the words of titles, and names in them, are left out.
    with_words = reader_of(viewer()) is not Reader.SELLER
    return [
        (f"{_public_url()}/threads/{row.id}{f'/{row.slug}' if with_words else ''}", row.last_activity_at)
        for row in feeds.public_threads_in(part)
    ]


def _member_urls(part: int) -> list[Url]:
    usernames = feeds.public_members_in(part, reader_of(viewer()))
    return [(f"{_public_url()}/members/{username}", None) for username in usernames]


def _part(part: int, urls_of: Callable[[int], list[Url]]) -> str:
    urls = urls_of(part) if part < MOST_ADDRESSES else []
    if not urls:
        raise NotFound("no such part")
    return _urlset(urls)


def _urlset(urls: list[Url]) -> str:
    return render_template("discussions/sitemap.xml", urls=urls)


def _kept_xml(name: str, make: Callable[[], str]) -> Response:
    """A part of the sitemap; what it lists is at most an hour old."""
    hour = int(clock.now().timestamp()) // 3600
    boards = lists.version_of_what_is_public()
    # A company that may be named no longer is not listed for another hour.
    return kept_pages.answer((name,), (hour, boards[1:], version_of_named_companies()), make, XML)


def _today(version: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*version, clock.now().date())  # a company's leave to be named ends with a day


def _feed(rows: list[Any], board: Any = None) -> str:
    # Feed readers carry no session; where somebody of sales opens one in the browser, guests have no names.
    reader = Reader.SELLER if reader_of(viewer()) is Reader.SELLER else Reader.VISITOR
    texts = [text for row in rows for text in (row.title, row.html)]
    veil = veil_over(reader, texts, [row.id for row in rows])
    entries = [
        {
            "url": f"{_public_url()}/threads/{row.id}/{row.slug}",
            "title": fit_for_xml(row.title),
            "author": fit_for_xml(person_line(row, reader).byline),
            "board": fit_for_xml(row.board_name),
            "published": row.created_at,
            "updated": row.edited_at or row.created_at,
            "html": fit_for_xml(_absolute(veil(row.html, row.id))),
        }
        for row in (with_title(veil, one) for one in rows)
    ]
    return render_template(
        "discussions/feed.xml",
        entries=entries,
        updated=max((entry["updated"] for entry in entries), default=None) or clock.now(),
        board=board,
        board_name=fit_for_xml(board.name) if board else "",
        feed_url=f"{_public_url()}/boards/{board.slug}.atom"
        if board
        else f"{_public_url()}/feeds/latest.atom",
        page_url=f"{_public_url()}/boards/{board.slug}" if board else f"{_public_url()}/",
    )


def fit_for_xml(text: str) -> str:
    """The text without the control characters that no XML document may hold."""
    return _UNFIT.sub("", text)


def _absolute(html: str) -> str:
    """Stored HTML with its own addresses made absolute, for readers elsewhere."""
    return re.sub(r'\b(href|src)="/(?!/)', rf'\1="{escape(_public_url())}/', html)


def _public_url() -> str:
    return current_app.config["SETTINGS"].PUBLIC_URL
