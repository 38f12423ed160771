"""Menu entries: features register them through `portal.wiring`, templates show them."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.kernel.access import Permission, Viewer


@dataclass(frozen=True)
class Entry:
    """One entry of a menu. `count` is asked with the viewer and shown when above 0.

    `shown` leaves the entry out for some of those who may open it: a vendor's people need no link to /ask.
    """

    label: str
    endpoint: str
    icon: str
    place: str  # main, tab, account, foot, console
    permission: Permission = Permission.VISIT
    order: int = 50
    count: Callable[[Viewer], int] | None = None
    shown: Callable[[Viewer], bool] | None = None


_entries: list[Entry] = []


def register(*entries: Entry) -> None:
    """Add entries; one that is there already is not added again."""
    _entries.extend(entry for entry in entries if entry not in _entries)
    _entries.sort(key=lambda entry: entry.order)


def entries(place: str, viewer: Viewer) -> list[Entry]:
    """The entries of a place that this viewer may open, in order."""
    return [
        entry
        for entry in _entries
        if entry.place == place
        and viewer.may(entry.permission)
        and (entry.shown is None or entry.shown(viewer))
    ]


def counter(viewer: Viewer) -> Callable[[Entry], int]:
    """What stands beside an entry, for this viewer; asked once for entries that count the same."""
    known: dict[Callable[[Viewer], int], int] = {}

    def count_of(entry: Entry) -> int:
        if entry.count is None:
            return 0
        if entry.count not in known:
            known[entry.count] = entry.count(viewer)
        return known[entry.count]

    return count_of
