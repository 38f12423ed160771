"""Whole real communities, compared with what their files say."""

import gzip
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import iterparse

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from portal import create_app
from portal.discussions.models import Post, PostKind, Thread
from portal.discussions.services.recount import recount
from portal.kernel.db import Base, db
from portal.members.models import Member
from portal.settings import load
from tests.exchange.communities import all_rows, report_of, run_import
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
    site = create_app(load(environment_in(tmp_path_factory.mktemp("beer"))))
    with site.app_context():
        Base.metadata.create_all(db.engine)
    result = run_import(site, "stackexchange", dump, "--json")
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
