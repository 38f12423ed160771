"""What stands on the disk: HEAD, the fields, and Whoosh's codec with postings in whole blocks.

An index is a folder and a file `HEAD` that names the folder, its generation and a checksum of each file.
Readers believe HEAD alone: whatever differs from it in size or checksum is damage, and damage is an
`IndexUnavailable`, never a guess.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import warnings
import zlib
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.search.engines.base import IndexUnavailable

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SyntaxWarnings of Whoosh 2.7.4 when it is compiled
    from whoosh import columns, fields, formats
    from whoosh.codec.whoosh3 import W3Codec, W3FieldWriter, W3PostingsWriter, W3TermInfo
    from whoosh.filedb.filestore import FileStorage

FORMAT = 1
"""Raised with every change of analysis or weights: an older index is unavailable until rebuilt."""
STEPS = 32
"""A weight is kept in steps of 1/32, from 1 to 255 steps."""

POSTINGS = formats.Existence()

Postings = tuple[str, bytes, "array[int]", bytes]


@dataclass
class Head:
    """What HEAD says: the one truth about an index."""

    folder: str
    generation: int
    documents: int
    files: dict[str, tuple[int, int]]
    format: int = FORMAT

    @classmethod
    def read(cls, root: Path) -> Head:
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


def checksum(path: Path) -> tuple[int, int]:
    """Size and CRC-32 of a file."""
    crc, size = 0, 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            crc = zlib.crc32(block, crc)
            size += len(block)
    return size, crc


@contextmanager
def damage() -> Iterator[None]:
    """Whatever reading damaged files raises becomes `IndexUnavailable`."""
    try:
        yield
    except IndexUnavailable:
        raise
    except Exception as error:
        raise IndexUnavailable("the search index cannot be read") from error


class Term(fields.FieldType):
    """A field whose postings are written by `Writer` itself."""

    def __init__(self) -> None:
        super().__init__(formats.Existence(), None)


def index_schema() -> fields.Schema:
    return fields.Schema(
        term=Term(),
        word=Term(),
        post=fields.COLUMN(columns.NumericColumn("q")),
        thread=fields.COLUMN(columns.NumericColumn("q")),
        places=fields.COLUMN(columns.CompressedBytesColumn(level=1)),
    )


class _PostingsWriter(W3PostingsWriter):
    """Writes whole blocks: document numbers as an array, weights as one byte each."""

    def write_all(self, numbers: array[int], weights: bytes) -> W3TermInfo:
        """All postings of a term; returns where they are."""
        self.start_postings(POSTINGS, W3TermInfo())
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

    def add_postings(self, schema: fields.Schema, lengths: object, items: Iterable[Postings]) -> None:
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


def _key(field: int, term: bytes) -> bytes:
    return field.to_bytes(2, "big") + term


class Codec(W3Codec):
    """Whoosh's codec with large blocks (they are read whole), without lengths (they are in the weights)."""

    length_stats = False

    def __init__(self) -> None:
        super().__init__(blocklimit=4096, compression=1)

    def postings_writer(self, dbfile: Any, byteids: bool = False) -> _PostingsWriter:
        return _PostingsWriter(dbfile, self._blocklimit, byteids, self._compression, self._inlinelimit)

    def field_writer(self, storage: FileStorage, segment: Any) -> _FieldWriter:
        return _FieldWriter(self, storage, segment)
