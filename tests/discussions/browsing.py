"""A browser without a script: reads a page's form, sends it, looks at what came back."""

import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def hidden_fields(page: str, action: str = "") -> dict[str, str]:
    """Names and values of the hidden fields of the form with this action (of the whole page without one)."""
    forms = re.findall(r"<form\b.*?</form>", page, re.DOTALL)
    part = next((form for form in forms if f'action="{action}"' in unescape(form)), page) if action else page
    fields = {}
    for tag in re.findall(r"<input\b[^>]*>", part):
        attributes = dict(re.findall(r'([a-z_-]+)="([^"]*)"', tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
    return fields


def token(browser: FlaskClient) -> str:
    """The form token of this browser's session."""
    page = browser.get("/threads/new").get_data(as_text=True)
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found, "pages of people who are signed in carry the token"
    return unescape(found[1])


def send(
    browser: FlaskClient, path: str, fields: dict[str, Any] | None = None, method: str = "POST", **more: Any
) -> TestResponse:
    """Send a form as a browser would: DELETE and PUT by `_method` in the address."""
    if method != "POST":
        path += ("&" if "?" in path else "?") + f"_method={method}"
    return browser.post(path, data={"csrf_token": token(browser), **(fields or {})}, **more)


def send_as_script(browser: FlaskClient, path: str, method: str = "POST", **more: Any) -> TestResponse:
    """As a module of the page does: the token in a header, an answer in JSON."""
    headers = {"X-CSRFToken": token(browser), "Accept": "application/json"}
    return browser.open(path, method=method, headers=headers, **more)
