"""What a table holds about people: how to export it, erase it, and how long to keep it.

Every package registers its tables through `portal.wiring`; a house test fails for a table that names a
member and is not registered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Personal:
    """One class of data about people.

    `export` gives plain rows for one member's own data; `erase` removes or blanks what names the member
    (`keep_text` says whether their words stay without a name), inside the caller's unit of work.
    """

    name: str
    tables: tuple[str, ...]
    export: Callable[[int], Any]
    erase: Callable[[int, bool], None]
    retention_days: int | None = None
    retention_job: str = ""


_registry: dict[str, Personal] = {}


def register(*classes: Personal) -> None:
    """Add classes of data; the same name again replaces the former."""
    for one in classes:
        _registry[one.name] = one


def registered() -> list[Personal]:
    """All classes of data, by name."""
    return [_registry[name] for name in sorted(_registry)]
