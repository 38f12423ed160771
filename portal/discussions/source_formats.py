"""Texts that came from elsewhere, as the Markdown in which everything is written here."""

from portal.kernel import markup


def markdown_of(source: str, source_format: str) -> str:
    """The text of a post as Markdown, also of one that was imported as HTML or plain text."""
    if source_format == "html":
        return markup.html_to_source(source)
    if source_format == "text":
        return markup.text_to_source(source)
    return source
