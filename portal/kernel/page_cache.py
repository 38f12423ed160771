"""Kept fragments and pages of this process: least recently used go first, bounded by size.

A key must hold everything that the text depends on (thread, page, version): nothing is ever invalidated,
old versions simply are no longer asked for.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


_all: list["Kept | Recent[Any]"] = []


def clear() -> None:
    """Forget everything that is kept anywhere: as in a new process."""
    for each in _all:
        each.clear()


class Kept:
    """At most `limit` bytes of text under hashable keys.

    Kept as UTF-8: as a str, one dash or quotation mark would double a page, and an emoji make it four times
    as large.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._rows: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()
        _all.append(self)

    def get(self, key: Hashable, make: Callable[[], str]) -> str:
        """The text under `key`, made now if it is not kept."""
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
                return self._rows[key].decode()
        text = make()
        self.put(key, text)
        return text

    def peek(self, key: Hashable) -> str | None:
        """The text under `key`, or None."""
        with self._lock:
            kept = self._rows.get(key)
            if kept is None:
                return None
            self._rows.move_to_end(key)
        return kept.decode()

    def put(self, key: Hashable, text: str) -> None:
        """Keep `text`; what does not fit pushes out the least recently used."""
        kept = text.encode()
        if len(kept) > self._limit // 8:
            return
        with self._lock:
            if key in self._rows:
                self._size -= len(self._rows.pop(key))
            self._rows[key] = kept
            self._size += len(kept)
            while self._size > self._limit:
                _, dropped = self._rows.popitem(last=False)
                self._size -= len(dropped)

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()
            self._size = 0


class Recent(Generic[T]):
    """At most `most` values, each given again for so many seconds after it was made."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._rows: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()
        _all.append(self)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value under `key`, made now if there is none that still holds."""
        with self._lock:
            until, value = self._rows.get(key, (None, None))
        began = time.monotonic()
        if until is not None and began < until:
            return cast(T, value)
        made = make()
        now = time.monotonic()
        lasts = self._lasts(now - began)
        if lasts:
            with self._lock:
                self._rows.pop(key, None)
                self._rows[key] = (now + lasts, made)
                if len(self._rows) > self._most:
                    self._rows.popitem(last=False)
        return made

    def _lasts(self, _took: float) -> float:
        """For how many seconds a value holds; 0 for one that is not kept."""
        return self._seconds

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()


class Dear(Recent[T]):
    """At most `most` values, each kept for a hundred times as long as it took to make, up to ten minutes.

    What took less than `least` seconds is made anew each time: so a small community never reads an old
    figure, and a large one never counts for more than a hundredth of the time. Seconds of the clock, since
    what a database server counts costs this process nothing.
    """

    def __init__(self, most: int, least: float = 0.25) -> None:
        super().__init__(most, 0)
        self._least = least

    def _lasts(self, took: float) -> float:
        return min(100 * took, 600.0) if took >= self._least else 0


fragments = Kept(16 * 2**20)
pages = Kept(8 * 2**20)
