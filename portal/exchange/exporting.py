"""Writes the community as JSON, one object a line, in the importer's own format."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from portal.discussions.models import Audience, Board, Post, PostKind, PostState, Thread, ThreadKind, Vote
from portal.exchange.records import Report
from portal.kernel.db import db
from portal.members.models import Member

BATCH = 2_000
SHARED = [Audience.PUBLIC, Audience.PROSPECTS, Audience.CUSTOMERS]
NAMES = {PostKind.ANSWER: "answers", PostKind.REPLY: "replies", PostKind.COMMENT: "comments"}


def export(folder: Path, report: Report) -> None:
    """posts.jsonl, users.jsonl and votes.jsonl of everything that customers can read.

    Held, hidden and deleted posts and the staff's boards are left out. Each file is written whole or not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "users.jsonl", _users(report))
    _write(folder / "posts.jsonl", _posts(report))
    _write(folder / "votes.jsonl", _votes(report))


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    temporary = path.with_suffix(".part")
    with temporary.open("w", encoding="utf-8") as file:
        for row in rows:
            _line(file, row)
    temporary.replace(path)


def _line(file: IO[str], row: dict[str, Any]) -> None:
    file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def _users(report: Report) -> Iterator[dict[str, Any]]:
    last = 0
    while True:
        rows = db.session.execute(
            select(Member.id, Member.name, Member.created_at)
            .where(Member.id > last)
            .order_by(Member.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        for row in rows:
            last = row.id
            report.make("users")
            yield {"id": f"u{row.id}", "name": row.name, "joined": _iso(row.created_at)}


def _visible() -> Any:
    return and_(
        Board.audience.in_(SHARED), Thread.state == PostState.VISIBLE, Post.state == PostState.VISIBLE
    )


def _posts(report: Report) -> Iterator[dict[str, Any]]:
    parent = aliased(Post)
    last = (0, 0)
    while True:
        rows = db.session.execute(
            select(Post, Thread, Board.slug, parent.number)
            .join(Thread, Thread.id == Post.thread_id)
            .join(Board, Board.id == Thread.board_id)
            .outerjoin(parent, parent.id == Post.parent_id)
            .where(
                _visible(),
                or_(parent.id.is_(None), parent.state == PostState.VISIBLE),
                db.tuple_(Post.thread_id, Post.id) > last,
            )
            .order_by(Post.thread_id, Post.id)
            .limit(BATCH)
            .execution_options(populate_existing=True)
        ).all()
        if not rows:
            return
        for post, thread, board, parent_number in rows:
            last = (post.thread_id, post.id)
            yield _post(post, thread, board, parent_number, report)
        db.session.expunge_all()


def _post(
    post: Post, thread: Thread, board: str, parent_number: int | None, report: Report
) -> dict[str, Any]:
    opening = post.kind is PostKind.OPENING
    kind = thread.kind.value if opening else post.kind.value
    report.make(NAMES.get(post.kind) or {ThreadKind.WAR_STORY: "war stories"}.get(thread.kind, f"{kind}s"))
    row: dict[str, Any] = {
        "id": f"p{post.id}",
        "thread": f"t{thread.id}",
        "kind": kind,
        "author": f"u{post.author_id}",
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
            "board": board,
            "views": thread.views_count,
            "closed": _iso(thread.closed_at),
        }
    else:
        row["parent"] = f"t{thread.id}" if parent_number in (None, 1) else f"p{post.parent_id}"
        row["accepted"] = thread.accepted_post_id == post.id
    if post.edited_at:
        row["edited"] = _iso(post.edited_at)
    if post.source_url:
        row["url"] = post.source_url
    return {name: value for name, value in row.items() if value is not None or name == "body"}


def _votes(report: Report) -> Iterator[dict[str, Any]]:
    yield from _acceptances(report)
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
                vote["voter"] = f"u{row.member_id}"
            yield vote


def _acceptances(report: Report) -> Iterator[dict[str, Any]]:
    rows = db.session.execute(
        select(Thread.accepted_post_id, Thread.accepted_at, Thread.author_id)
        .join(Board, Board.id == Thread.board_id)
        .join(Post, Post.id == Thread.accepted_post_id)
        .where(_visible(), Thread.accepted_at.is_not(None))
        .order_by(Thread.id)
    ).all()
    for post_id, moment, asker in rows:
        report.make("votes")
        yield {"post": f"p{post_id}", "kind": "accept", "voter": f"u{asker}", "created": _iso(moment)}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
