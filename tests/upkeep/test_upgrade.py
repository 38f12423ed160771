"""`portal upgrade` on a filled database of the first schema: nothing lost, a way back, repeated safely."""

import contextlib
import os
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade
from flask_migrate import upgrade as migrate
from sqlalchemy import String, cast, select, text, update

from portal.discussions.models import Post, Thread, ThreadKind
from portal.discussions.services.editing import Edit, edit_post
from portal.discussions.services.posting import open_thread
from portal.discussions.services.rerendering import count_old, render_old
from portal.kernel import markup
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.search import services as search
from portal.wiring import MIGRATIONS
from tests.conftest import make_board, make_customer, viewer_of
from tests.support.filler import fill_every_table
from tests.support.site import PORTAL, ROOT, Site

REVISIONS = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


def write_posts(count: int) -> None:
    asker, board = viewer_of(make_customer("Ines")), make_board()
    for number in range(count):
        open_thread(
            asker,
            board,
            kind=ThreadKind.QUESTION,
            title=f"Question number {number}",
            body=f"Is it **{number}**?",
        )


def make_posts_old() -> None:
    with unit_of_work():
        db.session.execute(update(Post).values(renderer_version=0, html="<p>as it was made once</p>"))


@pytest.fixture
def old_site(tmp_path: Path) -> Site:
    """A site of the first schema with a row in every table, and posts of an old renderer."""
    site = Site(tmp_path / "old")
    with site.inside():
        migrate(directory=str(MIGRATIONS))
        write_posts(30)
        fill_every_table()
        make_posts_old()
        downgrade(directory=str(MIGRATIONS), revision=REVISIONS[0])
    return site


def rows(site: Site, table: str) -> list[tuple[object, ...]]:
    with site.inside(), db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{table}" ORDER BY 1'))]


def state_of(site: Site) -> tuple[str, int]:
    with site.inside():
        revision = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        return str(revision), count_old()


def archives(site: Site) -> list[Path]:
    return sorted((site.instance / "backups").glob("*.tar.gz"))


@pytest.mark.long
def test_an_old_filled_database_is_brought_up_to_date_with_a_way_back(old_site: Site):
    members = rows(old_site, "members")
    said = old_site.portal("upgrade").stdout
    [archive] = archives(old_site)
    assert f"portal restore --replace {archive}" in said
    assert "posts rendered again" in said
    assert state_of(old_site) == (REVISIONS[-1], 0)
    assert [row[:4] for row in rows(old_site, "members")] == [row[:4] for row in members]
    assert "everything is in order" in old_site.portal("doctor").stdout
    with old_site.inside():
        html = db.session.scalars(select(Post.html).where(Post.source == "Is it **7**?")).one()
        assert "<strong>7</strong>" in html

    again = old_site.portal("upgrade").stdout
    assert "nothing to migrate" in again
    assert archives(old_site) == [archive]

    # The way back: what the archive holds is the old schema with the old posts.
    old_site.portal("restore", "--replace", str(archive))
    assert "posts rendered again" in old_site.portal("upgrade").stdout
    assert state_of(old_site) == (REVISIONS[-1], 0)


@pytest.mark.long
def test_an_upgrade_killed_at_any_moment_is_repeated(old_site: Site):
    members = [row[:4] for row in rows(old_site, "members")]
    for wait in (0.0, 0.1, 0.5):
        process = subprocess.Popen(
            [*PORTAL, "upgrade"], env=old_site.environment, cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 60
        while process.poll() is None and not archives(old_site) and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(wait)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
    said = old_site.portal("upgrade").stdout
    assert "The site is up to date" in said
    assert state_of(old_site) == (REVISIONS[-1], 0)
    assert [row[:4] for row in rows(old_site, "members")] == members
    # One backup, made before anything was changed, stays the way back through all of it.
    with tarfile.open(archives(old_site)[0]) as archive:
        assert archive.getmember("database.sqlite").size > 0
    assert not (old_site.instance / "upgrade.json").exists()


@pytest.mark.long
def test_without_room_for_a_backup_nothing_is_changed(old_site: Site):
    before = state_of(old_site)
    (old_site.instance / "backups").write_text("in the way")
    done = old_site.portal("upgrade", check=False)
    assert done.returncode == 1
    assert "did not come to its end" in done.stderr
    assert state_of(old_site) == before


def test_a_post_edited_meanwhile_is_left_to_its_edit(in_app: Flask):
    write_posts(3)
    make_posts_old()
    post = db.session.scalars(select(Post).order_by(Post.id)).first()
    assert post is not None
    post_id, version = post.id, post.version
    before = db.session.scalars(select(Thread.content_version).order_by(Thread.id)).all()
    author = viewer_of(post.author_id)
    db.session.rollback()
    edit_post(author, post_id, Edit(body="Edited *meanwhile*.", version=version))
    assert count_old() == 2
    assert render_old() == 2
    assert count_old() == 0
    db.session.rollback()
    assert "<em>meanwhile</em>" in db.session.get_one(Post, post_id).html
    after = db.session.scalars(select(Thread.content_version).order_by(Thread.id)).all()
    assert all(now > then for now, then in zip(after, before, strict=True)), "kept pages are made anew"
    assert {row.version for row in db.session.scalars(select(Post).where(Post.id != post_id))} == {1}


def test_what_came_as_html_is_cleaned_again_and_not_made_of_its_markdown(in_app: Flask):
    write_posts(2)
    html = '<p>A <strong>word</strong> <code class="language-python">x</code></p>'
    with unit_of_work():
        values = {"renderer_version": 0, "import_source": "jsonl:x", "source": "other words"}
        db.session.execute(
            update(Post).values(
                **values, external_id=cast(Post.id, String), html=f"{html}<script>alert(1)</script>"
            )
        )
    assert render_old() == 2
    found = db.session.scalars(select(Post.html)).all()
    assert all("<strong>word</strong>" in one for one in found)
    assert all("script" not in one for one in found)
    with unit_of_work():
        db.session.execute(update(Post).values(renderer_version=0))
    assert render_old() == 2
    assert db.session.scalars(select(Post.html)).all() == found, "cleaning twice is cleaning once"


def test_every_post_of_the_renderer_is_left_as_it_is_by_cleaning_again():
    for source in (
        "# A\n\n> b\n\n1. c\n2. d",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "```python\nx = 1\n```",
        "*a* https://x.example",
    ):
        html = markup.render(source).html
        assert markup.clean_again(html).html == html


@pytest.mark.long
def test_an_index_that_cannot_serve_is_made_anew(tmp_path: Path):
    site = Site(tmp_path / "site")
    with site.inside():
        migrate(directory=str(MIGRATIONS))
        write_posts(3)
        search.rebuild()
    next((site.instance / "index").glob("HEAD*")).unlink()
    assert "search index: made anew, 3 posts" in site.portal("upgrade").stdout
    assert archives(site) == []
