"""Likelier spellings of a word, from the words of an index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MIN_LENGTH = 4
"""Shorter words have too many neighbours to guess from."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A word of the index that may have been meant: `distance` edits away, in `found` documents."""

    word: str
    distance: int
    found: int


def signature(word: str) -> int:
    """Which letters occur, as bits: two words n edits apart differ in at most 2n of them."""
    bits = 0
    for char in word:
        bits |= 1 << (ord(char) & 31)
    return bits


def allowed_edits(word: str) -> int:
    """How many edits may lie between what was typed and what was meant."""
    if len(word) < MIN_LENGTH:
        return 0
    return 1 if len(word) < 6 else 2


class Vocabulary:
    """Words of an index with the number of documents each is in, by length, frequent ones first."""

    def __init__(self, lengths: Mapping[int, tuple[list[str], list[int], list[int]]]) -> None:
        self._lengths = lengths

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Vocabulary:
        """The vocabulary of words with their counts."""
        lengths: dict[int, tuple[list[str], list[int], list[int]]] = {}
        for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            words, numbers, letters = lengths.setdefault(len(word), ([], [], []))
            words.append(word)
            numbers.append(count)
            letters.append(signature(word))
        return cls(lengths)

    def dump(self) -> str:
        """The vocabulary as text for `load`."""
        return json.dumps(
            {n: [" ".join(w), c, b] for n, (w, c, b) in self._lengths.items()}, ensure_ascii=False
        )

    @classmethod
    def load(cls, text: str | bytes) -> Vocabulary:
        """A vocabulary from what `dump` gave; ValueError if it is not one."""
        return cls({int(n): (w.split(" "), c, b) for n, (w, c, b) in json.loads(text).items()})

    def near(self, word: str, edits: int, least: int) -> Iterator[Spelling]:
        """Words at most so many edits away, in at least so many documents; the word itself left out."""
        mine = signature(word)
        for length in range(len(word) - edits, len(word) + edits + 1):
            for other, number, letters in zip(*self._lengths.get(length, ((), (), ())), strict=True):
                if number < least:
                    break
                if (letters ^ mine).bit_count() > 2 * edits:
                    continue
                distance = edit_distance(word, other, edits)
                if 0 < distance <= edits:
                    yield Spelling(other, distance, number)


def neighbours(
    word: str, vocabularies: Iterable[Vocabulary], least: int = 1, limit: int = 3
) -> list[Spelling]:
    """The likeliest words for a misspelled one, best first, that some vocabulary has in at least `least`
    documents. Fewer edits come first, then a word met far more often; words that begin alike are preferred.
    """
    edits = allowed_edits(word)
    if not edits:
        return []
    found: dict[str, Spelling] = {}
    for vocabulary in vocabularies:
        for near in vocabulary.near(word, edits, least):
            known = found.get(near.word)
            number = near.found + (known.found if known else 0)
            found[near.word] = Spelling(near.word, near.distance, number)
    return sorted(found.values(), key=lambda spelling: _doubt(word, spelling))[:limit]


def _doubt(word: str, spelling: Spelling) -> tuple[float, str]:
    doubt = float(spelling.distance)
    if spelling.word[0] != word[0]:
        doubt += 0.75
    if sorted(spelling.word) == sorted(word) or _doubled(word, spelling.word):
        doubt -= 0.5
    # Ten times as frequent is worth half an edit.
    return doubt - 0.5 * min(len(str(spelling.found)) - 1 + spelling.found / 1e6, 3), spelling.word


def _doubled(one: str, other: str) -> bool:
    return _single(one) == _single(other)


def _single(word: str) -> str:
    return "".join(char for place, char in enumerate(word) if not place or word[place - 1] != char)


def edit_distance(one: str, other: str, most: int) -> int:
    """Edits between two words (insert, delete, replace, swap neighbours); `most` + 1 stands for more.

    Optimal string alignment with a band (Ukkonen 1985).
    """
    if one == other:
        return 0
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i] + [most + 1] * len(other)
        low, high = max(1, i - most), min(len(other), i + most)
        best = row[0]
        for j in range(low, high + 1):
            b = other[j - 1]
            cost = last[j - 1] if a == b else 1 + min(last[j - 1], last[j], row[j - 1])
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row[j] = cost
            best = min(best, cost)
        if best > most:
            return most + 1
        before, last = last, row
    return min(last[-1], most + 1)
