"""A backup taken under writers, restored on a bare machine by the documented command."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.discussions.models import Post
from portal.kernel.access import Status
from portal.kernel.crypto import hash_password
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.members.models import Member
from portal.members.services import erasing
from tests.conftest import make_member
from tests.drills.conftest import writers_on
from tests.drills.test_kill import check_database
from tests.support.http import Client
from tests.support.people import PASSWORD
from tests.support.postgres import TOOLS
from tests.support.site import Site

pytestmark = pytest.mark.drill

EMAIL = "ruth@northwind.example"
NAME = "Zyta Quastenflosser"


def tokens_there(site: Site) -> list[str]:
    with site.inside():
        sources = db.session.scalars(select(Post.source).where(Post.source.contains("token-"))).all()
    return [source.rsplit(" ", 1)[1] for source in sources]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_backup_under_load_comes_back_on_a_bare_machine(
    make_site: Callable[..., Site],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
):
    there: dict[str, str] = {}
    here: dict[str, str] = {}
    if kind == "postgresql":
        make_database = request.getfixturevalue("make_postgres_database")
        path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
        there, here = ({"DATABASE_URL": make_database(), "PATH": path} for _ in range(2))
    site = make_site(workers=2, **there)
    with site.inside():
        make_member("Ruth Adeyemi", status=Status.VENDOR, email=EMAIL, password_hash=hash_password(PASSWORD))
        zyta = make_member(NAME, status=Status.PROSPECT)
    picture = site.instance / "uploads" / "m-kept.webp"
    picture.parent.mkdir(exist_ok=True)
    picture.write_bytes(b"a picture")
    site.start(seconds=90)
    archive = tmp_path / "site.tar.gz"
    with writers_on(site, 8) as writers:
        writers.wait_for(20)
        before = set(writers.log.acknowledged)
        begin = time.monotonic()
        site.portal("backup", str(archive))
        took = time.monotonic() - begin
        writers.wait_for(10)
        with site.inside(), unit_of_work():
            erasing.erase_account(zyta, keep_text=True)
        meant, log = set(writers.log.meant), writers.log
    site.stop()

    bare = make_site(workers=1, is_bare=True, **here)
    for key in ("secret.key", "keys", "erasures.list"):  # what is kept apart from the backups
        source = site.instance / key
        (shutil.copytree if source.is_dir() else shutil.copy)(source, bare.instance / key)
    said = bare.portal("restore", str(archive)).stdout
    found = tokens_there(bare)
    with capsys.disabled():
        print(
            f"\nbackup under load ({kind}): {took:.1f} s, {len(before)} posts acknowledged before it, "
            f"{len(found)} in it, {len(before - set(found))} of them missing; answers {dict(log.answers)}"
        )
    assert set(log.answers) == {303}, "a backup holds nobody up"
    assert before <= set(found) <= meant
    assert len(found) == len(set(found))
    assert "1 accounts erased again" in said
    with bare.inside():
        assert NAME not in db.session.scalars(select(Member.name)).all()
    assert (bare.instance / "uploads" / "m-kept.webp").read_bytes() == b"a picture"
    bare.start(seconds=90)
    Client(bare.port).sign_in(EMAIL, PASSWORD)
    assert Client(bare.port).get("/search?q=reply").status == 200
    bare.stop()
    if kind == "sqlite":
        check_database(bare)
