"""One word for each idea, on every page and in every message (GLOSSARY.md)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PORTAL = Path(__file__).resolve().parents[2] / "portal"
_IN_TEMPLATES = re.compile(r"""\b(?:_|gettext|ngettext)\(\s*((?:"(?:[^"\\]|\\.)*"(?:,\s*)?)+)""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FUNCTIONS = {"_", "_l", "_n", "gettext", "lazy_gettext", "ngettext"}
ERRORS = {"Invalid", "Forbidden", "Conflict", "TooMany", "NoRoom"}

# What must not be said, and what is said instead. A word may be right in another sense: `FINE` says where.
BANNED = {
    r"users?": "member",
    r"topics?": "thread",
    r"categor(?:y|ies)": "board",
    r"forums?": "community, board",
    r"likes?": "vote",
    r"upvotes?": "vote",
    r"(?:private|direct) messages?": "conversation",
    r"advocates?|advocacy": "nothing: people are not labelled",
    r"references?": "what is asked of them",
    r"candidates?": "nothing: people are not labelled",
    r"karma|reputation": "helpfulness",
    r"tickets?": "case",
    r"report(?:ed|s)? (?:a |this |the )?posts?": "flag",
    r"log ?in|sign ?on|log ?out": "sign in, sign out",
    r"e-?mails?": "mail",
    r"please|sorry|oops": "the fact and the way on",
    r"successfully": "what is done",
    r"end-to-end": "nothing: it would not be true",
}
# Words of the console: no member reads them, on whatever page.
SAID_TO_STAFF = {r"candidates?"}
FINE = (
    re.compile(r"\buser names?\b", re.IGNORECASE),  # of an account: what stands behind the @
    re.compile(r"\btopics\b"),  # what a member likes to be asked about, on a profile
    re.compile(r"(?:would|looks?|reads?|people|is|are|you|much as you) (?:really )?like\b", re.IGNORECASE),
    re.compile(
        r"\b(?:a|your|own|without a) reference\b", re.IGNORECASE
    ),  # of an invite: the sender's own note
    re.compile(r"\bnot end-to-end\b", re.IGNORECASE),
    re.compile(r"\blike (?:it|this|these|them|me|the|a|yours?)\b", re.IGNORECASE),
)


def _of_templates() -> Iterator[tuple[str, str]]:
    for path in sorted((PORTAL / "templates").rglob("*")):
        if path.suffix in (".html", ".txt", ".xml"):
            for call in _IN_TEMPLATES.findall(path.read_text(encoding="utf-8")):
                for text in _QUOTED.findall(call):
                    yield str(path.relative_to(PORTAL)), text


def _of_code() -> Iterator[tuple[str, str]]:
    for path in sorted(PORTAL.rglob("*.py")):
        if path.relative_to(PORTAL).parts[0] in ("migrations", "demo"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in _FUNCTIONS | ERRORS:
                for argument in node.args[: 1 if _name(node.func) in ERRORS else 2]:
                    for part in ast.walk(argument):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            yield f"{path.relative_to(PORTAL)}:{node.lineno}", part.value


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _cleared(text: str) -> str:
    for fine in FINE:
        text = fine.sub("", text)
    return re.sub(r"%\(\w+\)[sd]", "", text)


STRINGS = [*_of_templates(), *_of_code()]


def test_the_strings_are_found():
    assert len(STRINGS) > 1200
    assert {place.split(".")[-1].split(":")[0] for place, _text in STRINGS} >= {"html", "py"}


@pytest.mark.parametrize("banned", BANNED, ids=lambda word: re.sub(r"\W+", "-", word))
def test_no_other_word_stands_for_the_idea(banned: str):
    word = re.compile(rf"\b(?:{banned})\b", re.IGNORECASE)
    strings = [one for one in STRINGS if banned not in SAID_TO_STAFF or "console/" not in one[0]]
    found = [f"{place}: {text}" for place, text in strings if word.search(_cleared(text))]
    assert found == [], f"say instead: {BANNED[banned]}"


def test_nothing_is_shouted():
    assert [f"{place}: {text}" for place, text in STRINGS if re.search(r"!(?!\[|=)", text)] == []


def test_a_word_that_is_wrong_is_found():
    user = re.compile(r"\busers?\b", re.IGNORECASE)
    assert user.search(_cleared("All users of this board"))
    assert not user.search(_cleared("The user name behind the @"))
