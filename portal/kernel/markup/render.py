"""Text becomes HTML, once, when it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask_babel import gettext as _

from portal.kernel.markup import policy
from portal.kernel.markup.limits import MarkupTooLarge
from portal.kernel.markup.parser import mentioned, parse_markdown, quoted_posts, render_tokens
from portal.kernel.markup.sanitize import imported_tree, safe_tree
from portal.kernel.markup.tree import Node
from portal.kernel.markup.writer import write_excerpt, write_html, write_text
from portal.kernel.numbers import number

_NOBODY: Mapping[str, str] = MappingProxyType({})
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_PARAGRAPHS = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_TAG = re.compile(r"<[a-zA-Z/!?]")


@dataclass(frozen=True)
class Rendered:
    """A text as it is stored and shown.

    `html` is safe wherever HTML may stand; `excerpt` has at most 200 characters on one line; `text` is all
    words, a line for each block; `mentions` are the known members addressed in the author's own words;
    `quotes` are the ids of posts quoted with their source.
    """

    html: str
    excerpt: str
    text: str
    mentions: tuple[str, ...] = ()
    quotes: tuple[int, ...] = ()


def check_limits(source: str) -> None:
    """Raise MarkupTooLarge beyond 64 KB, 5,000 brackets and angle signs, 3,000 backticks or ampersands,
    nesting 20, or 6,000 pieces of formatting."""
    parse_markdown(_plain_characters(source))


def find_mentions(source: str) -> list[str]:
    """Lower-case user names after @ in the author's own words (no code, links, quotes); at most 20."""
    if "@" not in source:
        return []
    names = mentioned(parse_markdown(_plain_characters(source)))
    return list(dict.fromkeys(names))[: policy.MAX_MENTIONS]


def render(source: str, *, known_members: Mapping[str, str] = _NOBODY, base_url: str = "") -> Rendered:
    """The text as safe HTML, with its excerpt, words, mentions and quotes.

    `known_members` maps lower-case user names to paths: those become links, any other @name stays as typed.
    `base_url` is this site's public address: links to it are kept as paths. Raises MarkupTooLarge.
    """
    tokens = parse_markdown(_plain_characters(source))
    html = render_tokens(tokens, {"members": known_members})
    mentions = [name for name in dict.fromkeys(mentioned(tokens)) if name in known_members]
    return _rendered(
        safe_tree(html, own_origin=base_url),
        tuple(mentions[: policy.MAX_MENTIONS]),
        tuple(dict.fromkeys(quoted_posts(tokens))),
    )


def clean_html(html: str, base_url: str | None = None) -> Rendered:
    """An HTML body from elsewhere as the HTML that a post here would have.

    Relative addresses are resolved against `base_url`, the page it came from. Pictures of other hosts become
    links, headings move below the post's, unknown elements give way to their content. Raises MarkupTooLarge.
    """
    check_html(html)
    return _rendered(imported_tree(_plain_characters(html), base_url))


def clean_again(html: str) -> Rendered:
    """Stored HTML through the cleaning of today: for what has no source of its own. Never raises."""
    return _rendered(safe_tree(html))


def text_to_html(text: str) -> Rendered:
    """Plain text as paragraphs and line breaks; nothing in it is markup. For any length: never raises."""
    text = _plain_characters(text).replace("\r\n", "\n").replace("\r", "\n").strip()
    blocks: list[Node] = []
    for paragraph in _PARAGRAPHS.split(text):
        words: list[Node | str] = []
        for line in paragraph.split("\n"):
            if words and line.strip():
                words.append(Node("br"))
            if line.strip():
                words.append(line.strip())
        if words:
            blocks.append(Node("p", words))
    return _rendered(blocks)


def check_html(html: str) -> None:
    """Raise MarkupTooLarge for an HTML body that would take long to clean."""
    if len(html) > policy.MAX_HTML or len(_TAG.findall(html)) > policy.MAX_HTML_TAGS:
        raise MarkupTooLarge(
            _(
                "An HTML body holds at most %(size)s KB and %(most)s tags.",
                size=policy.MAX_HTML // 1024,
                most=number(policy.MAX_HTML_TAGS),
            )
        )


def _rendered(blocks: list[Node], mentions: tuple[str, ...] = (), quotes: tuple[int, ...] = ()) -> Rendered:
    return Rendered(write_html(blocks), write_excerpt(blocks), write_text(blocks), mentions, quotes)


def _plain_characters(text: str) -> str:
    """Without halves of characters, which no database and no page can hold."""
    return _SURROGATES.sub("\ufffd", text)
