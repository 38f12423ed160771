"""Published attacks on sanitizers, as Markdown and as imported HTML: nothing that can run survives."""

from collections.abc import Iterator

import pytest

from portal.kernel.markup import (
    MarkupTooLarge,
    clean_html,
    html_to_source,
    quote_source,
    render,
    text_to_html,
    text_to_source,
)
from tests.kernel.markup import real_data
from tests.kernel.markup.checker import problems

pytestmark = [pytest.mark.data, pytest.mark.long]


def payloads(name: str) -> list[str]:
    return [case if isinstance(case, str) else case["payload"] for case in real_data.cases(name)]


def wrapped(payload: str) -> Iterator[str]:
    """The payload where a writer could put it."""
    yield payload
    yield f"[x]({payload})"
    yield f"[x](<{payload}>)"
    yield f'[x](/y "{payload}")'
    yield f"![{payload}](/uploads/a.png)"
    yield f"![x]({payload})"
    yield f"```{payload}\n{payload}\n```"
    yield f"`{payload}`"
    yield f"> [{payload}](/posts/1): {payload}"
    yield f"|{payload}|\n|-|\n|{payload}|"
    yield f"[x]: {payload}\n\n[x]"
    yield f"- [x] {payload}\n  1. {payload}"


@pytest.mark.parametrize(
    ("name", "count"), [("dompurify-expect.json", 223), ("bleach-tests.json", 20), ("blns.json", 515)]
)
def test_nothing_that_runs_survives(name: str, count: int) -> None:
    texts = payloads(name)
    assert len(texts) >= count
    for payload in texts:
        for source in wrapped(payload):
            try:
                assert problems(render(source, known_members={"x": "/members/x"}).html) == [], source
            except MarkupTooLarge:
                assert problems(text_to_html(source).html) == [], source
        for html in (payload, f"<p>{payload}</p>", f'<a href="{payload}" title="{payload}">a</a>'):
            cleaned = clean_html(html, "https://from.example/x").html
            assert problems(cleaned) == [], html
            assert clean_html(cleaned).html == cleaned, html
            assert problems(render(html_to_source(html)).html) == [], html
        assert problems(text_to_html(payload).html) == []
        assert problems(render(text_to_source(payload)).html) == []
        assert problems(render(quote_source(payload.strip() or "x", 1, 2, payload)).html) == []


def test_words_of_the_naughty_strings_are_kept() -> None:
    """Safe is not enough: what somebody typed as plain text is still there to read."""
    for payload in payloads("blns.json"):
        shown = text_to_html(payload).text.split()
        kept = [word for word in payload.replace("\x7f", "").split() if word.isalnum()]
        assert set(kept) <= set(" ".join(shown).split()), payload
