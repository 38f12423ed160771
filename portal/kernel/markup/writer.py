"""The tree of a post written out: as HTML, as text for the index, as the first words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from portal.kernel.markup import policy
from portal.kernel.markup.highlight import LANGUAGES
from portal.kernel.markup.tree import Child, Node
from portal.kernel.markup.urls import is_external

_TASK = re.compile(r"[☐☑][ \u00a0]")
_ATTRIBUTES = {"a": ("href", "title"), "ol": ("start",), "td": ("align",), "th": ("align",)}


def write_html(blocks: Iterable[Node]) -> str:
    """The HTML of shaped blocks, one line a block; writing what was written gives the same again."""
    out: list[str] = []
    for block in blocks:
        _write_block(block, out)
    return "".join(out)


def _write_block(node: Node, out: list[str]) -> None:
    tag = node.tag
    if tag == "hr":
        out.append("<hr>\n")
    elif tag == "pre":
        _write_code(node, out)
    elif tag == "table":
        # A wide table scrolls by itself, with the keyboard too.
        out.append('<div class="table-scroll" tabindex="0">')
        _write_element(node, out)
        out.append("</div>\n")
    elif tag == "li":
        _write_item(node, out)
    else:
        _write_element(node, out)
        out.append("\n")


def _write_element(node: Node, out: list[str]) -> None:
    attributes = "".join(
        f' {name}="{escape(node.attrs[name])}"'
        for name in _ATTRIBUTES.get(node.tag, ())
        if name in node.attrs
    )
    out.append(f"<{node.tag}{attributes}>")
    if node.tag in {"blockquote", "ul", "ol", "table", "thead", "tbody", "tr"}:
        out.append("\n")
        for child in node.children:
            assert isinstance(child, Node)
            _write_block(child, out)
    else:
        _write_words(node.children, out)
    out.append(f"</{node.tag}>")


def _write_item(node: Node, out: list[str]) -> None:
    first = _first_words(node)
    out.append('<li class="task">' if _TASK.match(first) else "<li>")
    after_block = True
    for position, child in enumerate(node.children):
        if isinstance(child, Node) and child.is_block:
            if position == 0 or not after_block:
                out.append("\n")
            _write_block(child, out)
            after_block = True
        else:
            _write_words([child], out)
            after_block = False
    out.append("</li>\n")


def _first_words(node: Node) -> str:
    child = node.children[0] if node.children else ""
    if isinstance(child, Node):
        return _first_words(child) if child.tag == "p" else ""
    return child


def _write_code(node: Node, out: list[str]) -> None:
    language = node.attrs.get("language")
    known = f' class="language-{language}"' if language in LANGUAGES else ""
    out.append(f'<pre tabindex="0"><code{known}>')
    for child in node.children:
        if isinstance(child, str):
            out.append(escape(child, quote=False))
        else:
            out.append(f'<span class="{child.attrs["class"]}">{escape(child.text(), quote=False)}</span>')
    out.append("</code></pre>\n")


def _write_words(words: Iterable[Child], out: list[str]) -> None:
    for child in words:
        if isinstance(child, str):
            out.append(escape(child, quote=False))
        elif child.tag == "br":
            out.append("<br>\n")
        elif child.tag == "img":
            _write_image(child, out)
        elif child.tag == "a":
            _write_link(child, out)
        else:
            out.append(f"<{child.tag}>")
            _write_words(child.children, out)
            out.append(f"</{child.tag}>")


def _write_link(node: Node, out: list[str]) -> None:
    href = node.attrs["href"]
    title = f' title="{escape(node.attrs["title"])}"' if "title" in node.attrs else ""
    rel = ' rel="nofollow ugc noopener"' if is_external(href) else ""
    out.append(f'<a href="{escape(href)}"{title}{rel}>')
    _write_words(node.children, out)
    out.append("</a>")


def _write_image(node: Node, out: list[str]) -> None:
    title = f' title="{escape(node.attrs["title"])}"' if "title" in node.attrs else ""
    out.append(
        f'<img src="{escape(node.attrs["src"])}" alt="{escape(node.attrs["alt"])}"{title} loading="lazy">'
    )


def write_text(blocks: Iterable[Child]) -> str:
    """The words alone, a line for each block: for the search index and mails without HTML."""
    lines: list[str] = []
    _gather_lines(blocks, lines)
    return "\n".join(line for line in lines if line)


def _gather_lines(children: Iterable[Child], lines: list[str]) -> None:
    words: list[str] = []

    def end_line() -> None:
        line = "".join(words)
        words.clear()
        lines.extend(" ".join(part.split()) for part in line.split("\n"))

    for child in children:
        if isinstance(child, str):
            words.append(child.replace("\n", " "))
        elif child.tag == "br":
            words.append("\n")
        elif child.tag == "pre":
            end_line()
            lines.extend(child.text().rstrip("\n").split("\n"))
        elif child.tag == "tr":
            end_line()
            cells = [write_text(cell.children) for cell in child.children if isinstance(cell, Node)]
            lines.append(" | ".join(cell.replace("\n", " ") for cell in cells))
        elif child.is_block or child.tag == "cite":
            end_line()
            _gather_lines(child.children, lines)
        else:
            words.append(_words_of(child))
    end_line()


def _words_of(node: Node) -> str:
    if node.tag == "img":
        return node.attrs["alt"]
    return "".join(
        child.replace("\n", " ")
        if isinstance(child, str)
        else "\n"
        if child.tag == "br"
        else _words_of(child)
        for child in node.children
    )


def write_excerpt(blocks: list[Node], limit: int = policy.EXCERPT_LENGTH) -> str:
    """The author's first words, at most `limit` characters, cut between words; quotes and code only for want
    of others."""
    own = [block for block in blocks if block.tag not in {"blockquote", "pre"}]
    return shorten(write_text(own) or write_text(blocks), limit)


def shorten(text: str, limit: int = policy.EXCERPT_LENGTH) -> str:
    """The text on one line, at most `limit` characters with the sign of omission."""
    # Enough for the limit whatever the spaces, and no more: a text may be long.
    line = " ".join(text[: limit * 20].split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    if not line[limit - 1].isspace():
        head, space, _ = cut.rpartition(" ")
        cut = head if space and len(head) > limit // 2 else cut
    return cut.rstrip(" ,;:–-") + "…"
