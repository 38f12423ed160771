"""Kept fragments and pages of this process: least recently used go first, bounded by size.

A key must hold everything that the text depends on (thread, page, version): nothing is ever invalidated,
old versions simply are no longer asked for.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Kept:
    """At most `limit` bytes of text under hashable keys."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._rows: OrderedDict[Hashable, str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], str]) -> str:
        """The text under `key`, made now if it is not kept."""
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
                return self._rows[key]
        text = make()
        self.put(key, text)
        return text

    def peek(self, key: Hashable) -> str | None:
        """The text under `key`, or None."""
        with self._lock:
            text = self._rows.get(key)
            if text is not None:
                self._rows.move_to_end(key)
            return text

    def put(self, key: Hashable, text: str) -> None:
        """Keep `text`; what does not fit pushes out the least recently used."""
        if len(text) > self._limit // 8:
            return
        with self._lock:
            if key in self._rows:
                self._size -= len(self._rows.pop(key))
            self._rows[key] = text
            self._size += len(text)
            while self._size > self._limit:
                _, dropped = self._rows.popitem(last=False)
                self._size -= len(dropped)

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()
            self._size = 0


fragments = Kept(24 * 2**20)
pages = Kept(16 * 2**20)
