"""The demo community, loaded once for all processes of a test run; each user gets a copy of its folder."""

import fcntl
import shutil
from pathlib import Path

import pytest

from portal.kernel.db import Base, db
from tests.support.site import Site

PASSWORD = "a password for the demo"


def demo_site(tmp_path_factory: pytest.TempPathFactory, name: str) -> Site:
    """A site of its own with the demo community, not started."""
    # With xdist each process has a folder below the one of the run.
    run = tmp_path_factory.getbasetemp()
    run = run.parent if run.name.startswith("popen-") else run
    pattern = run / "demo" / "instance"
    with (run / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "demo" / "loaded").exists():
            _load(pattern)
    instance = tmp_path_factory.mktemp(name) / "instance"
    shutil.copytree(pattern, instance)
    return Site(instance, DEMO_PASSWORD=PASSWORD)


def _load(instance: Path) -> None:
    shutil.rmtree(instance.parent, ignore_errors=True)
    instance.parent.mkdir()
    site = Site(instance, DEMO_PASSWORD=PASSWORD)
    with site.inside():
        Base.metadata.create_all(db.engine)
    site.portal("demo")
    (instance.parent / "loaded").touch()
