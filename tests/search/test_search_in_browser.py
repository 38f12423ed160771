"""The search page in Chromium: accessible in each state, by keyboard alone, and without a script."""

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, expect
from werkzeug.serving import make_server

from portal.discussions.models import ThreadKind
from portal.discussions.services import posting
from portal.search import services as search
from tests.conftest import make_board, make_customer, viewer_of
from tests.support.browser import DESKTOP, PHONE, assert_accessible, take_screenshot

pytestmark = pytest.mark.browser


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """A site with a score of threads about invoices, and where it is."""
    with app.app_context():
        author, other = make_customer("Ines Okafor"), make_customer("Ravi Menon")
        board, second = make_board("Integrations"), make_board("Operations")
        for number in range(23):
            thread = posting.open_thread(
                viewer_of(author),
                board if number % 3 else second,
                kind=ThreadKind.QUESTION if number % 2 else ThreadKind.DISCUSSION,
                title=f"Duplicate invoices after timeout number {number}",
                body="The gateway resends an invoice when the receipt is late. " * 8,
                tags="peppol, invoices",
            )
        posting.post_reply(viewer_of(other), thread.id, "Set the message id, then the *invoice* is dropped.")
        search.drain()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    runner = threading.Thread(target=server.serve_forever, daemon=True)
    runner.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    runner.join()


STATES = {
    "results": "/search?q=invoice",
    "filtered": "/search?q=invoice&kind=question",
    "corrected": "/search?q=invoise+gatewy",
    "empty": "/search?q=zzzz&board=integrations",
    "blank": "/search",
    "refused": "/search?q=invoice&after=yesterday",
    "tag": "/search?tag=peppol",
}


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_state_is_accessible(
    address: str, open_context: Callable[..., BrowserContext], scheme: str, size: dict[str, int]
) -> None:
    page = open_context(color_scheme=scheme, viewport=size).new_page()
    for name, path in STATES.items():
        page.goto(address + path)
        expect(page.get_by_role("heading", level=1)).to_have_text("Search")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        take_screenshot(page, f"search-{name}-{size['width']}-{scheme}")


def test_by_keyboard_alone(address: str, open_context: Callable[..., BrowserContext]) -> None:
    page = open_context().new_page()
    page.goto(address + "/search")
    page.get_by_role("searchbox", name="Words").focus()
    page.keyboard.type("invoise message")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*q=invoise*")
    suggestion = page.get_by_role("link", name="invoice message")
    suggestion.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=invoice+message")
    board = page.locator(".sentence summary").first
    board.focus()
    page.keyboard.press("Enter")
    choice = page.get_by_role("link", name=re.compile(r"in Integrations|in Operations")).first
    expect(choice).to_be_visible()
    choice.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**board=*")
    expect(page.locator("#found")).to_have_text(re.compile(r"\d+ threads?"))
    best = page.get_by_role("heading", level=3).first.get_by_role("link")
    best.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/(threads|posts)/\d+"))


def test_without_a_script(address: str, open_context: Callable[..., BrowserContext]) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(address + "/search")
    page.get_by_label("Words").fill("invoice")
    page.get_by_role("search", name="Search and filters").get_by_role("button", name="Search").click()
    expect(page.locator("#found")).to_have_text("23 threads")
    expect(page.get_by_role("listitem").filter(has=page.locator("mark")).first).to_be_visible()
    page.get_by_role("link", name="More threads").click()
    expect(page.locator("ol.threads > li")).to_have_count(3)
    page.locator("summary", has_text="of any kind").click()
    page.get_by_role("link", name=re.compile("questions")).click()
    expect(page.locator("#found")).to_have_text("11 threads")
