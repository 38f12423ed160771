"""Bodies made ready on every core: the slow part of an import."""

import os
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from itertools import chain, islice
from typing import NamedTuple

from portal.kernel import markup
from portal.kernel.cores import pool

CHUNK = 100  # bodies handed to a process at once
AHEAD = 12  # such pieces for each core: while one batch is written, the next is made


class Body(NamedTuple):
    """What is stored of a body. `note` says what could not be taken as it was."""

    source: str
    source_format: str
    html: str
    excerpt: str
    note: str = ""


class Raw(NamedTuple):
    """A body as it was read: html, markdown or text; None for a title-only post."""

    body: str | None
    body_format: str
    source: str | None
    base_url: str
    source_format: str = "markdown"


def make(raw: Raw) -> Body:
    """The body as the product would have stored it. What is over the limits is kept as plain text."""
    text = (raw.body or "").replace("\x00", "")
    if not text.strip():
        return Body((raw.source or "").replace("\x00", ""), raw.source_format, "", "")
    try:
        if raw.body_format == "html":
            rendered = markup.clean_html(text, raw.base_url or None)
            source = (
                raw.source if raw.source is not None else markup.html_to_source(text, raw.base_url or None)
            )
            source_format = raw.source_format if raw.source is not None else "markdown"
            return Body(source.replace("\x00", ""), source_format, rendered.html, rendered.excerpt)
        if raw.body_format == "markdown":
            rendered = markup.render(text)
            return Body(text, "markdown", rendered.html, rendered.excerpt)
    except markup.MarkupTooLarge as error:
        rendered = markup.text_to_html(text)
        return Body(text, "text", rendered.html, rendered.excerpt, f"kept as plain text: {error}")
    rendered = markup.text_to_html(text)
    return Body(markup.text_to_source(text), "markdown", rendered.html, rendered.excerpt)


def make_all(raws: Iterable[Raw]) -> Generator[Body, None, None]:
    """The bodies in order, made by as many processes as there are cores, a little ahead of whoever asks.

    Close it to end the processes early.
    """
    source = iter(raws)
    first = list(islice(source, 2 * CHUNK))
    if len(first) < 2 * CHUNK:
        yield from map(make, first)
        return
    cores = os.cpu_count() or 1
    with pool(cores) as processes:
        waiting: deque[Future[list[Body]]] = deque()
        rest = chain(first, source)
        while piece := list(islice(rest, CHUNK)):
            waiting.append(processes.submit(_make_some, piece))
            if len(waiting) >= AHEAD * cores:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _make_some(raws: list[Raw]) -> list[Body]:
    return [make(raw) for raw in raws]
