"""Search for one viewer: the engine's ids through the visibility query, then totals, facets and snippets.

The engine answers with at most 1,000 ids. One statement drops what the viewer may not read and brings the
facts of the rest; totals and facets are counted over these rows alone, so nothing that is out of sight can
change a number, and each facet can leave its own filter aside.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, Integer, Select, bindparam, case, func, select

from portal.discussions.authors import BY_POST, may_name_author
from portal.discussions.guests import unveiled, veil_over, with_title, without_guests
from portal.discussions.models import Board, Post, PostKind, Tag, Thread, ThreadKind, ThreadTag
from portal.discussions.policy import text_is_visible
from portal.discussions.queries.finding import SITE_VERSION, kind_of
from portal.discussions.queries.narrowing import Asked, Choice, dates, facets, tests
from portal.discussions.searchable import plain_text
from portal.kernel import clock, page_cache
from portal.kernel.access import Viewer, zone_of
from portal.kernel.db import db, rows_of
from portal.members.display import PersonLine, Reader, person_line, reader_of, with_person
from portal.members.models import Member
from portal.search import services as search
from portal.search.analysis import fold, stem, tokens
from portal.search.engines.base import MAX_HITS, Hits, IndexUnavailable
from portal.search.query import Query, Unit, parse
from portal.search.snippets import highlight, words_of

ROWS = 20
FEW = 5
"""With fewer posts that have all words, those with some of them are shown too."""
SORTS = ("relevance", "newest", "helpful")


@dataclass(frozen=True)
class FoundThread:
    """A thread with its best post. `title` and `snippet` carry marks."""

    id: int
    post_id: int
    post_kind: PostKind
    url: str
    thread_url: str
    title: Markup
    snippet: Markup
    kind: ThreadKind
    author: PersonLine
    created_at: datetime
    board_name: str
    board_slug: str
    tags: tuple[str, ...]
    accepted: bool
    answered: bool
    vendor_replied: bool
    closed: bool
    held: bool
    answers_count: int
    replies_count: int
    helpful: int
    more: int  # further posts of the thread that answer the query


@dataclass(frozen=True)
class Suggestion:
    """A likelier spelling of the query, with the number of threads that the viewer would get."""

    text: str
    threads: int


@dataclass(frozen=True)
class Found:
    """One page of results. `total` counts threads; `cut`: there may be more than were looked at;
    `some_words`: not all of these have every word; `titles_only`: the index is not available."""

    threads: list[FoundThread] = field(default_factory=list)
    total: int = 0
    page: int = 1
    pages: int = 0
    cut: bool = False
    some_words: bool = False
    titles_only: bool = False
    suggestion: Suggestion | None = None
    facets: dict[str, list[Choice]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Outline:
    """A page of results without the words of its posts: those are asked for anew each time."""

    answer: Found
    shown: list[tuple[Any, int]]
    marks: Query


# Totals and facets of what people look at now, page by page. What is kept rests on the engine's hits and on
# the versions of boards and site, so only what changes neither (a vote) is seen some seconds late.
_outlines: page_cache.Recent[_Outline] = page_cache.Recent(200, 10)
_VERSION = select(func.coalesce(func.sum(Board.content_version), 0), SITE_VERSION)


def find(viewer: Viewer, asked: Asked, page: int = 1) -> Found:
    """What the viewer finds, 20 threads a page from 1. A page beyond the last is empty.

    Takes at most six statements, however much is found.
    """
    query = parse(without_guests(reader_of(viewer), asked.q))
    if not query and (asked.q.strip() or not asked.has_filters):
        return Found()
    try:
        hits = search.find(query) if query else Hits()
        key = (asked, query, page, _same_for(viewer), tuple(hit.id for hit in hits.hits), hits.complete)
        outline = _outlines.get(key, lambda: _outline(viewer, asked, page, query, hits))
    except IndexUnavailable:
        found = _titled(viewer, query)
        rows = [row for row, _whole in _as_read(viewer, query, ((row, True) for row in found))]
        answer = Found(titles_only=True, cut=len(rows) >= MAX_HITS)
        outline = _page_of(viewer, asked, page, rows, _as_listed(rows), answer, query)
    return replace(outline.answer, threads=_read(viewer, outline.shown, outline.marks))


def _same_for(viewer: Viewer) -> tuple[Any, ...]:
    """Who finds the same, as long as nothing changes and the day does not end."""
    today = clock.now().astimezone(zone_of(viewer)).date()
    who = (viewer.member_id, viewer.status, viewer.duties, viewer.permissions, viewer.time_zone)
    return (id(db.engine), *who, today, tuple(rows_of(_VERSION).one()))


def _outline(viewer: Viewer, asked: Asked, page: int, query: Query, hits: Hits) -> _Outline:
    if not query:
        rows = _listed(viewer, asked)
        answer = Found(cut=len(rows) >= MAX_HITS)
        return _page_of(viewer, asked, page, rows, _as_listed(rows), answer, query)
    rows, order, answer, marks = _searched(viewer, query, hits)
    return _page_of(viewer, asked, page, rows, order, answer, marks)


def _as_listed(rows: list[Any]) -> dict[int, float]:
    return {row.id: -place for place, row in enumerate(rows)}


def _page_of(
    viewer: Viewer,
    asked: Asked,
    page: int,
    rows: list[Any],
    order: dict[int, float],
    answer: Found,
    marks: Query,
) -> _Outline:
    wanted = tests(asked, viewer)
    chosen = [row for row in rows if all(test(row) for test in wanted.values())]
    grouped = _grouped(chosen, asked.sort, order)
    answer = replace(
        answer,
        total=len(grouped),
        page=page,
        pages=-(-len(grouped) // ROWS),
        facets=facets(rows, wanted, asked, viewer),
    )
    return _Outline(answer, grouped[(page - 1) * ROWS : page * ROWS], marks)


# --- what may be seen ---


# Posts first, by their ids, then their threads. Without the sum SQLite begins with all visible threads, since
# it takes an index of threads for more selective: 80 ms instead of 10 for 1,000 ids among 100,000 posts.
_ITS_THREAD = Thread.id == Post.thread_id + 0
_IDS: Any = bindparam("ids", type_=Integer, expanding=True)


def _rows(
    viewer: Viewer, thread: ColumnElement[bool] = Thread.id == Post.thread_id
) -> Select[*tuple[Any, ...]]:
    """Posts with what facets and lists need; no author where this viewer may not know who wrote it."""
    named = may_name_author(viewer)
    return (
        select(
            Post.id,
            Post.thread_id,
            Post.created_at,
            Post.score,
            Thread.kind.label("thread_kind"),
            Thread.title,
            Thread.slug,
            Thread.tags,
            Thread.accepted_post_id,
            Thread.answers_count,
            Board.slug.label("board_slug"),
            Board.name.label("board_name"),
            case((named, Member.username)).label("username"),
            case((named, Member.name)).label("author_name"),
        )
        .join(Thread, thread)
        .join(Board, Board.id == Thread.board_id)
        .join(Member, Member.id == Post.author_id)
    )


def _visible(viewer: Viewer, ids: Sequence[int]) -> list[Any]:
    """Of these posts those whose words the viewer may read, with what facets and lists need."""
    if not ids:
        return []
    return list(rows_of(_visible_statement(_kind_of(viewer)), {"me": viewer.member_id, "ids": ids}))


@lru_cache(64)
def _visible_statement(viewer: Viewer) -> Any:
    return _rows(viewer, _ITS_THREAD).where(Post.id.in_(_IDS), text_is_visible(viewer))


def _kind_of(viewer: Viewer) -> Viewer:
    """As `kind_of`, with the duties: they decide whose names are read."""
    return replace(kind_of(viewer), duties=viewer.duties)


def _searched(viewer: Viewer, query: Query, hits: Hits) -> tuple[list[Any], dict[int, float], Found, Query]:
    rows, complete = _found(viewer, query, hits)
    if len(complete) < FEW and len(hits.hits) == hits.complete:
        filled = search.find(query, fill=True)
        if len(filled.hits) > len(hits.hits):  # most of the full hits are out of this viewer's sight
            hits = filled
            rows, complete = _found(viewer, query, hits)
    some_words = len(complete) < FEW and len(rows) > len(complete)
    suggestion = _suggestion(viewer, hits.suggestion, query) if hits.suggestion else None
    marks = query
    if hits.suggestion and some_words:
        marks = replace(query, units=query.units + parse(hits.suggestion).units)
    order = {hit.id: hit.rank for hit in hits.hits}
    if some_words:
        # Those with every word stay before those with some.
        best = max(order.values())
        order.update({row.id: order[row.id] + best for row in complete})
    answer = Found(some_words=some_words, suggestion=suggestion, cut=len(hits.hits) >= MAX_HITS)
    return rows if some_words else complete, order, answer, marks


def _found(viewer: Viewer, query: Query, hits: Hits) -> tuple[list[Any], list[Any]]:
    """Of the hits what the viewer may read, and of these the posts that have every word."""
    whole = {hit.id for hit in hits.hits[: hits.complete]}
    rows = _visible(viewer, [hit.id for hit in hits.hits])
    read = _as_read(viewer, query, ((row, row.id in whole) for row in rows))
    return [row for row, _whole in read], [row for row, is_whole in read if is_whole]


def _as_read(viewer: Viewer, query: Query, found: Iterable[tuple[Any, bool]]) -> list[tuple[Any, bool]]:
    """Posts, and whether they have every word, as far as the words stand in what this viewer reads.

    Sales and service read no names of prospects, so a name finds, counts and narrows nothing for them.
    """
    found = list(found)
    reader = reader_of(viewer)
    if reader is not Reader.SELLER or not found:
        return found
    words = select(Post.id, Post.html).where(Post.id.in_([row.id for row, _whole in found]))
    texts = {row.id: row.html for row in db.session.execute(words)}
    written = [text for row, _whole in found for text in (row.title, texts[row.id])]
    veil = veil_over(reader, written, [row.thread_id for row, _whole in found])
    if veil is unveiled:
        return found
    left = []
    for row, whole in found:
        title, html = veil(row.title, row.thread_id), veil(texts[row.id], row.thread_id)
        if (title, html) == (row.title, texts[row.id]):
            left.append((row, whole))
            continue
        shown = words_of(f"{title} {plain_text(html)}")
        met = [unit for unit in query.units if _is_met(unit, shown)]
        if met:
            left.append((row, whole and len(met) == len(query.units)))
    return left


def _is_met(unit: Unit, words: frozenset[str]) -> bool:
    return words.issuperset(unit.terms) or unit.whole in words or bool(words.intersection(unit.instead))


def _titled(viewer: Viewer, query: Query) -> list[Any]:
    """Without an index: threads whose title has every word as it was typed, newest first."""
    conditions = [
        Thread.title.ilike(f"%{_escaped(word)}%", escape="\\")
        for word in dict.fromkeys(query.text.replace('"', " ").split())
    ]
    return list(
        db.session.execute(
            _rows(viewer)
            .where(Post.kind == PostKind.OPENING, text_is_visible(viewer), *conditions)
            .order_by(Post.id.desc())
            .limit(MAX_HITS)
        )
    )


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _listed(viewer: Viewer, asked: Asked) -> list[Any]:
    """Without words: the openings, or posts of the author, that the filters leave; newest or best first."""
    conditions: list[ColumnElement[bool]] = [text_is_visible(viewer)]
    if asked.author:
        conditions += [Member.username == asked.author, may_name_author(viewer)]
    else:
        conditions.append(Post.kind == PostKind.OPENING)
    if asked.tag:
        tagged = (
            select(ThreadTag.thread_id).join(Tag, Tag.id == ThreadTag.tag_id).where(Tag.name == asked.tag)
        )
        conditions.append(Thread.id.in_(tagged))
    if asked.board:
        conditions.append(Board.slug == asked.board)
    if asked.kind:
        conditions.append(Thread.kind == asked.kind)
    if asked.answered is not None:
        accepted = Thread.accepted_post_id
        conditions.append(Thread.kind == ThreadKind.QUESTION)
        conditions.append(accepted.is_not(None) if asked.answered else accepted.is_(None))
    start, end = dates(asked, viewer)
    if start is not None:
        conditions.append(Post.created_at >= start)
    if end is not None:
        conditions.append(Post.created_at < end)
    # Before the cut, so that what is looked at is the best by what was asked for.
    first = [Post.score.desc()] if asked.sort == "helpful" else []
    # An opening is as old as its thread, and threads have an index for it.
    newest = (Post.created_at, Post.id) if asked.author else (Thread.created_at, Thread.id)
    order = (*first, *(column.desc() for column in newest))
    return list(db.session.execute(_rows(viewer).where(*conditions).order_by(*order).limit(MAX_HITS)))


def _suggestion(viewer: Viewer, text: str, query: Query) -> Suggestion | None:
    """The likelier spelling, if the viewer would find all its words, spelled as in what they may read."""
    better = parse(text)
    try:
        hits = search.find(better)
    except IndexUnavailable:
        return None
    reader = reader_of(viewer)
    ids = [hit.id for hit in hits.hits[: hits.complete]]
    if reader is Reader.SELLER:
        read = {row.id for row in _found(viewer, better, hits)[1]}
        ids = [post_id for post_id in ids if post_id in read]
    if not ids:
        return None
    words = case((Post.id.in_(ids[:ROWS]), Post.html), else_=None).label("html")
    rows = db.session.execute(
        select(Post.thread_id, Thread.title, words)
        .join(Thread, _ITS_THREAD)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.id.in_(ids), text_is_visible(viewer))
    ).all()
    shown = [row for row in rows if row.html is not None]
    texts = [text for row in shown for text in (row.title, row.html)]
    veil = veil_over(reader, texts, [row.thread_id for row in shown])
    spellings: dict[str, Counter[str]] = {}
    for row in shown:
        title, html = veil(row.title, row.thread_id), veil(row.html, row.thread_id)
        for token in tokens(fold(f"{title} {plain_text(html)}")):
            for word in token.words:
                spellings.setdefault(stem(word), Counter())[word] += 1
    typed = set(query.text.split())
    chosen = []
    for word in text.split():
        seen = spellings.get(stem(word))
        if word in typed:
            chosen.append(word)
        elif seen is None:
            return None
        else:
            chosen.append(word if word in seen else seen.most_common(1)[0][0])
    return Suggestion(" ".join(chosen), len({row.thread_id for row in rows}))


def _grouped(rows: list[Any], sort: str, order: dict[int, float]) -> list[tuple[Any, int]]:
    """The best row of each thread with the number of its others, best thread first."""

    def by(row: Any) -> tuple[Any, ...]:
        rank = (order.get(row.id, 0.0), row.id)
        if sort == "newest":
            return (row.created_at, *rank)
        if sort == "helpful":
            return (row.score, *rank)
        return rank

    threads: dict[int, list[Any]] = {}
    for row in rows:
        threads.setdefault(row.thread_id, []).append(row)
    best = [(max(posts, key=by), len(posts) - 1) for posts in threads.values()]
    return sorted(best, key=lambda pair: by(pair[0]), reverse=True)


# --- what is shown ---


def _read(viewer: Viewer, grouped: list[tuple[Any, int]], query: Query) -> list[FoundThread]:
    """The words of these posts, asked for once more through the visibility query."""
    if not grouped:
        return []
    ids = [row.id for row, _ in grouped]
    statement = _words_statement(kind_of(viewer))
    details = {row.id: row for row in rows_of(statement, {"me": viewer.member_id, "ids": ids})}
    reader = reader_of(viewer)
    texts = [row.html for row in details.values()] + [row.title for row, _ in grouped]
    veil = veil_over(reader, texts, [row.thread_id for row, _ in grouped])
    found = []
    for row, more in grouped:
        post = details.get(row.id)
        if post is None:
            continue  # hidden between the two statements
        row = with_title(veil, row, "thread_id")
        html = veil(post.html, row.thread_id)
        thread_url = f"/threads/{row.thread_id}/{row.slug}"
        found.append(
            FoundThread(
                id=row.thread_id,
                post_id=row.id,
                post_kind=post.kind,
                url=thread_url if post.kind is PostKind.OPENING else f"/posts/{row.id}",
                thread_url=thread_url,
                title=_title(row.title, query),
                snippet=_snippet(html, query),
                kind=row.thread_kind,
                author=person_line(post, reader, by_vendor=post.by_vendor),
                created_at=row.created_at,
                board_name=row.board_name,
                board_slug=row.board_slug,
                tags=tuple(row.tags or ()),
                accepted=row.accepted_post_id == row.id,
                answered=row.accepted_post_id is not None,
                vendor_replied=post.vendor_replied,
                closed=post.closed_at is not None,
                held=False,
                answers_count=row.answers_count,
                replies_count=max(0, post.posts_count - 1),
                helpful=post.thread_score,
                more=more,
            )
        )
    return found


@lru_cache(64)
def _words_statement(viewer: Viewer) -> Any:
    words = (
        select(
            Post.id,
            Post.kind,
            Post.html,
            Post.by_vendor,
            Thread.posts_count,
            Thread.vendor_replied,
            Thread.closed_at,
            Thread.score.label("thread_score"),
            *BY_POST,
        )
        .join(Thread, _ITS_THREAD)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.id.in_(_IDS), text_is_visible(viewer))
    )
    return with_person(words, Post.author_id)


@lru_cache(2048)
def _title(text: str, query: Query) -> Markup:
    return _marked(text, query, 400)


def _snippet(html: str, query: Query) -> Markup:
    """The part of a post that shows why it was found; kept, since what is looked for is found again."""
    key = ("snippet", query, hashlib.blake2b(html.encode(), digest_size=16).digest())
    return Markup(page_cache.fragments.get(key, lambda: str(_marked(plain_text(html), query))))  # noqa: S704 - marked and escaped


def _marked(text: str, query: Query, size: int = 240) -> Markup:
    pieces = highlight(text, query, size)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(piece) if is_marked else escape(piece) for is_marked, piece in pieces
    )
