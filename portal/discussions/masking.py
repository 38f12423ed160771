"""Taking a person's name out of a text: user name, whole name, and each part of it, as whole words.

Pure functions on HTML, Markdown or plain words. A name is met in any case, with or without its accents
("Grünwald", "grunwald", "Gruenwald"), with another sign between its parts, in the genitive. A part that is
an English word too ("Mark", "Rose") is met only with its capital, and so is a part of one or two letters.
Mail addresses go whole; a company's name goes with or without its legal form.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from portal.members.names import sort_key
from portal.search.analysis import STOP_WORDS

LONGEST_RUN = 4
"""Words of a whole name that is looked for in texts where the person took no part."""
MOST_RUNS = 400

_WORDS_TOO = frozenset(
    """
    able angel april art august autumn ball banks bay bell berry bill birch black bloom blue bond booth
    branch brand bright brook brown bush butler carpenter carter case cash chance chase chip christian
    church clay cliff cloud cole cook cooper cross dale dawn day dean dell destiny drew earl early east
    eve fair faith farmer ferry field fields finch fisher flint flowers ford forest foster fox frank
    freeman frost gene glen glass gold good grace grant gray green grey guy hall hand hardy harmony hart
    heath heather hill hills holly hope house hunt hunter iris ivy jack jade jay jean jewel joy judge june
    justice key king kit knight lake lance land lane law lee little long love major mark marks marsh
    martin mason matt may mercy mike miles mill miller monday moon moss needle nelson new nick noble north
    oak page paris park parker patience penny perry pike piper pool porter potter power price pride prince
    queen ray reed reeves rich rite river rob robin rock rod rose rowan ruby rush rusty sage sailor sandy
    scout sharp shepherd short silver sky small smart smith snow spring star stark stone story street
    strong sue summer sunny swift taylor temple terry thorn tiger tony tower turner van victor violet
    walker wall ward warren water waters weaver webb wells west wheeler white wild will wills winter wise
    wolf wood woods worth wren young
    """.split()  # noqa: SIM905 - a list of quoted words is no easier to read
)
_PARTICLES = frozenset(
    """
    al bin da de del della den der des di do dos dr du el la le mr mrs ms prof st the van von
    """.split()  # noqa: SIM905 - a list of quoted words is no easier to read
)
_LEGAL_FORMS = frozenset(
    """
    ab ag as bv co corp corporation gmbh inc incorporated kg limited llc llp ltd nv oy plc sa sas se spa srl
    """.split()  # noqa: SIM905 - a list of quoted words is no easier to read
)
A_COMPANY = "a company"
_SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "ß": "ss"}
_WORD = r"[^\W\d_][\w'’-]*+"
_RUN = re.compile(rf"(?<![\w'’-]){_WORD}(?:[ \u00a0.]++{_WORD})+")
# A tag as stored HTML has it, never a sign of Markdown or of plain words.
_TAG = re.compile(r'(</?[a-z][a-z0-9]*(?:\s+[a-z-]+(?:="[^"]*")?)*\s*/?>)')
_ATTRIBUTE = re.compile(r'\b(alt|title|href)="([^"]*)"')
_UNSPACED = re.compile("[\u2e80-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_BETWEEN = r"(?:[\s._+-]|&nbsp;|%20)+"


@dataclass(frozen=True)
class Named:
    """Whose name is taken out."""

    username: str
    name: str
    email: str = ""
    company: str = ""


def whole_names_in(texts: Iterable[str | None]) -> set[str]:
    """What may be somebody's whole name in these texts: runs of words that begin with capitals, as
    `sort_key` has them. At most some hundred, however long the texts are."""
    found: set[str] = set()
    for text in texts:
        for run in _RUN.findall(_TAG.sub(" . ", text or "")):
            found.update(runs_of(run.replace(".", " ").split(), capitals=True))
            if len(found) > MOST_RUNS:
                return set(sorted(found)[:MOST_RUNS])
    return found


def runs_of(words: list[str], *, capitals: bool = False) -> set[str]:
    """Each two to four neighbouring words as `sort_key` has them; with `capitals` those that begin and end
    with one ("Ana de Souza")."""
    found: set[str] = set()
    for start in range(min(len(words), 5 * MOST_RUNS)):
        if len(found) > MOST_RUNS:
            break
        for end in range(start + 2, min(start + LONGEST_RUN, len(words)) + 1):
            run = words[start:end]
            if not capitals or (run[0][:1].isupper() and run[-1][:1].isupper()):
                found.add(sort_key(" ".join(word.rstrip("'’-") for word in run)))
    return found


class Mask:
    """Puts other words in place of these people's names, mail addresses and companies."""

    def __init__(self, instead: str, whole: Iterable[Named], parts: Iterable[Named] = ()) -> None:
        """`whole`: by their whole name, their address, by @user name and by a user name that is no word;
        `parts`: by each part of the name and by their company too."""
        self._instead = instead
        taking_part = set(parts)
        everybody = taking_part | set(whole)
        called = sorted({one.username for one in everybody}, key=len, reverse=True)
        self._links: list[re.Pattern[str]] = []
        if called:
            name = rf"(?:{'|'.join(map(re.escape, called))})(?![\w-]|\.\w)"
            # First whole links with their words, in HTML and in Markdown, then the bare names. No pattern may
            # look at a text more than once from the same place: whoever wrote it chose its 64 KB.
            self._links = [
                re.compile(pattern, re.IGNORECASE | re.DOTALL)
                for pattern in (
                    rf'<a\b[^<>]*\bhref="[^"<>]*/members/{name}[^"<>]*"[^<>]*>(?:(?!<a\b).)*?</a>',
                    rf"\[[^\[\]]*\]\([^()\[\]\s]*/members/{name}[^()\[\]]*\)",
                    rf"(?<!\S)\S*/members/{name}\S*",
                    rf"@{name}",
                )
            ]
        words = {_pattern(one.name) for one in everybody if _is_telling(one.name)}
        words.update(_pattern(one.username) for one in everybody if not one.username.isalpha())
        for one in taking_part:
            if not _is_a_word(one.username):
                words.add(_pattern(one.username))
            words.update(_pattern(part) for part in _parts(one.name))
        self._addresses = _any_of(_address(one.email) for one in everybody if one.email)
        companies = (_pattern(form) for one in taking_part for form in _forms_of(one.company))
        self._patterns = [
            (pattern, instead)
            for pattern, instead in (
                (self._addresses, instead),
                (_any_of(companies), A_COMPANY),
                (_any_of(words), instead),
            )
            if pattern is not None
        ]

    def __call__(self, text: str) -> str:
        """The text without the names."""
        for link in self._links:
            text = link.sub(self._instead, text)
        for pattern, instead in self._patterns:
            if pattern.search(text):
                pieces = _TAG.split(text)
                pieces[::2] = [pattern.sub(instead, piece) for piece in pieces[::2]]
                pieces[1::2] = [_ATTRIBUTE.sub(_in_attribute(pattern, instead), tag) for tag in pieces[1::2]]
                text = "".join(pieces)
        return text

    def finds(self, text: str) -> bool:
        """Whether one of the names stands in the text."""
        patterns = [*self._links, *(pattern for pattern, _instead in self._patterns)]
        return any(pattern.search(text) for pattern in patterns)


def _in_attribute(pattern: re.Pattern[str], instead: str) -> Callable[[re.Match[str]], str]:
    def masked(match: re.Match[str]) -> str:
        name, value = match.groups()
        return f'{name}="{pattern.sub(instead.replace(" ", "-") if name == "href" else instead, value)}"'

    return masked


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted({*patterns} - {""}, key=lambda pattern: (-len(pattern), pattern))
    return re.compile("|".join(longest_first)) if longest_first else None


def _address(email: str) -> str:
    return rf"(?i:(?<![\w.+-]){re.escape(email)}(?![\w-]|\.\w))"


def _forms_of(company: str) -> list[str]:
    """A company as it is called: in full, and without "GmbH" or "Ltd" at its end."""
    words = company.replace(",", " ").split()
    while len(words) > 1 and words[-1].strip(".").replace(".", "").casefold() in _LEGAL_FORMS:
        words.pop()
    short = " ".join(words)
    return [form for form in {company.strip(), short} if len(form) > 2]


def _is_telling(name: str) -> bool:
    """Whether a whole name can be told from a word: "Ana Souza", but not "Will"."""
    return len(name.split()) > 1 or bool(_UNSPACED.search(name))


def _is_a_word(name: str) -> bool:
    """Whether it may be something else than a name, so that only the capital tells."""
    plain = name.casefold()
    return len(name) < 3 or plain in _WORDS_TOO or plain in STOP_WORDS


def _parts(name: str) -> list[str]:
    return [
        part
        for part in re.split(r"[\s.,()\"]+", name)
        if len(part) > 1 and part.casefold() not in _PARTICLES and not part.isdigit()
    ]


def _pattern(name: str) -> str:
    words = name.split()
    if not words:
        return ""
    inner = _BETWEEN.join("".join(map(_letter, unicodedata.normalize("NFC", word))) for word in words)
    if _UNSPACED.search(name):
        return inner
    as_written = len(words) == 1 and _is_a_word(name)
    flags = "" if as_written else "i"
    inner = f"(?{flags}:{inner})" if flags else f"(?:{inner})"
    return rf"(?<!\w){inner}s?(?![\w])"


def _letter(letter: str) -> str:
    """The letter as it may be typed: itself, in two signs, without its accent, spelled out."""
    apart = unicodedata.normalize("NFD", letter)
    ways = {letter, apart, apart[0], _SPELLED.get(letter.lower(), letter)}
    if letter in "'’":
        ways = {"'", "’", "&#39;", "&#x27;"}
    elif letter == "&":
        ways = {"&", "&amp;"}
    if len(ways) == 1:
        return re.escape(letter)
    return f"(?:{'|'.join(re.escape(way) for way in sorted(ways, key=len, reverse=True))})"
