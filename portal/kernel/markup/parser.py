"""Markdown as tokens: CommonMark with tables, strikethrough, tasks, bare addresses, mentions, quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from itertools import islice

from flask_babel import gettext as _
from linkify_it import LinkifyIt
from linkify_it.main import Match
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from portal.kernel.markup.highlight import MAX_CHARACTERS as MAX_COLOURED
from portal.kernel.markup.highlight import highlight, language
from portal.kernel.markup.limits import MarkupTooLarge, check_size, may_nest_deeply
from portal.kernel.markup.policy import MAX_COLUMNS, MAX_NESTING, MAX_PIECES, MAX_URL

#: A user name as written after @: letters, digits, `_`, and single dots or hyphens inside.
MENTION = re.compile(r"(?<![\w@/.+\-])@(\w(?:[\w.\-]{0,62}\w)?)(?![\w@])")
#: More addresses than this in one paragraph are a list of somebody's customers, not links.
_MAX_ADDRESSES = 100
#: The words for a picture are parsed once more for each picture around it.
_MAX_PICTURE_NESTING = 4
#: Mentions beyond these stay as typed.
_MAX_MENTION_LINKS = 200
_SCHEME_BEFORE = re.compile(r"(?:^|[^a-z0-9.+\-])(https?)\Z", re.IGNORECASE)
_SPACE = re.compile(r"\s")
_SQUARE = re.compile(r"[\[\]]")
_QUOTED_POST = re.compile(r"/posts/([0-9]{1,18})\Z")
_TASK = re.compile(r"\[([ xX])\][ \u00a0]+")
_BOX = {" ": "☐", "x": "☑", "X": "☑"}


@lru_cache(maxsize=4)
def parse_markdown(source: str) -> tuple[Token, ...]:
    """The tokens of a post's text, shared: treat them as read-only. Raises MarkupTooLarge beyond the caps.

    Validation, mentions and rendering of one submission look at the same parse.
    """
    check_size(source)
    return tuple(_MARKDOWN.parse(source, {}))


def render_tokens(tokens: tuple[Token, ...], env: EnvType) -> str:
    """HTML of the tokens, still to be cleaned; `env["members"]` maps lower-case user names to paths."""
    return _MARKDOWN.renderer.render(list(tokens), _MARKDOWN.options, env)


def mentioned(tokens: tuple[Token, ...]) -> Iterator[str]:
    """User names mentioned in the author's own words, in order: not in code, links or quotes."""
    quotes = 0
    for token in tokens:
        if token.type in {"blockquote_open", "blockquote_close"}:
            quotes += token.nesting
        elif token.children and not quotes:
            for child in token.children:
                if child.type == "mention":
                    yield child.meta["name"].lower()


def quoted_posts(tokens: tuple[Token, ...]) -> Iterator[int]:
    """Ids of the posts that quotes in this text name as their source."""
    for token in tokens:
        if token.type == "cite_open":
            yield token.meta["post"]


def _budget(state: StateCore) -> None:
    """Stop before the costly steps when a text fell into very many pieces or nests too deep."""
    pieces = len(state.tokens) + sum(len(t.children) for t in state.tokens if t.children)
    if pieces > MAX_PIECES:
        raise MarkupTooLarge(
            _("This text has too many separate pieces of formatting for one post. Split it.")
        )
    if not may_nest_deeply(state.src):
        return
    depth = 0
    for token in state.tokens:
        if token.type in {"blockquote_open", "bullet_list_open", "ordered_list_open"}:
            depth += 1
            if depth > MAX_NESTING:
                raise MarkupTooLarge(
                    _("Quotes and lists are nested more than %(most)s deep.", most=MAX_NESTING)
                )
        elif token.type in {"blockquote_close", "bullet_list_close", "ordered_list_close"}:
            depth -= 1


def _blocks_budget(state: StateCore) -> None:
    if len(state.tokens) > MAX_PIECES:
        raise MarkupTooLarge(_("This text has too many separate lines of formatting for one post. Split it."))


def _narrow_table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    first = state.src[state.bMarks[start_line] : state.eMarks[start_line]]
    if first.count("|") > MAX_COLUMNS + 1:
        return False
    return table(state, start_line, end_line, silent)


def _hopeless_bracket(state: StateInline, silent: bool) -> bool:
    """In a paragraph whose brackets nest deeper than the cap, take as plain text those that cannot be a link.

    Otherwise each opening bracket of a long run searches the rest of the paragraph in vain.
    """
    if state.src[state.pos] not in "[!":
        return False
    start = state.pos + (state.src[state.pos] == "!")
    if not state.src.startswith("[", start) or start not in _hopeless_brackets(state.src):
        return False
    if not silent:
        state.append_pending(state.src[state.pos : start + 1])
    state.pos = start + 1
    return True


@lru_cache(maxsize=4)
def _hopeless_brackets(text: str) -> frozenset[int]:
    """Places of opening brackets that never close or hold more than the cap inside; none in a usual text."""
    hopeless: set[int] = set()
    open_at: list[int] = []
    heights: list[int] = []
    deepest = 0
    for found in _SQUARE.finditer(text):
        if found.group() == "[":
            open_at.append(found.start())
            heights.append(0)
            deepest = max(deepest, len(open_at))
        elif open_at:
            place, height = open_at.pop(), heights.pop()
            pictures = place and text[place - 1] == "!"
            if height >= (_MAX_PICTURE_NESTING if pictures else MAX_NESTING):
                hopeless.add(place)
            if heights:
                heights[-1] = max(heights[-1], height + 1)
    if deepest > MAX_NESTING:
        hopeless.update(open_at)
    return frozenset(hopeless)


def _bare_address(state: StateInline, silent: bool) -> bool:
    """`http://` and `https://` in words become links before their underscores and stars can be read as marks.

    As markdown-it's rule, but looking at a bounded stretch before and after the colon.
    """
    if state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    tried, end = state.env.get("tried", ("", 0))
    if tried is state.src and state.pos < end:
        return False
    scheme = _SCHEME_BEFORE.search(state.pending[-8:])
    if not scheme:
        return False
    start = state.pos - len(scheme.group(1))
    match = _LINKIFY.match_at_start(state.src[start : state.pos + MAX_URL])
    if not match:
        return False
    url = match.url.rstrip(_AFTER_ADDRESS)
    full_url = state.md.normalizeLink(url)
    if len(url) >= MAX_URL or not state.md.validateLink(full_url):
        # Nothing inside an address that is none is one either; looking again and again would take long.
        space = _SPACE.search(state.src, start)
        state.env["tried"] = (state.src, space.start() if space else len(state.src))
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme.group(1))]
        opening = state.push("link_open", "a", 1)
        opening.attrs, opening.markup, opening.info = {"href": full_url}, "linkify", "auto"
        state.push("text", "", 0).content = state.md.normalizeLinkText(url)
        closing = state.push("link_close", "a", -1)
        closing.markup, closing.info = "linkify", "auto"
    state.pos = start + len(url)
    return True


def _flatten(state: StateCore) -> None:
    """Drop marks nested deeper than anybody can see; their words stay."""
    for token in state.tokens:
        children = token.children
        if not children or len(children) <= 2 * MAX_NESTING:
            continue
        kept: list[Token] = []
        depth = 0
        for child in children:
            if child.nesting == 1:
                depth += 1
            if child.nesting == 0 or depth <= MAX_NESTING:
                kept.append(child)
            if child.nesting == -1:
                depth -= 1
        token.children = kept


def _tasks(state: StateCore) -> None:
    """`[ ]` and `[x]` at the start of a list item become boxes: a sign that every reader and mail shows."""
    tokens = state.tokens
    for i in range(2, len(tokens)):
        if (
            tokens[i].type == "inline"
            and tokens[i - 1].type == "paragraph_open"
            and tokens[i - 2].type == "list_item_open"
            and tokens[i].children
            and tokens[i].children[0].type == "text"  # type: ignore[index]
        ):
            first = tokens[i].children[0]  # type: ignore[index]
            found = _TASK.match(first.content)
            if found and (found.end() < len(first.content) or len(tokens[i].children) > 1):  # type: ignore[arg-type]
                first.content = f"{_BOX[found.group(1)]} {first.content[found.end() :]}"


def _quotes(state: StateCore) -> None:
    """A quote that begins `[@name in #6](/posts/123):` ends with that link as its source."""
    tokens = state.tokens
    out: list[Token] = []
    sources: list[list[Token] | None] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token.type == "blockquote_open":
            out.append(token)
            source = _source_of(tokens, i)
            sources.append(source)
            if source and not tokens[i + 2].children:
                # The first line was the source alone: no empty paragraph stays behind.
                i += 3
        else:
            if token.type == "blockquote_close":
                out.extend(sources.pop() or [])
            out.append(token)
        i += 1
    state.tokens = out


def _source_of(tokens: list[Token], quote: int) -> list[Token] | None:
    if tokens[quote + 1].type != "paragraph_open":
        return None
    inline = tokens[quote + 2]
    children = inline.children or []
    if not children or children[0].type != "link_open":
        return None
    end = next((i for i, child in enumerate(children) if child.type == "link_close"), None)
    found = _QUOTED_POST.match(str(children[0].attrs.get("href", "")))
    if not found or end is None or end + 1 >= len(children) or not children[end + 1].content.startswith(":"):
        return None
    after = children[end + 1]
    after.content = after.content[1:].lstrip()
    rest = children[end + 1 :] if after.content else children[end + 2 :]
    if rest and rest[0].type in {"softbreak", "hardbreak"}:
        rest = rest[1:]
    inline.children = rest
    opening = Token("cite_open", "cite", 1, block=True, meta={"post": int(found.group(1))})
    words = Token("inline", "", 0, children=children[: end + 1], block=True)
    return [opening, words, Token("cite_close", "cite", -1, block=True)]


def _links_and_mentions(state: StateCore) -> None:
    """Bare addresses become links, `@name` a mention: in words, never in code or in another link."""
    mentions = 0
    for token in state.tokens:
        if token.type != "inline" or not token.children:
            continue
        addresses = 0
        out: list[Token] = []
        links = 0
        escaped = False
        for child in token.children:
            if child.type in {"link_open", "link_close"}:
                links += child.nesting
            if child.type != "text" or links or not child.content:
                out.append(child)
            else:
                if addresses <= _MAX_ADDRESSES:
                    pieces = list(_linked(child, after_escape=escaped))
                    addresses += len(pieces) // 4
                else:
                    pieces = [child]
                for piece in pieces:
                    if piece.type == "text" and not piece.meta and mentions < _MAX_MENTION_LINKS:
                        split = list(_with_mentions(piece))
                        mentions += len(split) // 2
                        out.extend(split)
                    else:
                        out.append(piece)
            escaped = child.type == "text_special"
        token.children = out


def _linked(token: Token, after_escape: bool) -> Iterator[Token]:
    text = token.content
    if text.count("@") > _MAX_ADDRESSES or not _LINKIFY_REST.pretest(text):
        yield token
        return
    position = 0
    for match in (_LINKIFY_REST.match(text) or ())[:_MAX_ADDRESSES]:
        if match.index == 0 and after_escape:
            continue
        url = _MARKDOWN.normalizeLink(match.url)
        if not _MARKDOWN.validateLink(url):
            continue
        if match.index > position:
            yield _text(text[position : match.index])
        opening = Token("link_open", "a", 1, attrs={"href": url}, markup="linkify", info="auto")
        yield opening
        # Marked, so that an address in its own text is not read as a mention.
        yield _text(match.text, {"linked": True})
        yield Token("link_close", "a", -1, markup="linkify", info="auto")
        position = match.last_index
    if position < len(text):
        yield _text(text[position:])


def _with_mentions(token: Token) -> Iterator[Token]:
    text = token.content
    position = 0
    for found in islice(MENTION.finditer(text), _MAX_MENTION_LINKS) if "@" in text else ():
        if found.start() > position:
            yield _text(text[position : found.start()])
        yield Token("mention", "", 0, content=found.group(), meta={"name": found.group(1)})
        position = found.end()
    if position < len(text):
        yield _text(text[position:])


def _text(content: str, meta: dict[str, bool] | None = None) -> Token:
    return Token("text", "", 0, content=content, meta=meta or {})


class _Renderer(RendererHTML):
    """Writes what the cleaning layers expect: mentions as links, alignment by attribute, code by language."""

    def mention(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        path = env.get("members", {}).get(token.meta["name"].lower())
        words = escapeHtml(token.content)
        return f'<a href="{escapeHtml(path)}">{words}</a>' if path else words

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # Quotation marks stay: as entities they cost the cleaners more than all else in a log.
        return escape(tokens[idx].content, quote=False)

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<code>{escape(tokens[idx].content, quote=False)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<pre><code>{escape(tokens[idx].content, quote=False)}</code></pre>\n"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        name = language(token.info)
        code = token.content
        # Short lines cost the lexers most, so each counts as more than its letters.
        env["coloured"] = env.get("coloured", 0) + len(code) + 4 * code.count("\n")
        words = escape(code, quote=False) if env["coloured"] > 1.5 * MAX_COLOURED else highlight(code, name)
        css = f' class="language-{name}"' if name else ""
        return f"<pre><code{css}>{words}</code></pre>\n"

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        align = str(token.attrs.get("style", "")).removeprefix("text-align:")
        return f'<{token.tag} align="{align}">' if align else f"<{token.tag}>"

    th_open = td_open


def _linkify(web: bool) -> LinkifyIt:
    # No guessing by top-level domain: half of the file names that people write here (deploy.sh, readme.md,
    # main.rs) end in one. A leading www. says that an address is meant.
    linkify = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": True, "fuzzy_ip": False})
    linkify.add("//", None).add("ftp:", None)
    if not web:
        linkify.add("http:", None).add("https:", None)
    linkify.add("www.", {"validate": _after_www, "normalize": _with_scheme})
    return linkify


# Bounded, since every "www." of a long run is tried.
_WWW = re.compile(
    r"[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,8}(?::\d+)?(?:[/?#][^\s<>]{0,2000})?", re.IGNORECASE
)
_AFTER_ADDRESS = "?!.,:*_~'\";"


def _after_www(self: LinkifyIt, text: str, position: int) -> int:
    before = text[position - 5 : position - 4] if position > 4 else " "
    if not (before.isspace() or before in "(*_~\"'"):
        return 0
    found = _WWW.match(text, position)
    if not found:
        return 0
    address = found.group().rstrip(_AFTER_ADDRESS)
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[:-1].rstrip(_AFTER_ADDRESS)
    return len(address)


def _with_scheme(self: LinkifyIt, match: Match) -> None:
    match.url = "http://" + match.url


def _markdown() -> MarkdownIt:
    md = MarkdownIt(
        "commonmark",
        # Two levels a list, and some to spare: the cap on nesting speaks before anything is dropped.
        {"html": False, "maxNesting": 2 * MAX_NESTING + 10},
        renderer_cls=_Renderer,
    ).enable(["table", "strikethrough"])
    md.block.ruler.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    md.inline.ruler.before("link", "hopeless_bracket", _hopeless_bracket)
    md.inline.ruler.before("escape", "bare_address", _bare_address)
    core = md.core.ruler
    core.after("block", "blocks_budget", _blocks_budget)
    core.after("inline", "budget", _budget)
    core.after("budget", "flatten", _flatten)
    core.after("flatten", "quotes", _quotes)
    core.push("tasks", _tasks)
    core.push("links_and_mentions", _links_and_mentions)
    return md


_LINKIFY = _linkify(web=True)
_LINKIFY_REST = _linkify(web=False)
_MARKDOWN = _markdown()
