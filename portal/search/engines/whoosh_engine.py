"""The embedded engine: Whoosh keeps terms, postings and columns on disk; ranking is done here.

Whoosh's own scoring walks postings one Python call at a time (seconds for a common word in 100,000
posts), and its writer sorts them one by one. So a posting's weight is worked out when it is written
(`base.weigh`) and kept as a byte, whole blocks are written and read at once, and a query adds them up in
dictionaries.

An index is a folder and a file `HEAD` that names the folder, its generation and a checksum of each file.
Readers believe HEAD alone: whatever differs from it in size or checksum is damage, and damage is an
`IndexUnavailable`, never a guess. One writer at a time, by a lock that dies with its process.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import secrets
import shutil
import sys
import threading
import time
import warnings
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from portal.search import spelling
from portal.search.analysis import stem
from portal.search.engines import base
from portal.search.engines.base import Document, Hit, Hits, IndexBusy, IndexUnavailable
from portal.search.query import Query, Unit

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SyntaxWarnings of Whoosh 2.7.4 when it is compiled
    from whoosh import columns, fields, formats
    from whoosh.codec.whoosh3 import W3Codec, W3FieldWriter, W3PostingsWriter, W3TermInfo
    from whoosh.filedb.filestore import FileStorage
    from whoosh.index import TOC, FileIndex, clean_files
    from whoosh.reading import SegmentReader, TermNotFound
    from whoosh.writing import SegmentWriter

FORMAT = 1
"""Raised with every change of analysis or weights: an older index is unavailable until rebuilt."""

DOCUMENTS_PER_SEGMENT = 25_000
LARGEST_SEGMENT = 100_000
"""Documents of a segment that is still merged: its postings are in memory meanwhile (1 KB a document)."""
STEPS = 32
"""A weight is kept in steps of 1/32, from 1 to 255 steps."""
LOCK_SECONDS = 10.0
RERANKED = 200
PHRASE_CANDIDATES = 2_000
NEGLIGIBLE = 0.04
"""Share of a query's weight below which a common word is not worth reading."""
RARE = 3
RARE_SHARE = 2_000
"""A word in so few documents, or in less than one of so many, may be a misspelling itself..."""
DOUBTFUL = 50
"""...if another word close to it is met so many times as often."""

Scores = dict[int, float]
_Found = tuple[float, "_Segment", int]


class _Term(fields.FieldType):
    """A field whose postings are written by `_Writer` itself."""

    def __init__(self) -> None:
        super().__init__(formats.Existence(), None)


class _PostingsWriter(W3PostingsWriter):
    """Writes whole blocks: document numbers as an array, weights as one byte each."""

    def write_all(self, numbers: array[int], weights: bytes) -> W3TermInfo:
        """All postings of a term; returns where they are."""
        self.start_postings(_FORMAT, W3TermInfo())
        for start in range(0, len(numbers), self._blocklimit):
            if start:
                self._write_block()
            self._ids = numbers[start : start + self._blocklimit]
            self._weights = weights[start : start + self._blocklimit]
        return self.finish_postings()

    def _mini_ids(self) -> bytes:
        ids = array("I", self._ids)
        if sys.byteorder == "big":
            ids.byteswap()
        return ids.tobytes()

    def _mini_weights(self) -> bytes:
        return bytes(self._weights)


class _FieldWriter(W3FieldWriter):
    """Takes postings by term instead of one by one."""

    def add_postings(self, schema: fields.Schema, lengths: object, items: Iterable[_Postings]) -> None:
        last = None
        for name, term, numbers, weights in items:
            if name != last:
                if last is not None:
                    self.finish_field()
                self.start_field(name, schema[name])
                last = name
            self._btext = term
            info = self._postwriter.write_all(numbers, weights)
            self._tindex.add(_key(self._fieldid, term), info.to_bytes())
        if last is not None:
            self.finish_field()


class _Codec(W3Codec):
    """Whoosh's codec with large blocks (they are read whole), without lengths (they are in the weights)."""

    length_stats = False

    def __init__(self) -> None:
        super().__init__(blocklimit=4096, compression=1)

    def postings_writer(self, dbfile: Any, byteids: bool = False) -> _PostingsWriter:
        return _PostingsWriter(dbfile, self._blocklimit, byteids, self._compression, self._inlinelimit)

    def field_writer(self, storage: FileStorage, segment: Any) -> _FieldWriter:
        return _FieldWriter(self, storage, segment)


_FORMAT = formats.Existence()
_Postings = tuple[str, bytes, "array[int]", bytes]


def _key(field: int, term: bytes) -> bytes:
    return field.to_bytes(2, "big") + term


def _schema() -> fields.Schema:
    return fields.Schema(
        term=_Term(),
        word=_Term(),
        post=fields.COLUMN(columns.NumericColumn("q")),
        thread=fields.COLUMN(columns.NumericColumn("q")),
        places=fields.COLUMN(columns.CompressedBytesColumn(level=1)),
    )


@dataclass
class _Head:
    """What HEAD says: the one truth about an index."""

    folder: str
    generation: int
    documents: int
    files: dict[str, tuple[int, int]]
    format: int = FORMAT

    @classmethod
    def read(cls, root: Path) -> _Head:
        try:
            text, _, checksum = (root / "HEAD").read_bytes().rpartition(b"\n")
            if zlib.crc32(text) != int(checksum):
                raise IndexUnavailable("the search index is damaged")
            raw = json.loads(text)
            head = cls(
                str(raw["folder"]),
                int(raw["generation"]),
                int(raw["documents"]),
                {str(name): (int(size), int(crc)) for name, (size, crc) in raw["files"].items()},
                int(raw["format"]),
            )
        except FileNotFoundError as error:
            raise IndexUnavailable("there is no search index yet") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexUnavailable("the search index cannot be read") from error
        if head.format != FORMAT:
            raise IndexUnavailable("the search index is of another version")
        if "/" in head.folder or head.folder.startswith("."):
            raise IndexUnavailable("the search index cannot be read")
        return head

    def write(self, root: Path) -> None:
        draft = root / f"HEAD.{secrets.token_hex(4)}"
        text = json.dumps(self.__dict__).encode()
        with draft.open("wb") as file:
            file.write(text + b"\n%d" % zlib.crc32(text))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(root / "HEAD")


class _Writer(SegmentWriter):
    """Whoosh's writer, committing by HEAD: files first, then HEAD, then what is no longer needed."""

    head: _Head
    root: Path

    def __init__(self, index: FileIndex, root: Path, known: dict[str, tuple[int, int]]) -> None:
        super().__init__(index, codec=_Codec(), compound=False, limitmb=1)
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
        old = _Segment.open(self.storage, segment)
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

    def _postings(self) -> Iterator[_Postings]:
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
        sums = {name: self._known.get(name) or _sum(folder / name) for name in names}
        alive = sum(segment.doc_count() for segment in segments)
        self.head = _Head(folder.name, self.generation, alive, sums)
        self._publish()
        clean_files(self.storage, self.indexname, self.generation, segments)

    def _publish(self) -> None:
        self.head.write(self.root)


class _HiddenWriter(_Writer):
    """The same for an index in the making: nobody sees it before the last commit."""

    def _publish(self) -> None:
        pass


def _sum(path: Path) -> tuple[int, int]:
    """Size and CRC-32 of a file."""
    crc, size = 0, 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            crc = zlib.crc32(block, crc)
            size += len(block)
    return size, crc


@dataclass
class _Segment:
    """An open segment: its reader, columns as arrays, and the words for spelling once asked for."""

    reader: Any
    posts: array[int]
    threads: array[int]
    words_file: Path
    deleted: frozenset[int] = frozenset()
    words: spelling.Vocabulary | None = None
    places: Any = None

    @classmethod
    def open(cls, storage: FileStorage, segment: Any) -> _Segment:
        return cls(
            SegmentReader(storage, _schema(), segment),
            _numbers(storage, segment, "post"),
            _numbers(storage, segment, "thread"),
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
        matcher = self.reader._codec.postings_reader(self.reader._terms._postfile, info, _FORMAT)
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


def _numbers(storage: FileStorage, segment: Any, name: str) -> array[int]:
    path = Path(storage.folder) / W3Codec.column_filename(segment, name)
    numbers = array("q", path.read_bytes())
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


@dataclass
class _Opened:
    """An index as this process has it open."""

    stamp: tuple[int, int, int]
    head: _Head
    segments: list[_Segment]
    by_id: dict[str, _Segment]
    stats: dict[str, tuple[int, int]]
    answers: OrderedDict[tuple[Query, bool], Hits] = field(default_factory=OrderedDict)

    @property
    def total(self) -> int:
        return max(1, self.head.documents)


@dataclass(frozen=True)
class _Way:
    """One way to meet a unit: all of these terms, each with the factor of its weight."""

    terms: tuple[tuple[str, float], ...]
    guessed: bool = False


@dataclass
class _Plan:
    """A unit with its ways and what it counts for in coverage."""

    unit: Unit
    ways: list[_Way]
    weight: float
    found: int


class WhooshEngine:
    """`base.Engine` on a folder. Safe for threads and processes; readers never wait for the writer."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._process = os.getpid()

    # --- writing ---

    def update(self, documents: Iterable[Document], gone: Iterable[int] = ()) -> None:
        """Adds, replaces and forgets in one commit, see `base.Engine.update`."""
        latest = {document.id: document for document in documents}
        stale = latest.keys() | set(gone)
        if not stale:
            return
        with self._writing() as head:
            writer = self._writer(head)
            try:
                removed = self._remove(writer, stale)
                for document in latest.values():
                    writer.add(document)
                if latest or removed:
                    writer.commit(mergetype=_merge)
                else:
                    writer.cancel()
            except BaseException:
                if not writer.is_closed:
                    writer.cancel()
                raise

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] | None = None) -> int:
        """A new index beside the old one, which serves until the new one is whole. `progress` is told
        the number of documents so far, every thousand."""
        self._root.mkdir(parents=True, exist_ok=True)
        with self._exclusive():
            folder = self._root / f"index-{secrets.token_hex(6)}"
            folder.mkdir()
            try:
                head, count = self._write_new(folder, documents, progress)
                head.write(self._root)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            for other in self._root.glob("index-*"):
                if other != folder:
                    shutil.rmtree(other, ignore_errors=True)
        return count

    def _write_new(
        self, folder: Path, documents: Iterable[Document], progress: Callable[[int], None] | None
    ) -> tuple[_Head, int]:
        index = FileIndex.create(FileStorage(str(folder)), _schema())
        rest = iter(documents)
        known: dict[str, tuple[int, int]] = {}
        count = 0
        while True:
            writer = _HiddenWriter(index, self._root, known)
            for document in islice(rest, DOCUMENTS_PER_SEGMENT):
                writer.add(document)
                count += 1
                if progress and count % 1000 == 0:
                    progress(count)
            full = writer.doc_count() == DOCUMENTS_PER_SEGMENT
            writer.commit(merge=False)
            known = writer.head.files
            if not full:
                break
        if progress:
            progress(count)
        return writer.head, count

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """The right to write, held by one at a time over all processes."""
        try:
            file = (self._root / "writer.lock").open("w")
        except FileNotFoundError as error:
            raise IndexUnavailable("there is no search index yet") from error
        with file:
            until = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > until:
                        raise IndexBusy("the search index is being written by another process") from error
                    time.sleep(0.02)
            yield

    @contextmanager
    def _writing(self) -> Iterator[_Head]:
        with self._exclusive(), _damage():
            head = _Head.read(self._root)
            # A damaged segment must not be merged into a new one that then carries a right checksum.
            self._verify(head)
            yield head

    def _writer(self, head: _Head) -> _Writer:
        folder = self._root / head.folder
        for stale in folder.glob("_MAIN_*.toc*"):  # of a writer that died before HEAD
            if stale.name not in head.files:
                stale.unlink(missing_ok=True)
        return _Writer(FileIndex(FileStorage(str(folder)), _schema()), self._root, head.files)

    def _remove(self, writer: _Writer, ids: Iterable[int]) -> int:
        wanted = set(ids)
        removed = 0
        for segment in writer.segments:
            posts = _numbers(writer.storage, segment, "post")
            if wanted.isdisjoint(posts):
                continue
            for number, post in enumerate(posts):
                if post in wanted and not segment.is_deleted(number):
                    segment.delete_document(number)
                    removed += 1
        return removed

    # --- opening and checking ---

    def ready(self) -> int:
        """How many documents the index holds; opens it, but reads only what is new."""
        with self._lock, _damage():
            return self._open().head.documents

    def check(self) -> int:
        """Reads every byte of the index again; how many documents it holds."""
        with self._lock, _damage():
            head = _Head.read(self._root)
            self._verify(head)
            return head.documents

    def _verify(
        self, head: _Head, known: dict[str, tuple[int, int]] | None = None
    ) -> dict[str, tuple[int, int]]:
        """Compares files with HEAD; those that are as when last compared (`known`) by size and time only."""
        stats = {}
        for name, expected in head.files.items():
            path = self._root / head.folder / name
            stat = path.stat()
            stats[name] = (stat.st_size, stat.st_mtime_ns)
            if known and known.get(name) == stats[name]:
                continue
            if _sum(path) != expected:
                raise IndexUnavailable("the search index is damaged")
        return stats

    def _open(self) -> _Opened:
        """The index as HEAD has it now, reopened only where something changed."""
        if self._process != os.getpid():  # never share file positions with the process we were forked from
            self._process, self._opened = os.getpid(), None
        for attempt in range(20):
            try:
                return self._open_once()
            except FileNotFoundError:
                # Between HEAD and the files a writer committed; HEAD names the new ones by now.
                time.sleep(0.01 * attempt)
        raise IndexUnavailable("the search index is damaged")

    def _open_once(self) -> _Opened:
        try:
            stat = (self._root / "HEAD").stat()
        except OSError as error:
            raise IndexUnavailable("there is no search index") from error
        stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        opened = self._opened
        if opened and opened.stamp == stamp:
            opened.stats = self._verify(opened.head, opened.stats)
            return opened
        head = _Head.read(self._root)
        same_folder = opened is not None and opened.head.folder == head.folder
        stats = self._verify(head, opened.stats if opened and same_folder else None)
        storage = FileStorage(str(self._root / head.folder), readonly=True)
        toc = TOC.read(storage, "MAIN", gen=head.generation, schema=_schema())
        known = opened.by_id if opened and same_folder else {}
        by_id: dict[str, _Segment] = {}
        for segment in toc.segments:
            key = segment.segment_id()
            by_id[key] = known.get(key) or _Segment.open(storage, segment)
            by_id[key].deleted = frozenset(segment.deleted_docs()) if segment.has_deletions() else frozenset()
        for key, gone in known.items():
            if key not in by_id:
                gone.reader.close()
        self._opened = _Opened(stamp, head, list(by_id.values()), by_id, stats)
        return self._opened

    # --- answering ---

    def search(self, query: Query, fill: bool = False) -> Hits:
        """The posts that answer the query, see `base.Hits` and `base.Engine.search`."""
        if not query:
            return Hits()
        with self._lock:
            try:
                with _damage():
                    opened = self._open()
                    known = opened.answers.get((query, fill))
                    if known is None:
                        known = opened.answers[query, fill] = _answer(opened, query, fill)
                        if len(opened.answers) > 64:
                            opened.answers.popitem(last=False)
                    return known
            except IndexUnavailable:
                self._opened = None
                raise


@contextmanager
def _damage() -> Iterator[None]:
    """Whatever reading damaged files raises becomes `IndexUnavailable`."""
    try:
        yield
    except IndexUnavailable:
        raise
    except Exception as error:
        raise IndexUnavailable("the search index cannot be read") from error


def _merge(writer: _Writer, segments: list[Any]) -> list[Any]:
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


def _answer(opened: _Opened, query: Query, fill: bool) -> Hits:
    plans, suggestion = _plan(opened, query)
    pools = [_Pool(segment, plans, len(opened.segments)) for segment in opened.segments]
    complete = _best([(pool.segment, pool.meet_all()) for pool in pools], base.MAX_HITS)
    complete = _prefer_close(complete, query.order)
    others: list[_Found] = []
    if (fill or len(complete) < base.ENOUGH) and len(complete) < base.MAX_HITS and _divisible(plans):
        others = _best([(pool.segment, pool.meet_any()) for pool in pools], base.MAX_HITS - len(complete))
        others = _prefer_close(others, query.order)
    hits = tuple(Hit(segment.posts[number], score) for score, segment, number in complete + others)
    return Hits(hits, len(complete), suggestion)


def _divisible(plans: list[_Plan]) -> bool:
    """Whether there is less than everything to ask for."""
    return len(plans) > 1 or bool(plans[0].unit.phrase) or any(way.guessed for way in plans[0].ways)


def _best(pools: list[tuple[_Segment, Scores]], number: int) -> list[_Found]:
    """The best of all segments, best first."""
    found: list[_Found] = []
    for segment, scores in pools:
        if len(scores) > number:
            # The worst score that still counts; a heap with a key takes three times as long.
            least = sorted(scores.values())[-number]
            best = [(score, segment, post) for post, score in scores.items() if score >= least]
        else:
            best = [(score, segment, post) for post, score in scores.items()]
        found += best
    found.sort(key=itemgetter(0), reverse=True)
    return found[:number]


def _plan(opened: _Opened, query: Query) -> tuple[list[_Plan], str | None]:
    """Each unit with the ways to meet it, and the query with likelier spellings, if there is one."""
    plans = []
    better: dict[str, str] = {}
    for unit in query.units:
        plan = _plan_unit(opened, unit)
        if unit.spelled and plan.found <= max(RARE, opened.total // RARE_SHARE):
            guesses = _guess(opened, unit.spelled, plan.found)
            for rank, guess in enumerate(guesses):
                term = stem(guess.word)
                factor = base.CORRECTED * 0.8**rank * _rarity(opened, term)
                plan.ways.append(_Way(((term, factor),), guessed=True))
            if guesses:
                better[unit.typed] = guesses[0].word
                if not plan.found:
                    plan.weight = _rarity(opened, stem(guesses[0].word))
        plans.append(plan)
    plans.sort(key=lambda plan: plan.found)
    return plans, base.respell(query.text, better) if better else None


def _plan_unit(opened: _Opened, unit: Unit) -> _Plan:
    terms = unit.terms
    found = _found_all(opened, terms)
    ways = []
    if unit.whole and (whole := _found(opened, unit.whole)):
        ways.append(_Way(((unit.whole, base.rarity(whole, opened.total)),)))
        found += whole
    if not found and unit.instead:
        terms = unit.instead
        found = _found_all(opened, terms)
    rarities = [_rarity(opened, term) for term in terms]
    ways.append(_Way(tuple(zip(terms, rarities, strict=True))))
    return _Plan(unit, ways, max(rarities), found)


def _found(opened: _Opened, term: str) -> int:
    return sum(segment.found(term) for segment in opened.segments)


def _found_all(opened: _Opened, terms: tuple[str, ...]) -> int:
    return min((_found(opened, term) for term in terms), default=0)


def _rarity(opened: _Opened, term: str) -> float:
    return base.rarity(_found(opened, term), opened.total)


def _guess(opened: _Opened, word: str, found: int) -> list[spelling.Spelling]:
    """Likelier spellings; of a word that does occur only those met far more often."""
    vocabularies = [segment.vocabulary() for segment in opened.segments]
    guesses = spelling.neighbours(word, vocabularies, least=5 * found or 1)
    own = stem(word)
    return [guess for guess in guesses if stem(guess.word) != own and guess.found >= DOUBTFUL * found]


class _Pool:
    """The documents of one segment that meet some or all of a query; postings are read once."""

    def __init__(self, segment: _Segment, plans: list[_Plan], segments: int) -> None:
        self.segment = segment
        self._candidates = max(500, PHRASE_CANDIDATES // segments)
        self.plans = plans
        self.exact: Scores | None = None
        self._known: dict[int, Scores] = {}

    def meet_all(self) -> Scores:
        """Documents that meet every unit as it was typed."""
        self.exact = {}
        total: Scores | None = None
        for plan in self.plans:  # rarest first
            scores = self._typed(plan)
            if total is None:
                total = scores
            else:
                both = total.keys() & scores.keys()
                total = {number: total[number] + scores[number] for number in both}
            if not total:
                return {}
        found = total or {}
        phrases = [f" {' '.join(plan.unit.phrase)} " for plan in self.plans if plan.unit.phrase]
        if phrases:
            likely = heapq.nlargest(self._candidates, found.items(), key=itemgetter(1))
            met = ((n, score) for n, score in likely if _has_phrases(self.segment.order(n), phrases))
            found = dict(islice(met, base.MAX_HITS))
        self.exact = found
        return found

    def meet_any(self) -> Scores:
        """Documents that meet at least one unit, likelier spellings allowed, by score and share met.

        Once there are plenty of documents with a rarer unit, common ones only add to these, and those
        that tell next to nothing beside the others are not looked at.
        """
        whole = sum(plan.weight for plan in self.plans)
        scores: Scores = {}
        shares: Scores = {}
        for plan in sorted(self.plans, key=lambda plan: -plan.weight):
            share = plan.weight / whole
            if len(scores) >= base.MAX_HITS:
                if share < NEGLIGIBLE and id(plan) not in self._known:
                    continue
                more = self._any(plan)
                for number in scores.keys() & more.keys():
                    scores[number] += more[number]
                    shares[number] += share
                continue
            for number, score in self._any(plan).items():
                scores[number] = scores.get(number, 0.0) + score
                shares[number] = shares.get(number, 0.0) + share
        met = self.exact or {}
        return {number: score * shares[number] ** 2 for number, score in scores.items() if number not in met}

    def _typed(self, plan: _Plan) -> Scores:
        known = self._known.get(id(plan))
        if known is None:
            known = self._known[id(plan)] = self._scores(way for way in plan.ways if not way.guessed)
        return known

    def _any(self, plan: _Plan) -> Scores:
        guesses = self._scores(way for way in plan.ways if way.guessed)
        typed = self._typed(plan)
        return {**guesses, **typed} if guesses else typed

    def _scores(self, ways: Iterable[_Way]) -> Scores:
        """Documents that meet a unit in one of these ways, by the best of them."""
        best: Scores = {}
        for way in ways:
            scores = self._way(way)
            if not best:
                best = scores
                continue
            for number, score in scores.items():
                if score > best.get(number, 0.0):
                    best[number] = score
        return best

    def _way(self, way: _Way) -> Scores:
        rarest, *rest = sorted(way.terms, key=lambda pair: -pair[1])
        scores = self.segment.weights(*rarest)
        for term, factor in rest:
            if not scores:
                break
            more = self.segment.weights(term, factor)
            scores = {number: scores[number] + more[number] for number in scores.keys() & more.keys()}
        return scores


def _has_phrases(places: str, phrases: list[str]) -> bool:
    return all(phrase in places for phrase in phrases)


def _prefer_close(hits: list[_Found], order: tuple[str, ...]) -> list[_Found]:
    """The first hits anew, those with the query's words side by side raised."""
    if len(order) < 2 or len(hits) < 2:
        return hits
    first = [
        (score * (1 + base.CLOSENESS * base.closeness(segment.order(number), order)), segment, number)
        for score, segment, number in hits[:RERANKED]
    ]
    first.sort(key=lambda hit: -hit[0])
    return first + hits[RERANKED:]


def remove_index(root: str | Path) -> None:
    """Deletes an index with everything in its folder."""
    with suppress(FileNotFoundError):
        shutil.rmtree(root)
