"""Real communities' HTML: every post comes through safe, whole, and as Markdown that renders to the same."""

import re
from collections.abc import Iterable
from itertools import islice

import pytest

from portal.kernel.markup import clean_html, html_to_source, render
from tests.kernel.markup import real_data
from tests.kernel.markup.checker import problems

pytestmark = [pytest.mark.data, pytest.mark.long]


def shown_words(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub(r"[☐☑]", "", text))


def check(bodies: Iterable[str], base: str) -> tuple[int, int]:
    """How many posts there were, and how many come out the same by way of their Markdown."""
    total = same = 0
    for body in bodies:
        cleaned = clean_html(body, base)
        assert problems(cleaned.html) == [], body
        assert clean_html(cleaned.html).html == cleaned.html, body
        again = render(html_to_source(body, base))
        total += 1
        same += re.sub(r"\s+|</?a\b[^>]*>", "", again.html) == re.sub(r"\s+|</?a\b[^>]*>", "", cleaned.html)
    return total, same


def test_the_stack_exchange_posts() -> None:
    total, same = check(real_data.beer_bodies(), "https://beer.stackexchange.com/")
    assert total > 1_900
    # The others have raised or lowered figures, which Markdown writes with signs of their own.
    assert same / total > 0.97


def test_thunderbirds_posts() -> None:
    total, same = check(islice(real_data.thunderbird_bodies(), 0, None, 50), "https://support.mozilla.org/")
    assert total > 900
    assert same / total > 0.97
