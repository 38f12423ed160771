"""The written content as plain values: read from content/*.toml, in a fixed order."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parent / "content"

Table = dict[str, Any]


@cache
def companies() -> list[Table]:
    return _read("cast.toml")["company"]


@cache
def people() -> list[Table]:
    return _read("cast.toml")["person"]


@cache
def boards() -> list[Table]:
    return _read("boards.toml")["board"]


@cache
def asks() -> list[Table]:
    """Asks of the last days, each with its steps."""
    return _read("asks.toml")["ask"]


@cache
def invites() -> list[Table]:
    """Links that people hand out."""
    return _read("invites.toml")["invite"]


@cache
def conversations() -> list[Table]:
    """Private conversations, each with its steps."""
    return _read("conversations.toml")["conversation"]


@cache
def threads() -> list[Table]:
    """All threads, oldest first."""
    found: list[Table] = []
    for path in sorted((CONTENT / "threads").glob("*.toml")):
        found += tomllib.loads(path.read_text(encoding="utf-8"))["thread"]
    return sorted(found, key=lambda thread: (-thread["days_ago"], thread["key"]))


def _read(name: str) -> Table:
    return tomllib.loads((CONTENT / name).read_text(encoding="utf-8"))
