"""What a reader typed, cut and understood: plain words and phrases in quotes, never field syntax."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from portal.search.analysis import STOP_WORDS, Token, fold, tokens

MAX_CHARACTERS = 256
MAX_WORDS = 16

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂〝〞", '"'))
_PHRASE = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing asked for.

    It is met by all of `terms`, or by the single term `whole`. With `phrase` (terms in order) the
    places must be neighbours too. `instead` are terms for an index that never heard of `terms`.
    `typed` is what the reader wrote, folded; `spelled` the one word that may be misspelled, if any.
    """

    typed: str
    terms: tuple[str, ...]
    whole: str | None = None
    instead: tuple[str, ...] = ()
    phrase: tuple[str, ...] = ()
    spelled: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was cut and parsed. `text` is what is left of it, `units` what it asks for."""

    text: str
    units: tuple[Unit, ...] = ()
    order: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.units)

    @property
    def terms(self) -> frozenset[str]:
        """All index terms that a hit may be marked by."""
        found: set[str] = set()
        for unit in self.units:
            found.update(unit.terms, unit.phrase, unit.instead)
            if unit.whole:
                found.add(unit.whole)
        return frozenset(found)


def parse(text: str | None) -> Query:
    """A query from whatever was typed: at most 256 characters and 16 words of it, cut before parsing.

    Quotes make a phrase; every other sign is just a sign. Words a question is made of (`how`, `the`)
    are asked for only if nothing else is left, or in capitals among small letters (`IT`, `US`).
    """
    text = " ".join((text or "")[:MAX_CHARACTERS].split()[:MAX_WORDS])
    marked = text.translate(_QUOTES)
    capitals = _capitals(marked)
    units: list[Unit] = []
    idle: list[Unit] = []
    order: list[str] = []
    end = 0
    for match in _PHRASE.finditer(marked):
        order += _add_words(marked[end : match.start()], capitals, units, idle)
        order += _add_phrase(match.group(1), units)
        end = match.end()
    order += _add_words(marked[end:], capitals, units, idle)
    chosen = dict.fromkeys(units or idle)
    return Query(text, tuple(chosen)[:MAX_WORDS], tuple(order))


def _capitals(text: str) -> frozenset[str]:
    """Words written in capitals on purpose, folded: `IT`, `US`; none where everything is shouted."""
    if text == text.upper():
        return frozenset()
    return frozenset(word.lower() for word in re.findall(r"\b[A-Z]{2,5}\b", text))


def _add_words(text: str, capitals: frozenset[str], units: list[Unit], idle: list[Unit]) -> list[str]:
    folded = fold(text)
    order: list[str] = []
    for token in tokens(folded):
        typed = folded[token.start : token.end]
        for unit in _units(token, typed):
            plain = typed.replace("'", "")
            if plain in STOP_WORDS and plain not in capitals:
                idle.append(unit)
            else:
                units.append(unit)
        order.extend(token.parts)
    return order


def _units(token: Token, typed: str) -> list[Unit]:
    if not token.words:  # CJK: its pairs, or the one character
        return [Unit(typed, token.also or token.parts, instead=token.parts if token.also else ())]
    if token.precise and token.whole:
        return [Unit(typed, (token.whole,), instead=token.parts)]
    spelled = token.words[0] if len(token.words) == 1 else None
    return [Unit(typed, token.parts, whole=token.whole, spelled=spelled)]


def _add_phrase(text: str, units: list[Unit]) -> list[str]:
    folded = fold(text)
    found = list(tokens(folded))
    places = tuple(part for token in found for part in token.parts)
    if not places:
        return []
    needed: list[str] = []
    for token in found:
        needed.extend(token.parts)
        needed.extend(token.also)
        if token.precise and token.whole:
            needed.append(token.whole)
    typed = " ".join(folded.split())
    if len(places) == 1:
        # One word in quotes asks for this word as it is: no guess at another spelling.
        units.extend(replace(unit, spelled=None) for unit in _units(found[0], typed))
    else:
        units.append(Unit(f'"{typed}"', tuple(dict.fromkeys(needed)), phrase=places))
    return list(places)
