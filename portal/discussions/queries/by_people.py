"""What people wrote, as far as the viewer may read it: for their pages and their company's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, tuple_

from portal.discussions.authors import named_in_post, named_in_thread
from portal.discussions.guests import Veil, veil_over
from portal.discussions.models import Board, Post, PostKind, PostState, Thread
from portal.discussions.policy import text_is_visible, thread_is_visible
from portal.discussions.queries.lists import thread_lines, visible_threads
from portal.kernel import paging
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.kernel.paging import Page
from portal.members.display import reader_of

ROWS = 20
COUNTED = 1000


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """An answer, reply or comment of a person, with the thread it stands in."""

    url: str
    title: str
    board_name: str
    excerpt: str
    created_at: datetime
    kind: str
    accepted: bool
    score: int
    told_as_score: bool  # it came along from elsewhere, where one votes down, too


class Counts(NamedTuple):
    """How much of a person's writing this viewer may read, each counted up to 1,000."""

    threads: int
    answers: int
    accepted: int


def threads_by(
    viewer: Viewer, authors: Select[Any] | list[int], *, after: str = "", rows: int = ROWS
) -> Page:
    """A page of the visible threads that these people opened, the newest first. ThreadLine rows.

    What somebody opened without a name is there for themselves alone.
    """
    query = visible_threads(viewer).where(
        Thread.author_id.in_(authors), Thread.state == PostState.VISIBLE, named_in_thread(viewer)
    )
    found, following = _page(query, (Thread.created_at, Thread.id), after, rows)
    return Page(rows=thread_lines(viewer, found), next=following)


def posts_by(viewer: Viewer, author_id: int, *, after: str = "", rows: int = ROWS) -> Page:
    """A page of what this person wrote in threads, openings left out, the newest first. AnswerLine rows."""
    query = (
        select(
            Post.id,
            Post.kind,
            Post.excerpt,
            Post.created_at,
            Post.score,
            Post.votes_count,
            Thread.id.label("thread_id"),
            Thread.title,
            Thread.accepted_post_id,
            Board.name.label("board_name"),
        )
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.author_id == author_id, Post.kind != PostKind.OPENING, text_is_visible(viewer))
        .where(Post.state == PostState.VISIBLE, named_in_post(viewer))
    )
    found, following = _page(query, (Post.created_at, Post.id), after, rows)
    texts = [text for row in found for text in (row.title, row.excerpt)]
    veil = veil_over(reader_of(viewer), texts, [row.thread_id for row in found])
    return Page(rows=[_answer_line(row, veil) for row in found], next=following)


def counts_of(viewer: Viewer, author_id: int) -> Counts:
    """How many threads, answers and accepted answers of this person the viewer may read; one statement."""
    threads = (
        select(Thread.id)
        .join(Board, Board.id == Thread.board_id)
        .where(Thread.author_id == author_id, Thread.state == PostState.VISIBLE, thread_is_visible(viewer))
        .where(named_in_thread(viewer))
    )
    answers = (
        select(Post.id)
        .join(Thread, Thread.id == Post.thread_id)
        .join(Board, Board.id == Thread.board_id)
        .where(Post.author_id == author_id, Post.kind == PostKind.ANSWER, Post.state == PostState.VISIBLE)
        .where(text_is_visible(viewer), named_in_post(viewer))
    )
    accepted = answers.where(Thread.accepted_post_id == Post.id)
    counted = [
        select(func.count()).select_from(one.limit(COUNTED).subquery()).scalar_subquery()
        for one in (threads, answers, accepted)
    ]
    return Counts._make(db.session.execute(select(*counted)).one())


def _page(query: Any, keys: tuple[Any, Any], after: str, rows: int) -> tuple[list[Any], str]:
    moment, number = keys
    if (last := paging.decode(after, datetime, int)) is not None:
        query = query.where(tuple_(moment, number) < tuple_(*last, types=[moment.type, number.type]))
    query = query.order_by(moment.desc(), number.desc()).limit(rows + 1)
    found = list(db.session.execute(query).all())
    cut = found[:rows]
    return cut, paging.encode(cut[-1].created_at, cut[-1].id) if len(found) > rows else ""


def _answer_line(row: Any, veil: Veil) -> AnswerLine:
    return AnswerLine(
        url=f"/posts/{row.id}",
        title=veil(row.title, row.thread_id),
        board_name=row.board_name,
        excerpt=veil(row.excerpt, row.thread_id),
        created_at=row.created_at,
        kind=row.kind.value,
        accepted=row.accepted_post_id == row.id,
        score=row.score,
        told_as_score=row.score != row.votes_count,
    )
