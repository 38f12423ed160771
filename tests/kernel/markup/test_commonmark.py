"""The examples of CommonMark and GFM that need no raw HTML, as a tree, with the changes we mean to make."""

import re
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from markdown_it import MarkdownIt

from portal.kernel.markup import render
from portal.kernel.markup.highlight import LANGUAGES, language
from tests.kernel.markup import real_data
from tests.kernel.markup.checker import problems, tag_of, tree

pytestmark = pytest.mark.data

# Examples whose tree differs on purpose, each with its reason.
EMPTY_HEADING = "a heading without words is a gap in the page's outline: it is left out"
EMPTY_CODE = "a code block or span without a sign shows nothing: it is left out"
EMPTY_QUOTE = "a quote of nothing is left out"
NO_LINK = "a link without words whose address is no place of ours or on the web"
BARE = "bare addresses become links (GFM's extension), also inside < >"
DIFFERENT = {
    "commonmark-spec 79": EMPTY_HEADING,
    "commonmark-spec 126": EMPTY_CODE,
    "commonmark-spec 129": EMPTY_CODE,
    "commonmark-spec 130": EMPTY_CODE,
    "commonmark-spec 138": EMPTY_CODE,
    "commonmark-spec 144": EMPTY_CODE,
    "commonmark-spec 220": EMPTY_QUOTE,
    "commonmark-spec 239": EMPTY_CODE,
    "commonmark-spec 241": EMPTY_QUOTE,
    "commonmark-spec 242": EMPTY_QUOTE,
    "commonmark-spec 336": EMPTY_CODE,
    "commonmark-spec 486": NO_LINK,
    "commonmark-spec 489": NO_LINK,
    "commonmark-spec 604": BARE,
    "commonmark-spec 608": BARE,
    "commonmark-spec 610": BARE,
    "commonmark-spec 613": BARE,
    "commonmark-spec 614": BARE,
    "gfm-extensions 17": "one tilde means about: 'from ~5 to ~10 minutes' is not struck out, two tildes are",
    "gfm-extensions 18": "likewise",
    "gfm-extensions 19": "b.c is no mail domain; hosts beyond ASCII are written as DNS does",
    "gfm-extensions 20": "the example gives no tree",
    "gfm-extensions 23": "footnotes are not part of a post",
}

Tree = tuple[str, tuple[tuple[str, str], ...], tuple[Any, ...]]


class Expected:
    """The specification's tree with what our policy changes, written without the product's code."""

    def __init__(self) -> None:
        self._outline: list[int] = []

    def blocks(self, element: Element) -> tuple[Any, ...]:
        return normal(self._children(element, inside_link=False))

    def _children(self, element: Element, inside_link: bool) -> Iterable[Any]:
        yield element.text or ""
        for child in element:
            yield from self._element(child, inside_link)
            yield child.tail or ""

    def _element(self, element: Element, inside_link: bool) -> Iterable[Any]:
        tag, attrs = tag_of(element), dict(element.attrib)
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            tag = self._heading(int(tag[1]))
        if tag == "a" and address(attrs.get("href", "")) is None:
            yield from self._children(element, inside_link)
            return
        if tag == "img":
            yield from self._image(attrs, inside_link)
            return
        if tag == "input":
            yield "☑" if "checked" in attrs else "☐"
            return
        children = tuple(self._children(element, inside_link or tag == "a"))
        if tag == "code" and (name := re.search(r"language-(\S+)", attrs.pop("class", ""))):
            known = language(name.group(1))
            attrs = {"class": f"language-{known}"} if known in LANGUAGES else {}
        if tag == "a":
            attrs["href"] = address(attrs["href"]) or ""
        if tag == "s":
            tag = "del"
        yield node(tag, attrs, children)

    def _heading(self, level: int) -> str:
        self._outline = [above for above in self._outline if above < level] + [level]
        return f"h{min(6, 2 + len(self._outline))}"

    def _image(self, attrs: dict[str, str], inside_link: bool) -> Iterable[Any]:
        src, alt = address(attrs.get("src", "")), attrs.get("alt", "").strip()
        if src is None or inside_link:
            yield alt or src or ""
        else:
            kept = {"href": src} | ({"title": attrs["title"]} if "title" in attrs else {})
            yield node("a", kept, (alt or src,))


def address(url: str) -> str | None:
    """What the policy makes of an address: web, mail and paths from the root."""
    if url.startswith("//"):
        return "https:" + url
    return url if re.match(r"https?://[^/]|mailto:|/", url, re.IGNORECASE) else None


def ours(element: Element) -> Iterable[Any]:
    """Our tree without what it has beyond the specification's."""
    yield element.text or ""
    for child in element:
        tag, attrs = tag_of(child), dict(child.attrib)
        attrs.pop("rel", None)
        attrs.pop("tabindex", None)
        if tag == "li":
            attrs.pop("class", None)
        if tag in {"span", "div"}:
            yield from ours(child)
        else:
            yield node(tag, attrs, tuple(ours(child)))
        yield child.tail or ""


def node(tag: str, attrs: dict[str, str], children: tuple[Any, ...]) -> Tree:
    return tag, tuple(sorted(attrs.items())), children if tag == "code" else normal(children)


BLOCKS = set(
    re.findall(r"\w+", "p h1 h2 h3 h4 h5 h6 blockquote ul ol li pre hr table thead tbody tr th td br")
)


def normal(children: Iterable[Any]) -> tuple[Any, ...]:
    """Neighbouring text joined, white space as a browser shows it."""
    joined: list[Any] = []
    for child in children:
        if isinstance(child, str) and joined and isinstance(joined[-1], str):
            joined[-1] += child
        else:
            joined.append(child)
    out: list[Any] = []
    for i, child in enumerate(joined):
        if isinstance(child, str):
            child = re.sub(r"[ \t\n]+", " ", child)
            if i == 0 or (not isinstance(joined[i - 1], str) and joined[i - 1][0] in BLOCKS):
                child = child.lstrip(" ")
            if i == len(joined) - 1 or (not isinstance(joined[i + 1], str) and joined[i + 1][0] in BLOCKS):
                child = child.rstrip(" ")
        if child != "":
            out.append(flat_code(child))
    return tuple(out)


def flat_code(child: Any) -> Any:
    if isinstance(child, str) or child[0] != "code":
        return child
    return child[0], child[1], ("".join(words(child)),)


def words(child: Any) -> Iterable[str]:
    for inner in child[2]:
        if isinstance(inner, str):
            yield inner
        else:
            yield from words(inner)


WITH_HTML = MarkdownIt("commonmark").enable(["table", "strikethrough"])
WITHOUT_HTML = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def needs_raw_html(markdown: str) -> bool:
    return WITH_HTML.render(markdown) != WITHOUT_HTML.render(markdown)


def differences(name: str, examples: list[dict[str, Any]]) -> dict[str, tuple[Any, Any, str]]:
    found = {}
    for example in examples:
        if needs_raw_html(example["markdown"]):
            continue
        html = render(example["markdown"]).html
        assert problems(html) == []
        expected, actual = Expected().blocks(tree(example["html"])), normal(ours(tree(html)))
        if expected != actual:
            found[f"{name} {example['example']}"] = (expected, actual, example["markdown"])
    return found


@pytest.mark.parametrize(("name", "least"), [("commonmark-spec", 580), ("gfm-extensions", 24)])
def test_each_example_gives_the_tree_of_the_specification(name: str, least: int) -> None:
    examples = real_data.cases(f"{name}.json")
    assert sum(not needs_raw_html(e["markdown"]) for e in examples) >= least
    found = differences(name, examples)
    assert {key: value for key, value in found.items() if key not in DIFFERENT} == {}
    # The list holds nothing that has come to agree.
    assert sorted(found) == sorted(key for key in DIFFERENT if key.startswith(name))
