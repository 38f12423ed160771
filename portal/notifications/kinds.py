"""A registry: the kinds of notice. Features fill it through `portal.wiring`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.kernel.access import Viewer
from portal.notifications.models import Notice


@dataclass(frozen=True)
class Line:
    """What one notice says to its reader now. `url` is a path; `thread_key` groups mails of one thread."""

    sentence: str  # "Tomasz Wiśniewski answered your question"
    title: str  # "Flow keeps retrying a dead SFTP target"
    url: str
    excerpt: str = ""
    html: str = ""  # safe HTML of the post, for the mail
    thread_key: str = ""  # "thread-7"
    sections: list[dict[str, Any]] = field(default_factory=list)  # digest: title, url, facts


Resolve = Callable[[Viewer, Sequence[Notice]], dict[int, Line]]


@dataclass(frozen=True)
class Kind:
    """A kind of notice. `resolve` gives the lines this viewer may see, by notice id; others are not shown.

    `label` completes "Tell me when …" on the preferences page. A `required` kind cannot be switched off.
    """

    name: str
    label: str
    resolve: Resolve
    in_app: bool = True
    by_mail: bool = True
    required: bool = False
    listed: bool = True  # whether it has a row of its own on the preferences page
    order: int = 50


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Add kinds of notice; the same name again replaces the former."""
    for kind in kinds:
        _kinds[kind.name] = kind


def registered() -> list[Kind]:
    """The kinds that can be chosen, in the order of the preferences page."""
    return sorted((kind for kind in _kinds.values() if kind.listed), key=lambda kind: (kind.order, kind.name))


def find(name: str) -> Kind | None:
    return _kinds.get(name)


def resolve(viewer: Viewer, notices: Sequence[Notice]) -> dict[int, Line]:
    """The lines of these notices that the viewer may see now: a statement or two for each kind among them."""
    lines: dict[int, Line] = {}
    by_kind: dict[str, list[Notice]] = {}
    for notice in notices:
        by_kind.setdefault(notice.kind, []).append(notice)
    for name, group in by_kind.items():
        kind = find(name)
        if kind is not None:
            lines.update(kind.resolve(viewer, group))
    return lines
