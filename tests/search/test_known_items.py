"""Known items in real posts: readers find the thread they remember among the first five threads."""

import gzip
import html
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from portal.search.engines.base import Document, Engine
from portal.search.engines.whoosh_engine import WhooshEngine
from portal.search.query import parse
from tests.support.data import real_data

HERE = Path(__file__).parent


def _text(source: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", source))


def beer_documents(folder: Path) -> Iterator[Document]:
    """Questions, answers and comments of the dump as the product indexes them."""
    with gzip.open(folder / "Posts.xml.gz") as file:
        rows = [row.attrib for row in ElementTree.parse(file).getroot()]
    posts = {row["Id"]: row for row in rows if row["PostTypeId"] in "12"}
    for row in posts.values():
        question = posts[row.get("ParentId", row["Id"])]
        yield Document(
            id=int(row["Id"]),
            thread_id=int(question["Id"]),
            kind="opening" if row is question else "answer",
            title=question["Title"],
            body=_text(row["Body"]),
            tags=tuple(re.findall("<([^>]+)>", question["Tags"])),
            accepted=question.get("AcceptedAnswerId") == row["Id"],
            votes=int(row["Score"]),
        )
    with gzip.open(folder / "Comments.xml.gz") as file:
        for element in ElementTree.parse(file).getroot():
            if element.attrib["PostId"] in posts:
                post = posts[element.attrib["PostId"]]
                question = posts[post.get("ParentId", post["Id"])]
                yield Document(
                    id=1_000_000 + int(element.attrib["Id"]),
                    thread_id=int(question["Id"]),
                    kind="comment",
                    title=question["Title"],
                    body=_text(element.attrib["Text"]),
                )


@pytest.fixture(scope="module")
def beer(tmp_path_factory: pytest.TempPathFactory) -> tuple[WhooshEngine, dict[int, int]]:
    documents = list(beer_documents(real_data("stackexchange-beer")))
    engine = WhooshEngine(tmp_path_factory.mktemp("beer"))
    engine.rebuild(documents)
    return engine, {document.id: document.thread_id for document in documents}


def items(name: str) -> list[dict[str, str | int]]:
    return list(tomllib.loads((HERE / name).read_text(encoding="utf-8"))["item"])


def shown_threads(engine: Engine, thread_of: dict[int, int], text: str) -> list[int]:
    """Threads as the page shows them: by their best post, those with all words unless they are few."""
    hits = engine.search(parse(text))
    shown = hits.hits[: hits.complete] if hits.complete >= 5 else hits.hits
    return list(dict.fromkeys(thread_of[hit.id] for hit in shown))


@pytest.mark.data
@pytest.mark.parametrize("name", ["known_items.toml", "held_out_items.toml"])
def test_known_items_are_among_the_first_five(beer: tuple[WhooshEngine, dict[int, int]], name: str) -> None:
    misses: dict[bool, list[str]] = {True: [], False: []}
    counts = {True: 0, False: 0}
    for item in items(name):
        typo = item["kind"] == "typo"
        counts[typo] += 1
        if item["thread"] not in shown_threads(*beer, str(item["query"]))[:5]:
            misses[typo].append(str(item["query"]))
    success = {typo: 1 - len(misses[typo]) / counts[typo] for typo in counts}
    print(f"{name}: success@5 {success[False]:.3f} ({counts[False]} queries)")
    print(f"{name}: success@5 with a typo {success[True]:.3f} ({counts[True]} queries)")
    assert success[False] >= 0.9, misses[False]
    assert success[True] >= 0.7, misses[True]


def test_the_table_of_known_items_is_what_it_says() -> None:
    known = items("known_items.toml")
    kinds = [item["kind"] for item in known]
    assert len(known) >= 70
    assert len({item["query"] for item in known}) == len(known)
    assert kinds.count("body") >= 20
    assert kinds.count("inflection") >= 10
    assert kinds.count("typo") >= 10
    assert kinds.count("phrase") >= 5
    for item in known:
        words = str(item["query"]).replace('"', "").split()
        assert item["kind"] != "body" or 4 <= len(words) <= 7
        assert (item["kind"] == "phrase") == ('"' in str(item["query"]))


@pytest.mark.data
def test_at_least_twenty_use_only_words_of_one_answers_body() -> None:
    answers: dict[int, list[set[str]]] = {}
    for document in beer_documents(real_data("stackexchange-beer")):
        if document.kind == "answer":
            words = set(re.findall(r"\w+(?:[-.]\w+)*", document.body.lower()))
            answers.setdefault(document.thread_id, []).append(words)
    of_a_body = [
        item
        for item in items("known_items.toml")
        if item["kind"] == "body"
        and any(set(str(item["query"]).lower().split()) <= words for words in answers[int(item["thread"])])
    ]
    assert len(of_a_body) >= 20


@pytest.mark.data
def test_no_known_item_is_a_title(beer: tuple[WhooshEngine, dict[int, int]]) -> None:
    titles = {
        re.sub(r"\W+", " ", d.title.lower()).strip() for d in beer_documents(real_data("stackexchange-beer"))
    }
    for item in [*items("known_items.toml"), *items("held_out_items.toml")]:
        assert re.sub(r"\W+", " ", str(item["query"]).lower()).strip() not in titles
