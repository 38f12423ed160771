"""How the database goes about the statements of the main pages: by their indexes, whatever the size.

Each page is asked for on a community of thousands; then the database explains every statement that ran. No
table that grows with the community may be read from end to end, and only what a page is cut from be sorted.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, text

from benchmarks import community, data
from portal.discussions.models import Thread
from portal.discussions.services.recount import recount
from portal.kernel.db import db
from portal.kernel.unit_of_work import unit_of_work
from portal.search import services as search

SIZE = data.Size("plans", 2_000, 2_500, 8_000)
GROWING = {"posts", "threads", "members", "thread_tags", "read_marks", "follows", "votes"}
MOST_SORTED = 2_200  # the hits of a search (at most 1,000), or a page of the long thread as guessed
BOARD = f"/boards/{community.BOARDS[0]}"
PAGES = [
    "/",
    BOARD,
    f"{BOARD}?sort=newest",
    f"{BOARD}?kind=question",
    f"{BOARD}?show=unanswered",
    f"{BOARD}?tag=sync",
    "{next_of_board}",
    "/tags/sync",
    "{thread}",
    "{thread}?page=50",
    "/members",
    "{next_of_members}",
    "/members/{writer}",
    "/members/{writer}/posts",
    f"/search?q={data.COMMON_WORD}",
    f"/search?q={data.RARE_WORD}&kind=question",
    "/search?tag=sync",
    "/search?board=measurements&kind=question",
    "/search?author={writer}",
    "/feeds/latest.atom",
    f"{BOARD}.atom",
]
# The indexes that the lists rest on: page, and those it may go by.
EXPECTED = [
    (BOARD, {"ix_threads_board_activity"}),
    (f"{BOARD}?sort=newest", {"ix_threads_board_created"}),
    (f"{BOARD}?kind=question", {"ix_threads_board_kind"}),
    # The narrower index, or where most questions wait the one that has them in order too.
    (f"{BOARD}?show=unanswered", {"ix_threads_unanswered", "ix_threads_board_created"}),
    ("{thread}?page=50", {"uq_posts_thread_id", "sqlite_autoindex_posts_1"}),
    ("/members", {"ix_members_directory"}),
]


@dataclass(frozen=True)
class Ran:
    """A statement that a page ran, with its values."""

    page: str
    statement: str
    values: Any


@pytest.fixture
def big(app: Flask) -> Flask:
    """The community, counted, indexed, and measured for the planner."""
    with app.app_context():
        community.fill(SIZE, pool=50)
        with unit_of_work():
            recount()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        search.rebuild()
        db.session.remove()
    return app


@contextmanager
def noting(engine: Engine, page: str, ran: list[Ran]) -> Iterator[None]:
    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            ran.append(Ran(page, statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


def next_page(browser: FlaskClient, path: str) -> str:
    """The address of the page after the first."""
    found = re.search(r'href="([^"]*after=[^"]*)" rel="next"', browser.get(path).text)
    assert found, path
    return found[1].replace("&amp;", "&")


@dataclass(frozen=True)
class Step:
    """A step of a plan: how many rows it reads or sorts by the planner's guess (PostgreSQL only)."""

    what: str
    table: str = ""
    index: str = ""
    rows: float = 0


def steps_on_sqlite(engine: Engine, ran: Ran) -> list[Step]:
    steps = []
    with engine.connect() as connection:
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {ran.statement}", ran.values):
            read = re.match(r"(SCAN|SEARCH) (\w+)(?:.*?USING (?:COVERING )?INDEX (\w+))?", row.detail)
            if read:
                what = "read whole" if read[1] == "SCAN" and not read[3] else "read"
                steps.append(Step(what, read[2], read[3] or ""))
            elif "TEMP B-TREE FOR ORDER BY" in row.detail:
                steps.append(Step("sort"))
    return steps


def steps_on_postgresql(engine: Engine, ran: Ran) -> list[Step]:
    with engine.connect() as connection:
        # Some thousand rows are read from end to end quicker than by an index: here only what has none is.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {ran.statement}", ran.values).scalar()
    plans = found if isinstance(found, list) else json.loads(found)
    steps = []

    def walk(node: dict[str, Any]) -> None:
        kind, rows = node["Node Type"], node["Plan Rows"]
        if kind == "Seq Scan":
            steps.append(Step("read whole", node["Relation Name"], rows=rows))
        elif "Scan" in kind:
            steps.append(Step("read", node.get("Relation Name", ""), node.get("Index Name", ""), rows))
        elif kind == "Sort":
            steps.append(Step("sort", rows=rows))
        for child in node.get("Plans", []):
            walk(child)

    walk(plans[0]["Plan"])
    return steps


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    "database",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
    indirect=True,
)
def test_pages_go_by_their_indexes(big: Flask, sign_in: Callable[[int], FlaskClient]) -> None:
    browser = sign_in(community.READER)
    with big.app_context():
        engine = db.engine
        thread = db.session.get_one(Thread, community.LONG_THREAD)
        names = {
            "thread": f"/threads/{thread.id}/{thread.slug}",
            "writer": db.session.execute(text("SELECT username FROM members WHERE id = 7")).scalar_one(),
        }
        db.session.remove()
    names["next_of_board"] = next_page(browser, BOARD)
    names["next_of_members"] = next_page(browser, "/members")

    ran: list[Ran] = []
    for page in PAGES:
        with noting(engine, page, ran):
            answer = browser.get(page.format(**names))
        assert answer.status_code == 200, page

    on_sqlite = engine.dialect.name == "sqlite"
    explain = steps_on_sqlite if on_sqlite else steps_on_postgresql
    plans = [(one, explain(engine, one)) for one in ran]
    wrong = [
        f"{one.page}: {step}\n  {' '.join(one.statement.split())}"
        for one, steps in plans
        for step in steps
        if (step.what == "read whole" and step.table in GROWING)
        or (step.what == "sort" and step.rows > MOST_SORTED)
    ]
    assert not wrong, "\n".join(wrong)
    for page, indexes in EXPECTED:
        used = {step.index for one, steps in plans for step in steps if one.page == page}
        # Where a board has a good part of all threads, PostgreSQL may go by the order of all of them.
        others = set() if on_sqlite else {index for index in used if index.startswith("ix_threads_")}
        assert (indexes | others) & used, (page, used)
