"""Published posts as search documents: the source that `portal.wiring` gives to the index."""

import html
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, func, select

from portal.discussions.models import Post, PostState, Thread
from portal.kernel.db import db, end_reading
from portal.search.engines.base import Document
from portal.search.sources import Source

_BATCH = 2000
# Tags inside a word leave no gap: <b>bold</b>er is one word; any other tag parts words.
_INLINE = re.compile(r"</?(?:a|abbr|b|code|del|em|i|ins|kbd|mark|s|small|span|strong|sub|sup|u|wbr)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")


def plain_text(stored_html: str) -> str:
    """The words of stored HTML. Only for HTML that the product made: it is regular."""
    return html.unescape(_TAG.sub(" ", _INLINE.sub("", stored_html)))


def _published() -> Select[*tuple[Any, ...]]:
    # Whoever may find it is decided when somebody searches; what nobody may find is not indexed at all.
    return (
        select(
            Post.id,
            Post.thread_id,
            Post.kind,
            Post.html,
            Post.score,
            Thread.title,
            Thread.tags,
            Thread.accepted_post_id,
        )
        # By posts, then their threads: without the sum SQLite begins with all threads, for each batch anew.
        .join(Thread, Thread.id == Post.thread_id + 0)
        .where(and_(Post.state == PostState.VISIBLE, Thread.state == PostState.VISIBLE))
    )


def _document(row: Any) -> Document:
    return Document(
        id=row.id,
        thread_id=row.thread_id,
        kind=row.kind.value,
        title=row.title,
        body=plain_text(row.html),
        tags=tuple(row.tags or ()),
        accepted=row.accepted_post_id == row.id,
        votes=row.score,
    )


def _documents(ids: list[int]) -> Iterator[Document]:
    for start in range(0, len(ids), _BATCH):
        rows = db.session.execute(_published().where(Post.id.in_(ids[start : start + _BATCH])))
        yield from map(_document, rows)


def _posts_of(thread_ids: list[int]) -> list[int]:
    return list(db.session.execute(select(Post.id).where(Post.thread_id.in_(thread_ids))).scalars())


def _everything() -> Iterator[Document]:
    last = 0
    while True:
        query = _published().where(Post.id > last).order_by(Post.id).limit(_BATCH)
        rows = db.session.execute(query).all()
        end_reading()  # an import of a million posts must not be one read transaction
        yield from map(_document, rows)
        if len(rows) < _BATCH:
            return
        last = rows[-1].id


def _count() -> int:
    return db.session.execute(
        select(func.count()).select_from(_published().order_by(None).subquery())
    ).scalar_one()


SOURCE = Source(name="posts", documents=_documents, posts_of=_posts_of, everything=_everything, count=_count)
