"""A site in one archive, and back: nothing lost, nothing trusted that is damaged, no key inside."""

import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal import create_app
from portal.discussions.models import ThreadKind
from portal.discussions.services.posting import open_thread
from portal.kernel.db import Base, db
from portal.settings import Settings
from portal.upkeep import backup
from tests.conftest import make_board, make_customer, viewer_of
from tests.support.postgres import TOOLS


@pytest.fixture(autouse=True)
def _postgres_tools(monkeypatch: pytest.MonkeyPatch):
    if TOOLS is not None:
        monkeypatch.setenv("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")


def all_rows() -> dict[str, list[Any]]:
    with db.engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def filled(in_app: Flask, settings: Settings) -> dict[str, list[Any]]:
    """Rows and files to be kept; gives the rows."""
    asker = viewer_of(make_customer("Ines"))
    open_thread(
        asker, make_board(), kind=ThreadKind.QUESTION, title="Which port is it?", body="Mine is blocked."
    )
    (settings.uploads_path / "ab").mkdir(parents=True)
    (settings.uploads_path / "ab" / "picture.webp").write_bytes(b"a picture")
    (settings.INSTANCE_PATH / "portal.env").write_text(
        "SITE_NAME=Flow\nFORMER_SECRET_KEYS=theoneofbefore\nSECRET_KEY=not to be kept in a backup\n"
    )
    rows = all_rows()
    assert len(rows["posts"]) == 1
    return rows


@pytest.fixture
def other_place(settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A bare machine: the same keys, an empty folder, an empty database of the same kind."""
    folder = tmp_path / "bare"
    folder.mkdir()
    if settings.is_sqlite:
        return replace(settings, INSTANCE_PATH=folder, DATABASE_URL=f"sqlite:///{folder / 'portal.sqlite'}")
    make: Callable[[], str] = request.getfixturevalue("make_postgres_database")
    return replace(settings, INSTANCE_PATH=folder, DATABASE_URL=make())


def test_everything_comes_back_on_a_bare_machine(
    filled: dict[str, list[Any]], settings: Settings, other_place: Settings, tmp_path: Path
):
    archive = tmp_path / "site.tar.gz"
    written = backup.write(settings, archive)
    assert archive.stat().st_mode & 0o077 == 0

    assert backup.restore(other_place, archive).files == written.files
    there = create_app(other_place)
    with there.app_context():
        assert all_rows() == filled
        db.session.remove()
        db.engine.dispose()
    assert (other_place.uploads_path / "ab" / "picture.webp").read_bytes() == b"a picture"
    assert (other_place.INSTANCE_PATH / "portal.env").read_text() == "SITE_NAME=Flow\n"


def test_no_key_is_in_the_archive(filled: dict[str, list[Any]], settings: Settings, tmp_path: Path):
    archive = tmp_path / "site.tar.gz"
    backup.write(settings, archive)
    with tarfile.open(archive) as content:
        texts = [content.extractfile(entry).read() for entry in content if entry.isfile()]  # type: ignore[union-attr] # files have content
    assert len(texts) == 4
    for words in (settings.SECRET_KEY, settings.CONVERSATION_KEY, "not to be kept"):
        assert all(words.encode() not in read for read in texts)


def test_a_site_that_is_there_is_not_overwritten_unasked(
    filled: dict[str, list[Any]], settings: Settings, tmp_path: Path
):
    archive = tmp_path / "site.tar.gz"
    backup.write(settings, archive)
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE boards SET name = 'Changed since'"))
    db.session.remove()
    db.engine.dispose()

    with pytest.raises(backup.BackupError, match="already a site"):
        backup.restore(settings, archive)
    assert all_rows()["boards"] != filled["boards"]
    db.engine.dispose()

    backup.restore(settings, archive, replace=True)
    assert all_rows() == filled


@pytest.mark.parametrize("damage", ["cut off", "one bit", "not an archive", "another file inside"])
def test_a_damaged_archive_changes_nothing(
    filled: dict[str, list[Any]], settings: Settings, other_place: Settings, tmp_path: Path, damage: str
):
    archive = tmp_path / "site.tar.gz"
    backup.write(settings, archive)
    content = bytearray(archive.read_bytes())
    if damage == "cut off":
        archive.write_bytes(content[: len(content) // 2])
    elif damage == "one bit":
        content[len(content) // 2] ^= 4
        archive.write_bytes(content)
    elif damage == "not an archive":
        archive.write_bytes(b"something else")
    else:
        unpacked = tmp_path / "unpacked"
        with tarfile.open(archive) as old:
            old.extractall(unpacked, filter="data")
        (unpacked / "uploads" / "ab" / "picture.webp").write_bytes(b"another picture")
        with tarfile.open(archive, "w:gz") as new:
            new.add(unpacked, arcname=".")

    with pytest.raises(backup.BackupError, match=r"damaged|cut off"):
        backup.restore(other_place, archive)
    assert [path.name for path in other_place.INSTANCE_PATH.iterdir()] == []


def test_other_keys_are_noticed_before_anything_is_put_back(
    filled: dict[str, list[Any]], settings: Settings, other_place: Settings, tmp_path: Path
):
    archive = tmp_path / "site.tar.gz"
    backup.write(settings, archive)
    with pytest.raises(backup.BackupError, match="CONVERSATION_KEY"):
        backup.restore(replace(other_place, CONVERSATION_KEY="k" * 40), archive)
    assert list(other_place.INSTANCE_PATH.iterdir()) == []


def test_a_backup_that_fails_leaves_the_former_one(settings: Settings, tmp_path: Path):
    archive = tmp_path / "site.tar.gz"
    archive.write_bytes(b"the former one")
    nowhere = replace(settings, DATABASE_URL=f"sqlite:///{tmp_path / 'nowhere.sqlite'}")
    with pytest.raises(backup.BackupError, match="no database"):
        backup.write(nowhere, archive)
    assert archive.read_bytes() == b"the former one"
