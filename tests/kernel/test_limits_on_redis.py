"""Counters in a real Redis, as several machines share them; without it nobody is limited, and all is told."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from portal import create_app
from portal.kernel import jobs, limits
from portal.kernel.errors import TooMany
from portal.settings import Settings
from tests.support.need import missing
from tests.support.site import free_port

RULE = "3 per 10 minutes"


class Redis:
    """A server that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            ["redis-server", *options, "--dir", str(self._folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        missing("Redis is not here (apt install redis-server)")
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


def machine(settings: Settings, redis: Redis) -> Flask:
    """One of several machines that ask the same Redis."""
    app = create_app(replace(settings, REDIS_URL=redis.url))
    jobs.set_waker(None)
    storage = app.extensions["candor_limits"].storage
    end = time.monotonic() + 20
    while not storage.check():
        assert time.monotonic() < end, "Redis did not start"
        time.sleep(0.05)
    return app


def take(app: Flask, who: str) -> None:
    with app.app_context():
        limits.take(RULE, who, name="sign in")


def test_machines_count_together_and_by_key(settings: Settings, redis: Redis):
    one, other = machine(settings, redis), machine(settings, redis)
    for app in (one, other, one):
        take(app, "ada")
    with pytest.raises(TooMany) as refused:
        take(other, "ada")
    assert 0 < refused.value.retry_after <= 601
    take(other, "bob")
    with one.app_context():
        assert limits.is_spent(RULE, "ada", name="sign in") > 0
        limits.forget(RULE, "ada", name="sign in")
    take(other, "ada")


def test_without_redis_nobody_is_kept_out(settings: Settings, redis: Redis):
    app = machine(settings, redis)
    redis.stop()
    for _ in range(5):
        take(app, "ada")
    redis.start()
    end = time.monotonic() + 20
    while not app.extensions["candor_limits"].storage.check():
        assert time.monotonic() < end
        time.sleep(0.05)
    for _ in range(3):
        take(app, "ada")
    with pytest.raises(TooMany):
        take(app, "ada")
