"""The part of a text that shows why it was found, with the words that were asked for marked."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left

from portal.search.analysis import STOP_WORDS, fold, fold_with_places, tokens
from portal.search.query import Query

Segment = tuple[bool, str]
SIZE = 240
_LONGEST_TEXT = 20_000


def highlight(text: str, query: Query, size: int = SIZE) -> list[Segment]:
    """The text as pieces (marked?, piece), cut to some `size` characters around the best place.

    Put together the pieces are the text itself, with `…` where it was cut. Of places that are equally
    good the first is taken; a text without a hit is cut at its end.
    """
    text = unicodedata.normalize("NFC", " ".join(text[:_LONGEST_TEXT].split()))
    marks = _marks(text, query)
    start, end = _window(text, marks, size)
    pieces: list[Segment] = []
    place = start
    for first, last, _ in marks:
        if first < start or last > end:
            continue
        if first > place:
            pieces.append((False, text[place:first]))
        if pieces and pieces[-1][0] and first == place:  # neighbouring characters: one mark
            pieces[-1] = (True, pieces[-1][1] + text[first:last])
        else:
            pieces.append((True, text[first:last]))
        place = last
    if place < end:
        pieces.append((False, text[place:end]))
    if start > 0:
        pieces.insert(0, (False, "…"))
    if end < len(text):
        pieces.append((False, "…"))
    return pieces


def words_of(text: str) -> frozenset[str]:
    """The index terms of a text, to be compared with those of a query."""
    found: set[str] = set()
    for token in tokens(fold(text)):
        found.update(token.parts, token.also)
        if token.whole:
            found.add(token.whole)
    return frozenset(found)


def _marks(text: str, query: Query) -> list[tuple[int, int, str]]:
    """Where the text has terms of the query: first and last place, and the term."""
    wanted = query.terms
    if not wanted:
        return []
    folded, places = fold_with_places(text)
    marks = []
    for token in tokens(folded):
        if not token.words:
            marks += _cjk_marks(folded, token.start, token.end, wanted, places)
            continue
        names = {*token.parts, *token.also, *([token.whole] if token.whole else [])}
        hit = sorted(wanted & names)
        if hit:
            last = places[token.end - 1] + 1
            marks.append((places[token.start], last, hit[0]))
    return marks


def _cjk_marks(
    folded: str, start: int, end: int, wanted: frozenset[str], places: list[int]
) -> list[tuple[int, int, str]]:
    marked: dict[int, str] = {}
    in_pairs = {char for term in wanted if len(term) == 2 for char in term}
    for place in range(start, end):
        pair = folded[place : place + 2]
        if place + 1 < end and pair in wanted:
            marked[place] = marked[place + 1] = pair
        elif folded[place] in wanted - in_pairs and place not in marked:
            marked[place] = folded[place]
    return [(places[place], places[place] + 1, term) for place, term in sorted(marked.items())]


def _window(text: str, marks: list[tuple[int, int, str]], size: int) -> tuple[int, int]:
    """The stretch of about `size` characters with the most different terms."""
    if len(text) <= size:
        return 0, len(text)
    best, best_value = 0, -1.0
    firsts = [first for first, _, _ in marks]
    for index, first in enumerate(firsts):
        inside = marks[index : bisect_left(firsts, first + size - size // 4)]
        different = {term for _, _, term in inside}
        value = sum(0.2 if term in STOP_WORDS else 1.0 for term in different) + 0.01 * min(len(inside), 9)
        if value > best_value:
            best, best_value = first, value
    start = 0 if best < size // 3 else best - size // 5
    if start:
        blank = text.find(" ", start, best)
        start = blank + 1 if blank >= 0 else start
    end = min(len(text), start + size)
    if end < len(text):
        blank = text.rfind(" ", start + size // 2, end)
        end = blank if blank > 0 else end
    return start, end
