"""What becomes a term, and how a typed query is understood."""

import time
from collections.abc import Iterator

import pytest

from portal.search.analysis import digest, fold, tokens
from portal.search.query import MAX_CHARACTERS, parse


def terms(text: str) -> Iterator[str]:
    """Every term of a text, as often as it occurs."""
    for token in tokens(fold(text)):
        yield from (*token.parts, *token.also, *([token.whole] if token.whole else []))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("running Runs run", {"run"}),
        ("C++", {"c", "c++"}),
        ("C#, F#.", {"c", "c#", "f", "f#"}),
        ("R", {"r"}),
        ("on .NET", {"on", "net", ".net"}),
        ("node.js", {"node", "js", "nodej"}),
        ("e-mail", {"e", "mail", "email"}),
        ("email", {"email"}),
        ("brewer’s don't", {"brewer", "dont"}),
        ("I.P.A.", {"i", "p", "a", "ipa"}),
        ("3.2%", {"3", "2", "3.2"}),
        ("5,000", {"5", "000", "5000"}),
        ("Crème Brûlée", {"creme", "brule"}),
        ("Straße STRASSE", {"strass"}),
        ("Łódź Øresund", {"lodz", "oresund"}),
        ("Ｃ＋＋ ﬁne", {"c", "c++", "fine"}),
        ("検索機能", {"検", "索", "機", "能", "検索", "索機", "機能"}),
        ("한국어", {"한", "국", "어", "한국", "국어"}),
        ("हिन्दी", {"हिन्दी"}),
        ("Привет мир", {"привет", "мир"}),
        ("?!… \x00 ---", set()),
    ],
)
def test_terms(text: str, expected: set[str]) -> None:
    assert set(terms(text)) == expected


def test_voiced_kana_stay_apart() -> None:
    assert fold("ハード") != fold("バード")
    assert fold("e\u0301") == fold("é") == "e"


def test_digest_agrees_with_tokens() -> None:
    text = "C++ and node.js: half-empty kegs, 検索 of cafés; l'amour 3.2 " * 3
    counts: dict[str, int] = {}
    for term in terms(text):
        counts[term] = counts.get(term, 0) + 1
    found = digest(text)
    assert found.counts == counts
    assert found.places.split() == [part for token in tokens(fold(text)) for part in token.parts]


def test_a_query_is_words_and_phrases() -> None:
    query = parse("how do I run “half-empty kegs” in C++")
    assert [unit.typed for unit in query.units] == ["run", '"half-empty kegs"', "c++"]
    assert query.units[1].phrase == ("half", "empti", "keg")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vis:private", ["vis", "private"]),
        ("[a TO z]", ["to", "z"]),
        ("board_id:1 OR *:*", ["board_id", "1"]),
        ("beer AND NOT wine^4 -cider (lager~2", ["beer", "and", "not", "wine", "4", "cider", "lager", "2"]),
        ("be?r b*r /beer.*/", ["be", "r", "b", "beer"]),
        ("?????*", []),
        ('"', []),
        ('"unclosed phrase', ["unclosed", "phrase"]),
        ('""" """', []),
        ("\x00\x01", []),
    ],
)
def test_field_syntax_is_only_words(text: str, words: list[str]) -> None:
    typed = [unit.typed for unit in parse(text).units]
    for word in words:
        if word in {"and", "not", "be", "to"}:  # small words are not asked for, in capitals they may be
            continue
        assert word in typed
    assert all(not unit.phrase for unit in parse(text).units)


def test_small_words_are_asked_for_only_alone_or_on_purpose() -> None:
    assert [unit.typed for unit in parse("the who").units] == ["the", "who"]
    assert [unit.typed for unit in parse("who brews").units] == ["brews"]
    assert [unit.typed for unit in parse("IT in the office").units] == ["it", "office"]
    assert [unit.typed for unit in parse("IS THE IT OFFICE").units] == ["office"]


def test_a_query_is_cut_before_it_is_parsed() -> None:
    query = parse("word " * 40)
    assert query.text.split() == ["word"] * 16
    assert len(parse("x" * 5000).text) == MAX_CHARACTERS
    assert len(parse(" ".join(f"w{n}" for n in range(50))).units) == 16
    assert len(parse("検" * 256 + "索" * 50).units) == 1


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "NOT " * 500, '"' * 100_000, "c++" * 50_000, "'" * 9_999 + "a", "a." * 50_000]
)
def test_hostile_queries_are_quick(text: str) -> None:
    start = time.process_time()
    parse(text)
    assert time.process_time() - start < 0.3


@pytest.mark.parametrize(
    "text", ["a" * 64_000, "a." * 32_000, "+#" * 32_000, "," * 64_000, "1,1" * 20_000, "'" * 64_000]
)
def test_hostile_texts_are_indexed_in_linear_time(text: str) -> None:
    start = time.process_time()
    found = digest(text)
    assert time.process_time() - start < 2
    assert all(len(term) <= 48 for term in found.counts)
