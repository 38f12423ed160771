"""JSONL: what may be said, what is left out, what is refused."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.discussions.models import Audience, Board, Post, Thread, Vote
from portal.discussions.services.recount import recount
from portal.exchange import loading
from portal.kernel.db import db
from portal.members.models import Member
from tests.exchange.communities import all_rows, answer, question, report_of, run_import, write_lines


def stored() -> dict[str, Post]:
    db.session.rollback()
    return {post.external_id or "": post for post in db.session.execute(select(Post)).scalars()}


def test_what_is_not_said_is_filled_in(in_app: Flask, tmp_path: Path):
    posts = write_lines(
        tmp_path / "posts.jsonl",
        question(created="2024-01-01", body=None, author=None, mood="blue"),
        answer(accepted=True, mood="grey"),
        answer("c1", kind="comment", parent="a1", author="u1"),
        answer("c2", kind="comment", parent="c1", author="u2"),
    )
    users = write_lines(tmp_path / "users.jsonl", {"id": "u1", "name": "Ines", "joined": None, "org": "x"})
    result = run_import(in_app, "jsonl", posts, "--users", users, "--board", "my-board", "--json")
    assert result.exit_code == 0, result.output
    assert report_of(result)["ignored"] == {"key mood": 2, "key org": 1}

    found = stored()
    assert found["q1"].created_at == datetime(2024, 1, 1, 23, 59, 59, 999999, UTC)
    assert (found["q1"].html, found["q1"].source) == ("", "")
    people = {member.id: member for member in db.session.execute(select(Member)).scalars()}
    assert people[found["q1"].author_id].name == "former member"
    assert people[found["a1"].author_id].name == "member u2"
    assert people[found["c1"].author_id].created_at == found["c1"].created_at
    assert found["c2"].parent_id == found["a1"].id
    thread = db.session.execute(select(Thread)).scalar_one()
    assert (thread.accepted_post_id, thread.accepted_at) == (found["a1"].id, None)
    board = db.session.execute(select(Board)).scalar_one()
    assert (board.slug, board.name, board.audience) == ("my-board", "My board", Audience.PUBLIC)


@pytest.mark.parametrize(
    ("body_format", "body", "html"),
    [
        ("html", "<p>a <b>b</b></p>", "<p>a <strong>b</strong></p>"),
        ("markdown", "a **b**", "<p>a <strong>b</strong></p>"),
        ("text", "a **b** <i>", "<p>a **b** &lt;i&gt;</p>"),
    ],
)
def test_bodies_are_html_markdown_or_text(
    in_app: Flask, tmp_path: Path, body_format: str, body: str, html: str
):
    posts = write_lines(tmp_path / "posts.jsonl", question(body=body))
    assert run_import(in_app, "jsonl", posts, "--body", body_format).exit_code == 0
    assert stored()["q1"].html.strip() == html


def test_votes_make_the_score_or_explain_it(in_app: Flask, tmp_path: Path):
    posts = write_lines(
        tmp_path / "posts.jsonl", question(score=5), answer(score=None), answer("a2", score=3)
    )
    votes = write_lines(
        tmp_path / "votes.jsonl",
        {"post": "q1", "kind": "up", "created": "2024-01-03"},
        {"post": "q1", "kind": "up", "created": "2024-01-03"},
        {"post": "a1", "kind": "up", "voter": "u1", "created": "2024-01-03T00:00:00Z"},
        {"post": "a1", "kind": "down", "voter": "u9", "created": "2024-01-03"},
        {"post": "a1", "kind": "down", "created": "2024-01-03"},
        {"post": "a2", "kind": "accept", "voter": "u1", "created": "2024-01-04"},
        {"post": "zz", "kind": "up", "created": "2024-01-04"},
    )
    # First without the votes: they may come later.
    assert run_import(in_app, "jsonl", posts).exit_code == 0
    assert {key: post.score for key, post in stored().items()} == {"q1": 5, "a1": 0, "a2": 3}
    result = run_import(in_app, "jsonl", posts, "--votes", votes, "--json")
    assert result.exit_code == 0
    assert report_of(result)["ignored"] == {"votes on posts that are not there": 1}
    found = stored()
    assert {key: post.score for key, post in found.items()} == {"q1": 5, "a1": -1, "a2": 3}
    assert (found["q1"].base_score, found["a1"].base_score, found["a2"].base_score) == (3, 0, 3)
    assert found["a1"].votes_count == 1
    moments = {vote.created_at for vote in db.session.execute(select(Vote)).scalars()}
    assert moments == {
        datetime(2024, 1, 3, tzinfo=UTC), datetime(2024, 1, 3, 23, 59, 59, 999999, UTC)
    }  # fmt: skip
    assert recount() == []


def test_one_person_votes_once_for_a_post(in_app: Flask, tmp_path: Path):
    posts = write_lines(tmp_path / "posts.jsonl", question(score=2))
    vote = {"post": "q1", "kind": "up", "voter": "u1", "created": "2024-01-03"}
    votes = write_lines(tmp_path / "votes.jsonl", vote, vote)
    result = run_import(in_app, "jsonl", posts, "--votes", votes, "--json")
    assert result.exit_code == 1
    assert report_of(result)["skipped"] == [
        {"file": "votes.jsonl", "line": 2, "reason": "the same person voted for this post before"}
    ]
    assert stored()["q1"].score == 2
    before = all_rows(in_app)
    run_import(in_app, "jsonl", posts, "--votes", votes)
    assert all_rows(in_app) == before


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not a JSON object"),
        ("[]", "line 2: not a JSON object"),
        ("[" * 100_000, "line 2: not a JSON object"),
        (answer(id=None), "line 2: id is missing"),
        (answer(id="x" * 77), "line 2: id is longer"),
        (answer(id="a\x00"), "line 2: id has signs that cannot be seen"),
        (answer(kind="song"), "line 2: kind is 'song'"),
        (answer(created=None), "line 2: created is missing"),
        (answer(created="yesterday"), "line 2: created is 'yesterday', not a time"),
        (answer(created="0001-01-01T00:00:00+14:00"), "not a time"),
        (answer(score="4"), "line 2: score is '4', not a whole number"),
        (answer(score=2**31), "not a whole number"),
        (answer(body=3), "line 2: body is neither text nor null"),
        (question("q2", tags="a"), "line 2: tags is not a list of texts"),
        (question("q1"), "line 2: the post q1 is there twice"),
        (question("q2", audience="friends"), "line 2: audience is 'friends'"),
    ],
)
def test_a_wrong_line_stops_the_import_before_it_begins(
    in_app: Flask, tmp_path: Path, line: dict[str, Any] | str, says: str
):
    before = all_rows(in_app)
    result = run_import(in_app, "jsonl", write_lines(tmp_path / "posts.jsonl", question(), line))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("portal: posts.jsonl, line 2: ")
    assert says in result.stderr
    assert all_rows(in_app) == before


def test_files_that_are_not_text_or_not_there_are_named(in_app: Flask, tmp_path: Path):
    bad = tmp_path / "posts.jsonl"
    bad.write_bytes(b'{"id": "\xff"}')
    assert "posts.jsonl, line 1: not UTF-8" in run_import(in_app, "jsonl", bad).stderr
    not_packed = write_lines(tmp_path / "posts.jsonl.gz", question())
    assert "posts.jsonl.gz, line 1: cut off or garbled" in run_import(in_app, "jsonl", not_packed).stderr
    for path in (tmp_path / "none.jsonl", tmp_path):
        assert "cannot be opened" in run_import(in_app, "jsonl", path).stderr


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (answer("x", thread="q9"), "its thread q9 is not there"),
        (answer("x", parent="a9"), "the post a9 it stands under is not there"),
        (answer("x", thread="a1"), "its thread a1 is no opening"),
        (answer("x", kind="comment", parent="q2"), "the post q2 it stands under is in another thread"),
        (answer("x", kind="comment", parent="x"), "comments stand under one another in a circle"),
    ],
)
def test_what_hangs_in_the_air_is_left_out_and_said(
    in_app: Flask, tmp_path: Path, row: dict[str, Any], reason: str
):
    posts = write_lines(tmp_path / "posts.jsonl", question(), question("q2"), answer(), row)
    result = run_import(in_app, "jsonl", posts, "--json")
    assert result.exit_code == 1
    assert report_of(result)["skipped"] == [{"file": "posts.jsonl", "line": 4, "reason": reason}]
    assert stored().keys() == {"q1", "q2", "a1"}


def test_signs_that_no_database_holds_are_replaced(in_app: Flask, tmp_path: Path):
    lines = [
        question(title="Half \ud800 sign \U0001f37a \x00", body="<p>\ud800 \x00!</p>", tags=["a\x00b"]),
        answer(source="\x00x", body="<p>x</p>"),
    ]
    posts = write_lines(tmp_path / "posts.jsonl", *lines)
    result = run_import(in_app, "jsonl", posts)
    assert result.exit_code == 0, result.output
    assert db.session.execute(select(Thread.title)).scalar_one() == "Half � sign \U0001f37a"
    assert (stored()["q1"].html.strip(), stored()["a1"].source) == ("<p>� !</p>", "x")


def test_a_run_that_died_is_finished_by_the_next(
    in_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = [
        row
        for number in range(20)
        for row in (
            question(f"q{number}", author=f"u{number}"),
            answer(f"a{number}", thread=f"q{number}", parent=f"q{number}", accepted=number % 2 == 0),
        )
    ]
    posts = write_lines(tmp_path / "posts.jsonl", *rows)
    monkeypatch.setattr(loading, "BATCH", 8)

    class Died(BaseException):
        pass

    def die(what: str, done: int, _of: int) -> None:
        if what == "posts" and done >= 16:
            raise Died

    monkeypatch.setattr("portal.exchange.commands.bars", lambda: _Bar(die))
    with pytest.raises(Died):
        run_import(in_app, "jsonl", posts)
    assert len(stored()) == 16
    monkeypatch.undo()
    result = run_import(in_app, "jsonl", posts, "--json")
    assert report_of(result)["made"] == {"threads": 12, "posts": 24, "accepted answers": 6}
    assert len(stored()) == 40
    assert recount() == []
    before = all_rows(in_app)
    assert report_of(run_import(in_app, "jsonl", posts, "--json"))["made"] == {}
    assert all_rows(in_app) == before


class _Bar:
    def __init__(self, show: Any) -> None:
        self.show = show

    def __enter__(self) -> Any:
        return self.show

    def __exit__(self, *_: object) -> None:
        return None


def test_a_run_that_died_before_the_counters_is_finished_by_the_next(
    in_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    posts = write_lines(tmp_path / "posts.jsonl", question(), answer())

    def die() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loading, "recount", die)
        assert run_import(in_app, "jsonl", posts).exit_code == 1
    assert report_of(run_import(in_app, "jsonl", posts, "--json"))["made"] == {}
    assert db.session.execute(select(Board.posts_count)).scalar_one() == 2
    assert recount() == []
