"""Threads with a closing summary as search documents: found by its words, and before others."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlalchemy import select

from portal.asks.models import Ask
from portal.discussions.searchable import SOURCE as POSTS
from portal.discussions.searchable import plain_text
from portal.kernel.db import db
from portal.search.engines.base import Document
from portal.search.sources import Source

_BATCH = 500


def _with_summaries(documents: Iterable[Document]) -> Iterator[Document]:
    batch: list[Document] = []
    for document in documents:
        batch.append(document)
        if len(batch) == _BATCH:
            yield from _filled(batch)
            batch = []
    yield from _filled(batch)


def _filled(batch: list[Document]) -> Iterator[Document]:
    threads = {document.thread_id for document in batch if document.kind == "opening"}
    summaries = {}
    if threads:
        rows = db.session.execute(
            select(Ask.thread_id, Ask.summary_html).where(
                Ask.thread_id.in_(threads), Ask.summary_at.is_not(None)
            )
        )
        summaries = {row.thread_id: plain_text(row.summary_html) for row in rows}
    for document in batch:
        summary = summaries.get(document.thread_id) if document.kind == "opening" else None
        if summary:
            # "accepted" is how an engine knows the post that settles a thread: here it is the summary.
            yield replace(document, body=f"{summary} {document.body}", accepted=True)
        else:
            yield document


def _documents(ids: list[int]) -> Iterable[Document]:
    return _with_summaries(POSTS.documents(ids))


def _everything() -> Iterator[Document]:
    return _with_summaries(POSTS.everything())


# Under the name of the source that it completes, whose place it takes.
SOURCE = Source(
    name=POSTS.name,
    documents=_documents,
    posts_of=POSTS.posts_of,
    everything=_everything,
    count=POSTS.count,
)
