"""Every main page of the demo, as each role sees it: accessible in both schemes, no wider than a phone.

SCREENSHOTS=folder keeps a picture of each.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from portal.discussions.models import Thread
from portal.kernel.db import Base, db
from portal.members.models import Member
from tests.support.browser import DESKTOP, PHONE, assert_accessible, take_screenshot
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]

PUBLIC = {
    "home": "/",
    "board": "/boards/integrations",
    "board-archived": "/boards/flow-6",
    "thread": "{sftp}",
    "war-story": "{war_story}",
    "tombstone": "{tombstone}",
    "search": "/search?q=lanes",
    "search-empty": "/search?q=pepol+access+piont+zzz",
    "member": "/members/tomaszw",
    "join": "/join",
    "login": "/login",
    "password": "/password",
    "rules": "/rules",
    "transparency": "/transparency",
    "not-found": "/boards/no-such-board",
}
BY_ROLE = {
    "visitor": PUBLIC,
    "customer": {
        "home-customer": "/",
        "board-customer": "/boards/integrations",
        "thread-customer": "{sftp}",
        "new-thread": "/threads/new?board=integrations",
        "people": "/members",
        "people-none": "/members?q=nobodyofthisname",
        "notices": "/notifications",
        "choices": "/settings/notifications",
        "profile": "/settings/profile",
        "sessions": "/settings/sessions",
        "bookmarks": "/me/bookmarks",
        "drafts": "/me/drafts",
    },
    "moderator": {
        "queue": "/console/queue",
        "log": "/console/log",
        "thread-moderator": "{tombstone}",
    },
    "admin": {"settings": "/console/settings", "companies": "/console/companies"},
}
THREADS = {
    "sftp": "sftp-lanes",
    "war_story": "b-connected-eleven-hours",
    "tombstone": "c-mod-carrier-technician",
}
SCHEMES = [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, dict[str, str], dict[str, int]]]:
    """The demo community, served; addresses of threads by name; the ids of its accounts by role."""
    site = Site(tmp_path_factory.mktemp("looks") / "instance", DEMO_PASSWORD="a password for the demo")
    with site.inside():
        Base.metadata.create_all(db.engine)
    site.portal("demo")
    with site.inside():
        rows = db.session.execute(select(Thread.external_id, Thread.id, Thread.slug)).all()
        places = {row.external_id: f"/threads/{row.id}/{row.slug}" for row in rows}
        addresses = {name: places[key] for name, key in THREADS.items()}
        accounts = {
            email.split("@")[0]: member_id
            for email, member_id in db.session.execute(
                select(Member.email, Member.id).where(Member.email.like("%@demo.example"))
            )
        }
    site.start(seconds=60)
    yield site, addresses, accounts
    site.stop()


@pytest.mark.parametrize("role", BY_ROLE)
@pytest.mark.parametrize(("scheme", "viewport"), SCHEMES, ids=["light", "dark", "phone-light", "phone-dark"])
def test_every_page_is_accessible_and_fits(
    demo: tuple[Site, dict[str, str], dict[str, int]],
    open_context: Callable[..., BrowserContext],
    role: str,
    scheme: str,
    viewport: dict[str, int],
) -> None:
    site, addresses, accounts = demo
    context = open_context(color_scheme=scheme, viewport=viewport)
    if role != "visitor":
        name, value = site.session_cookie(accounts[role])
        context.add_cookies([{"name": name, "value": value, "url": site.url}])
    page = context.new_page()
    problems = []
    for label, path in BY_ROLE[role].items():
        answer = page.goto(site.url + path.format(**addresses))
        assert answer is not None
        expected = 404 if label == "not-found" else 200
        if answer.status != expected:
            problems.append(f"{label}: {answer.status}")
            continue
        take_screenshot(page, f"{label}-{viewport['width']}-{scheme}")
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wider > 0:
            problems.append(f"{label}: {wider} px wider than the window")
        try:
            assert_accessible(page)
        except AssertionError as error:
            problems.append(f"{label}: {error}")
    assert not problems, "\n\n".join(problems)


def test_the_picture_of_the_readme(
    demo: tuple[Site, dict[str, str], dict[str, int]], open_context: Callable[..., BrowserContext]
) -> None:
    site, addresses, _accounts = demo
    page = open_context(color_scheme="light", viewport=DESKTOP).new_page()
    page.goto(site.url + addresses["sftp"])
    accepted = page.get_by_text("Accepted by Ines Okafor")
    expect(accepted).to_be_in_viewport()
    take_screenshot(page, "thread", full_page=False)
