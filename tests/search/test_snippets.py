"""Snippets show why something was found."""

from portal.search.query import parse
from portal.search.snippets import highlight


def marked(text: str, query: str, size: int = 240) -> list[str]:
    return [piece for is_mark, piece in highlight(text, parse(query), size) if is_mark]


def whole(text: str, query: str, size: int = 240) -> str:
    return "".join(piece for _, piece in highlight(text, parse(query), size))


def test_marks_words_in_all_their_forms() -> None:
    text = "Running costs fell; we run C++ at the Café. node.js stayed, e-mail too."
    assert marked(text, "run cafe c++ node.js email") == [
        "Running",
        "run",
        "C++",
        "Café",
        "node.js",
        "e-mail",
    ]
    assert whole(text, "run") == text


def test_marks_cjk_by_what_was_asked_together() -> None:
    assert marked("全文検索機能のテスト。索引の検索", "検索機能") == ["検索機能", "検索"]


def test_marks_where_letters_change_their_length() -> None:
    assert marked("die Straße, der ﬁsh und İstanbul", "strasse fish istanbul") == [
        "Straße",
        "ﬁsh",
        "İstanbul",
    ]


def test_cuts_around_the_best_place() -> None:
    text = "wine " * 200 + "the keg was half empty here " + "wine " * 200
    cut = whole(text, "half empty keg", 120)
    assert "keg was half empty" in cut
    assert cut.startswith("…")
    assert cut.endswith("…")
    assert len(cut) < 150


def test_without_a_hit_the_beginning_is_shown() -> None:
    assert highlight("short", parse("other")) == [(False, "short")]
    assert highlight("", parse("other")) == []
    assert whole("long " * 100, "other", 50).startswith("long long")
    assert highlight("as it is", parse("")) == [(False, "as it is")]
