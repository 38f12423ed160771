"""Bodies made ready on every core: the slow part of an import."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from portal.kernel import markup

CHUNK = 100


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


def make(raw: Raw) -> Body:
    """The body as the product would have stored it. What is over the limits is kept as plain text."""
    text = (raw.body or "").replace("\x00", "")
    if not text.strip():
        return Body(raw.source or "", "markdown", "", "")
    try:
        if raw.body_format == "html":
            rendered = markup.clean_html(text, raw.base_url or None)
            source = (
                raw.source if raw.source is not None else markup.html_to_source(text, raw.base_url or None)
            )
            return Body(source, "markdown", rendered.html, rendered.excerpt)
        if raw.body_format == "markdown":
            rendered = markup.render(text)
            return Body(text, "markdown", rendered.html, rendered.excerpt)
    except markup.MarkupTooLarge as error:
        rendered = markup.text_to_html(text)
        return Body(text, "text", rendered.html, rendered.excerpt, f"kept as plain text: {error}")
    rendered = markup.text_to_html(text)
    return Body(markup.text_to_source(text), "markdown", rendered.html, rendered.excerpt)


def make_all(raws: list[Raw]) -> Iterator[Body]:
    """The bodies in order, made by as many processes as there are cores."""
    if len(raws) < 2 * CHUNK:
        yield from map(make, raws)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count() or 1, mp_context=context) as pool:
        window = 4 * (os.cpu_count() or 1)
        waiting = []
        for piece in _pieces(raws):
            waiting.append(pool.submit(_make_some, piece))
            if len(waiting) >= window:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()


def _make_some(raws: Iterable[Raw]) -> list[Body]:
    return [make(raw) for raw in raws]


def _pieces(raws: list[Raw]) -> Iterator[list[Raw]]:
    for start in range(0, len(raws), CHUNK):
        yield raws[start : start + CHUNK]
