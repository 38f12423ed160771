"""Lines of plain or gzipped files, with clear words for what is wrong with them."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from portal.exchange.records import Damaged

CHUNK = 1 << 16
LONGEST_LINE = 1 << 24


def find(folder: Path, name: str) -> Path | None:
    """The file, plain or gzipped, in the folder."""
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    return None


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked. Raises Damaged when it is not there."""
    try:
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise Damaged(path.name, None, f"cannot be opened ({error.strerror})", began=False) from error


def pieces(path: Path) -> Iterator[bytes]:
    """The file in pieces of 64 KB. Raises Damaged where it is cut off or garbled."""
    done = 0
    with open_bytes(path) as file:
        while True:
            try:
                piece = file.read(CHUNK)
            except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
                raise Damaged(
                    path.name, None, f"cut off or garbled after {done:,} bytes ({error})"
                ) from error
            if not piece:
                return
            done += len(piece)
            yield piece


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, text) of every line. Raises Damaged for what is cut off, garbled or not UTF-8."""
    number, rest = 0, b""
    try:
        for piece in pieces(path):
            *whole, rest = (rest + piece).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise Damaged(path.name, number + 1, "a line of more than 16 MB")
            for line in whole:
                number += 1
                yield number, _text(path, number, line)
    except Damaged as damaged:
        raise damaged.at(number + 1) from damaged
    if rest:
        yield number + 1, _text(path, number + 1, rest)


def _text(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise Damaged(path.name, number, "not UTF-8") from error
