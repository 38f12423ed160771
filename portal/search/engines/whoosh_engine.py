"""The embedded engine: Whoosh keeps terms, postings and columns on disk; ranking is done here.

`whoosh_files` says what stands on the disk and what damage is, `whoosh_writer` writes segments,
`whoosh_segment` reads one, `whoosh_answer` ranks. Here they are opened, locked and kept up to date: one
writer at a time, by a lock that dies with its process, and readers that never wait for it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from portal.search.engines.base import Document, Hits, IndexBusy, IndexUnavailable
from portal.search.engines.whoosh_answer import answer
from portal.search.engines.whoosh_files import Head, checksum, damage, index_schema
from portal.search.engines.whoosh_segment import Opened, Segment, numbers_of
from portal.search.engines.whoosh_writer import HiddenWriter, Writer, merge
from portal.search.query import Query

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SyntaxWarnings of Whoosh 2.7.4 when it is compiled
    from whoosh.filedb.filestore import FileStorage
    from whoosh.index import TOC, FileIndex

DOCUMENTS_PER_SEGMENT = 25_000
LOCK_SECONDS = 10.0


class WhooshEngine:
    """`base.Engine` on a folder. Safe for threads and processes; readers never wait for the writer."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        self._lock = threading.Lock()
        self._opened: Opened | None = None
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
                    writer.commit(mergetype=merge)
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
    ) -> tuple[Head, int]:
        index = FileIndex.create(FileStorage(str(folder)), index_schema())
        rest = iter(documents)
        known: dict[str, tuple[int, int]] = {}
        count = 0
        while True:
            writer = HiddenWriter(index, self._root, known)
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
    def _writing(self) -> Iterator[Head]:
        with self._exclusive(), damage():
            head = Head.read(self._root)
            # A damaged segment must not be merged into a new one that then carries a right checksum.
            self._verify(head)
            yield head

    def _writer(self, head: Head) -> Writer:
        folder = self._root / head.folder
        for stale in folder.glob("_MAIN_*.toc*"):  # of a writer that died before HEAD
            if stale.name not in head.files:
                stale.unlink(missing_ok=True)
        return Writer(FileIndex(FileStorage(str(folder)), index_schema()), self._root, head.files)

    def _remove(self, writer: Writer, ids: Iterable[int]) -> int:
        wanted = set(ids)
        removed = 0
        for segment in writer.segments:
            posts = numbers_of(writer.storage, segment, "post")
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
        with self._lock, damage():
            return self._open().head.documents

    def check(self) -> int:
        """Reads every byte of the index again; how many documents it holds."""
        with self._lock, damage():
            head = Head.read(self._root)
            self._verify(head)
            return head.documents

    def _verify(
        self, head: Head, known: dict[str, tuple[int, int]] | None = None
    ) -> dict[str, tuple[int, int]]:
        """Compares files with HEAD; those that are as when last compared (`known`) by size and time only."""
        stats = {}
        folder = f"{self._root}{os.sep}{head.folder}{os.sep}"  # no Path: some sixty files with every search
        for name, expected in head.files.items():
            stat = os.stat(folder + name)
            stats[name] = (stat.st_size, stat.st_mtime_ns)
            if known and known.get(name) == stats[name]:
                continue
            if checksum(Path(folder + name)) != expected:
                raise IndexUnavailable("the search index is damaged")
        return stats

    def _open(self) -> Opened:
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

    def _open_once(self) -> Opened:
        try:
            stat = (self._root / "HEAD").stat()
        except OSError as error:
            raise IndexUnavailable("there is no search index") from error
        stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        opened = self._opened
        if opened and opened.stamp == stamp:
            opened.stats = self._verify(opened.head, opened.stats)
            return opened
        head = Head.read(self._root)
        same_folder = opened is not None and opened.head.folder == head.folder
        stats = self._verify(head, opened.stats if opened and same_folder else None)
        storage = FileStorage(str(self._root / head.folder), readonly=True)
        toc = TOC.read(storage, "MAIN", gen=head.generation, schema=index_schema())
        known = opened.by_id if opened and same_folder else {}
        by_id: dict[str, Segment] = {}
        for segment in toc.segments:
            key = segment.segment_id()
            by_id[key] = known.get(key) or Segment.open(storage, segment)
            by_id[key].deleted = frozenset(segment.deleted_docs()) if segment.has_deletions() else frozenset()
        for key, gone in known.items():
            if key not in by_id:
                gone.reader.close()
        self._opened = Opened(stamp, head, list(by_id.values()), by_id, stats)
        return self._opened

    # --- answering ---

    def search(self, query: Query, fill: bool = False) -> Hits:
        """The posts that answer the query, see `base.Hits` and `base.Engine.search`."""
        if not query:
            return Hits()
        with self._lock:
            try:
                with damage():
                    opened = self._open()
                    known = opened.answers.get((query, fill))
                    if known is None:
                        known = opened.answers[query, fill] = answer(opened, query, fill)
                        if len(opened.answers) > 64:
                            opened.answers.popitem(last=False)
                    return known
            except IndexUnavailable:
                self._opened = None
                raise


def remove_index(root: str | Path) -> None:
    """Deletes an index with everything in its folder."""
    with suppress(FileNotFoundError):
        shutil.rmtree(root)
