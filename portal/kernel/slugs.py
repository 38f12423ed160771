"""Readable parts of addresses."""

import re
import unicodedata


def slugify(text: str, limit: int = 80, fallback: str = "thread") -> str:
    """Lower-case ASCII words joined by hyphens, at most `limit` characters, cut between words."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word
        if len(longer) > limit:
            break
        slug = longer
    return slug or (words[0][:limit] if words else fallback)
