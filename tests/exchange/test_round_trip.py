"""What is written by the export and read by the import again is the same community."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal import create_app
from portal.discussions.models import Audience, Board, Post, PostState, Thread, ThreadKind, Vote
from portal.discussions.services import acceptance, removal, voting
from portal.discussions.services.posting import open_thread, post_comment, post_reply
from portal.discussions.services.recount import recount
from portal.kernel.db import Base, db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.settings import Settings
from tests.conftest import make_board, make_customer, make_moderator, viewer_of
from tests.exchange.communities import read_lines, report_of, run_export, run_import, write_dump
from tests.support.data import real_data

BODY = """Some **text** with `code`, a [link](https://docs.example/x) and @ines.

> A quote

- one
- two

| a | b |
|---|---|
| 1 | 2 |

```python
for row in rows:
    print(row)
```
"""


@pytest.fixture
def empty_site(settings: Settings, tmp_path: Path) -> Flask:
    folder = tmp_path / "empty"
    folder.mkdir()
    changed = Settings(
        **{
            **{name: getattr(settings, name) for name in Settings.__dataclass_fields__},
            "INSTANCE_PATH": folder,
            "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite'}",
        }
    )
    app = create_app(changed)
    with app.app_context():
        Base.metadata.create_all(db.engine)
    return app


def community(app: Flask) -> dict[str, list[Any]]:
    """What customers can read, in words that do not depend on ids."""
    with app.app_context():
        _opening, accepted, parent = aliased(Post), aliased(Post), aliased(Post)
        threads = db.session.execute(
            select(
                Board.slug, Board.audience, Thread.kind, Thread.title, Thread.slug, Member.username,
                Thread.created_at, Thread.last_activity_at, Thread.closed_at, Thread.closed_reason,
                Thread.views_count, Thread.tags, Thread.accepted_at, accepted.html,
                Thread.score, Thread.posts_count, Thread.answers_count,
            )
            .select_from(Thread)
            .join(Board, Board.id == Thread.board_id)
            .join(Member, Member.id == Thread.author_id)
            .outerjoin(accepted, accepted.id == Thread.accepted_post_id)
            .where(Thread.state == PostState.VISIBLE, Board.audience != Audience.STAFF)
        ).all()  # fmt: skip
        shown = (
            select(Post.id)
            .join(Thread, Thread.id == Post.thread_id)
            .join(Board, Board.id == Thread.board_id)
            .outerjoin(parent, parent.id == Post.parent_id)
            .where(
                Thread.state == PostState.VISIBLE,
                Post.state == PostState.VISIBLE,
                Board.audience != Audience.STAFF,
                parent.id.is_(None) | (parent.state == PostState.VISIBLE),
            )
        )
        posts = db.session.execute(
            select(
                Thread.title, Post.kind, Post.created_at, Post.edited_at, Member.username, Post.source,
                Post.source_format, Post.html, Post.excerpt, Post.sections, Post.score, Post.base_score,
                Post.votes_count, Post.source_url, parent.created_at, parent.source,
            )
            .join(Thread, Thread.id == Post.thread_id)
            .join(Member, Member.id == Post.author_id)
            .outerjoin(parent, parent.id == Post.parent_id)
            .where(Post.id.in_(shown))
        ).all()  # fmt: skip
        votes = db.session.execute(
            select(Post.created_at, Post.source, Member.username, Vote.value, Vote.created_at)
            .join(Post, Post.id == Vote.post_id)
            .outerjoin(Member, Member.id == Vote.member_id)
            .where(Post.id.in_(shown))
        ).all()
        numbers = db.session.execute(
            select(Thread.title, Post.source)
            .join(Thread, Thread.id == Post.thread_id)
            .where(Post.id.in_(shown), Post.number.is_not(None))
            .order_by(Thread.title, Thread.created_at, Post.number)
        ).all()
        members = db.session.execute(select(Member.username, Member.name, Member.created_at)).all()
        found = {"threads": threads, "posts": posts, "votes": votes, "members": members}
        return {
            **{name: sorted((tuple(row) for row in rows), key=repr) for name, rows in found.items()},
            "order": [tuple(row) for row in numbers],
        }


def export_and_import(app: Flask, other: Flask, folder: Path) -> None:
    exported = run_export(app, "jsonl", folder, "--json")
    assert exported.exit_code == 0, exported.output
    files = [folder / "posts.jsonl", "--users", folder / "users.jsonl", "--votes", folder / "votes.jsonl"]
    imported = run_import(other, "jsonl", *files, "--json")
    assert imported.exit_code == 0, imported.output
    assert report_of(imported)["ignored"] == {}
    with other.app_context():
        assert recount() == []


@pytest.fixture
def written(in_app: Flask, at: Callable[[datetime], None]) -> Flask:
    """A site where people wrote: every kind, votes, tombstones, a closed thread, boards of each audience."""

    def day(number: int) -> None:
        at(datetime(2025, 3, number, 9, 30, 12, 345678, UTC))

    day(1)
    ines = viewer_of(make_customer("Ines", username="ines"))
    tomasz = viewer_of(make_customer("Tomasz Ō", username="tomasz"))
    ruth = viewer_of(make_moderator("Ruth"))
    public, customers, staff = (
        make_board(slug=audience.value, audience=audience)
        for audience in (Audience.PUBLIC, Audience.CUSTOMERS, Audience.STAFF)
    )
    asked = open_thread(
        ines, public, kind=ThreadKind.QUESTION, title="Which port is it?", body=BODY, tags="ports, edge-node"
    )
    day(2)
    first = post_reply(tomasz, asked.id, "Port 443, " + BODY)
    own = post_reply(ines, asked.id, "I found it myself.")
    opening = db.session.execute(
        select(Post.id).where(Post.thread_id == asked.id, Post.number == 1)
    ).scalar_one()
    day(3)
    post_comment(tomasz, opening, "Which *version*?")
    post_comment(ines, first.id, "Thanks, `it` works.")
    voting.vote(tomasz, opening)
    voting.vote(ines, first.id)
    voting.vote(ruth, first.id)
    acceptance.accept(ines, asked.id, first.id)
    gone = post_reply(tomasz, asked.id, "Nobody may read this.")
    post_comment(ines, gone.id, "Nor this.")
    voting.vote(ines, gone.id)
    removal.hide_post(gone.id, rule="1", reason="Rude.", case_id=1, by_id=ruth.member_id or 0)
    open_thread(
        tomasz, customers, kind=ThreadKind.DISCUSSION, title="Prices next year", body="Only among us."
    )
    open_thread(ruth, staff, kind=ThreadKind.DISCUSSION, title="For staff", body="Only for staff.")
    story = dict.fromkeys(("happened", "cost", "differently"), "It all *stopped*.\n\n- twice")
    open_thread(ines, public, kind=ThreadKind.WAR_STORY, title="The day it stopped", body="", sections=story)
    with unit_of_work():
        thread = db.session.get_one(Thread, asked.id)
        thread.closed_at, thread.closed_reason, thread.views_count = thread.created_at, "Answered.", 77
        post = db.session.get_one(Post, own.id)
        post.edited_at = post.created_at
    return in_app


def test_what_was_written_here_comes_back_whole(written: Flask, empty_site: Flask, tmp_path: Path):
    export_and_import(written, empty_site, tmp_path / "out")
    before, after = community(written), community(empty_site)
    assert before.keys() == after.keys()
    for name, rows in before.items():
        assert after[name] == rows, name
    assert len(before["posts"]) == 7


def test_nothing_that_customers_may_not_read_is_exported(written: Flask, tmp_path: Path):
    run_export(written, "jsonl", tmp_path / "out")
    text = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    for secret in ("Nobody may read", "Nor this", "Only for staff", "@mail.example"):
        assert secret not in text
    audiences = {
        row.get("board"): row.get("audience") for row in read_lines(tmp_path / "out" / "posts.jsonl")
    }
    assert audiences == {"public": "public", "customers": "customers", None: None}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "posts.jsonl", "users.jsonl", "votes.jsonl"
    ]  # fmt: skip


def test_an_imported_dump_comes_back_whole(in_app: Flask, empty_site: Flask, tmp_path: Path):
    run_import(in_app, "stackexchange", write_dump(tmp_path / "stackexchange-beer"))
    export_and_import(in_app, empty_site, tmp_path / "out")
    assert community(empty_site) == community(in_app)


def test_the_same_site_is_written_the_same_each_time(written: Flask, tmp_path: Path):
    for name in ("a", "b"):
        run_export(written, "jsonl", tmp_path / name)
    for file in ("posts.jsonl", "users.jsonl", "votes.jsonl"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_folder_that_cannot_be_written_is_one_clear_line(app: Flask, tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = run_export(app, "jsonl", tmp_path / "file" / "out")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "cannot be written" in result.stderr


@pytest.mark.data
@pytest.mark.long
def test_the_beer_dump_comes_back_whole(app: Flask, empty_site: Flask, tmp_path: Path):
    run_import(app, "stackexchange", real_data("stackexchange-beer"))
    export_and_import(app, empty_site, tmp_path / "out")
    before, after = community(app), community(empty_site)
    assert {name: len(rows) for name, rows in before.items()}["posts"] == 591 + 1398 + 1860
    for name, rows in before.items():
        assert after[name] == rows, name
