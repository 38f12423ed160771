"""What every answer carries, errors included; what is kept by nobody, and what carries no cookie."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import make_admin, make_customer
from tests.house.routes import routes

REQUIRED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
NO_PAGE = "/there-is-no-such-page"


def problems(answer: object, *, personal: bool) -> list[str]:
    """What is wrong with an answer's headers; `personal`: somebody is signed in."""
    headers = answer.headers  # type: ignore[attr-defined] # werkzeug's TestResponse
    found = [name for name, value in REQUIRED.items() if headers.get(name) != value]
    policy = headers.get("Content-Security-Policy", "")
    if "default-src 'self'" not in policy or "frame-ancestors 'none'" not in policy:
        found.append(f"Content-Security-Policy {policy!r}")
    if any(word in policy for word in ("unsafe", "*", "http:", "https:")):
        found.append(f"Content-Security-Policy allows too much: {policy!r}")
    if "camera=()" not in headers.get("Permissions-Policy", ""):
        found.append("Permissions-Policy")
    if not headers.get("X-Request-Id"):
        found.append("X-Request-Id")
    if headers.get("Server", "").lower().startswith(("gunicorn", "werkzeug")):
        found.append("Server")
    caching = headers.get("Cache-Control", "")
    if "Set-Cookie" in headers and "no-store" not in caching:
        found.append(f"a cookie on what may be kept ({caching})")
    if personal and "public" in caching:
        found.append(f"a personal page may be shared ({caching})")
    if "Vary" in headers and "Cookie" in headers["Vary"] and "public" in caching:
        found.append("a shared page varies by cookie")
    if not caching:
        found.append("no Cache-Control")
    return found


@pytest.mark.parametrize("make", [None, make_customer, make_admin], ids=["visitor", "customer", "admin"])
def test_every_answer_carries_the_headers(
    app: Flask, sign_in: Callable[[int], FlaskClient], make: Callable[[], int] | None
):
    member = None
    if make is not None:
        with app.app_context():
            member = make()
    wrong = {}
    for route in routes(app):
        browser = app.test_client() if member is None else sign_in(member)
        for method in {route.method, "GET"}:
            answer = browser.open(route.path, method=method)
            if found := problems(answer, personal=member is not None and answer.mimetype == "text/html"):
                wrong[f"{method} {route.path} {answer.status_code}"] = found
    assert wrong == {}


def test_errors_carry_the_headers_and_a_request_id(app: Flask, sign_in: Callable[[int], FlaskClient]):
    with app.app_context():
        browser = sign_in(make_customer())
    errors = {
        404: browser.get(NO_PAGE),
        405: browser.open("/healthz", method="DELETE", headers={"X-CSRFToken": "none"}),
        400: browser.post("/notifications/read"),
    }
    for status, answer in errors.items():
        assert answer.status_code in (status, 400), status
        assert problems(answer, personal=True) == []
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["X-Request-Id"] in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/%ff%fe",
        "/threads/99999999999999999999999999",
        "/threads/-1",
        "/search?q=%00%ff",
        "/?" + "a=1&" * 5000,
    ],
)
def test_odd_addresses_are_plain_errors_or_pages(app: Flask, path: str):
    answer = app.test_client().get(path)
    assert answer.status_code < 500
    assert "Traceback" not in answer.get_data(as_text=True)
    assert problems(answer, personal=False) == []


def test_a_visitor_gets_no_cookie_from_pages_that_need_none(app: Flask):
    with_cookie = [
        route.path
        for route in routes(app)
        if route.method == "GET" and "Set-Cookie" in app.test_client().get(route.path).headers
    ]
    # Pages with a form for people who are not signed in.
    allowed = ("/login", "/join", "/password", "/confirm", "/unsubscribe", "/invite")
    assert [path for path in with_cookie if path != "/ask" and not path.startswith(allowed)] == []
