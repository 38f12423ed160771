"""Text as people write it, and the safe HTML, words and excerpt that are made of it when it is stored.

Owns the one policy of what may stand in a post, for Markdown written here and HTML brought from elsewhere.
Depends on neither Flask nor the database.
"""

from portal.kernel.markup.diff import DiffLine, Segment, diff_sources
from portal.kernel.markup.limits import MarkupTooLarge
from portal.kernel.markup.policy import RENDERER_VERSION
from portal.kernel.markup.render import (
    Rendered,
    check_limits,
    clean_again,
    clean_html,
    find_mentions,
    render,
    text_to_html,
)
from portal.kernel.markup.to_source import html_to_source, quote_source, text_to_source
from portal.kernel.markup.writer import shorten

__all__ = [
    "RENDERER_VERSION",
    "DiffLine",
    "MarkupTooLarge",
    "Rendered",
    "Segment",
    "check_limits",
    "clean_again",
    "clean_html",
    "diff_sources",
    "find_mentions",
    "html_to_source",
    "quote_source",
    "render",
    "shorten",
    "text_to_html",
    "text_to_source",
]
