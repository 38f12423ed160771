"""Posts whose HTML an older version of the renderer made, made anew from what is stored of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import func, select, update

from portal.discussions.models import Board, Post, Thread
from portal.discussions.services.text import prepare, prepare_war_story
from portal.kernel import markup
from portal.kernel.db import db, end_reading
from portal.kernel.errors import Invalid
from portal.kernel.unit_of_work import unit_of_work

BATCH = 100


class _Old(NamedTuple):
    id: int
    thread_id: int
    version: int
    source: str
    source_format: str
    sections: dict[str, Any] | None
    html: str
    excerpt: str
    is_brought: bool


def count_old() -> int:
    """How many posts an older renderer made."""
    return (
        db.session.scalar(
            select(func.count()).select_from(Post).where(Post.renderer_version < markup.RENDERER_VERSION)
        )
        or 0
    )


def render_old(progress: Callable[[int, int], None] = lambda _done, _of: None, most: int = 0) -> int:
    """Render posts of older versions again, `most` at the most (0: all); gives how many.

    Each batch is one transaction, begun after the rendering; a post edited meanwhile is left to its edit.
    Safe to interrupt and to repeat. Words, versions and marks of edits stay as they are.
    """
    total, done, last = count_old(), 0, 0
    while batch := _next(last):
        rendered = [(old, _render(old)) for old in batch]
        end_reading()
        with unit_of_work():
            for old, (html, excerpt) in rendered:
                db.session.execute(
                    update(Post)
                    .where(Post.id == old.id, Post.version == old.version)
                    .values(html=html, excerpt=excerpt[:240], renderer_version=markup.RENDERER_VERSION)
                )
            _touch({old.thread_id for old, new in rendered if new != (old.html, old.excerpt)})
        last, done = batch[-1].id, done + len(batch)
        progress(done, max(total, done))
        if most and done >= most:
            break
    return done


def _next(after: int) -> list[_Old]:
    rows = db.session.execute(
        select(
            Post.id, Post.thread_id, Post.version, Post.source, Post.source_format, Post.sections,
            Post.html, Post.excerpt,
            (Post.import_source.is_not(None) & (Post.version == 1)).label("is_brought"),
        )
        .where(Post.renderer_version < markup.RENDERER_VERSION, Post.id > after)
        .order_by(Post.id)
        .limit(BATCH)
    )  # fmt: skip
    return [_Old(*row) for row in rows]


def _render(old: _Old) -> tuple[str, str]:
    """HTML and excerpt. What came as HTML is cleaned again: its Markdown is only for editing."""
    if not old.source.strip() and not old.html.strip():
        return old.html, old.excerpt
    try:
        if old.source_format == "text":
            rendered = markup.text_to_html(old.source)
            return rendered.html, rendered.excerpt
        if old.is_brought or old.source_format != "markdown":
            return markup.clean_again(old.html).html, old.excerpt
        prepared = prepare_war_story(old.sections) if old.sections else prepare(old.source)
    except Invalid:  # longer than a text may be today, or without its source
        return markup.clean_again(old.html).html, old.excerpt
    return prepared.html, prepared.excerpt


def _touch(threads: set[int]) -> None:
    boards = select(Thread.board_id).where(Thread.id.in_(threads))
    db.session.execute(
        update(Board).where(Board.id.in_(boards)).values(content_version=Board.content_version + 1)
    )
    db.session.execute(
        update(Thread).where(Thread.id.in_(threads)).values(content_version=Thread.content_version + 1)
    )
