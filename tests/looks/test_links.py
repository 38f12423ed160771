"""No dead link anywhere: every internal link of the demo answers, for each role, as far as a crawl leads."""

from collections import deque
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import select

from portal import create_app, settings
from portal.kernel.db import db
from portal.members.models import Member
from tests.support.demo import demo_site
from tests.support.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.sweep]

PAGES = 250  # a crawl ends after so many; links met by then are all tried
ALIKE = 4  # pages of one view that are tried, addresses with other questions ("?sort=") included
FINE = {200, 302, 303, 304}


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (href := dict(attrs).get("href")):
            self.found.append(href)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return demo_site(tmp_path_factory, "links")


@pytest.mark.parametrize("role", ["visitor", "customer", "moderator", "admin"])
def test_every_link_leads_somewhere(demo: Site, role: str) -> None:
    dead = _crawl(demo, role)
    assert not dead, "\n".join(dead)


def _crawl(site: Site, role: str) -> list[str]:
    """Links that do not answer, each with the page it stands on."""
    member_id = None
    if role != "visitor":
        with site.inside():
            member_id = db.session.scalars(
                select(Member.id).where(Member.email == f"{role}@demo.example")
            ).one()
    cookie = site.session_cookie(member_id) if member_id is not None else None
    dead: list[str] = []
    # Outside of any context: each request has its own `g`, as when served.
    application = create_app(settings.load(site.environment))
    client = application.test_client()
    if cookie:
        client.set_cookie(*cookie)
    adapter = application.url_map.bind("localhost")
    waiting = deque([("/", "the beginning")])
    met = {"/"}
    tried: dict[tuple[str, ...], int] = {}
    for _page in range(PAGES):
        if not waiting:
            break
        address, where = waiting.popleft()
        answer = client.get(address)
        if answer.status_code not in FINE:
            dead.append(f"{address}: {answer.status_code}, linked from {where}")
            continue
        if answer.status_code == 200 and answer.mimetype == "text/html":
            links = _Links()
            links.feed(answer.get_data(as_text=True))
            for href in links.found:
                parts = urlsplit(href.removeprefix(site.url))
                if parts.scheme or parts.netloc or not parts.path:
                    continue
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                if path in met:
                    continue
                met.add(path)
                endpoint = adapter.match(parts.path)[0] if adapter.test(parts.path, "GET") else parts.path
                kind = (endpoint, *sorted({name for name, _ in parse_qsl(parts.query)}))
                tried[kind] = tried.get(kind, 0) + 1
                if tried[kind] <= ALIKE:
                    waiting.append((path, address))
    return dead
