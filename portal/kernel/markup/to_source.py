"""Markdown for HTML that came from elsewhere, so that an imported post can be edited like any other."""

from __future__ import annotations

import re
from collections.abc import Iterable

from portal.kernel.markup.policy import FIRST_HEADING
from portal.kernel.markup.render import check_html
from portal.kernel.markup.sanitize import loose_tree
from portal.kernel.markup.tree import Child, Node

_SPECIAL = re.compile(r"[\\`*\[\]<]|~~|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w{1,32};)")
# What would begin a block where a line begins.
_LINE_START = re.compile(
    r"^[ \t]*(?:(#{1,6}(?=\s|$))|([+\-](?=\s|$|-))|(>)|(=+[ \t]*$)|(~{3,})|([|:][\s|:\-]*-)"
    r"|(\d{1,9}[.)](?=\s|$)))",
    re.MULTILINE,
)
_SUPERSCRIPT = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUBSCRIPT = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_PLAIN_URL = re.compile(r"[a-z]+:[^\s<>]+", re.IGNORECASE)
_BOX = re.compile(r"^([☐☑])[ \u00a0]")


def html_to_source(html: str, base_url: str | None = None) -> str:
    """Markdown that renders to the same post as `clean_html(html, base_url)`, as far as Markdown can say it:
    raised and lowered figures become their own characters, line breaks in a table's cell become spaces.

    Raises MarkupTooLarge where clean_html does.
    """
    check_html(html)
    return _blocks(loose_tree(html, base_url)).strip("\n")


def text_to_source(text: str) -> str:
    """Markdown that shows plain text as it stands, line by line."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    return "\n\n".join(
        "\\\n".join(_start_safe(_escaped(line.strip())) for line in paragraph.split("\n") if line.strip())
        for paragraph in paragraphs
    )


def quote_source(author_username: str, number: int | None, post_id: int, source: str) -> str:
    """The Markdown that the composer begins with to quote a post: every line quoted, its place linked.

    `author_username` is "" where no name may stand in the text. `number` is the post's number in its thread,
    None for a comment. Quotes inside the quote are left out: who
    wants them finds them behind the link.
    """
    lines = source.replace("\r\n", "\n").strip("\n").split("\n")
    kept = "\n".join(line for line in lines if not line.lstrip(" ").startswith(">")).strip("\n")
    kept = re.sub(r"\n{3,}", "\n\n", kept) or source.strip("\n")
    where = f"#{number}" if number else ""
    place = " in ".join(part for part in (author_username and f"@{author_username}", where) if part)
    place = place or "a comment"
    quoted = "\n".join(f"> {line}".rstrip() for line in kept.split("\n"))
    return f"> [{_escaped(place)}](/posts/{post_id}):\n{quoted}\n\n"


def _blocks(blocks: Iterable[Child], tight: bool = False) -> str:
    out: list[str] = []
    before: Node | None = None
    marker = ""
    for block in blocks:
        assert isinstance(block, Node)
        if block.tag in {"ul", "ol"}:
            # A list right after a list of its kind needs the other marker, or the two grow together.
            again = before is not None and before.tag == block.tag and marker in {"-", "."}
            marker = ("*" if again else "-") if block.tag == "ul" else (")" if again else ".")
        written = _list(block, marker) if block.tag in {"ul", "ol"} else _block(block)
        if written:
            out.append(written)
            before = block
    return ("\n" if tight else "\n\n").join(out)


def _block(node: Node) -> str:
    tag = node.tag
    if tag == "p":
        return _paragraph(node.children)
    if tag[0] == "h" and tag != "hr":
        words = _one_line(_phrases(node.children))
        return "#" * (int(tag[1]) - FIRST_HEADING + 1) + " " + re.sub(r"(#+)$", r"\\\1", words)
    if tag == "blockquote":
        return _quote(node)
    if tag == "pre":
        return _code_block(node)
    if tag == "table":
        return _table(node)
    return "* * *" if tag == "hr" else ""


def _quote(node: Node) -> str:
    blocks = [child for child in node.children if isinstance(child, Node) and child.tag != "cite"]
    source = next((child for child in node.children if isinstance(child, Node) and child.tag == "cite"), None)
    text = _blocks(blocks)
    if source is not None:
        text = f"{_one_line(_phrases(source.children))}:\n{text}"
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _list(node: Node, marker: str) -> str:
    number = int(node.attrs.get("start", "1"))
    items = [item for item in node.children if isinstance(item, Node)]
    loose = any(isinstance(c, Node) and c.tag == "p" for item in items for c in item.children)
    out = []
    for item in items:
        lead = f"{number}{marker} " if node.tag == "ol" else f"{marker} "
        number += 1
        lines = _item(item, loose).split("\n")
        rest = [(" " * len(lead) + line) if line else "" for line in lines[1:]]
        out.append("\n".join([(lead + lines[0]).rstrip(), *rest]))
    return ("\n\n" if loose else "\n").join(out)


def _item(node: Node, loose: bool) -> str:
    blocks: list[Child] = []
    for child in node.children:
        if isinstance(child, Node) and child.is_block:
            blocks.append(child)
        elif blocks and isinstance(blocks[-1], Node) and blocks[-1].tag == "words":
            blocks[-1].children.append(child)
        else:
            blocks.append(Node("words", [child]))
    for block in blocks:
        if isinstance(block, Node) and block.tag == "words":
            block.tag = "p"
    text = _blocks(blocks, tight=not loose)
    return _BOX.sub(lambda found: "[ ] " if found.group(1) == "☐" else "[x] ", text)


def _paragraph(children: Iterable[Child]) -> str:
    lines = [line.strip(" \t") for line in _phrases(children).split("\n")]
    return _start_safe("\n".join(line for line in lines if line))


def _start_safe(text: str) -> str:
    def escape(found: re.Match[str]) -> str:
        if found.group(7):
            return found.group()[:-1] + "\\" + found.group()[-1]
        start = found.start(found.lastindex or 0) - found.start()
        return found.group()[:start] + "\\" + found.group()[start:]

    return _LINE_START.sub(escape, text)


def _code_block(node: Node) -> str:
    code = node.text()
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return (
        f"{fence}{node.attrs.get('language', '')}\n{code}{'' if code.endswith(chr(10)) else chr(10)}{fence}"
    )


def _table(node: Node) -> str:
    head: list[Node] = []
    body: list[Node] = []
    for group in node.children:
        if isinstance(group, Node):
            (head if group.tag == "thead" else body).extend(r for r in group.children if isinstance(r, Node))
    width = max(len(row.children) for row in head + body)
    first = head[0] if head else Node("tr", [])
    aligns = [_alignment(node, column) for column in range(width)]
    rules = {"left": ":--", "center": ":-:", "right": "--:"}
    lines = [_row(first, width), "| " + " | ".join(rules.get(a, "---") for a in aligns) + " |"]
    return "\n".join(lines + [_row(row, width) for row in body])


def _alignment(table: Node, column: int) -> str:
    for group in table.children:
        for row in group.children if isinstance(group, Node) else ():
            if isinstance(row, Node) and column < len(row.children):
                cell = row.children[column]
                return cell.attrs.get("align", "") if isinstance(cell, Node) else ""
    return ""


def _row(row: Node, width: int) -> str:
    cells = [
        _one_line(_phrases(cell.children)).replace("|", "\\|")
        for cell in row.children
        if isinstance(cell, Node)
    ]
    return "| " + " | ".join(cells + [""] * (width - len(cells))) + " |"


# Words and marks


def _phrases(children: Iterable[Child], within: frozenset[str] = frozenset()) -> str:
    out: list[str] = []
    children = _merged(children)
    for position, child in enumerate(children):
        if isinstance(child, str):
            out.append(_escaped(child))
        elif child.tag == "br":
            out.append("\\\n")
        elif child.tag == "code":
            out.append(_code(child.text()))
        elif child.tag == "a":
            out.append(_link(child, within))
        elif child.tag == "img":
            out.append(f"![{_escaped(child.attrs['alt'])}]({_destination(child)})")
        elif child.tag in {"sup", "sub"}:
            out.append(_shifted(child, within))
        else:
            after = children[position + 1] if position + 1 < len(children) else ""
            out.append(_mark(child, "".join(out[-1:]), after, within))
    return "".join(out)


def _merged(children: Iterable[Child]) -> list[Child]:
    """Marks of one kind side by side as one: Markdown has no way to end one and begin the next."""
    out: list[Child] = []
    for child in children:
        last = out[-1] if out else None
        if (
            isinstance(child, Node)
            and isinstance(last, Node)
            and last.tag == child.tag
            and child.tag in {"strong", "em", "del"}
        ):
            out[-1] = Node(last.tag, last.children + child.children)
        else:
            out.append(child)
    return out


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: "".join("\\" + sign for sign in found.group()), text)


def _one_line(text: str) -> str:
    return " ".join(text.replace("\\\n", " ").split())


def _code(text: str) -> str:
    text = text.replace("\n", " ")
    longest = {len(run) for run in re.findall(r"`+", text)}
    ticks = "`" * next(n for n in range(1, len(longest) + 2) if n not in longest)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _link(node: Node, within: frozenset[str]) -> str:
    href = node.attrs["href"]
    plain = all(isinstance(child, str) for child in node.children)
    text = node.text()
    if plain and "title" not in node.attrs and text == href and _PLAIN_URL.fullmatch(href):
        return f"<{href}>"
    return f"[{_phrases(node.children, within).strip()}]({_destination(node)})"


def _destination(node: Node) -> str:
    url = node.attrs.get("href") or node.attrs["src"]
    if re.search(r"[\s()<>\\*_&]", url):
        url = "<" + re.sub(r"([<>\\])", r"\\\1", re.sub(r"&(?=#?\w{1,32};)", "&amp;", url)) + ">"
    if "title" not in node.attrs:
        return url
    title = re.sub(r'(["\\`*_\[\]<&])', r"\\\1", " ".join(node.attrs["title"].split()))
    return f'{url} "{title}"'


def _shifted(node: Node, within: frozenset[str]) -> str:
    text = node.text()
    shifted = text.translate(_SUPERSCRIPT if node.tag == "sup" else _SUBSCRIPT)
    changed = shifted != text and not any(
        a == b and not a.isspace() for a, b in zip(text, shifted, strict=True)
    )
    if changed:
        return shifted
    return ("^" if node.tag == "sup" else "") + _phrases(node.children, within)


def _mark(node: Node, before: str, after: Child, within: frozenset[str]) -> str:
    inner = _phrases(node.children, within | {node.tag})
    body = inner.strip(" \t\n")
    lead = inner[: len(inner) - len(inner.lstrip(" \t\n"))]
    trail = inner[len(inner.rstrip(" \t\n")) :]
    sign = {"strong": "**", "em": "*", "del": "~~"}.get(node.tag)
    if sign is None or not body or node.tag in within:
        return inner
    next_sign = (after if isinstance(after, str) else after.text())[:1]
    if sign == "*" and ("strong" in within or "*" in (body[0], body[-1], before[-1:])):
        sign = "_"
        if (_is_word(before[-1:]) and not lead) or (_is_word(next_sign) and not trail):
            sign = "*"
    # Beside a letter, a mark does not open before punctuation nor close after it; the words come first.
    opens = not (not lead and _is_word(before[-1:]) and not _is_word(body[:1]))
    closes = not (not trail and _is_word(next_sign) and not _is_word(body[-1:]))
    if body.endswith("\\\n") or not (opens and closes):
        return inner
    return f"{lead}{sign}{body}{sign}{trail}"


def _is_word(sign: str) -> bool:
    return sign.isalnum()
