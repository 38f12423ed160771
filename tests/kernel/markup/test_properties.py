"""Whatever is typed or brought along: the judge finds nothing, and cleaning twice changes nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.kernel.markup import (
    MarkupTooLarge,
    check_limits,
    clean_html,
    diff_sources,
    find_mentions,
    html_to_source,
    render,
    text_to_html,
)
from tests.kernel.markup.checker import problems

MARKS = r"""
* ** _ ~~ ` ``` [ ] ( ) ! < > # - + 1. | : > @ines [x](/y) ![p](/uploads/a.png) \ & &lt; &#0;
javascript: //e.example https://e.example/a_b www.e.example a@e.com <b> </b> <!-- |-| [ref] [ref]: <p/
[@a](/posts/2): [x] ☐ ```py def * =
"""
SPACES = [" ", "\n", "\n\n", "\t", "    ", "\u00a0", "\u202e", "\x0b", "\x85", "\r\n"]
MARKDOWN = st.lists(
    st.one_of(st.sampled_from(MARKS.split()), st.sampled_from(SPACES), st.text(max_size=6)), max_size=40
).map("".join)

TAGS = [
    "p",
    "div",
    "b",
    "strong",
    "em",
    "i",
    "a",
    "img",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "td",
    "th",
    "pre",
    "code",
    "span",
    "h1",
    "h3",
    "blockquote",
    "cite",
    "br",
    "hr",
    "script",
    "style",
    "svg",
    "math",
    "mtext",
    "mglyph",
    "iframe",
    "form",
    "input",
    "textarea",
    "title",
    "noscript",
    "template",
    "select",
    "option",
    "dl",
    "dt",
    "dd",
    "s",
    "sup",
    "font",
    "body",
    "html",
    "details",
    "summary",
    "caption",
    "colgroup",
    "xmp",
    "plaintext",
]
ATTRIBUTES = [
    "\n",
    'href="javascript:x"',
    'href="/a"',
    'src="/uploads/a.png" alt="b"',
    'class="k"',
    "onclick=x",
    'class="language-python"',
    'start="2"\n',
    'align="center"',
    "style='x'",
    "src=//e.example/p",
    'href="https://e.example/?a&b" title="&quot;<"',
    "/\n",
]
OTHER = ["<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&#13;", "&#0;", "&amp;lt;", "\n", " ", "☑ x", "<"]
HTML = st.lists(
    st.one_of(
        st.builds("<{} {}>".format, st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES)),
        st.builds("</{}>".format, st.sampled_from(TAGS)),
        st.sampled_from(OTHER),
        st.text(max_size=6),
    ),
    max_size=30,
).map("".join)


@settings(max_examples=250, deadline=None)
@given(MARKDOWN)
def test_markdown_gives_html_that_the_judge_passes(source: str) -> None:
    html = render(source, known_members={"ines": "/members/ines"}).html
    assert problems(html) == []
    assert clean_html(html).html == html


@settings(max_examples=250, deadline=None)
@given(HTML)
def test_html_from_elsewhere_gives_html_that_the_judge_passes(source: str) -> None:
    html = clean_html(source, "https://from.example/x").html
    assert problems(html) == []
    assert clean_html(html).html == html
    assert problems(render(html_to_source(source)).html) == []


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_at_all(source: str) -> None:
    assert problems(render(source).html) == []
    assert problems(clean_html(source).html) == []
    assert problems(text_to_html(source).html) == []
    assert len(find_mentions(source)) <= 20
    assert len(render(source).excerpt) <= 200
    assert not any(line.changed for line in diff_sources(source, source))


@settings(max_examples=40, deadline=None)
@given(MARKDOWN, st.integers(1, 400))
def test_repeated_it_is_refused_or_safe(source: str, times: int) -> None:
    try:
        check_limits(source * times)
    except MarkupTooLarge:
        return
    assert problems(render(source * times).html) == []
