"""Counters of tries: shared by processes, one window a key, and never in the way when they fail."""

import multiprocessing
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from portal.kernel import limits
from portal.kernel.errors import TooMany
from portal.kernel.limits import SqliteStorage
from tests.conftest import noon

RULE = "3 per 10 minutes"


def test_the_fourth_try_waits_for_the_end_of_the_window(
    in_app: Flask, at: Callable[[datetime], None]
) -> None:
    at(noon())
    for _ in range(3):
        limits.take(RULE, "ada", name="sign in")
    assert limits.is_spent(RULE, "ada", name="sign in") == 601
    with pytest.raises(TooMany) as refused:
        limits.take(RULE, "ada", name="sign in")
    assert refused.value.retry_after == 601
    limits.take(RULE, "bob", name="sign in")
    limits.take(RULE, "ada", name="something else")
    at(noon() + timedelta(minutes=10, seconds=1))
    limits.take(RULE, "ada", name="sign in")


def test_a_success_begins_anew(in_app: Flask) -> None:
    for _ in range(3):
        limits.take(RULE, "ada", name="sign in")
    limits.forget(RULE, "ada", name="sign in")
    assert limits.is_spent(RULE, "ada", name="sign in") == 0


def test_nothing_readable_is_kept_of_a_key(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        limits.take(RULE, "ada@mail.example", name="sign in")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("limits.sqlite*"))
    assert b"sign in" in kept
    assert b"ada@mail" not in kept


def test_lost_counters_limit_nobody(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        limits.take(RULE, "ada", name="sign in")
        storage = app.extensions["candor_limits"].storage
        storage._connection().execute(f"DROP TABLE {limits.TABLE}")
        for _ in range(5):
            limits.take(RULE, "ada", name="sign in")


def _count(path: str, times: int) -> None:
    storage = SqliteStorage(f"candor-sqlite://{path}")
    for _ in range(times):
        storage.incr("key", 600)


@pytest.mark.long
def test_processes_count_together(tmp_path: Path) -> None:
    path = str(tmp_path / "limits.sqlite")
    workers = [
        multiprocessing.get_context("spawn").Process(target=_count, args=(path, 100)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert SqliteStorage(f"candor-sqlite://{path}").get("key") == 300
