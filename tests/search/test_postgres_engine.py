"""The engine for PostgreSQL finds what the embedded one finds."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from portal.search.engines.base import Document, IndexBusy, IndexUnavailable
from portal.search.engines.postgres_engine import LOCK, SCHEMA, PostgresEngine
from portal.search.query import parse
from portal.settings import load
from tests.search.test_known_items import beer_documents, items, shown_threads
from tests.support.data import real_data

pytestmark = pytest.mark.postgres


@pytest.fixture
def database(postgres_url: str) -> Iterator[Engine]:
    address = load({"DATABASE_URL": postgres_url}).DATABASE_URL
    engine = create_engine(address)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database: Engine) -> PostgresEngine:
    engine = PostgresEngine(lambda: database)
    engine.rebuild([])
    return engine


def post(id: int, body: str = "", title: str = "A thread", **fields: object) -> Document:
    return Document(**{"id": id, "thread_id": id, "kind": "opening", "title": title, "body": body, **fields})  # type: ignore[arg-type]


def found(engine: PostgresEngine, words: str) -> list[int]:
    return [hit.id for hit in engine.search(parse(words)).hits]


def complete(engine: PostgresEngine, words: str) -> set[int]:
    hits = engine.search(parse(words))
    return {hit.id for hit in hits.hits[: hits.complete]}


def test_finds_words_in_all_scripts_and_signs(engine: PostgresEngine) -> None:
    texts = {
        1: "We are running the C++ client, don't we",
        2: "statistics in R only",
        3: "全文検索機能のテスト",
        4: "Crème brûlée à la Łódź",
        5: "C# and .NET and node.js \\ 'quoted'",
        6: "the half-empty keg",
    }
    engine.update(post(number, body) for number, body in texts.items())
    assert complete(engine, "run") == {1}
    assert complete(engine, "C++") == {1}
    assert complete(engine, "c#") == {5}
    assert complete(engine, "nodejs") == {5}
    assert complete(engine, "R") == {2}
    assert complete(engine, "検索機能") == {3}
    assert complete(engine, "creme lodz") == {4}
    assert complete(engine, "don't") == {1}
    assert complete(engine, '"half empty keg"') == {6}
    assert complete(engine, '"empty half"') == set()
    assert found(engine, '"empty half"') == [6]
    assert complete(engine, '"thread we are"') == set(), "no phrase reaches from the title into the text"


def test_order_corrections_and_changes(engine: PostgresEngine) -> None:
    engine.update(
        [
            post(1, "lager and more words"),
            post(2, "more words", title="Lager storage"),
            post(3, "stout", kind="answer"),
            post(4, "stout", kind="answer", accepted=True, votes=3),
            post(5, "alpha beta gamma"),
            post(6, "alpha"),
        ]
    )
    assert found(engine, "lager") == [2, 1]
    assert found(engine, "stout") == [4, 3]
    hits = engine.search(parse("alpha gamma"))
    assert hits.complete == 1
    assert [hit.id for hit in hits.hits] == [5, 6]
    typo = engine.search(parse("gama storrage lager"))
    assert typo.suggestion == "gamma storage lager"
    assert typo.hits[0].id == 2
    engine.update([post(6, "omega")], gone=[1, 77])
    assert found(engine, "lager") == [2]
    assert found(engine, "alpha") == [5]
    assert engine.check() == engine.ready() == 5
    with engine._connect().connect() as connection:
        kept = dict(connection.execute(text(f"SELECT term, found FROM {SCHEMA}.terms")).all())
    assert kept["omega"] == 1
    assert kept["alpha"] == 1


def test_without_tables_or_beside_another_writer_it_says_so(database: Engine) -> None:
    engine = PostgresEngine(lambda: database)
    calls: list[Callable[[], object]] = [
        engine.ready,
        engine.check,
        lambda: engine.search(parse("a")),
        lambda: engine.update([post(1)]),
    ]
    for call in calls:
        with pytest.raises(IndexUnavailable):
            call()
    engine.rebuild([post(1, "alpha")])
    with database.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        with pytest.raises(IndexBusy):
            engine.update([post(2, "alpha")])
    with database.begin() as connection:
        connection.execute(text(f"DROP TABLE {SCHEMA}.words"))
    with pytest.raises(IndexUnavailable):
        engine.update([post(2, "alpha")])
    assert engine.rebuild([post(1, "alpha"), post(2, "alpha")]) == 2
    assert found(engine, "alpha") == [2, 1]


@pytest.mark.parametrize(
    "words", ["' | 'a", "a & !b", "a <-> b", "'; DROP TABLE posts; --", "\\", "a:*", "((", "NOT " * 99]
)
def test_no_sign_reaches_the_database_as_syntax(engine: PostgresEngine, words: str) -> None:
    engine.update([post(1, "alpha")])
    engine.search(parse(words))
    assert found(engine, "alpha") == [1]


@pytest.mark.data
@pytest.mark.long
def test_known_items_are_found_as_by_the_embedded_engine(engine: PostgresEngine) -> None:
    documents = list(beer_documents(real_data("stackexchange-beer")))
    engine.rebuild(documents)
    thread_of = {document.id: document.thread_id for document in documents}
    missed = {True: 0, False: 0}
    asked = {True: 0, False: 0}
    for item in [*items("known_items.toml"), *items("held_out_items.toml")]:
        typo = item["kind"] == "typo"
        asked[typo] += 1
        missed[typo] += item["thread"] not in shown_threads(engine, thread_of, str(item["query"]))[:5]
    print(
        f"PostgreSQL: {missed[False]} of {asked[False]} missed, with a typo {missed[True]} of {asked[True]}"
    )
    assert missed[False] / asked[False] <= 0.1
    assert missed[True] / asked[True] <= 0.3
