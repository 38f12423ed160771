"""What the judge of the looks has found wrong it finds again: a second try must not pass for being second."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.looks.judge import Judge

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en"><title>Pale</title><body style="background:#fff"><main><h1>Pale</h1>
<p style="color:#ddd">Words that nobody can read.</p>
<p><a href="/a" style="font-size:8px">a</a><a href="/b" style="font-size:8px">b</a></p></main>"""


def test_what_is_wrong_is_said_each_time_it_is_looked_at(open_context: Callable[..., BrowserContext]) -> None:
    judge, context = Judge(), open_context()
    judge.prepare(context)
    tab = context.new_page()
    tab.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    tab.goto("http://localhost/pale")
    first, second = (" ".join(judge.look(tab, "pale")) for _ in range(2))
    for rule in ("color-contrast", "target-size"):
        assert (rule in first, rule in second) == (True, True), rule
