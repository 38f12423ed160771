"""A write without the form's token changes nothing, on every route."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.kernel.db import Base, db
from tests.conftest import make_admin, make_customer
from tests.house.routes import routes

# Endpoints that answer to a machine, each with the reason why it carries no token.
EXEMPT: dict[str, str] = {
    "notifications.unsubscribe": "RFC 8058: a mail program posts without a token; the address is the secret",
}


def _rows(app: Flask) -> dict[str, int]:
    with app.app_context():
        return {
            table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.parametrize("make", [make_customer, make_admin], ids=["customer", "admin"])
def test_every_write_needs_the_token(
    app: Flask, sign_in: Callable[[int], FlaskClient], make: Callable[[], int]
):
    with app.app_context():
        member = make()
    browser = sign_in(member)
    before = _rows(app)
    let_through = []
    for route in routes(app):
        if not route.is_write or route.endpoint in EXEMPT:
            continue
        for method, path in ((route.method, route.path), ("POST", f"{route.path}?_method={route.method}")):
            if method == "POST" and route.method == "POST" and "_method" in path:
                continue
            for data in ({}, {"csrf_token": "made-up"}):
                answer = browser.open(path, method=method, data=data)
                if answer.status_code not in (400, 403, 404, 405):
                    let_through.append(f"{route} {path}: {answer.status_code}")
    assert let_through == []
    assert _rows(app) == before


def test_a_method_in_the_body_of_a_form_is_only_text(app: Flask):
    writes = [route for route in routes(app) if route.method == "DELETE"]
    app.config["WTF_CSRF_ENABLED"] = False
    for route in writes:
        posts_too = any(other.path == route.path and other.method == "POST" for other in routes(app))
        answer = app.test_client().post(route.path, data={"_method": "DELETE"})
        assert posts_too or answer.status_code == 405, str(route)
