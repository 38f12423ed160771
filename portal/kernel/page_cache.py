"""Kept fragments and pages of this process: least recently used go first, bounded by size.

A key must hold everything that the text depends on (thread, page, version): nothing is ever invalidated,
old versions simply are no longer asked for.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar, cast

from portal.kernel import renewing

T = TypeVar("T")


_all: list["Kept | Recent[Any] | Dear[Any]"] = []


def clear() -> None:
    """Forget everything that is kept anywhere: as in a new process."""
    for each in _all:
        each.clear()


_all_old: list[bool] = []


@contextmanager
def everything_dear_and_old() -> Iterator[None]:
    """Here whatever `Dear` may keep is kept, and is a little old at once: for tests of a small community."""
    _all_old.append(True)
    try:
        yield
    finally:
        _all_old.pop()
        clear()


def dear() -> list["Dear[Any]"]:
    """Everything in which dear figures are kept."""
    return [each for each in _all if isinstance(each, Dear)]


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
        if until is not None and time.monotonic() < until:
            return cast(T, value)
        made = make()
        with self._lock:
            self._rows.pop(key, None)
            self._rows[key] = (time.monotonic() + self._seconds, made)
            if len(self._rows) > self._most:
                self._rows.popitem(last=False)
        return made

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()


class _Made(NamedTuple):
    """A value, until when it is as good as new, and until when it is given at all."""

    value: Any
    fresh_until: float
    given_until: float


class Dear(Generic[T]):
    """At most `most` values, each as good as new for a hundred times as long as it took to make, up to five
    minutes. Later, up to ten minutes after it was made, whoever asks is given it once more while a thread
    makes it anew (`renewing`): nobody waits for what somebody was shown a few minutes ago.

    What took less than `least` seconds is made anew each time: so a small community never reads an old
    figure, and a large one never counts for more than a hundredth of the time. What took less than `sure`
    seconds is kept only when it took `least` twice, since the first time of a process prepares statements.
    Seconds of the clock, since what a database server counts costs this process nothing. What depends on
    who asks is never kept here.
    """

    FRESH, GIVEN = 300.0, 600.0

    def __init__(self, most: int, least: float = 0.25, sure: float = 0.25) -> None:
        self._most, self._least, self._sure = most, least, sure
        self._rows: OrderedDict[Hashable, _Made] = OrderedDict()
        self._renewing: set[Hashable] = set()
        self._lock = threading.Lock()
        _all.append(self)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value under `key`: the kept one, or made now if there is none to be given any more."""
        now = time.monotonic()
        with self._lock:
            kept = self._rows.get(key)
            if kept is not None and now < kept.fresh_until:
                return cast(T, kept.value)
            if kept is None or now >= kept.given_until or not renewing.can_wait():
                kept = None
            elif is_first := key not in self._renewing:
                self._renewing.add(key)
        if kept is None:
            return self.renew(key, make)
        if is_first:
            renewing.later(partial(self._renew_behind, key, make))
        return cast(T, kept.value)

    def renew(self, key: Hashable, make: Callable[[], T]) -> T:
        """Made now, whatever is kept; whoever asks meanwhile is given that."""
        began = time.monotonic()
        made = make()
        now = time.monotonic()
        took = now - began
        with self._lock:
            known = self._rows.pop(key, None)
            if took >= self._least or _all_old:
                keeps = took >= self._sure or known is not None or bool(_all_old)
                fresh = 0.0 if _all_old else min(100 * took, self.FRESH)
                self._rows[key] = (
                    _Made(made, now + fresh, now + self.GIVEN) if keeps else _Made(None, now, now)
                )
                if len(self._rows) > self._most:
                    self._rows.popitem(last=False)
        return made

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()
            self._renewing.clear()

    def keys(self) -> list[Hashable]:
        """What is kept or was dear when it was last made."""
        with self._lock:
            return list(self._rows)

    def _renew_behind(self, key: Hashable, make: Callable[[], T]) -> None:
        try:
            self.renew(key, make)
        finally:
            with self._lock:
                self._renewing.discard(key)


fragments = Kept(16 * 2**20)
pages = Kept(8 * 2**20)
