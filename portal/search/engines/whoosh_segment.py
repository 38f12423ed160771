"""The index as it is open for reading: a segment's postings block by block, its columns as arrays."""

from __future__ import annotations

import sys
import warnings
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal.search import spelling
from portal.search.engines.base import Hits
from portal.search.engines.whoosh_files import POSTINGS, STEPS, Head, index_schema
from portal.search.query import Query

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SyntaxWarnings of Whoosh 2.7.4 when it is compiled
    from whoosh.codec.whoosh3 import W3Codec, W3TermInfo
    from whoosh.filedb.filestore import FileStorage
    from whoosh.reading import SegmentReader, TermNotFound

Scores = dict[int, float]


@dataclass
class Segment:
    """An open segment: its reader, columns as arrays, and the words for spelling once asked for."""

    reader: Any
    posts: array[int]
    threads: array[int]
    words_file: Path
    deleted: frozenset[int] = frozenset()
    words: spelling.Vocabulary | None = None
    places: Any = None

    @classmethod
    def open(cls, storage: FileStorage, segment: Any) -> Segment:
        return cls(
            SegmentReader(storage, index_schema(), segment),
            numbers_of(storage, segment, "post"),
            numbers_of(storage, segment, "thread"),
            Path(storage.folder, f"{segment.segment_id()}.words"),
        )

    def found(self, term: str) -> int:
        """In how many documents a term occurs, deleted ones included."""
        try:
            return int(self.reader._terms.doc_frequency("term", term.encode()))
        except (TermNotFound, KeyError):
            return 0

    def weights(self, term: str, factor: float) -> Scores:
        """Documents with the term and its weight times `factor`."""
        try:
            info = self.reader._terms.term_info("term", term.encode())
        except TermNotFound:
            return {}
        weighed = [step * factor / STEPS for step in range(256)]
        scores: Scores = {}
        for numbers, weights in self._blocks(info):
            scores.update(zip(numbers, map(weighed.__getitem__, weights), strict=True))
        for number in self.deleted:
            scores.pop(number, None)
        return scores

    def _blocks(self, info: W3TermInfo) -> Iterator[tuple[array[int], bytes]]:
        """Document numbers and weights of a term's postings, block by block."""
        matcher = self.reader._codec.postings_reader(self.reader._terms._postfile, info, POSTINGS)
        while True:
            matcher._read_data()
            packed, weights, _ = matcher._data
            numbers = array("I", packed)
            if sys.byteorder == "big":
                numbers.byteswap()
            yield numbers, weights
            if matcher._lastblock:
                return
            matcher._next_block()

    def postings(self) -> Iterator[tuple[str, str, array[int], bytes]]:
        """All postings: field, term, document numbers, weights."""
        for (name, term), info in self.reader._terms.items():
            numbers, weights = array("I"), b""
            for more_numbers, more_weights in self._blocks(info):
                numbers += more_numbers
                weights += more_weights
            yield name, term.decode(), numbers, weights

    def order(self, number: int) -> str:
        """The places of a document's terms, for phrases."""
        if self.places is None:
            self.places = self.reader.column_reader("places")
        return bytes(self.places[number]).decode()

    def vocabulary(self) -> spelling.Vocabulary:
        """The words of the segment, deleted documents' included."""
        if self.words is None:
            self.words = spelling.Vocabulary.load(self.words_file.read_bytes())
        return self.words


def numbers_of(storage: FileStorage, segment: Any, name: str) -> array[int]:
    path = Path(storage.folder) / W3Codec.column_filename(segment, name)
    numbers = array("q", path.read_bytes())
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


@dataclass
class Opened:
    """An index as this process has it open."""

    stamp: tuple[int, int, int]
    head: Head
    segments: list[Segment]
    by_id: dict[str, Segment]
    stats: dict[str, tuple[int, int]]
    answers: OrderedDict[tuple[Query, bool], Hits] = field(default_factory=OrderedDict)

    @property
    def total(self) -> int:
        return max(1, self.head.documents)
