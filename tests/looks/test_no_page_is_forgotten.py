"""The sweep over every page knows every page."""

from flask import Flask

from tests.looks.pages import DEMO, FRESH, NO_PAGE


def test_no_page_is_forgotten(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    seen = set()
    for page in (*DEMO, *FRESH):
        path = page.path.split("?")[0]
        for value in ("1", "name"):
            filled = "".join(
                value if at % 2 else part
                for at, part in enumerate(path.replace("{", "\0").replace("}", "\0").split("\0"))
            )
            filled = "/threads/1" if filled in ("1", "name") else filled
            if adapter.test(filled, "GET"):
                seen.add(adapter.match(filled, "GET")[0])
    shown = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert shown - seen - set(NO_PAGE) == set(), "add them to tests/looks/pages.py"
    assert set(NO_PAGE) <= shown, "no longer there"
    assert not set(NO_PAGE) & seen
