"""Every component in every state: readable by everyone, and inside the screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.house import gallery
from tests.support.browser import DESKTOP, PHONE, assert_accessible, take_screenshot

pytestmark = pytest.mark.browser

WHO = {"console": "moderator", "states": "visitor"}


@pytest.mark.long
@pytest.mark.parametrize("page", gallery.PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_components(
    open_context: Callable[..., BrowserContext], gallery_url: str, page: str, theme: str, size: dict[str, int]
):
    tab = open_context(viewport=size).new_page()
    tab.goto(f"{gallery_url}/{page}?as={WHO.get(page, 'member')}&theme={theme}")
    if page != "error_plain":  # has no script
        tab.wait_for_function("document.documentElement.classList.contains('has-script')")
    too_wide = tab.evaluate(
        "[...document.querySelectorAll('body *')]"
        ".filter(e => !e.closest('.scroll, pre, .table-scroll, .consolenav, .visually-hidden, svg'))"
        ".filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.outerHTML.slice(0, 100))"
    )
    assert too_wide == []
    take_screenshot(tab, f"gallery-{page}-{size['width']}-{theme}")
    assert_accessible(tab)


def test_the_system_decides_on_the_scheme_where_the_reader_did_not(
    open_context: Callable[..., BrowserContext], gallery_url: str
):
    grounds = {}
    for scheme in ("light", "dark"):
        tab = open_context(color_scheme=scheme).new_page()
        tab.goto(f"{gallery_url}/lists")
        grounds[scheme] = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds == {"light": "rgb(250, 248, 243)", "dark": "rgb(23, 22, 20)"}


def test_nothing_moves_for_those_who_ask_for_it(
    open_context: Callable[..., BrowserContext], gallery_url: str
):
    tab = open_context(reduced_motion="reduce").new_page()
    tab.goto(f"{gallery_url}/forms?as=member")
    moving = tab.evaluate(
        "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration"
        ".split(',').some(d => parseFloat(d) > 0)).length"
    )
    assert moving == 0


def test_a_page_can_be_read_without_a_script(open_context: Callable[..., BrowserContext], gallery_url: str):
    tab = open_context(java_script_enabled=False).new_page()
    tab.goto(f"{gallery_url}/thread?as=member")
    assert tab.get_by_label("Your answer, in Markdown").is_visible()
    assert tab.get_by_role("button", name="Post your answer").is_visible()
    assert not tab.get_by_role("button", name="Bold").is_visible()
    tab.get_by_text("Flag").first.click()
    assert tab.get_by_role("button", name="Send to the moderators").first.is_visible()
