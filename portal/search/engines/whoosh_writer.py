"""Writes segments: a posting's weight is worked out here, so that a query only adds up.

Whoosh's own writer sorts postings one by one; this one gathers them by term in memory and writes them
whole, then commits: files first, then HEAD, then what is no longer needed.
"""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.search import spelling
from portal.search.engines import base
from portal.search.engines.base import Document
from portal.search.engines.whoosh_files import STEPS, Codec, Head, Postings, checksum
from portal.search.engines.whoosh_segment import Segment

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SyntaxWarnings of Whoosh 2.7.4 when it is compiled
    from whoosh.index import TOC, FileIndex, clean_files
    from whoosh.writing import SegmentWriter

LARGEST_SEGMENT = 100_000
"""Documents of a segment that is still merged: its postings are in memory meanwhile (1 KB a document)."""


class Writer(SegmentWriter):
    """Whoosh's writer, committing by HEAD: files first, then HEAD, then what is no longer needed."""

    head: Head
    root: Path

    def __init__(self, index: FileIndex, root: Path, known: dict[str, tuple[int, int]]) -> None:
        super().__init__(index, codec=Codec(), compound=False, limitmb=1)
        self.root = root
        self._known = known
        self._terms: dict[str, tuple[array[int], bytearray]] = {}
        self._words: dict[str, array[int]] = {}

    def add(self, document: Document) -> None:
        """Takes a document into the segment being written."""
        weighed = base.weigh(document)
        number = self._add_columns(document.id, document.thread_id, weighed.places.encode())
        terms = self._terms
        for term, impact in weighed.impacts.items():
            entry = terms.get(term)
            if entry is None:
                entry = terms[term] = (array("I"), bytearray())
            entry[0].append(number)
            entry[1].append(min(255, max(1, round(STEPS * impact))))
        words = self._words
        for word in weighed.words:
            if word in words:
                words[word].append(number)
            else:
                words[word] = array("I", (number,))

    def _add_columns(self, post: int, thread: int, places: bytes) -> int:
        number = int(self.docnum)
        columns_of = self.perdocwriter
        columns_of.start_doc(number)
        for name, value in (("post", post), ("thread", thread), ("places", places)):
            columns_of.add_column_value(name, self.schema[name].column_type, value)
        columns_of.finish_doc()
        self._added = True
        self.docnum += 1
        return number

    def absorb(self, segment: Any) -> None:
        """Takes the living documents of another segment into the one being written."""
        old = Segment.open(self.storage, segment)
        moved: list[int] = []
        for number, (post, thread) in enumerate(zip(old.posts, old.threads, strict=True)):
            if segment.is_deleted(number):
                moved.append(-1)
            else:
                moved.append(self._add_columns(post, thread, old.order(number).encode()))
        for name, term, numbers, weights in old.postings():
            if name == "term":
                known = self._terms.setdefault(term, (array("I"), bytearray()))
                for number, weight in zip(numbers, weights, strict=True):
                    if moved[number] >= 0:
                        known[0].append(moved[number])
                        known[1].append(weight)
            else:
                self._words.setdefault(term, array("I")).extend(
                    moved[number] for number in numbers if moved[number] >= 0
                )
        old.reader.close()

    def _flush_segment(self) -> None:
        self.perdocwriter.close()
        self.fieldwriter.add_postings(self.schema, None, self._postings())
        self.fieldwriter.close()
        words = spelling.Vocabulary.of(
            {word: len(numbers) for word, numbers in self._words.items() if numbers}
        )
        name = f"{self.newsegment.segment_id()}.words"
        Path(self.storage.folder, name).write_text(words.dump(), encoding="utf-8")
        self._terms, self._words = {}, {}

    def _postings(self) -> Iterator[Postings]:
        for term in sorted(self._terms, key=str.encode):
            numbers, weights = self._terms[term]
            if numbers:
                yield "term", term.encode(), numbers, bytes(weights)
        for word in sorted(self._words, key=str.encode):
            if numbers := self._words[word]:
                yield "word", word.encode(), numbers, bytes(len(numbers))

    def _commit_toc(self, segments: list[Any]) -> None:
        TOC(self.schema, segments, self.generation).write(self.storage, self.indexname)
        folder = Path(self.storage.folder)
        names = [TOC._filename(self.indexname, self.generation)]
        names += [
            path.name
            for segment in segments
            for path in sorted(folder.glob(f"{segment.segment_id()}.*"))
            if path.is_file()
        ]
        sums = {name: self._known.get(name) or checksum(folder / name) for name in names}
        alive = sum(segment.doc_count() for segment in segments)
        self.head = Head(folder.name, self.generation, alive, sums)
        self._publish()
        clean_files(self.storage, self.indexname, self.generation, segments)

    def _publish(self) -> None:
        self.head.write(self.root)


class HiddenWriter(Writer):
    """The same for an index in the making: nobody sees it before the last commit."""

    def _publish(self) -> None:
        pass


def merge(writer: Writer, segments: list[Any]) -> list[Any]:
    """Merges segments not much larger than what is written, so that there are few and each document is
    merged some log2(n) times; and those that are mostly deleted documents."""
    pending = writer.doc_count()
    kept = []
    for segment in sorted(segments, key=lambda segment: segment.doc_count()):
        alive = segment.doc_count()
        if not alive:
            continue
        small = alive <= 2 * pending and alive + pending <= LARGEST_SEGMENT
        if small or segment.deleted_count() > alive:
            writer.absorb(segment)
            pending += alive
        else:
            kept.append(segment)
    return kept
