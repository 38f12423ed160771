import pytest

from portal.kernel.markup import MarkupTooLarge, check_limits, clean_html, parser, policy, render
from tests.kernel.markup.checker import problems

KB64 = 64 * 1024


@pytest.mark.parametrize(
    ("fits", "too_large"),
    [
        ("a" * KB64, "a" * (KB64 + 1)),
        ("é" * (KB64 // 2), "é" * (KB64 // 2 + 1)),
        ("a [b " * 5000, "a [b " * 5001),
        ("<b " * 5000, "<b " * 5001),
        ("`" * 3000, "`" * 3001),
        ("& " * 3000, "& " * 3001),
        ("> " * 20 + "a", "> " * 21 + "a"),
        (
            "\n".join("  " * n + "- a" for n in range(20)),
            "\n".join("  " * n + "- a" for n in range(21)),
        ),
        ("*a* " * 1450, "*a* " * 1600),
        ("- a\n" * 990, "- a\n" * 1010),
    ],
)
def test_each_cap_lets_the_last_one_through_and_stops_the_next(fits: str, too_large: str) -> None:
    check_limits(fits)
    render(fits)
    with pytest.raises(MarkupTooLarge) as refused:
        check_limits(too_large)
    assert refused.value.message
    with pytest.raises(MarkupTooLarge):
        render(too_large)


@pytest.mark.parametrize("unit", ["[", "![", "`a ", "`a", "<div>", "<a@b.c>", "<!--"])
def test_64_kb_of_signs_are_refused_by_counting_alone(unit: str) -> None:
    before = parser.parse_markdown.cache_info().currsize
    with pytest.raises(MarkupTooLarge):
        check_limits(unit * (KB64 // len(unit)))
    assert parser.parse_markdown.cache_info().currsize == before


@pytest.mark.parametrize(
    "source",
    [
        "(" * KB64,
        "a@b.c " * (KB64 // 6),
        "a@b.c" * (KB64 // 5),
        "a@b.co," * (KB64 // 7),
        "[" * 4999 + "]",
        "![" * 4999 + "]",
        "![" * 2500 + "](a)" * 2500,
        ("![" * 20 + "](a)" * 20) * 125,
        "\x1b[31mERROR\x1b[0m " * 2500,
        '"' * KB64,
        "@ines " * (KB64 // 6),
        "www." * (KB64 // 4),
        "(www.a.b/" * (KB64 // 9),
        "mailto:" * (KB64 // 7),
        "*" * KB64,
        "\n" * KB64,
    ],
    ids=lambda source: source[:12],
)
def test_what_the_caps_let_through_stays_small(source: str) -> None:
    html = render(source).html
    assert problems(html) == []
    assert len(html) < 3 * KB64


def test_brackets_that_can_be_no_link_are_not_searched() -> None:
    deep = "[" * 100 + "a" + "]" * 100
    assert len(parser._hopeless_brackets(deep)) == 80
    assert parser._hopeless_brackets("[a [b](/c) d](/e) [x") == frozenset()
    assert len(parser._hopeless_brackets("[" * 5000 + "]")) == 4999
    assert "<a" in render("[a ![b](/uploads/c.png)](/d)").html


def test_many_addresses_in_one_paragraph_are_not_linked() -> None:
    assert "mailto:" in render("me@firm.com " * 100).html
    assert "mailto:" not in render("me@firm.com " * 101).html


def test_an_address_beyond_the_cap_is_text_and_is_read_once() -> None:
    long = "http://a.example/?" * 300
    assert "<a" not in render(long).html


def test_a_wide_table_stays_text() -> None:
    columns = policy.MAX_COLUMNS
    assert "<table" in render("|a" * columns + "|\n" + "|-" * columns + "|").html
    wide = columns + 1
    assert "<table" not in render("|a" * wide + "|\n" + "|-" * wide + "|").html


def test_marks_in_marks_are_cut_at_the_depth_of_a_quote() -> None:
    html = render("*a " * 300 + "b* " * 300).html
    assert html.count("<em>") == policy.MAX_NESTING
    assert html.count("a") >= 300


def test_imported_html_has_caps_too() -> None:
    with pytest.raises(MarkupTooLarge):
        clean_html("<p>a" * 5001)
    with pytest.raises(MarkupTooLarge):
        clean_html("a" * (policy.MAX_HTML + 1))
    with pytest.raises(MarkupTooLarge):
        clean_html("<blockquote>" * 21 + "a")
    assert clean_html("<div>" * 5000 + "a").html == "<p>a</p>\n"


def test_marks_left_open_do_not_multiply_in_every_paragraph() -> None:
    html = clean_html("<em><strong>" * 30 + "<p>a</p>" * 500).html
    assert problems(html) == []
    assert html.count("<em>") <= 4 * 500
    with pytest.raises(MarkupTooLarge):
        clean_html("<p><b><i><a href=x>" * 1250)
