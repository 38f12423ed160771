"""Threads that resemble the one somebody is about to open, so that nobody asks what was answered."""

import re
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select

from portal.discussions.guests import veil_titles
from portal.discussions.models import Board, Post, PostState, Thread, ThreadKind
from portal.discussions.policy import thread_is_visible
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.display import reader_of
from portal.search import services as search
from portal.search.engines.base import IndexUnavailable
from portal.search.query import parse

MOST = 5
_LOOKED_AT = 200  # hits of the index
_NEWEST = 1000  # threads that are looked at without it
_WORDS_ASKED = 8
# Words that half of all titles have say nothing about what a thread is about.
_COMMON = """
    a about after all am an and any are as at be been but by can cannot could did do does for from
    get had has have how i if in into is it its me my no not of on one or our should so some than
    that the their them then there they this to up us use using was we what when where which while
    who why will with without would you your
"""


class Similar(NamedTuple):
    """One line of the list, as components/threads.html reads it."""

    url: str
    title: str
    kind: str
    answers_count: int
    replies_count: int
    answered: bool
    vendor_replied: bool
    closed: bool


def resembling(viewer: Viewer, title: str) -> list[Similar]:
    """At most five threads that the viewer may read, whose titles share most of their words with `title`.

    Looked for in the index, and among the newest threads, which the index may not have yet.
    """
    words = _words(title)
    if len(words) < 2:
        return []
    wanted = {_stem(word) for word in words}
    # As this viewer reads them: a title is not found by a name that stands in it for others.
    candidates = veil_titles(reader_of(viewer), _candidates(viewer, title, words))
    scored = [(_closeness(wanted, row.title), row) for row in candidates]
    near = sorted((pair for pair in scored if pair[0] >= 0.5), key=lambda pair: (-pair[0], -pair[1].id))
    return [_line(row) for _score, row in near[:MOST]]


def _candidates(viewer: Viewer, title: str, words: set[str]) -> list[Any]:
    try:
        indexed = [hit.id for hit in search.find(parse(" ".join(sorted(words))), fill=True).hits[:_LOOKED_AT]]
    except IndexUnavailable:
        indexed = []
    newest = select(db.func.max(Thread.id)).scalar_subquery() - _NEWEST
    rare = sorted(words, key=len, reverse=True)[:_WORDS_ASKED]
    shares_a_word = or_(*(Thread.title.icontains(_stem(word), autoescape=True) for word in rare))
    of_indexed = select(Post.thread_id).where(Post.id.in_(indexed))
    return list(
        db.session.execute(
            select(
                Thread.id,
                Thread.slug,
                Thread.title,
                Thread.kind,
                Thread.posts_count,
                Thread.answers_count,
                Thread.accepted_post_id,
                Thread.vendor_replied,
                Thread.closed_at,
            )
            .join(Board, Board.id == Thread.board_id)
            .where(
                thread_is_visible(viewer),
                Thread.state == PostState.VISIBLE,
                or_(Thread.id.in_(of_indexed), and_(Thread.id > newest, shares_a_word)),
            )
            .order_by(Thread.id.desc())
            .limit(2 * _LOOKED_AT)
        )
    )


def _line(row: Any) -> Similar:
    return Similar(
        url=f"/threads/{row.id}/{row.slug}",
        title=row.title,
        kind=ThreadKind(row.kind).value,
        answers_count=row.answers_count,
        replies_count=max(0, row.posts_count - 1),
        answered=row.accepted_post_id is not None,
        vendor_replied=row.vendor_replied,
        closed=row.closed_at is not None,
    )


def _words(title: str) -> set[str]:
    words = re.findall(r"[\w.+#-]+", title.lower()[:300])
    return {word.strip(".-") for word in words} - set(_COMMON.split()) - {""}


def _stem(word: str) -> str:
    """The word without its usual English ending, so that "retries" meets "retry"."""
    for ending, instead in (("ies", ""), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("y", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending) + instead
    return word


def _closeness(wanted: set[str], title: str) -> float:
    """Share of the smaller set of words that both titles have; at least two words must meet."""
    theirs = {_stem(word) for word in _words(title)}
    both = len(wanted & theirs)
    return both / min(len(wanted), max(len(theirs), 1)) if both >= 2 else 0.0
