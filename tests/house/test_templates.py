"""Every template: compiles, has a title, escapes, carries no style or script of its own; macros are pure."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import nodes

from portal.kernel import assets

PORTAL = Path(assets.__file__).resolve().parents[1]
FOLDER = PORTAL / "templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
# Pages; a name with _ in front is a part of one, base.html the frame of all.
PAGES = [
    name
    for name in TEMPLATES
    if name.endswith(".html")
    and not name.startswith(("components/", "mail/"))
    and not Path(name).name.startswith("_")
    and name != "base.html"
]
COMPONENTS = [name for name in TEMPLATES if name.startswith("components/")]
MAILS = [name for name in TEMPLATES if name.startswith("mail/")]

# What a template may not hold, and why.
FORBIDDEN = {
    r"\|\s*safe\b": "HTML comes from the store as Markup; everything else is escaped",
    r"autoescape\s+false": "everything is escaped",
    r"\bMarkup\(": "Markup is made where text is rendered, not in templates",
    r"\sstyle\s*=": "the security policy refuses style attributes",
    r"<style\b": "styles stand in static/css",
    r"\son[a-z]+\s*=\s*[\"']": "behaviour stands in static/js",
    r"javascript:": "behaviour stands in static/js",
    r"<script(?![^>]*\ssrc=)(?![^>]*application/ld\+json)": "the security policy refuses inline scripts",
    r"<p\b[^>]*>(?:(?!</p>).)*?(?:\b(?:toggle|post_button|facts)\(|<form\b)": "a form ends a paragraph",
    r"https?://(?!www\.(?:w3|sitemaps)\.org/)[a-z]": "no asset or address of another host is written here",
}


def source(name: str) -> str:
    """A template without its comments."""
    return re.sub(r"\{#.*?#\}", "", (FOLDER / name).read_text(encoding="utf-8"), flags=re.S)


def test_every_template_compiles(app: Flask):
    for name in TEMPLATES:
        app.jinja_env.get_template(name)  # raises with the name and the line


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name not in MAILS])
def test_it_holds_nothing_that_is_forbidden(name: str):
    text = source(name)
    found = [f"{what}: {why}" for what, why in FORBIDDEN.items() if re.search(what, text, re.I | re.S)]
    assert not found, f"{name}: {found}"


def chain(app: Flask, name: str) -> Iterator[nodes.Template]:
    """The template and those it extends, from the outermost page on."""
    while name:
        tree = app.jinja_env.parse((FOLDER / name).read_text(encoding="utf-8"))
        yield tree
        parents = [node.template for node in tree.find_all(nodes.Extends)]
        name = parents[0].value if parents and isinstance(parents[0], nodes.Const) else ""


def has_title(app: Flask, name: str) -> bool:
    blocks = [block for tree in chain(app, name) for block in tree.find_all(nodes.Block)]
    return any(block.name == "title" and block.body for block in blocks)


def test_every_page_says_its_title(app: Flask):
    without = [name for name in PAGES if not has_title(app, name)]
    assert not without


IMPURE = {"viewer", "request", "g", "session", "config", "site", "nav", "current_user"}


def test_macros_are_pure(app: Flask):
    """What a macro shows comes from its arguments: kept fragments must not depend on who asks."""
    reads: dict[str, set[str]] = {}
    for name in COMPONENTS:
        tree = app.jinja_env.parse((FOLDER / name).read_text(encoding="utf-8"))
        reads[name] = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"} & IMPURE
    assert not {name: found for name, found in reads.items() if found}


@pytest.mark.parametrize("name", [name for name in COMPONENTS if name != "components/words.html"])
def test_a_component_says_what_it_takes(name: str):
    assert (FOLDER / name).read_text(encoding="utf-8").startswith("{# ")


def icons_used() -> set[str]:
    """Names in icon("…") and sign="…" of templates, and icon= of menu entries."""
    found: set[str] = set()
    for path in FOLDER.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"\bicon\(\s*[\"']([a-z0-9-]+)[\"']", text))
        found |= set(re.findall(r"\bsign=[\"']([a-z0-9-]+)[\"']", text))
    for path in PORTAL.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"\bicon=\"([a-z0-9-]+)\"", text))
    return found


def test_every_icon_is_in_the_list_of_icons():
    missing = icons_used() - set(assets.ICONS)
    assert not missing, f"add to ICONS in portal/kernel/assets.py: {sorted(missing)}"
