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
    left_out = set(NO_PAGE)
    assert shown - seen - left_out == set(), "add them to tests/looks/pages.py"
    assert left_out <= shown, "no longer there"
    assert not left_out & seen
