import pytest

from portal.kernel.markup import find_mentions, quote_source, render, shorten, text_to_html
from tests.kernel.markup.checker import problems


def html_of(source: str, **options: object) -> str:
    rendered = render(source, **options)  # type: ignore[arg-type]
    assert problems(rendered.html) == []
    return rendered.html


class TestMentions:
    def test_a_known_member_becomes_a_link_and_an_unknown_one_stays_text(self) -> None:
        rendered = render("Ask @Ines or @nobody.", known_members={"ines": "/members/ines"})
        assert rendered.html == '<p>Ask <a href="/members/ines">@Ines</a> or @nobody.</p>\n'
        assert rendered.mentions == ("ines",)

    @pytest.mark.parametrize(
        "source",
        [
            "`@ines`",
            "```\n@ines\n```",
            "    @ines",
            "[@ines](https://a.example)",
            "mail@ines.example",
            "> @ines said",
        ],
    )
    def test_code_links_addresses_and_quotes_mention_nobody(self, source: str) -> None:
        assert find_mentions(source) == []

    def test_punctuation_does_not_belong_to_the_name(self) -> None:
        assert find_mentions("(@ines), @jo-ann. @o.k's @ines!") == ["ines", "jo-ann", "o.k"]

    def test_at_most_twenty_are_found(self) -> None:
        assert find_mentions(" ".join(f"@m{n}" for n in range(30))) == [f"m{n}" for n in range(20)]


class TestQuotes:
    def test_the_source_stands_below_the_words_that_were_quoted(self) -> None:
        rendered = render("> [@siobhan in #6](/posts/123): a reload\n> held our files\n\nWe do it at noon.")
        assert rendered.html == (
            "<blockquote>\n<p>a reload\nheld our files</p>\n"
            '<cite><a href="/posts/123">@siobhan in #6</a></cite>\n</blockquote>\n<p>We do it at noon.</p>\n'
        )
        assert rendered.quotes == (123,)
        assert rendered.excerpt == "We do it at noon."

    def test_what_the_composer_is_given_renders_to_the_quote(self) -> None:
        source = quote_source("siobhan", 6, 123, "one\n\n> older\n\n- two\n- *three*")
        html = html_of(source + "Thanks")
        assert "older" not in html
        assert html == (
            "<blockquote>\n<p>one</p>\n<ul>\n<li>two</li>\n<li><em>three</em></li>\n</ul>\n"
            '<cite><a href="/posts/123">@siobhan in #6</a></cite>\n</blockquote>\n<p>Thanks</p>\n'
        )

    def test_a_name_with_signs_of_markdown_is_quoted_as_it_is(self) -> None:
        rendered = render(quote_source("under_score_", None, 9, "x"))
        assert '<cite><a href="/posts/9">@under_score_</a></cite>' in rendered.html

    def test_a_link_that_is_no_post_is_an_ordinary_quote(self) -> None:
        assert "cite" not in html_of("> [somewhere](/members/ines): x")


class TestLinks:
    def test_links_out_are_marked_and_links_within_are_not(self) -> None:
        html = html_of("[a](https://a.example) [b](/threads/7)")
        assert '<a href="https://a.example" rel="nofollow ugc noopener">a</a>' in html
        assert '<a href="/threads/7">b</a>' in html

    def test_our_own_address_becomes_a_path(self) -> None:
        html = html_of("https://candor.example/posts/5", base_url="https://candor.example/")
        assert 'href="/posts/5"' in html
        other = html_of("https://candor.example.evil.example/", base_url="https://candor.example")
        assert 'href="https://candor.example.evil.example/"' in other

    @pytest.mark.parametrize(
        "source",
        [
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java\tscript:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "[x](data:text/html,hi)",
            "[x](vbscript:x)",
            "[x](/\\evil.example)",
            "[x](relative.html)",
            "<javascript:alert(1)>",
            "![x](javascript:alert(1))",
            "[x]: javascript:alert(1)\n\n[x]",
        ],
    )
    def test_other_schemes_and_places_are_no_links(self, source: str) -> None:
        assert "<a" not in html_of(source)

    @pytest.mark.parametrize(
        ("source", "address"),
        [
            ("see https://a.example/x_y_z.", "https://a.example/x_y_z"),
            ("(www.a.example/b_(c))", "http://www.a.example/b_(c)"),
            ("mail me@firm.com now", "mailto:me@firm.com"),
            ("*https://a.example/*", "https://a.example/"),
        ],
    )
    def test_bare_addresses_become_links(self, source: str, address: str) -> None:
        assert f'href="{address}"' in html_of(source)

    @pytest.mark.parametrize(
        "name", ["deploy.sh", "README.md", "main.rs", "asp.net", "node.js", "`http://a.b`"]
    )
    def test_names_of_files_do_not(self, name: str) -> None:
        assert "<a" not in html_of(name)

    def test_a_link_without_words_shows_its_address(self) -> None:
        assert html_of("[](https://a.example)").count("https://a.example</a>") == 1


class TestPictures:
    def test_our_own_are_shown_others_are_a_link(self) -> None:
        html = html_of("![a dead server](/uploads/2025/a.png) ![b](https://track.example/p.gif)")
        assert '<img src="/uploads/2025/a.png" alt="a dead server" loading="lazy">' in html
        assert '<a href="https://track.example/p.gif" rel="nofollow ugc noopener">b</a>' in html

    @pytest.mark.parametrize(
        "src", ["/uploads/../login", "/login", "//a.example/uploads/x.png", "/uploads//x"]
    )
    def test_no_other_place_of_ours_is_loaded(self, src: str) -> None:
        assert "<img" not in html_of(f"![x]({src})")


class TestBlocks:
    def test_headings_begin_below_the_post_and_skip_no_level(self) -> None:
        html = html_of("# a\n\n### b\n\n## c\n\n# d")
        assert html == "<h3>a</h3>\n<h4>b</h4>\n<h4>c</h4>\n<h3>d</h3>\n"

    def test_tasks_show_a_box_and_take_no_input(self) -> None:
        html = html_of("- [x] done\n- [ ] **open**\n- [] no")
        assert html == (
            '<ul>\n<li class="task">☑ done</li>\n<li class="task">☐ <strong>open</strong></li>\n'
            "<li>[] no</li>\n</ul>\n"
        )

    def test_a_table_scrolls_by_itself_and_keeps_its_alignment(self) -> None:
        html = html_of("|a|b|\n|-|-:|\n|1|2|")
        assert html.startswith('<div class="table-scroll" tabindex="0"><table>')
        assert '<td align="right">2</td>' in html

    def test_code_is_coloured_in_known_languages_only(self) -> None:
        assert '<code class="language-python"><span class="k">def</span>' in html_of(
            "```py\ndef f(): pass\n```"
        )
        assert html_of("```klingon\nx < y\n```") == '<pre tabindex="0"><code>x &lt; y\n</code></pre>\n'

    @pytest.mark.parametrize(
        "code", ["x = 1\n" * 251, "x = 1;" * 34 + "\n", "x = 1\n" + "\n" * 8, "x = '" + "a" * 6000]
    )
    def test_code_that_nobody_wrote_by_hand_is_shown_plain(self, code: str) -> None:
        assert "<span" in html_of("```python\nx = 1\n```")
        assert "<span" not in html_of(f"```python\n{code}```")

    def test_colours_end_when_a_post_has_had_its_share(self) -> None:
        block = "```python\n" + "some_name = other_name\n" * 100 + "```\n"
        assert html_of(block * 9).count("<span") == html_of(block * 4).count("<span")
        assert html_of(block * 2).count("<span") < html_of(block * 3).count("<span")

    def test_raw_html_is_text(self) -> None:
        html = html_of('<div class="post--vendor" id="content" style="x">hi</div>\n\n<b onclick=x>y</b>')
        assert "&lt;div class=" in html
        assert "<b" not in html


class TestWords:
    def test_the_excerpt_ends_between_words_and_fits(self) -> None:
        excerpt = render("wonderful " * 40).excerpt
        assert len(excerpt) <= 200
        assert excerpt.endswith("wonderful…")

    def test_one_long_word_is_cut(self) -> None:
        assert shorten("x" * 500) == "x" * 199 + "…"

    def test_code_is_in_the_excerpt_only_when_there_is_nothing_else(self) -> None:
        assert render("```\nretry: forever\n```\n\nIs this right?").excerpt == "Is this right?"
        assert render("```\nretry: forever\n```").excerpt == "retry: forever"

    def test_text_holds_every_word_and_no_markup(self) -> None:
        text = render("# A\n\n*b* `c` ![d](/uploads/x.png) &amp;\n\n|e|f|\n|-|-|\n|g|h|\n\n> i").text
        assert text == "A\nb c d &\ne | f\ng | h\ni"

    def test_plain_text_is_never_markup(self) -> None:
        rendered = text_to_html("1 < 2 & *x*\nline two\n\n<script>")
        assert rendered.html == "<p>1 &lt; 2 &amp; *x*<br>\nline two</p>\n<p>&lt;script&gt;</p>\n"
        assert problems(rendered.html) == []

    def test_half_characters_and_nul_do_no_harm(self) -> None:
        assert html_of("a\ud800b\x00c\x1b[0m").encode("utf-8")
