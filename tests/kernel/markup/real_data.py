"""Where the real data lies beside the project; where it does not, tests are skipped with a reason."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import iterparse

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("CANDOR_SHARED_DATA") or ROOT.parent / "shared" / "data")


def need(*parts: str) -> Path:
    """The file, or a skipped test that says which one is missing."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"real data not beside the project: {'/'.join(parts)} (set CANDOR_SHARED_DATA)")
    return path


def cases(name: str) -> list[Any]:
    """A JSON list of the folder `text`."""
    return json.loads(need("text", name).read_text("utf-8"))


def beer_bodies() -> Iterator[str]:
    """Each HTML body of the Stack Exchange dump."""
    with gzip.open(need("stackexchange-beer", "Posts.xml.gz")) as file:
        for _, element in iterparse(file):
            if element.tag == "row":
                yield element.attrib["Body"]


def thunderbird_bodies() -> Iterator[str]:
    """Each HTML body of Thunderbird's year of support questions."""
    with gzip.open(need("thunderbird-2024", "posts.jsonl.gz"), "rt", encoding="utf-8") as file:
        for line in file:
            if body := json.loads(line)["body"]:
                yield body
