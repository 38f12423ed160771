"""Where documents come from: filled by `portal.wiring`, so that search needs to know no post."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from portal.search.engines.base import Document


@dataclass(frozen=True)
class Source:
    """What can be searched. Only what is published is given: nothing held, hidden, deleted or private.

    `documents(ids)` gives those of the posts that may be found; `posts_of(thread_ids)` every post of the
    threads, findable or not; `everything()` all documents, and may take many statements; `count()` how many
    there will be, roughly.
    """

    name: str
    documents: Callable[[list[int]], Iterable[Document]]
    posts_of: Callable[[list[int]], list[int]]
    everything: Callable[[], Iterator[Document]]
    count: Callable[[], int]


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Add a source; the same name again replaces the former."""
    _sources[source.name] = source


def registered() -> list[Source]:
    """All sources, by name."""
    return [_sources[name] for name in sorted(_sources)]
