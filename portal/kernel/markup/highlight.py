"""Colours for fenced code: Pygments' tokens as classes, for the languages that people here use."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType

#: In one post; code beyond is shown plain, since colouring costs some 20 pieces of markup a line.
MAX_CHARACTERS = 6_000
MAX_SPANS = 1_200
#: Most lexers take quadratic time on lines that nobody writes by hand, or on thousands of nearly empty ones.
MAX_LINE = 200
MAX_LINES = 250

# The short name that stands in the class, then what people write for it. A closed list, each tried with odd
# input: of Pygments' several hundred lexers some take minutes for a few thousand characters.
_LANGUAGES = {
    "bash": "sh shell zsh console-bash",
    "bat": "batch cmd dosbatch",
    "c": "h",
    "cpp": "c++ cc hpp",
    "csharp": "c# cs",
    "css": "",
    "diff": "patch",
    "docker": "dockerfile",
    "go": "golang",
    "groovy": "",
    "hcl": "terraform tf",
    "html": "htm",
    "http": "",
    "ini": "cfg conf dosini properties",
    "java": "",
    "javascript": "js node jsx",
    "json": "jsonc",
    "kotlin": "kt",
    "lua": "",
    "make": "makefile",
    "nginx": "",
    "perl": "pl",
    "php": "",
    "powershell": "ps1 posh pwsh",
    "python": "py python3",
    "r": "",
    "ruby": "rb",
    "rust": "rs",
    "scala": "",
    "sql": "mysql postgres postgresql tsql plsql",
    "swift": "",
    "toml": "",
    "typescript": "ts tsx",
    "xml": "xsd xslt svg",
    "yaml": "yml",
}
_BY_NAME = {alias: name for name, aliases in _LANGUAGES.items() for alias in (name, *aliases.split())}
LANGUAGES = frozenset(_LANGUAGES)
_FIRST_WORD = re.compile(r"[^\s{,:;]+")


def language(info: str) -> str | None:
    """The known language that the words after a fence name, or None."""
    found = _FIRST_WORD.search(info.strip().lower())
    return _BY_NAME.get(found.group().lstrip(".")) if found else None


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer:
    options: dict[str, bool] = {"stripnl": False, "ensurenl": False}
    if name == "php":
        options["startinline"] = True
    return get_lexer_by_name(name, **options)


def _class_of(kind: _TokenType) -> str:
    while kind not in STANDARD_TYPES:
        assert kind.parent is not None
        kind = kind.parent
    return STANDARD_TYPES[kind]


def _is_handwritten(code: str) -> bool:
    lines = code.split("\n")
    return (
        len(code) <= MAX_CHARACTERS
        and len(lines) <= MAX_LINES
        and max(map(len, lines)) <= MAX_LINE
        and "\n" * 8 not in code
    )


def highlight(code: str, name: str | None) -> str:
    """The code escaped, with a span per coloured token; plain where the language or size gives no reason."""
    if name not in LANGUAGES or not _is_handwritten(code):
        return escape(code, quote=False)
    pieces: list[tuple[str, str]] = []
    for kind, value in _lexer(name).get_tokens(code):
        css = _class_of(kind) if value.strip() else ""
        if css in {"w", "err", "x", "g"}:
            css = ""
        if pieces and pieces[-1][0] == css:
            pieces[-1] = (css, pieces[-1][1] + value)
        else:
            pieces.append((css, value))
    if len(pieces) > MAX_SPANS or "".join(value for _, value in pieces) != code:
        return escape(code, quote=False)
    return "".join(
        f'<span class="{css}">{escape(value, quote=False)}</span>' if css else escape(value, quote=False)
        for css, value in pieces
    )
