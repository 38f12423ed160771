import pytest

from portal.kernel.markup import clean_html, html_to_source, render, text_to_html, text_to_source
from tests.kernel.markup.checker import problems

# HTML from elsewhere, what it becomes here, and the Markdown that it can be edited as.
CASES = [
    ("<p>a</p>\n\n<p>b</p>", "<p>a</p>\n<p>b</p>\n", "a\n\nb"),
    (
        "bare <b>words</b><br>and more",
        "<p>bare <strong>words</strong><br>\nand more</p>\n",
        "bare **words**\\\nand more",
    ),
    ("<div>a<div>b</div>c</div>", "<p>a</p>\n<p>b</p>\n<p>c</p>\n", "a\n\nb\n\nc"),
    ("<h1>a</h1><h2>b</h2>", "<h3>a</h3>\n<h4>b</h4>\n", "# a\n\n## b"),
    (
        "<pre class='lang-py'><code>x = 1\n\ny</code></pre>",
        '<pre tabindex="0"><code class="language-python">x = 1\n\ny\n</code></pre>\n',
        "```python\nx = 1\n\ny\n```",
    ),
    (
        '<img src="https://i.example/a.png" alt="a keg">',
        '<p><a href="https://i.example/a.png" rel="nofollow ugc noopener">a keg</a></p>\n',
        "[a keg](https://i.example/a.png)",
    ),
    (
        '<a href="/questions/5">q</a>',
        '<p><a href="https://beer.example/questions/5" rel="nofollow ugc noopener">q</a></p>\n',
        "[q](https://beer.example/questions/5)",
    ),
    (
        "<ul><li>a<ul><li>b</li></ul></li></ul>",
        "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n",
        "- a\n  - b",
    ),
    ('<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>', None, "3. a\n\n4. b"),
    (
        "<p>1. not a list<br># nor this<br>- nor that</p>",
        None,
        "1\\. not a list\\\n\\# nor this\\\n\\- nor that",
    ),
    ("<p>2 * 3 * 4, a_b_c, [x], `y`, &amp;lt;, &lt;b&gt;</p>", None, None),
    ("<p><em>a</em><em>b</em> <strong><em>c</em></strong></p>", None, "*ab* **_c_**"),
    ("<p>run <code>a `b` c</code></p>", None, "run ``a `b` c``"),
    ("<p>H<sub>2</sub>O 10<sup>6</sup></p>", "<p>H<sub>2</sub>O 10<sup>6</sup></p>\n", "H₂O 10⁶"),
    ("<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>", None, "> a\n>\n> > b"),
    ("<table><tr><th>a</th></tr><tr><td>b|c</td></tr></table>", None, "|  |\n| --- |\n| a |\n| b\\|c |"),
    ("<dl><dt>a</dt><dd>b</dd></dl>", "<p><strong>a</strong></p>\n<p>b</p>\n", "**a**\n\nb"),
    ("<b><p>a</p><p>b</p></b>", "<p><strong>a</strong></p>\n<p><strong>b</strong></p>\n", "**a**\n\n**b**"),
    ("<p>a<script>alert(1)</script><style>p{}</style></p>", "<p>a</p>\n", "a"),
    ("<p></p><p>&nbsp;</p>", "", ""),
]


@pytest.mark.parametrize(("html", "cleaned", "source"), CASES)
def test_html_from_elsewhere_becomes_a_post_that_can_be_edited(
    html: str, cleaned: str | None, source: str | None
) -> None:
    base = "https://beer.example/q/1"
    result = clean_html(html, base).html
    assert problems(result) == []
    assert clean_html(result).html == result
    if cleaned is not None:
        assert result == cleaned
    written = html_to_source(html, base)
    if source is not None:
        assert written == source


@pytest.mark.parametrize(
    "html",
    [
        html
        for html, _, _ in CASES
        if not any(tag in html for tag in ("<sub>", "<th>", "lang-py", "</em><em>"))
    ],
)
def test_the_markdown_renders_to_the_same_post(html: str) -> None:
    cleaned = clean_html(html, "https://beer.example/q/1").html
    again = render(html_to_source(html, "https://beer.example/q/1")).html
    assert again.replace("<em><strong>", "").split() == cleaned.replace("<em><strong>", "").split()


def test_class_style_id_and_data_of_the_page_are_not_to_be_had() -> None:
    html = '<p id="content" class="post--vendor" style="position:fixed" data-x="1" onclick="x()">a</p>'
    assert clean_html(html).html == "<p>a</p>\n"
    assert clean_html('<div class="table-scroll" tabindex="5">a</div>').html == "<p>a</p>\n"
    assert clean_html('<pre><code><span class="k evil">a</span></code></pre>').html.count("span") == 0


@pytest.mark.parametrize(
    "text",
    [
        "a\nb\n\nc",
        "# no heading\n* no list\n1. nor here",
        "*stars* [x](y) <b> `t` &amp; \\ ~~s~~",
        "---",
        "a | b\n--- | ---",
    ],
)
def test_plain_text_reads_the_same_after_an_edit(text: str) -> None:
    assert render(text_to_source(text)).html == text_to_html(text).html
