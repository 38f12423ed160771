"""Debian's Chromium, driven by Playwright; every page opened is watched for errors."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.need import missing

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


def chromium_path() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    return None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium per test process."""
    path = chromium_path()
    if path is None:
        missing("Chromium is not here (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        yield browser
        browser.close()


class Complaints(list[str]):
    """What the browser complained about: script errors, refused content, failed assets."""


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Call it for a new, empty browser profile (one person at one machine); options as for `new_context`.

    After the test no page may have had a script error, content refused by the security policy, or an asset
    that was missing or came from elsewhere.
    """
    contexts: list[BrowserContext] = []
    complaints = Complaints()

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: script error: {error}"))

        def on_console(message: Any) -> None:
            # The browser also reports a page's own 4xx as a console error; tests assert those themselves.
            if message.type == "error" and "Failed to load resource" not in message.text:
                complaints.append(f"{page.url}: console: {message.text}")

        page.on("console", on_console)

        def on_response(response: Any) -> None:
            if response.status >= 500:
                complaints.append(f"{response.url}: {response.status}")
            if response.status >= 400 and response.request.resource_type in ("stylesheet", "script", "font"):
                complaints.append(f"{page.url}: asset {response.url}: {response.status}")

        page.on("response", on_response)
        page.on(
            "request",
            lambda request: (
                complaints.append(f"{page.url}: asset from elsewhere: {request.url}")
                if not request.url.startswith(("http://127.0.0.1", "http://localhost", "data:", "blob:"))
                else None
            ),
        )

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-GB", **options})
        context.set_default_timeout(10_000)
        context.on("page", watch)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


def settle(page: Page) -> None:
    """Let every transition end: colours are judged as they are at a moment."""
    page.evaluate("() => Promise.all(document.getAnimations().map(a => a.finished.catch(() => 0)))")


def violations(page: Page) -> str:
    """What breaks WCAG 2.2 A, AA or axe's best practice on the page as it is; nothing excluded."""
    settle(page)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # What passed is only counted, not told in full: every rule runs all the same.
    options = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
    results = AxeResults(page.evaluate("options => axe.run(options)", options))
    return f"{page.url}\n{results.generate_report()}" if results.violations_count else ""


def assert_accessible(page: Page) -> None:
    """No violation at all, see `violations`."""
    found = violations(page)
    assert not found, found


def take_screenshot(page: Page, name: str, *, full_page: bool = True) -> None:
    """Keep a picture when SCREENSHOTS names a folder; does nothing otherwise."""
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)
