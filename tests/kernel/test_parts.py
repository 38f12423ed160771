"""Parts of pages that are kept for many readers: made of their values alone, personal only by marks."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from jinja2 import meta, nodes

from portal.kernel import assets, page_cache, parts
from portal.kernel.access import VISITOR
from tests.conftest import make_board, make_customer

FOLDER = Path(assets.__file__).resolve().parents[1] / "templates"


def calls(app: Flask) -> list[tuple[str, set[str]]]:
    """Every part("…", …) in the templates, with the names of its values."""
    found = []
    for path in FOLDER.rglob("*.html"):
        tree = app.jinja_env.parse(path.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "part":
                assert isinstance(call.args[0], nodes.Const), f"{path.name}: a part is called by its name"
                found.append((call.args[0].value, {keyword.key for keyword in call.kwargs}))
    return found


def test_a_part_reads_nothing_but_its_values(app: Flask) -> None:
    found = calls(app)
    assert ("frame/_notices.html", {"count"}) in found
    for name, given in found:
        tree = app.jinja_env.parse((FOLDER / name).read_text(encoding="utf-8"))
        own = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
        read = meta.find_undeclared_variables(tree) - app.jinja_env.globals.keys() - own
        assert read == given, name


def test_what_a_part_shows_of_time_would_be_kept_too_long(app: Flask) -> None:
    """Filters that depend on the moment or on the reader's zone stand in rows, which are kept by age."""
    for name, _given in calls(app):
        assert not re.search(r"\|\s*(?:ago|until|stamp|hour|exact|day)\b", (FOLDER / name).read_text()), name


def test_each_reader_gets_their_own_name_and_token(app: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    with app.app_context():
        make_board("Integrations", slug="b")
        people = [make_customer("Ada <Lovelace>", username="ada"), make_customer("Bo", username="bo")]
    pages = [sign_in(member).get("/boards/b").text for member in people]
    tokens = [re.findall(r'name="csrf_token" value="([^"]*)"', page) for page in pages]
    for page, own in zip(pages, tokens, strict=True):
        assert len(set(own)) == 1, "one token for all forms of a page"
        assert len(own[0]) > 40
        assert "<!--@" not in page
    assert tokens[0][0] != tokens[1][0]
    assert "Ada &lt;Lovelace&gt;" in pages[0]
    assert "/members/ada" in pages[0]
    assert "Ada" not in pages[1]
    assert "/members/bo" in pages[1]


def test_nobody_writes_a_mark(app: Flask) -> None:
    name = "<!--@token-->"
    with app.test_request_context():
        g.viewer = VISITOR
        part = app.jinja_env.globals["part"]
        text = part("frame/_avatar.html", name=name, picture_url="", username="ada")
        kept = [row for row in page_cache.fragments._rows if row[0] == "frame/_avatar.html"]
    assert kept
    assert "<!--@" not in text


def test_a_mark_that_nobody_fills_is_an_error(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(KeyError):
        parts._filled(str(parts.mark("company")), {})
