"""Menu entries: features register them through `portal.wiring`, templates show them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from portal.kernel.access import Duty, Permission, Status, Viewer


@dataclass(frozen=True)
class Entry:
    """One entry of a menu. `count` is asked with the viewer and shown when above 0.

    `shown` leaves the entry out for some of those who may open it: a vendor's people need no link to /ask. It
    is asked with a viewer of whom only status, duties and permissions are known.
    """

    label: str
    endpoint: str
    icon: str
    place: str  # main, tab, account, foot, console
    permission: Permission = Permission.VISIT
    order: int = 50
    count: Callable[[Viewer], int] | None = None
    shown: Callable[[Viewer], bool] | None = None

    def __hash__(self) -> int:
        return hash((self.place, self.endpoint, self.label))


_entries: list[Entry] = []


def register(*entries: Entry) -> None:
    """Add entries; one that is there already is not added again."""
    _entries.extend(entry for entry in entries if entry not in _entries)
    _entries.sort(key=lambda entry: entry.order)
    _entries_of.cache_clear()


def entries(place: str, viewer: Viewer) -> tuple[Entry, ...]:
    """The entries of a place that this viewer may open, in order."""
    return _entries_of(place, viewer.status, viewer.duties, viewer.permissions)


@lru_cache(1024)
def _entries_of(
    place: str, status: Status, duties: frozenset[Duty], permissions: frozenset[Permission]
) -> tuple[Entry, ...]:
    kind = Viewer(status=status, duties=duties, permissions=permissions)
    return tuple(
        entry
        for entry in _entries
        if entry.place == place and kind.may(entry.permission) and (entry.shown is None or entry.shown(kind))
    )


Counts = Callable[..., tuple[int, ...]]
_NOTHING: Mapping[str, int] = MappingProxyType({})


def counter(viewer: Viewer) -> Counts:
    """What stands beside entries, for this viewer; asked once for entries that count the same.

    `more` has further numbers by endpoint, for entries without a count of their own.
    """
    known: dict[Callable[[Viewer], int], int] = {}

    def count_of(entry: Entry) -> int:
        if entry.count is None:
            return 0
        if entry.count not in known:
            known[entry.count] = entry.count(viewer)
        return known[entry.count]

    def counts_of(entries: Iterable[Entry], more: Mapping[str, int] = _NOTHING) -> tuple[int, ...]:
        return tuple(count_of(entry) or more.get(entry.endpoint, 0) for entry in entries)

    return counts_of
