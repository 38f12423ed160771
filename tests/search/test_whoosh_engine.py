"""The embedded engine: what it finds, in which order, and what it does when its files are damaged."""

import multiprocessing
import random
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.search.engines.base import Document, Hits, IndexUnavailable
from portal.search.engines.whoosh_engine import WhooshEngine
from portal.search.query import parse


@pytest.fixture
def engine(tmp_path: Path) -> WhooshEngine:
    engine = WhooshEngine(tmp_path / "index")
    engine.rebuild([])
    return engine


def post(id: int, body: str = "", title: str = "A thread", **fields: object) -> Document:
    return Document(**{"id": id, "thread_id": id, "kind": "opening", "title": title, "body": body, **fields})  # type: ignore[arg-type]


def found(engine: WhooshEngine, text: str) -> list[int]:
    return [hit.id for hit in engine.search(parse(text)).hits]


def complete(engine: WhooshEngine, text: str) -> set[int]:
    hits = engine.search(parse(text))
    return {hit.id for hit in hits.hits[: hits.complete]}


def test_finds_words_in_all_scripts_and_signs(engine: WhooshEngine) -> None:
    texts = {
        1: "We are running the C++ client",
        2: "statistics in R only",
        3: "全文検索機能のテスト",
        4: "Crème brûlée à la Łódź",
        5: "C# and .NET and node.js",
        6: "hits in 索機 order 検",
        7: "plain c code",
    }
    engine.update(post(number, body) for number, body in texts.items())
    assert complete(engine, "run") == {1}
    assert complete(engine, "C++") == {1}
    assert complete(engine, "c#") == {5}
    assert complete(engine, "nodejs") == {5}
    assert complete(engine, "node.js") == {5}
    assert complete(engine, "r") == {2}
    assert complete(engine, "検索機能") == {3}
    assert complete(engine, "能") == {3}
    assert complete(engine, "creme lodz") == {4}
    assert complete(engine, "CRÈME BRULEE") == {4}


def test_all_words_first_then_any(engine: WhooshEngine) -> None:
    engine.update(
        [post(1, "alpha beta gamma"), post(2, "alpha beta"), post(3, "gamma delta"), post(4, "omega")]
    )
    hits = engine.search(parse("alpha gamma"))
    assert hits.complete == 1
    assert hits.hits[0].id == 1
    assert {hit.id for hit in hits.hits} == {1, 2, 3}
    assert found(engine, "nothing here whatsoever") == []


def test_many_complete_hits_bring_no_others_unless_asked(engine: WhooshEngine) -> None:
    engine.update([post(number, "alpha beta") for number in range(1, 131)] + [post(999, "alpha")])
    hits = engine.search(parse("alpha beta"))
    assert hits.complete == len(hits.hits) == 130
    filled = engine.search(parse("alpha beta"), fill=True)
    assert filled.complete == 130
    assert filled.hits[-1].id == 999


def test_phrases_need_their_words_side_by_side(engine: WhooshEngine) -> None:
    engine.update(
        [post(1, "the half-empty keg"), post(2, "a keg that is half and empty"), post(3, "half empty kegs")]
    )
    assert complete(engine, '"half empty keg"') == {1, 3}
    assert complete(engine, '"empty keg" half') == {1, 3}
    assert complete(engine, "half empty keg") == {1, 2, 3}
    assert found(engine, '"empty half"')[:1] != []
    assert complete(engine, '"empty half"') == set()


def test_a_phrase_does_not_reach_from_the_title_into_the_text(engine: WhooshEngine) -> None:
    engine.update([post(1, "keg is here", title="Half empty")])
    assert complete(engine, '"empty keg"') == set()


def test_titles_acceptance_and_votes_raise_a_post(engine: WhooshEngine) -> None:
    filler = "some words about other things entirely"
    engine.update(
        [
            post(1, f"lager {filler}"),
            post(2, filler, title="Lager storage"),
            post(3, f"stout {filler}", kind="answer"),
            post(4, f"stout {filler}", kind="answer", accepted=True),
            post(5, f"porter {filler}", kind="answer", votes=0),
            post(6, f"porter {filler}", kind="answer", votes=25),
            post(7, f"cider {filler}", kind="answer", votes=-6),
            post(8, f"cider {filler}", kind="answer"),
            post(9, f"mead {filler}", kind="comment"),
            post(10, f"mead {filler}", kind="answer"),
            post(11, filler, tags=("wheat",)),
        ]
    )
    assert found(engine, "lager") == [2, 1]
    assert found(engine, "stout") == [4, 3]
    assert found(engine, "porter") == [6, 5]
    assert found(engine, "cider") == [8, 7]
    assert found(engine, "mead") == [10, 9]
    assert found(engine, "wheat") == [11]


def test_words_side_by_side_come_first(engine: WhooshEngine) -> None:
    engine.update([post(1, "delivery of a big note"), post(2, "a big delivery note of")])
    assert found(engine, "delivery note") == [2, 1]


def test_misspelled_words_are_found_and_corrected(engine: WhooshEngine) -> None:
    engine.update([post(1, "Peppol access point of ours"), post(2, "point taken"), post(3, "an access road")])
    hits = engine.search(parse("pepol access piont"))
    assert hits.suggestion == "peppol access point"
    assert hits.complete == 0
    assert hits.hits[0].id == 1
    assert engine.search(parse("access point")).suggestion is None
    assert engine.search(parse('"piont"')).suggestion is None


def test_a_word_that_occurs_is_doubted_only_for_a_far_more_frequent_one(engine: WhooshEngine) -> None:
    engine.update([post(number, "thunderbird") for number in range(1, 80)] + [post(99, "thunderbrid")])
    hits = engine.search(parse("thunderbrid"))
    assert hits.suggestion == "thunderbird"
    assert hits.hits[0].id == 99
    assert engine.search(parse("thunderbird")).suggestion is None


def test_replacing_and_deleting(engine: WhooshEngine) -> None:
    engine.update([post(1, "first words"), post(2, "second words")])
    engine.update([post(1, "other things")])
    assert found(engine, "first") == []
    assert found(engine, "other") == [1]
    assert engine.check() == 2
    engine.update([], [2, 77])
    engine.update([], [2])
    assert found(engine, "words") == []
    assert engine.check() == 1


def test_built_bit_by_bit_or_at_once_is_the_same(tmp_path: Path) -> None:
    chance = random.Random(5)
    vocabulary = [f"word{number}" for number in range(60)]
    documents = [
        post(
            number,
            " ".join(chance.choices(vocabulary, k=chance.randint(3, 30))),
            title=chance.choice(vocabulary),
        )
        for number in range(1, 200)
    ]
    bit_by_bit, at_once = WhooshEngine(tmp_path / "a"), WhooshEngine(tmp_path / "b")
    bit_by_bit.rebuild([])
    waiting = documents + [post(number, "stale words") for number in range(1, 50)]
    chance.shuffle(waiting)
    while waiting:
        bit_by_bit.update(waiting[:7])
        bit_by_bit.update([], [waiting[0].id])
        waiting = waiting[7:]
    bit_by_bit.update(documents)
    at_once.rebuild(documents)
    for query in ["word1", "word3 word9", "word5 word50 word20", '"word4 word8"', "stale"]:
        one, other = bit_by_bit.search(parse(query)), at_once.search(parse(query))
        assert one.complete == other.complete
        assert _ranks(one) == _ranks(other)
    assert len(list((tmp_path / "a").rglob("*.pst"))) < 8


def _ranks(hits: Hits) -> dict[int, float]:
    # Rarity counts deleted documents until they are merged away: ranks agree to some percent.
    return {hit.id: round(hit.rank, 0) for hit in hits.hits[: hits.complete]}


def test_no_index_yet_is_unavailable(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path / "none")
    for call in (
        lambda: engine.search(parse("a")),
        engine.check,
        engine.ready,
        lambda: engine.update([post(1)]),
    ):
        with pytest.raises(IndexUnavailable):
            call()


def _delete_all(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            path.unlink()


def _delete_head(root: Path) -> None:
    (root / "HEAD").unlink()


def _delete_postings(root: Path) -> None:
    next(root.rglob("*.pst")).unlink()


def _truncate(root: Path) -> None:
    path = next(root.rglob("*.pst"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _truncate_head(root: Path) -> None:
    (root / "HEAD").write_bytes((root / "HEAD").read_bytes()[:20])


def _flip(suffix: str) -> Callable[[Path], None]:
    def flip(root: Path) -> None:
        path = next(root.rglob(f"*{suffix}"))
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 0x10
        path.write_bytes(bytes(raw))

    return flip


def _scribble_head(root: Path) -> None:
    text = b'{"folder": "../../etc", "generation": 1, "documents": 1, "files": {}, "format": 1}'
    (root / "HEAD").write_bytes(text + b"\n%d" % zlib.crc32(text))


DAMAGES = [
    _delete_all,
    _delete_head,
    _delete_postings,
    _truncate,
    _truncate_head,
    _scribble_head,
    *map(_flip, ["HEAD", ".pst", ".trm", ".toc", ".words", "post.col", "places.col"]),
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("serving", [True, False], ids=["while serving", "before opening"])
def test_damage_is_noticed_and_healed_by_a_rebuild(
    engine: WhooshEngine, tmp_path: Path, damage: Callable[[Path], None], serving: bool
) -> None:
    documents = [post(number, f"alpha number{number}") for number in range(1, 40)]
    engine.update(documents)
    if serving:
        assert len(found(engine, "alpha")) == 39
    time.sleep(0.01)
    damage(tmp_path / "index")
    with pytest.raises(IndexUnavailable):
        engine.search(parse("alpha"))
    with pytest.raises(IndexUnavailable):
        engine.check()
    with pytest.raises(IndexUnavailable):
        engine.update([post(1, "alpha")])
    told: list[int] = []
    assert engine.rebuild(documents, told.append) == 39
    assert told[-1] == 39
    assert set(found(engine, "alpha")) == set(range(1, 40))
    assert engine.check() == 39


def test_a_failed_rebuild_leaves_the_old_index(engine: WhooshEngine) -> None:
    engine.update([post(1, "alpha")])

    def broken() -> object:
        yield post(2, "beta")
        raise ValueError("the source broke")

    with pytest.raises(ValueError, match="the source broke"):
        engine.rebuild(broken())  # type: ignore[arg-type]
    assert found(engine, "alpha") == [1]
    assert found(engine, "beta") == []


def _write_many(root: str, first: int) -> None:
    engine = WhooshEngine(root)
    for number in range(first, first + 8):
        engine.update([Document(number, number, "opening", "A thread", "alpha")])


@pytest.mark.long
def test_writers_in_several_processes_take_turns(engine: WhooshEngine, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write_many, args=(str(tmp_path / "index"), 100 * n)) for n in (1, 2, 3)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert len(found(engine, "alpha")) <= 24
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert len(found(engine, "alpha")) == 24
    assert engine.check() == 24


@pytest.mark.parametrize(
    "text", ["?????*", "[a TO z]", "NOT " * 500, "a" * 100_000, '"' * 300, "*", "vis:private"]
)
def test_hostile_queries_answer(engine: WhooshEngine, text: str) -> None:
    engine.update([post(1, "alpha a private z")])
    engine.search(parse("alpha"))
    start = time.process_time()
    engine.search(parse(text))
    assert time.process_time() - start < 0.3
