"""HTML made safe by three layers that know nothing of one another: bleach, nh3, and our own writer."""

from __future__ import annotations

import threading

import bleach
import nh3

from portal.kernel.markup import policy
from portal.kernel.markup.tree import Node, Shaper, parse
from portal.kernel.markup.writer import write_html

_nh3 = nh3.Cleaner(
    tags=set(policy.PASSED_TAGS),
    attributes={tag: set(names) for tag, names in policy.PASSED_ATTRIBUTES.items()},
    clean_content_tags=set(policy.DROPPED_WITH_CONTENT),
    url_schemes=set(policy.SCHEMES),
    link_rel=None,
)
# bleach keeps its parser's state in the cleaner, so each thread has its own.
_of_thread = threading.local()


def _bleach() -> bleach.Cleaner:
    cleaner = getattr(_of_thread, "cleaner", None)
    if cleaner is None:
        cleaner = _of_thread.cleaner = bleach.Cleaner(
            tags=policy.PASSED_TAGS,
            attributes={tag: list(names) for tag, names in policy.PASSED_ATTRIBUTES.items()},
            protocols=policy.SCHEMES,
            strip=True,
        )
    return cleaner


def safe_tree(html: str, base_url: str | None = None, own_origin: str = "") -> list[Node]:
    """The blocks of a post made of this HTML, whatever it holds; safe to write out as it is."""
    return Shaper(base_url, own_origin).shape(parse(_nh3.clean(_bleach().clean(html))))


def loose_tree(html: str, base_url: str | None = None) -> list[Node]:
    """The same blocks by two layers, quicker: for making Markdown, which is rendered and cleaned again."""
    return Shaper(base_url).shape(parse(_nh3.clean(html)))


def imported_tree(html: str, base_url: str | None = None) -> list[Node]:
    """The same for HTML from elsewhere: brought to our shape first, then through all three layers.

    bleach would keep the content of scripts as words, and takes quadratic time on deep nesting; after the
    first step there is neither.
    """
    return safe_tree(write_html(loose_tree(html, base_url)))
