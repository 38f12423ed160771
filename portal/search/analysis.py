"""How text becomes index terms: one analyzer for indexing, for queries and for marking hits.

Text is folded (compatibility forms, accents, case), then cut into words and single CJK characters.
Words keep what distinguishes them (`c++`, `c#`, `3.2`), a word with something inside (`node.js`,
`half-empty`, `e-mail`) is found whole and by its parts, nothing is too short, and English words are
stemmed. Neighbouring CJK characters are also indexed as pairs, so that a word of several characters
is found as that word and not as its characters anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from whoosh.lang.snowball.english import EnglishStemmer

MAX_TERM = 48
"""Characters of a term; longer ones (keys, base64) are cut."""

STOP_WORDS = frozenset(
    """
    a about after all also am an and any are as at be been before being but by can could d did do does
    doing done dont for from get getting go going got had has have having he her here him his how i if
    ill im in into is it its ive just ll m me more most my no not of on one or our out over re s she
    should so some such t than that the their them then there these they this those to too up us use
    used using ve very was way we were what whats when where which while who whom whose why will with
    without would you your
    """.split()  # noqa: SIM905 - a list of quoted words is no easier to read
)
"""Words that a question is made of: they are indexed, but asked for only inside quotes or alone."""

# Letters that compatibility decomposition leaves whole, as readers without that keyboard type them.
_PLAIN = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i", "ŧ": "t",
        "’": "'", "‘": "'", "ʼ": "'", "＇": "'", "`": "'",
        "‐": "-", "‑": "-", "‒": "-", "−": "-",
        "\u00ad": None, "\u200b": None, "\u200c": None, "\u200d": None, "\ufeff": None, "\u0640": None,
    }
)  # fmt: skip
# Accents of Latin, Greek and Cyrillic, Hebrew points, Arabic vowels. Signs that carry the word itself
# (Indic vowels, Japanese voicing) stay.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\ufe20-\ufe2f]+"
)
_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003fffd"
)


def _marks() -> str:
    """Combining signs as the inside of a character class: to `re` they are no part of a word."""
    found = [c for c in range(0x300, 0x20000) if unicodedata.category(chr(c)) in ("Mn", "Mc")]
    ranges: list[list[int]] = []
    for c in found:
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    return "".join(f"{chr(a)}-{chr(b)}" if a != b else chr(a) for a, b in ranges)


_LETTER = rf"(?:[^\W_{_CJK}]|[{_marks()}])"
_TOKEN = re.compile(
    rf"(?P<cjk>[{_CJK}]+)|(?P<word>(?:(?<!\w)\.(?={_LETTER}))?{_LETTER}+(?:(?:[.'_+#&-]|(?<=\d),(?=\d)){_LETTER}+)*[+#]{{0,3}})"
)
_ASCII_TOKEN = re.compile(
    r"(?P<cjk>(?!))|(?P<word>(?:(?<!\w)\.(?=[a-z0-9]))?[a-z0-9]+(?:(?:[.'_+#&-]|(?<=\d),(?=\d))[a-z0-9]+)*[+#]{0,3})"
)
# The same for `findall`, which gives whole matches only where nothing is captured.
_ANY_WORD = re.compile(_TOKEN.pattern.replace("?P<cjk>", "?:").replace("?P<word>", "?:"))
_ASCII_WORD = re.compile(_ASCII_TOKEN.pattern.replace("?P<cjk>", "?:").replace("?P<word>", "?:"))
_JOINERS = re.compile(r"[._+#&,-]+")
_SIGNS = re.compile(r"[+#]+$")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)+$")


@dataclass(frozen=True, slots=True)
class Token:
    """A word (or a run of CJK characters) of a text.

    `start` and `end` count characters of the folded text. `parts` are the terms of its places in
    order, `words` the same before stemming. `whole` is the term that stands for it in one piece,
    where that differs from its only part; `precise` says that nothing less means the same (`c++`, `3.2`).
    `also` are further terms by which it is found.
    """

    start: int
    end: int
    parts: tuple[str, ...]
    words: tuple[str, ...]
    whole: str | None = None
    precise: bool = False
    also: tuple[str, ...] = ()


def fold(text: str) -> str:
    """The text without differences of case, accent and form (`Ｃ＋＋`, `Café`, `STRASSE`/`Straße`)."""
    if text.isascii():
        return text.lower().replace("`", "'")
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    plain = _ACCENTS.sub("", decomposed)
    return unicodedata.normalize("NFC", plain).casefold().translate(_PLAIN)


_stemmer = EnglishStemmer()


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The English stem of a folded word; words with other signs or letters stay as they are."""
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return word[:MAX_TERM]
    return str(_stemmer.stem(word[:MAX_TERM]))


def tokens(folded: str) -> Iterator[Token]:
    """The tokens of a text that was folded, in order."""
    pattern = _ASCII_TOKEN if folded.isascii() else _TOKEN
    for match in pattern.finditer(folded):
        text = match.group()
        start, end = match.span()
        if match.group("cjk"):
            pairs = tuple(text[i : i + 2] for i in range(len(text) - 1))
            yield Token(start, end, tuple(text), (), also=pairs)
        elif text.isalnum():
            yield Token(start, end, (stem(text),), (text[:MAX_TERM],))
        else:
            yield _compound(text, start, end)


def _compound(text: str, start: int, end: int) -> Token:
    """A word with signs in it: its parts, and what it is as a whole."""
    also: tuple[str, ...] = ()
    if "'" in text:
        before, _, after = text.rpartition("'")
        if after == "s":
            text = before
        elif len(before) <= 2 and len(after) > 2:
            also = (stem(after),)
        text = text.replace("'", "")
    words = tuple(part[:MAX_TERM] for part in _JOINERS.split(text) if part)
    parts = tuple(stem(word) for word in words)
    signs = _SIGNS.search(text)
    if signs or text.startswith("."):
        return Token(start, end, parts, words, whole=text[-MAX_TERM:], precise=True, also=also)
    if _NUMBER.match(text):
        number = text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", text) else text
        return Token(start, end, parts, words, whole=number[:MAX_TERM], precise=True, also=also)
    if len(words) == 1:
        return Token(start, end, parts, words, also=also)
    whole = stem("".join(words)) if len(words) <= 5 else None
    return Token(start, end, parts, words, whole=whole, also=also)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a text is to an index: how often each term occurs, its places in order as one string with
    a blank at both ends, and its words before stemming (for spelling)."""

    counts: dict[str, int]
    places: str
    words: set[str]


def digest(text: str) -> Digest:
    """The digest of a text. Agrees with `tokens`; made for bulk: each different word is looked at once."""
    folded = fold(text)
    pattern = _ASCII_WORD if folded.isascii() else _ANY_WORD
    found = pattern.findall(folded)
    counts: dict[str, int] = {}
    words: set[str] = set()
    for word, number in Counter(found).items():
        _, terms, plain = _expand(word)
        for term in terms:
            counts[term] = counts.get(term, 0) + number
        words.update(plain)
    places = " ".join([_expand(word)[0] for word in found])
    return Digest(counts, f" {places} ", words)


@lru_cache(maxsize=200_000)
def _expand(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Of the text of one token: its places, its terms, the words worth proposing as a spelling."""
    token = next(tokens(text))
    terms = token.parts + token.also + ((token.whole,) if token.whole else ())
    words = tuple(word for word in token.words if len(word) > 2 and word.isalpha())
    return " ".join(token.parts), terms, words


def fold_with_places(text: str) -> tuple[str, list[int]]:
    """The folded text and, for each of its characters, where it came from; for marking hits.

    The text should be in NFC; otherwise what is marked may begin or end an accent early.
    """
    if text.isascii():
        return fold(text), list(range(len(text) + 1))
    folded: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        piece = fold(char)
        folded.append(piece)
        places.extend([place] * len(piece))
    places.append(len(text))
    return "".join(folded), places
