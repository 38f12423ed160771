"""Writes the community as JSON, one object a line, in the importer's own format."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import aliased

from portal.discussions.models import (
    Audience,
    Board,
    Post,
    PostKind,
    PostState,
    ShownAs,
    Thread,
    ThreadKind,
    Vote,
)
from portal.exchange.records import Report
from portal.kernel.db import db, end_reading
from portal.members.models import Member

BATCH = 2_000
SHARED = [Audience.PUBLIC, Audience.PROSPECTS, Audience.CUSTOMERS]
WITHOUT_NAME = "Somebody who asked without a name"
NAMES = {PostKind.ANSWER: "answers", PostKind.REPLY: "replies", PostKind.COMMENT: "comments"}


def export(folder: Path, report: Report) -> None:
    """posts.jsonl, users.jsonl and votes.jsonl of everything that customers can read.

    Held, hidden and deleted posts and the staff's boards are left out. All of one moment; the files take
    their places when all three are whole. Raises OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    end_reading()
    if db.engine.dialect.name == "postgresql":  # SQLite's transactions see one moment anyway
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    parts = []
    authors = _Authors()
    files = (
        ("users", _users(report)),
        ("posts", _posts(report, authors)),
        ("votes", _votes(report, authors)),
    )
    for name, rows in files:
        path = folder / f"{name}.jsonl"
        with path.with_suffix(".part").open("w", encoding="utf-8") as file:
            for row in rows:
                _line(file, row)
        parts.append(path)
    for path in parts:
        path.with_suffix(".part").replace(path)
    end_reading()


def _line(file: IO[str], row: dict[str, Any]) -> None:
    file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def _users(report: Report) -> Iterator[dict[str, Any]]:
    last = 0
    while True:
        rows = db.session.execute(
            select(Member.id, Member.name, Member.username, Member.created_at)
            .where(Member.id > last)
            .order_by(Member.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        for row in rows:
            last = row.id
            report.make("users")
            yield {
                "id": f"u{row.id}",
                "name": row.name,
                "username": row.username,
                "joined": _iso(row.created_at),
            }


def _visible() -> Any:
    """What stands on pages: a comment on a hidden post does not."""
    above = aliased(Post)
    hidden_above = exists().where(above.id == Post.parent_id, above.state != PostState.VISIBLE)
    return and_(
        Board.audience.in_(SHARED),
        Thread.state == PostState.VISIBLE,
        Post.state == PostState.VISIBLE,
        ~hidden_above,
    )


def _posts(report: Report, authors: "_Authors") -> Iterator[dict[str, Any]]:
    parent = aliased(Post)
    last = (0, 0)
    while True:
        rows = db.session.execute(
            select(Post, Thread, Board.slug, Board.audience, parent.kind)
            .join(Thread, Thread.id == Post.thread_id)
            .join(Board, Board.id == Thread.board_id)
            .outerjoin(parent, parent.id == Post.parent_id)
            .where(
                _visible(),
                db.tuple_(Post.thread_id, Post.id) > last,
            )
            .order_by(Post.thread_id, Post.id)
            .limit(BATCH)
            .execution_options(populate_existing=True)
        ).all()
        if not rows:
            return
        for post, thread, board, audience, parent_kind in rows:
            last = (post.thread_id, post.id)
            row = _post(post, thread, parent_kind, report) | authors.of(post)
            if post.kind is PostKind.OPENING:
                row |= {"board": board, "audience": audience.value}
            yield row
        db.session.expunge_all()


def _post(post: Post, thread: Thread, parent_kind: PostKind | None, report: Report) -> dict[str, Any]:
    opening = post.kind is PostKind.OPENING
    kind = thread.kind.value if opening else post.kind.value
    report.make(NAMES.get(post.kind) or {ThreadKind.WAR_STORY: "war stories"}.get(thread.kind, f"{kind}s"))
    row: dict[str, Any] = {
        "id": f"p{post.id}",
        "thread": f"t{thread.id}",
        "kind": kind,
        "created": _iso(post.created_at),
        "score": post.score,
        "body": post.html or None,
        "source": post.source,
    }
    if opening:
        row |= {
            "id": f"t{thread.id}",
            "title": thread.title,
            "tags": thread.tags,
            "views": thread.views_count,
            "closed": _iso(thread.closed_at),
            "closed_reason": thread.closed_reason or None,
            "sections": post.sections,
        }
    else:
        under_opening = parent_kind in (None, PostKind.OPENING)
        row["parent"] = f"t{thread.id}" if under_opening else f"p{post.parent_id}"
        row["accepted"] = thread.accepted_post_id == post.id
    if post.sections:
        row["excerpt"] = post.excerpt  # not of the whole text: the headings are ours
    if post.source_format != "markdown":
        row["source_format"] = post.source_format
    if post.edited_at:
        row["edited"] = _iso(post.edited_at)
    if post.source_url:
        row["url"] = post.source_url
    return {name: value for name, value in row.items() if value is not None or name == "body"}


class _Authors:
    """Whoever appears as a role is somebody else in each thread: nothing leads from there to a person.

    Knows the authors of a thread once its posts were written, so votes come after posts.
    """

    def __init__(self) -> None:
        self._roles: dict[tuple[int, int], str] = {}
        self._in_thread: Counter[int] = Counter()

    def of(self, post: Post) -> dict[str, str]:
        if post.author_shown_as is ShownAs.NAME:
            return {"author": f"u{post.author_id}"}
        key = (post.thread_id, post.author_id)
        if key not in self._roles:
            self._in_thread[post.thread_id] += 1
            self._roles[key] = f"t{post.thread_id}-{self._in_thread[post.thread_id]}"
        return {"author": self._roles[key], "author_name": WITHOUT_NAME}

    def key(self, member_id: int, thread_id: int) -> str:
        return self._roles.get((thread_id, member_id), f"u{member_id}")


def _votes(report: Report, authors: _Authors) -> Iterator[dict[str, Any]]:
    yield from _acceptances(report, authors)
    last = 0
    while True:
        rows = db.session.execute(
            select(
                Vote.id, Vote.post_id, Vote.member_id, Vote.value, Vote.created_at, Post.kind, Post.thread_id
            )
            .join(Post, Post.id == Vote.post_id)
            .join(Thread, Thread.id == Post.thread_id)
            .join(Board, Board.id == Thread.board_id)
            .where(_visible(), Vote.id > last)
            .order_by(Vote.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        for row in rows:
            last = row.id
            report.make("votes")
            vote = {
                "post": f"t{row.thread_id}" if row.kind is PostKind.OPENING else f"p{row.post_id}",
                "kind": "up" if row.value > 0 else "down",
                "created": _iso(row.created_at),
            }
            if row.member_id is not None:
                vote["voter"] = authors.key(row.member_id, row.thread_id)
            yield vote


def _acceptances(report: Report, authors: _Authors) -> Iterator[dict[str, Any]]:
    rows = db.session.execute(
        select(Thread.accepted_post_id, Thread.accepted_at, Thread.author_id, Thread.id)
        .join(Board, Board.id == Thread.board_id)
        .join(Post, Post.id == Thread.accepted_post_id)
        .where(_visible(), Thread.accepted_at.is_not(None))
        .order_by(Thread.id)
    ).all()
    for post_id, moment, asker, thread_id in rows:
        report.make("votes")
        yield {
            "post": f"p{post_id}",
            "kind": "accept",
            "voter": authors.key(asker, thread_id),
            "created": _iso(moment),
        }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
