"""Small communities as files, commands run on them, and everything that is stored, to be compared."""

import gzip
import json
from pathlib import Path
from typing import Any

from click import Group
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from portal.exchange.commands import export_group, import_group
from portal.kernel.db import Base, db

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
DUMP = {
    "Users.xml": """<users>
  <row Id="-1" CreationDate="2014-01-21T17:45:53.587" DisplayName="Community" />
  <row Id="7" CreationDate="2014-01-21T18:00:00.000" DisplayName="Zoë Ångström" />
  <row Id="8" CreationDate="2014-01-22T18:00:00.000" DisplayName="Admin" />
  <row Id="9" CreationDate="2014-01-22T19:00:00.000" DisplayName="Zoë Ångström" />
</users>""",
    "Posts.xml": """<posts>
  <row Id="1" PostTypeId="1" AcceptedAnswerId="3" CreationDate="2014-01-21T20:26:05.383" Score="2"
    ViewCount="1216" Body="&lt;p&gt;Keep it &lt;b&gt;cold&lt;/b&gt;?&lt;/p&gt;" OwnerUserId="7"
    LastEditDate="2014-02-01T10:00:00.000" ClosedDate="2014-03-01T10:00:00.000"
    Title="How cold is too cold?" Tags="&lt;storage&gt;&lt;hops&gt;" />
  <row Id="2" PostTypeId="2" ParentId="1" CreationDate="2014-01-21T21:00:00.000" Score="-1"
    Body="&lt;p&gt;No.&lt;script&gt;alert(1)&lt;/script&gt;&lt;/p&gt;" OwnerDisplayName="user12" />
  <row Id="3" PostTypeId="2" ParentId="1" CreationDate="2014-01-21T20:59:00.000" Score="4"
    Body="&lt;p&gt;I found it: 4 degrees.&lt;/p&gt;" OwnerUserId="7" />
  <row Id="4" PostTypeId="4" CreationDate="2014-01-21T20:59:00.000" Score="0" Body="A tag." />
</posts>""",
    "Comments.xml": """<comments>
  <row Id="1" PostId="1" Score="1" Text="Which *beer*?" CreationDate="2014-01-21T20:30:00.000" UserId="8" />
  <row Id="2" PostId="3" Score="0" Text="Thanks" CreationDate="2014-01-21T22:30:00.000" UserId="9" />
</comments>""",
    "Votes.xml": """<votes>
  <row Id="1" PostId="1" VoteTypeId="2" CreationDate="2014-01-21T00:00:00.000" />
  <row Id="2" PostId="1" VoteTypeId="2" CreationDate="2014-01-22T00:00:00.000" />
  <row Id="3" PostId="2" VoteTypeId="3" CreationDate="2014-01-22T00:00:00.000" />
  <row Id="4" PostId="3" VoteTypeId="1" CreationDate="2014-01-23T00:00:00.000" />
  <row Id="5" PostId="3" VoteTypeId="2" CreationDate="2014-01-23T00:00:00.000" />
  <row Id="6" PostId="3" VoteTypeId="5" CreationDate="2014-01-23T00:00:00.000" UserId="9" />
</votes>""",
    "Tags.xml": '<tags><row Id="1" TagName="storage" Count="1" /></tags>',
    "Badges.xml": '<badges><row Id="1" UserId="7" Name="Autobiographer" /></badges>',
}


def write_dump(folder: Path, **changed: str) -> Path:
    """A dump of one question; the keywords change files: Posts="…"."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in DUMP.items():
        text = changed.get(name.removesuffix(".xml"), text)
        (folder / f"{name}.gz").write_bytes(gzip.compress((HEAD + text).encode()))
    return folder


def question(key: str = "q1", **changes: Any) -> dict[str, Any]:
    return {
        "id": key,
        "thread": key,
        "parent": None,
        "kind": "question",
        "author": "u1",
        "created": "2024-01-01T10:00:00Z",
        "score": 0,
        "title": "Why is it slow?",
        "tags": ["speed"],
        "body": "<p>It is slow.</p>",
    } | changes


def answer(key: str = "a1", **changes: Any) -> dict[str, Any]:
    return {
        "id": key,
        "thread": "q1",
        "parent": "q1",
        "kind": "answer",
        "author": "u2",
        "created": "2024-01-02T10:00:00Z",
        "score": 0,
        "accepted": False,
        "body": "<p>Count less.</p>",
    } | changes


def write_lines(path: Path, *rows: dict[str, Any] | str) -> Path:
    """A file of one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def run_import(app: Flask, *words: Any) -> Result:
    """`portal import …`."""
    return _run(app, import_group, words)


def run_export(app: Flask, *words: Any) -> Result:
    """`portal export …`."""
    return _run(app, export_group, words)


def _run(app: Flask, group: Group, words: tuple[Any, ...]) -> Result:
    # In a context of its own, as on the command line: a test may hold that of another site.
    with app.app_context():
        return app.test_cli_runner().invoke(group, [str(word) for word in words])


def report_of(result: Result) -> dict[str, Any]:
    """What --json printed."""
    return json.loads(result.stdout)


def all_rows(app: Flask) -> dict[str, list[Any]]:
    """Every row of every table."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }
