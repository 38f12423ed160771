"""The policy of what may stand in a post: one list, read by every layer that cleans."""

from __future__ import annotations

from pygments.token import STANDARD_TYPES

#: Raised whenever the same source would give other HTML than before; a job then renders old rows again.
RENDERER_VERSION = 1

MAX_BYTES = 64 * 1024
MAX_BRACKETS = 5_000
#: Backticks and ampersands, which cost as much as brackets but are rarer.
MAX_SIGNS = 3_000
MAX_NESTING = 20
#: Parsed pieces (blocks, runs of text, marks). A post of 64 KB that a person wrote has some 2,000.
MAX_PIECES = 6_000
#: Columns of one table; a wider one stays text, since missing cells are filled and multiply.
MAX_COLUMNS = 40
#: An imported HTML body in characters; markup takes more room than Markdown.
MAX_HTML = 4 * MAX_BYTES
MAX_HTML_TAGS = 5_000
#: Elements of the tree made of it, since a browser's rules repeat unclosed marks in each paragraph.
MAX_ELEMENTS = 12_000
MAX_MENTIONS = 20
EXCERPT_LENGTH = 200
MAX_URL = 2_000

SCHEMES = frozenset({"http", "https", "mailto"})
UPLOADS = "/uploads/"

#: Pygments' names for kinds of token, the only classes that a span may carry.
TOKEN_CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: The page has the h1, the post its h2: headings inside a post begin below.
FIRST_HEADING = 3

INLINE_TAGS = frozenset({"strong", "em", "del", "code", "a", "sup", "sub", "cite"})
#: What imported HTML says in other words, and what a post would say.
SYNONYMS = {
    "b": "strong",
    "i": "em",
    "var": "em",
    "dfn": "em",
    "s": "del",
    "strike": "del",
    "tt": "code",
    "kbd": "code",
    "samp": "code",
    "xmp": "pre",
    "listing": "pre",
}
#: Blocks that carry no meaning of their own: their content is kept as paragraphs.
WRAPPERS = frozenset(
    {
        "div", "section", "article", "header", "footer", "main", "aside", "nav", "address", "center",
        "details", "summary", "figure", "figcaption", "dl", "dt", "dd", "fieldset", "form", "caption",
    }
)  # fmt: skip
TABLE_PARTS = frozenset({"thead", "tbody", "tfoot", "tr", "th", "td"})
BLOCK_TAGS = frozenset({"p", "blockquote", "ul", "ol", "li", "pre", "hr", "table", *HEADINGS}) | TABLE_PARTS

#: What the two outer sanitizers let through to the writer, which decides the rest.
PASSED_TAGS = BLOCK_TAGS | INLINE_TAGS | WRAPPERS | frozenset(SYNONYMS) | frozenset({"br", "img", "span"})
PASSED_ATTRIBUTES: dict[str, frozenset[str]] = {
    "a": frozenset({"href", "title"}),
    "img": frozenset({"src", "alt", "title"}),
    "code": frozenset({"class"}),
    "pre": frozenset({"class"}),
    "span": frozenset({"class"}),
    "ol": frozenset({"start"}),
    "th": frozenset({"align"}),
    "td": frozenset({"align"}),
}
#: Elements whose content is code of some other kind and never words of the author.
DROPPED_WITH_CONTENT = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "head", "title",
     "noembed", "noframes", "frameset", "select", "audio", "video", "canvas"}
)  # fmt: skip
