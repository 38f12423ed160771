"""A post as a small tree: built from HTML that a sanitizer wrote, then brought to the one shape that we keep.

Nothing is taken over by name alone: an element, attribute or class that the writer does not know how to write
has no way through, which makes this the last of the three layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Union

from flask_babel import gettext as _

from portal.kernel.markup import policy
from portal.kernel.markup.highlight import language as known_language
from portal.kernel.markup.limits import MarkupTooLarge
from portal.kernel.markup.urls import is_upload, safe_url

Child = Union["Node", str]

_TOKEN = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s+[a-z\-]+(?:="[^"]*")?)*)\s*/?>|([^<]+)|<')
_ATTRIBUTE = re.compile(r'([a-z\-]+)="([^"]*)"')
_LANGUAGE_CLASS = re.compile(r"(?:^|\s)lang(?:uage)?-([a-z0-9+#\-]+)")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_SPACES = " \t\n\u00a0"
_EMPTY = frozenset({"br", "hr", "img"})
_CONTAINERS = frozenset({"blockquote", "ul", "ol", "dl", "table"})
#: Deeper marks than this inside one another are dropped, their words kept.
_MAX_DEPTH = 4 * policy.MAX_NESTING


class Node:
    """One element: its tag, the attributes that it may keep, what stands in it."""

    __slots__ = ("attrs", "children", "tag")

    def __init__(
        self, tag: str, children: list[Child] | None = None, attrs: dict[str, str] | None = None
    ) -> None:
        self.tag = tag
        self.attrs = attrs or {}
        self.children: list[Child] = children if children is not None else []

    @property
    def is_block(self) -> bool:
        return self.tag in policy.BLOCK_TAGS or self.tag in policy.WRAPPERS

    def text(self) -> str:
        """All words in it, as they stand."""
        return "".join(
            child if isinstance(child, str) else "\n" if child.tag == "br" else child.text()
            for child in self.children
        )


def parse(html: str) -> Node:
    """The tree of HTML in which every attribute is quoted and every bare sign escaped.

    Raises MarkupTooLarge when quotes, lists and tables stand in one another deeper than a post's may.
    """
    root = Node("root")
    stack = [root]
    containers = elements = 0
    for found in _TOKEN.finditer(html):
        closing, tag, attributes, text = found.groups()
        if tag is None:
            _add_text(stack[-1], unescape(text) if text else "<")
        elif closing:
            tag = policy.SYNONYMS.get(tag, tag)
            if len(stack) > 1 and stack[-1].tag == tag:
                stack.pop()
                containers -= tag in _CONTAINERS
        else:
            tag = policy.SYNONYMS.get(tag, tag)
            node = Node(tag, attrs={k: unescape(v) for k, v in _ATTRIBUTE.findall(attributes)})
            elements += 1
            if elements > policy.MAX_ELEMENTS:
                raise MarkupTooLarge(_("This text has too many separate pieces of formatting for one post."))
            if tag in _EMPTY:
                stack[-1].children.append(node)
            elif len(stack) <= _MAX_DEPTH or tag in _CONTAINERS:
                stack[-1].children.append(node)
                stack.append(node)
                containers += tag in _CONTAINERS
                if containers > policy.MAX_NESTING:
                    raise MarkupTooLarge(
                        _("Quotes and lists are nested more than %(most)s deep.", most=policy.MAX_NESTING)
                    )
    return root


def _add_text(parent: Node, text: str) -> None:
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text:
        return
    if parent.children and isinstance(parent.children[-1], str):
        parent.children[-1] += text
    else:
        parent.children.append(text)


class Shaper:
    """Brings a parsed tree to the shape of a post: blocks of words, links that we allow, no empty husks."""

    def __init__(self, base_url: str | None = None, own_origin: str = "") -> None:
        self._base_url = base_url
        self._own_origin = own_origin
        self._outline: list[int] = []

    def shape(self, root: Node) -> list[Node]:
        return self._flow(root.children)

    # Blocks

    def _flow(self, children: Iterable[Child]) -> list[Node]:
        """The children as blocks alone: loose words become paragraphs, wrappers dissolve."""
        blocks: list[Node] = []
        for part in self._parts(children):
            if isinstance(part, list):
                words = _trimmed(self._phrases(part))
                if words:
                    blocks.append(Node("p", words))
            else:
                blocks.extend(self._block(part))
        return blocks

    def _parts(self, children: Iterable[Child]) -> Iterator[list[Child] | Node]:
        """Runs of phrasing between blocks, in order; a mark that holds blocks is moved into each of them."""
        run: list[Child] = []
        for child in _without_marks_around_blocks(children):
            if isinstance(child, Node) and child.is_block:
                if run:
                    yield run
                run = []
                yield child
            else:
                run.append(child)
        if run:
            yield run

    def _block(self, node: Node) -> list[Node]:
        tag = node.tag
        if tag in policy.HEADINGS:
            return self._heading(node)
        if tag == "p":
            return self._flow(node.children)
        if tag == "blockquote":
            return self._quote(node)
        if tag in {"ul", "ol"}:
            return self._list(node)
        if tag == "pre":
            return self._code_block(node)
        if tag == "table":
            return self._table(node)
        if tag == "hr":
            return [Node("hr")]
        if tag == "dt":
            words = _trimmed(self._phrases([Node("strong", node.children)]))
            return [Node("p", words)] if words else []
        if tag == "li":
            return self._list(Node("ul", [node]))
        return self._flow(node.children)

    def _heading(self, node: Node) -> list[Node]:
        words = _trimmed(self._phrases(node.children))
        if not words:
            return []
        level = int(node.tag[1])
        while self._outline and self._outline[-1] >= level:
            self._outline.pop()
        self._outline.append(level)
        # Levels follow the outline, so none is skipped, and what has been shaped once keeps its levels.
        return [Node(f"h{min(6, policy.FIRST_HEADING - 1 + len(self._outline))}", words)]

    def _quote(self, node: Node) -> list[Node]:
        source: Node | None = None
        for child in node.children:
            if isinstance(child, Node) and child.tag == "cite":
                words = _trimmed(self._phrases(child.children))
                source = Node("cite", words) if words else source
        blocks = self._flow(
            child for child in node.children if not (isinstance(child, Node) and child.tag == "cite")
        )
        if source is not None:
            blocks.append(source)
        return [Node("blockquote", [*blocks])] if blocks else []

    def _list(self, node: Node) -> list[Node]:
        items: list[Node] = []
        for child in node.children:
            if isinstance(child, str):
                if child.strip(_SPACES):
                    items.append(self._item(Node("li", [child])))
            elif child.tag == "li":
                items.append(self._item(child))
            elif child.tag in {"ul", "ol"} and items:
                items[-1].children.extend(self._list(child))
            else:
                items.append(self._item(Node("li", [child])))
        if not items:
            return []
        attrs = {}
        start = node.attrs.get("start", "")
        if node.tag == "ol" and re.fullmatch(r"[0-9]{1,9}", start) and int(start) != 1:
            attrs["start"] = str(int(start))
        return [Node(node.tag, [*items], attrs)]

    def _item(self, node: Node) -> Node:
        children: list[Child] = []
        for part in self._parts(node.children):
            if isinstance(part, list):
                words = _trimmed(self._phrases(part))
                # Two loose runs in a row would melt into one line.
                if words and children and not (isinstance(children[-1], Node) and children[-1].is_block):
                    children.append(Node("br"))
                children.extend(words)
            else:
                children.extend(self._block(part))
        return Node("li", children)

    def _code_block(self, node: Node) -> list[Node]:
        inner = node.children[0] if len(node.children) == 1 else None
        code = inner if isinstance(inner, Node) and inner.tag == "code" else node
        language = _LANGUAGE_CLASS.search(code.attrs.get("class", ""))
        if language is None:
            language = _LANGUAGE_CLASS.search(node.attrs.get("class", ""))
        children: list[Child] = []
        _gather_code(code.children, children)
        if not any((c if isinstance(c, str) else c.text()).strip() for c in children):
            return []
        name = known_language(language.group(1)) if language else None
        last = children[-1]
        if not (last if isinstance(last, str) else last.text()).endswith("\n"):
            _push(children, "\n")
        return [Node("pre", children, {"language": name} if name else {})]

    def _table(self, node: Node) -> list[Node]:
        before: list[Node] = []
        head: list[Node] = []
        body: list[Node] = []
        for group, row in _rows(node):
            if row.tag != "tr":
                before.extend(self._block(row) if row.is_block else self._flow([row]))
                continue
            cells = [self._cell(c) for c in row.children if isinstance(c, Node) and c.tag in {"td", "th"}]
            if cells:
                (head if group == "thead" and not head else body).append(Node("tr", list(cells)))
        groups: list[Child] = [
            Node(tag, list(rows)) for tag, rows in (("thead", head), ("tbody", body)) if rows
        ]
        return [*before, Node("table", groups)] if groups else before

    def _cell(self, node: Node) -> Node:
        align = node.attrs.get("align", "").lower()
        attrs = {"align": align} if align in {"left", "center", "right"} else {}
        return Node(node.tag, _trimmed(self._phrases(node.children)), attrs)

    # Phrasing

    def _phrases(self, children: Iterable[Child], within: frozenset[str] = frozenset()) -> list[Child]:
        """The children as words and marks alone; blocks among them are parted by line breaks."""
        words: list[Child] = []
        for child in children:
            if isinstance(child, str):
                _push(words, child)
            elif child.tag == "br":
                words.append(Node("br"))
            elif child.tag == "img":
                self._image(child, words, within)
            elif child.tag in {"code", "pre"}:
                if _has_picture_or_link(child):
                    # Code holds words alone; what is meant here is the link.
                    words.extend(self._phrases(child.children, within))
                elif (text := child.text().replace("\n", " ")).strip():
                    words.append(Node("code", [text]))
            elif child.tag == "a":
                self._link(child, words, within)
            elif child.tag in {"strong", "em", "del", "sup", "sub"}:
                self._mark(child, words, within)
            elif child.tag in {"span", "cite"}:
                for inner in self._phrases(child.children, within):
                    _push(words, inner)
            else:
                self._block_as_phrases(child, words, within)
        return words

    def _mark(self, node: Node, words: list[Child], within: frozenset[str]) -> None:
        inner = self._phrases(node.children, within)
        if _says_something(inner):
            words.append(Node(node.tag, inner))
        else:
            for child in inner:
                _push(words, child)

    def _link(self, node: Node, words: list[Child], within: frozenset[str]) -> None:
        href = None
        if "a" not in within:
            href = safe_url(node.attrs.get("href", ""), self._base_url, self._own_origin)
        inner = self._phrases(node.children, within | {"a"} if href else within)
        if href is None:
            for child in inner:
                _push(words, child)
            return
        if not _says_something(inner):
            # A link nobody can see or hear is no link; its address is the honest text.
            inner = [*inner, href]
        words.append(Node("a", inner, {"href": href, **_title(node)}))

    def _image(self, node: Node, words: list[Child], within: frozenset[str]) -> None:
        alt = node.attrs.get("alt", "").strip()
        src = safe_url(node.attrs.get("src", ""), self._base_url, self._own_origin)
        if src and is_upload(src):
            words.append(Node("img", attrs={"src": src, "alt": alt, **_title(node)}))
        elif src and "a" not in within:
            # A picture from elsewhere would tell its host who reads here; a link asks first.
            words.append(Node("a", [alt or src], {"href": src, **_title(node)}))
        else:
            _push(words, alt or src or "")

    def _block_as_phrases(self, node: Node, words: list[Child], within: frozenset[str]) -> None:
        inner = _trimmed(self._phrases(node.children, within))
        if not inner:
            return
        if _says_something(words):
            words.append(Node("br"))
        for child in inner:
            _push(words, child)
        words.append(Node("br"))


def _gather_code(children: Iterable[Child], into: list[Child]) -> None:
    for child in children:
        if isinstance(child, str):
            _push(into, child)
        elif child.tag == "br":
            _push(into, "\n")
        elif child.tag == "span" and child.attrs.get("class") in policy.TOKEN_CLASSES:
            if text := child.text():
                into.append(Node("span", [text], {"class": child.attrs["class"]}))
        else:
            _gather_code(child.children, into)
            if child.is_block and into:
                _push(into, "\n")


def _rows(table: Node) -> Iterator[tuple[str, Node]]:
    for child in table.children:
        if isinstance(child, str):
            continue
        if child.tag in {"thead", "tbody", "tfoot"}:
            for row in child.children:
                if isinstance(row, Node):
                    yield child.tag, row
        else:
            yield "tbody", child


def _without_marks_around_blocks(
    children: Iterable[Child], within: frozenset[str] = frozenset()
) -> Iterator[Child]:
    for child in children:
        if isinstance(child, Node) and not child.is_block and _holds_block(child):
            if child.tag in within:
                # Bold in bold is bold: pushed into every block it would only multiply.
                yield from _without_marks_around_blocks(child.children, within)
            else:
                yield from _pushed_down(child, child.children, within | {child.tag})
        else:
            yield child


def _holds_block(node: Node) -> bool:
    return any(isinstance(c, Node) and (c.is_block or _holds_block(c)) for c in node.children)


def _pushed_down(mark: Node, content: Iterable[Child], within: frozenset[str]) -> Iterator[Child]:
    """The content of a mark with the mark around each run of words instead of around the blocks."""
    run: list[Child] = []
    for child in _without_marks_around_blocks(content, within):
        if isinstance(child, Node) and child.is_block:
            if _says_something(run):
                yield Node(mark.tag, run, mark.attrs)
            run = []
            if child.tag != "pre":
                child.children = list(_pushed_down(mark, child.children, within))
            yield child
        else:
            run.append(child)
    if _says_something(run):
        yield Node(mark.tag, run, mark.attrs)


def _has_picture_or_link(node: Node) -> bool:
    return any(
        isinstance(c, Node) and (c.tag in {"img", "a"} or _has_picture_or_link(c)) for c in node.children
    )


def _push(words: list[Child], child: Child) -> None:
    if isinstance(child, str) and words and isinstance(words[-1], Node) and words[-1].tag == "br":
        child = child.lstrip(" \t\n")
    if isinstance(child, str) and words and isinstance(words[-1], str):
        words[-1] += child
    elif child != "":
        words.append(child)


def _says_something(words: Iterable[Child]) -> bool:
    return any(
        child.strip(_SPACES)
        if isinstance(child, str)
        else child.attrs.get("alt")
        if child.tag == "img"
        else _says_something(child.children)
        for child in words
    )


def _trimmed(words: list[Child]) -> list[Child]:
    """Without space and line breaks at either end; nothing at all when nothing is said or shown."""
    words = list(words)
    while words and _is_space(words[0]):
        words.pop(0)
    while words and _is_space(words[-1]):
        words.pop()
    if words and isinstance(words[0], str):
        words[0] = words[0].lstrip(" \t\n")
    if words and isinstance(words[-1], str):
        words[-1] = words[-1].rstrip(" \t\n")
    return words


def _is_space(child: Child) -> bool:
    return not child.strip(_SPACES) if isinstance(child, str) else child.tag == "br"


def _title(node: Node) -> dict[str, str]:
    title = _INVISIBLE.sub("", node.attrs.get("title", ""))
    return {"title": title} if title.strip() else {}
