"""Whole real communities, compared with what their files say."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import iterparse

import pytest
from click.testing import Result
from flask import Flask
from markupsafe import escape
from sqlalchemy import func, select

from portal import create_app
from portal.discussions.models import Post, PostKind, Thread
from portal.discussions.queries.narrowing import Asked
from portal.discussions.queries.searching import find
from portal.discussions.services.recount import recount
from portal.kernel.access import VISITOR
from portal.kernel.db import Base, db
from portal.members.models import Member
from portal.search import services as search
from portal.settings import load
from tests.exchange.communities import all_rows, report_of, run_import
from tests.search.test_known_items import items
from tests.support.data import real_data

pytestmark = pytest.mark.data


def rows_of(path: Path):
    with gzip.open(path) as file:
        for _event, element in iterparse(file):
            if element.tag == "row":
                yield dict(element.attrib)
                element.clear()


@dataclass
class Imported:
    """The dump of a real community, imported once for all tests of this file."""

    site: Flask
    result: Result
    words: object


@pytest.fixture(scope="module")
def beer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    dump = real_data("stackexchange-beer")
    yield from imported(tmp_path_factory.mktemp("beer"), "stackexchange", dump)


def imported(folder: Path, *command: object) -> Iterator[Imported]:
    """A new site with a community brought in by `portal import` with these words."""
    site = create_app(load(environment_in(folder)))
    with site.app_context():
        Base.metadata.create_all(db.engine)
    result = run_import(site, *command, "--json")
    yield Imported(site, result, words(site))
    with site.app_context():
        db.session.remove()
        db.engine.dispose()


def environment_in(folder: Path) -> dict[str, str]:
    return {**os.environ, "INSTANCE_PATH": str(folder), "SITE_ENV": "test", "DATABASE_URL": ""}


@pytest.mark.long
def test_beer_is_all_there(beer: Imported):
    dump = real_data("stackexchange-beer")
    app, result = beer.site, beer.result
    assert result.exit_code == 0, result.output
    assert report_of(result)["skipped"] == []
    votes = Counter[str]()
    for vote in rows_of(dump / "Votes.xml.gz"):
        votes[vote["PostId"]] += {"2": 1, "3": -1}.get(vote["VoteTypeId"], 0)
    posts = {row["Id"]: row for row in rows_of(dump / "Posts.xml.gz") if row["PostTypeId"] in "12"}
    with app.app_context():
        kinds = dict(db.session.execute(select(Post.kind, func.count()).group_by(Post.kind)).all())
        assert kinds == {PostKind.OPENING: 591, PostKind.ANSWER: 1398, PostKind.COMMENT: 1860}
        stored = db.session.execute(
            select(Post.external_id, Post.score, Post.base_score, Post.created_at, Post.source_url, Member)
            .join(Member, Member.id == Post.author_id)
            .where(Post.kind != PostKind.COMMENT)
        ).all()
        assert {row.external_id: row.score for row in stored} == {key: votes[key] for key in posts}
        assert {row.base_score for row in stored} == {0}
        for row in stored:
            there = posts[row.external_id]
            assert row.created_at == datetime.fromisoformat(f"{there['CreationDate']}+00:00")
            assert row.Member.external_id == there.get("OwnerUserId", "")
            assert row.source_url.startswith("https://beer.stackexchange.com/")
        accepted = db.session.execute(
            select(Thread.external_id, Post.external_id).join(Post, Post.id == Thread.accepted_post_id)
        ).all()
        assert {row[0]: row[1] for row in accepted} == {
            row["Id"]: row["AcceptedAnswerId"] for row in posts.values() if "AcceptedAnswerId" in row
        }
        assert recount() == []
    before = all_rows(app)
    again = run_import(app, "stackexchange", dump, "--json")
    assert (again.exit_code, report_of(again)["made"]) == (0, {})
    assert all_rows(app) == before


@pytest.mark.long
def test_known_items_are_found_in_what_was_imported(beer: Imported):
    """By the search of the site, over the index that the import left behind: import, outbox, visibility,
    grouping by thread, not the engine alone."""
    with beer.site.app_context():
        while search.drain():
            pass
        assert search.documents_indexed() == 591 + 1398 + 1860
        threads = dict(db.session.execute(select(Thread.id, Thread.external_id)).all())
        for name in ("known_items.toml", "held_out_items.toml"):
            misses: dict[bool, list[str]] = {True: [], False: []}
            counts = Counter[bool]()
            for item in items(name):
                typo = item["kind"] == "typo"
                counts[typo] += 1
                found = find(VISITOR, Asked(q=str(item["query"])))
                assert not found.titles_only
                if str(item["thread"]) not in [threads[thread.id] for thread in found.threads[:5]]:
                    misses[typo].append(str(item["query"]))
            success = {typo: 1 - len(misses[typo]) / counts[typo] for typo in counts}
            print(f"{name}: success@5 {success[False]:.3f} ({counts[False]}), typo {success[True]:.3f}")
            assert success[False] >= 0.9, misses[False]
            assert success[True] >= 0.7, misses[True]


@pytest.mark.long
def test_every_author_has_a_page_with_what_they_wrote(beer: Imported):
    with beer.site.app_context():
        rows = db.session.execute(
            select(Member.username, Member.name, func.count(Post.id), func.max(Thread.title))
            .join(Post, Post.author_id == Member.id)
            .join(Thread, Thread.id == Post.thread_id)
            .where(Post.kind == PostKind.OPENING)
            .group_by(Member.id)
            .order_by(Member.id)
        ).all()
    assert len(rows) > 300
    visitor = beer.site.test_client()
    for username, name, questions, title in rows[::10]:
        page = visitor.get(f"/members/{username}")
        assert page.status_code == 200
        assert escape(name) in page.text
        assert f"{questions} thread" in page.text
        assert questions > 5 or escape(title) in page.text


@pytest.mark.long
def test_thunderbirds_year_is_all_there(tmp_path: Path):
    folder = real_data("thunderbird-2024")
    posts = {row["id"]: row for row in lines_of(folder / "posts.jsonl.gz")}
    users = {row["id"]: row for row in lines_of(folder / "users.jsonl.gz")}
    for site in imported(tmp_path, "jsonl", folder / "posts.jsonl.gz", "--users", folder / "users.jsonl.gz"):
        assert site.result.exit_code == 0, site.result.output
        told = [line["reason"] for line in report_of(site.result)["skipped"]]
        assert told == ["kept as plain text: Quotes and lists are nested more than 20 deep."] * 2
        with site.site.app_context():
            kinds = dict(db.session.execute(select(Post.kind, func.count()).group_by(Post.kind)).all())
            assert kinds == {PostKind.OPENING: 15_247, PostKind.ANSWER: 31_895}
            stored = db.session.execute(
                select(
                    Post.external_id, Post.kind, Post.score, Post.created_at, Post.html, Member.name,
                    Thread.external_id.label("thread"), Thread.title, Member.external_id.label("by"),
                )
                .join(Thread, Thread.id == Post.thread_id)
                .join(Member, Member.id == Post.author_id)
                .order_by(Post.id)
            ).all()  # fmt: skip
            assert {row.external_id for row in stored} == posts.keys()
            for row in stored:
                there = posts[row.external_id]
                assert (row.thread, row.by, row.score) == (there["thread"], there["author"], there["score"])
                assert row.name == users[row.by]["name"]
                assert row.created_at == datetime.fromisoformat(there["created"])
                if row.kind is PostKind.OPENING:
                    assert row.title.split() == " ".join(there["title"].split())[:200].split()
            for row in stored[::400]:
                assert words_in(row.html) == words_in(posts[row.external_id]["body"]), row.external_id
            solved = Counter(row["thread"] for row in posts.values() if row["accepted"])
            accepted = dict(
                db.session.execute(
                    select(Thread.external_id, Post.external_id).join(
                        Post, Post.id == Thread.accepted_post_id
                    )
                ).all()
            )
            assert accepted.keys() == solved.keys()
            assert all(posts[answer]["accepted"] for answer in accepted.values())
            assert recount() == []
            pages = db.session.execute(select(Member.username).order_by(Member.id).limit(5)).scalars().all()
        for username in pages:
            assert site.site.test_client().get(f"/members/{username}").status_code == 200


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


class Words(HTMLParser):
    """What a reader reads, without spaces; a picture of elsewhere reads as what it shows, or its address."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self.found += data.split()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.handle_data(dict(attrs).get("alt") or dict(attrs).get("src") or "")


def words_in(html: str) -> str:
    return "".join(Words(html).found)


@pytest.mark.long
def test_an_import_that_was_killed_is_finished_by_the_next(beer: Imported, tmp_path: Path):
    dump = real_data("stackexchange-beer")
    environment = environment_in(tmp_path / "killed")
    site = create_app(load(environment))
    with site.app_context():
        Base.metadata.create_all(db.engine)
    command = [sys.executable, "-m", "portal.cli", "import", "stackexchange", str(dump)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while posts_of(site) == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < posts_of(site) < 591 + 1398 + 1860
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert words(site) == beer.words
    with site.app_context():
        assert recount() == []
        db.session.remove()
        db.engine.dispose()


def posts_of(site: Flask) -> int:
    with site.app_context():
        db.session.rollback()
        return db.session.execute(select(func.count(Post.id))).scalar_one()


def words(site: Flask) -> list[tuple[object, ...]]:
    """Every post of the site with its place and score."""
    with site.app_context():
        rows = db.session.execute(
            select(
                Post.external_id, Thread.external_id, Post.number, Post.kind, Post.score, Post.html,
                Post.created_at, Thread.posts_count, Thread.last_activity_at, Member.username,
            )
            .join(Thread, Thread.id == Post.thread_id)
            .join(Member, Member.id == Post.author_id)
            .order_by(Post.external_id)
        )  # fmt: skip
        return [tuple(row) for row in rows]
