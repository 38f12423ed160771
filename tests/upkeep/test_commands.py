"""Whatever is wrong with the database, a command says it in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.kernel.db import sqlite_module

pytestmark = pytest.mark.long  # a process for each


def run(instance: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "portal.cli", *arguments]
    environment = os.environ | {"INSTANCE_PATH": str(instance)} | settings
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("arguments", [("score", "rebuild"), ("demo",), ("search", "rebuild")])
def test_a_database_without_tables_is_said_in_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = run(tmp_path, *arguments)
    assert ran.returncode == 1, ran.stderr
    assert ran.stderr.strip().splitlines()[-1] == (
        "portal: the database does not have the tables of this version; run `portal upgrade` first"
    )
    assert "Traceback" not in ran.stderr


def test_tables_of_another_version_are_said_in_one_line(tmp_path: Path) -> None:
    with sqlite_module.connect(tmp_path / "portal.sqlite") as connection:
        connection.execute("CREATE TABLE members (id INTEGER)")
    ran = run(tmp_path, "score", "rebuild")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr


def test_a_database_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    ran = run(tmp_path, "score", "rebuild", DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert ran.returncode == 1
    assert ran.stderr.strip().splitlines()[-1].startswith("portal: the database does not answer: ")
    assert "Traceback" not in ran.stderr
