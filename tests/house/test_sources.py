"""Rules about the text of the product that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

PORTAL = Path(__file__).resolve().parents[2] / "portal"
SOURCES = sorted(path for path in PORTAL.rglob("*.py") if "migrations" not in path.parts)
CLOCK = PORTAL / "kernel" / "clock.py"

_TIME = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("uuid", "uuid1"),
    ("uuid", "uuid4"),
}
_DRAWS = {"random"}


def _calls_of_the_clock(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if (owner, node.attr) in _TIME:
                found.append(f"{path.name}:{node.lineno} {owner}.{node.attr}")
        if isinstance(node, ast.Import) and any(alias.name in _DRAWS for alias in node.names):
            found.append(f"{path.name}:{node.lineno} import random")
    return found


def test_time_and_chance_come_from_the_clock():
    assert _calls_of_the_clock(CLOCK), "the search finds what the clock itself does"
    found = [call for path in SOURCES if path != CLOCK for call in _calls_of_the_clock(path)]
    assert found == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_services_queries_and_models_know_no_request(path: Path):
    parts = path.relative_to(PORTAL).parts
    if parts[0] in ("kernel", "front", "console") or not {"services", "queries", "models", "policy"} & {
        part.removesuffix(".py") for part in parts
    }:
        return
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert imported.isdisjoint({"flask", "wtforms", "flask_wtf", "flask_login", "werkzeug"})


def test_every_package_says_what_it_owns():
    silent = [
        str(path.relative_to(PORTAL))
        for path in PORTAL.glob("*/__init__.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_asset_comes_from_another_host():
    outside = re.compile(r"""(?:src|href|action)=["']https?://|@import\s+["']?https?:|url\(\s*["']?https?:""")
    found = [
        f"{path.relative_to(PORTAL)}: {match.group(0)}"
        for pattern in ("templates/**/*.html", "static/css/**/*.css", "static/js/**/*.js")
        for path in PORTAL.glob(pattern)
        for match in outside.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_ignored_rule_has_its_reason():
    bare = re.compile(r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+)?|type:\s*ignore(?:\[[a-z-, ]+\])?)\s*$")
    found = [
        f"{path.relative_to(PORTAL)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "noqa" in line and bare.search(line)
    ]
    assert found == []


def test_authors_take_their_columns_from_one_place():
    """Above members, people who stand as authors are selected by `discussions.authors`, which knows who has
    no name there; the plain columns are for people who stand for themselves."""
    for_themselves = {
        "discussions/queries/mentions.py": "completion",
        "moderation/queries/cases.py": "flaggers",
    }
    plain = re.compile(r"\bPERSON\b|\bMember\.(?:name|username)\b")
    for_themselves |= {
        "discussions/queries/searching.py": "asks `may_name_author` first",
        "discussions/guests.py": "which names are taken out for sales and service",
        "discussions/services/text.py": "who is mentioned",
        "discussions/services/erasing.py": "whose name is taken out",
        "discussions/queries/feeds.py": "the sitemap lists whoever wrote something under the own name",
    }
    found = {
        str(path.relative_to(PORTAL))
        for path in SOURCES
        if path.relative_to(PORTAL).parts[0] in ("discussions", "front")
        and plain.search(path.read_text(encoding="utf-8"))
    }
    assert found <= set(for_themselves)


def test_pages_are_made_by_flask():
    """werkzeug's own Response is plain text unless told otherwise: browsers would show a page's source."""
    found = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        of_werkzeug = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("werkzeug")
            for alias in node.names
            if alias.name == "Response"
        }
        found += [
            f"{path.relative_to(PORTAL)}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in of_werkzeug
            and not any(word.arg in ("mimetype", "content_type") for word in node.keywords)
        ]
    assert found == []
