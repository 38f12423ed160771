"""Whoever was erased stays erased when an older backup comes back."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import stamp
from sqlalchemy import select

from portal import create_app
from portal.discussions.models import Post, ThreadKind
from portal.discussions.services.posting import open_thread, post_reply
from portal.kernel import audit
from portal.kernel.access import Duty
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member, MemberState
from portal.members.services import erasing
from portal.settings import Settings
from portal.upkeep import backup, commands, erasures
from portal.wiring import MIGRATIONS
from tests.conftest import make_admin, make_board, make_customer, viewer_of
from tests.support.postgres import TOOLS

NAME = "Zyta Quastenflosser"


@pytest.fixture(autouse=True)
def _postgres_tools(monkeypatch: pytest.MonkeyPatch):
    if TOOLS is not None:
        monkeypatch.setenv("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "site.tar.gz"


@pytest.fixture
def make_other_place(
    settings: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Flask]]:
    """Call it for another machine with the same keys. A process serves one site: the newest."""
    made: list[Flask] = []

    def make() -> Flask:
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        address = f"sqlite:///{folder / 'portal.sqlite'}"
        if not settings.is_sqlite:
            address = request.getfixturevalue("make_postgres_database")()
        made.append(create_app(replace(settings, INSTANCE_PATH=folder, DATABASE_URL=address)))
        return made[0]

    if not settings.is_sqlite:
        request.getfixturevalue("make_postgres_database")  # ends after this one
    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def people(in_app: Flask, settings: Settings) -> dict[str, int]:
    """Two who wrote and will be erased, one who stays. Their site has the schema of the migrations."""
    board = make_board()
    made = {}
    for key, name in (("left", NAME), ("deleted", "Wanda Ehemals"), ("stays", "Ines Okafor")):
        made[key] = make_customer(name, picture=f"m-{key}.webp")
        (settings.uploads_path).mkdir(exist_ok=True)
        (settings.uploads_path / f"m-{key}.webp").write_bytes(b"a face")
    asked = open_thread(
        viewer_of(made["stays"]), board, kind=ThreadKind.QUESTION, title="Which port is it?", body="Mine."
    )
    post_reply(viewer_of(made["left"]), asked.id, "Port 8443, I think.")
    post_reply(viewer_of(made["deleted"]), asked.id, "Words that have to go.")
    return made


def run(app: Flask, command: object, *words: object) -> str:
    db.session.rollback()  # what this test has read is open no longer
    with app.app_context():
        done = app.test_cli_runner().invoke(command, [str(word) for word in words])  # type: ignore[arg-type] # a click command
    assert done.exit_code == 0, f"{done.output}\n{done.exception}"
    return done.output


def erase(people: dict[str, int]) -> None:
    for key, keep in (("left", True), ("deleted", False)):
        with unit_of_work():
            erasing.erase_account(people[key], keep_text=keep)


def names() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(Member.name)))


@pytest.fixture
def stamped(in_app: Flask) -> None:
    """The tables were made by the models; say that they are those of the newest migration."""
    stamp(directory=str(MIGRATIONS))


@pytest.mark.usefixtures("stamped")
def test_a_restored_backup_brings_nobody_back(
    in_app: Flask, settings: Settings, people: dict[str, int], archive: Path
):
    run(in_app, commands.backup, archive)
    erase(people)
    assert len(erasures.read(settings.INSTANCE_PATH / erasures.FILE)) == 2
    assert (settings.INSTANCE_PATH / erasures.FILE).stat().st_mode & 0o777 == 0o600
    assert NAME not in (settings.INSTANCE_PATH / erasures.FILE).read_text()

    assert "2 accounts erased again" in run(in_app, commands.restore, archive, "--replace")
    assert names() == {"Ines Okafor", erasing.NAME}
    sources = set(db.session.scalars(select(Post.source)))
    assert "Port 8443, I think." in sources
    assert "Words that have to go." not in sources
    assert sorted(path.name for path in settings.uploads_path.iterdir()) == ["m-stays.webp"]
    assert audit.verify().problems == []
    # Once more: the list holds each of them once, and nothing is left to do.
    assert "2 accounts erased again" in run(in_app, commands.restore, archive, "--replace")
    assert len(erasures.read(settings.INSTANCE_PATH / erasures.FILE)) == 2


@pytest.mark.usefixtures("stamped")
def test_on_another_machine_the_list_comes_by_hand(
    in_app: Flask,
    settings: Settings,
    people: dict[str, int],
    archive: Path,
    make_other_place: Callable[[], Flask],
):
    run(in_app, commands.backup, archive)
    erase(people)
    db.session.remove()
    db.engine.dispose()
    other_place = make_other_place()
    said = run(other_place, commands.restore, archive)
    assert "No list of erasures is here" in said
    with other_place.app_context():
        assert NAME in names()
    kept = settings.INSTANCE_PATH / erasures.FILE
    assert "2 accounts erased again" in run(
        other_place, commands.restore, archive, "--replace", "--erasures", kept
    )
    with other_place.app_context():
        assert names() == {"Ines Okafor", erasing.NAME}
    assert len(erasures.read(other_place.config["SETTINGS"].INSTANCE_PATH / erasures.FILE)) == 2


def test_what_could_not_be_noted_is_noted_by_the_next_look(
    in_app: Flask, settings: Settings, people: dict[str, int]
):
    erase(people)
    kept = settings.INSTANCE_PATH / erasures.FILE
    before = erasures.read(kept)
    kept.unlink()
    assert erasures.keep(settings.INSTANCE_PATH) == 2
    assert erasures.read(kept) == before
    assert {one.keep_text for one in before} == {True, False}
    assert erasures.keep(settings.INSTANCE_PATH) == 0


def test_somebody_else_with_the_same_number_is_left_alone(
    in_app: Flask, settings: Settings, people: dict[str, int]
):
    erase(people)
    noted = erasures.read(settings.INSTANCE_PATH / erasures.FILE)
    with unit_of_work():
        other = db.session.get_one(Member, people["left"])
        other.name, other.state, other.created_at = "A later one", MemberState.ACTIVE, noted[0].at
    assert erasures.apply(noted, settings.uploads_path) == 0
    assert "A later one" in names()


def test_the_last_admin_is_erased_again_too(in_app: Flask, settings: Settings):
    admin = make_admin("Ruth Adeyemi")
    with unit_of_work():
        erasing.erase_account(admin, keep_text=True, even_last_admin=True)
    noted = erasures.read(settings.INSTANCE_PATH / erasures.FILE)
    with unit_of_work():  # as an older backup has it
        again = db.session.get_one(Member, admin)
        again.name, again.state, again.duties = "Ruth Adeyemi", MemberState.ACTIVE, [Duty.ADMIN.value]
    assert erasures.apply(noted, settings.uploads_path) == 1
    assert names() == {erasing.NAME}


def test_a_damaged_list_stops_the_restore_before_anything_is_changed(
    in_app: Flask, settings: Settings, people: dict[str, int], archive: Path
):
    backup.write(settings, archive)
    (settings.INSTANCE_PATH / erasures.FILE).write_text("not a line of it\n")
    with in_app.app_context():
        done = in_app.test_cli_runner().invoke(commands.restore, [str(archive), "--replace"])
    assert done.exit_code == 1
    assert "line 1, tells of no erasure" in done.output
    assert NAME in names()
