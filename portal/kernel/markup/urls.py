"""Which addresses a post may carry, and in what spelling."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from portal.kernel.markup.policy import MAX_URL, SCHEMES, UPLOADS

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_WITH_HOST = re.compile(r"https?://[^/?#\s@]", re.IGNORECASE)
_BREAKS = re.compile(r"[\t\n\r]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd-\uffff]")
_UPLOAD = re.compile(r"/uploads/[A-Za-z0-9._\-]+(?:/[A-Za-z0-9._\-]+)*\Z")


def safe_url(url: str, base_url: str | None = None, own_origin: str = "") -> str | None:
    """The address as it may stand in an attribute, or None.

    Kept are http, https and mailto, and paths that begin at this site's root. Other relative addresses are
    resolved against `base_url` where one is given and refused where none is: a post is read on many pages.
    An absolute address of `own_origin` (this site) becomes a path, so that a later move breaks no link.
    """
    # Browsers ignore these inside a scheme ("java\nscript:"), so they go before anything is looked at.
    url = _BREAKS.sub("", url).strip(" ")
    if not url or len(url) > MAX_URL or _CONTROL.search(url):
        return None
    url = url.replace("\\", "%5C").replace(" ", "%20")
    try:
        if base_url and not _SCHEME.match(url):
            url = urljoin(base_url, url)
        urlsplit(url)
    except ValueError:
        return None
    if len(url) > MAX_URL:
        return None
    if url.startswith("//"):
        url = "https:" + url
    scheme = _SCHEME.match(url)
    if scheme is None:
        return url if url.startswith("/") and not url.startswith("/%5C") else None
    if scheme.group(1).lower() not in SCHEMES:
        return None
    if scheme.group(1).lower() == "mailto":
        return url if "@" in url else None
    if not _WITH_HOST.match(url):
        return None
    origin = own_origin.rstrip("/")
    if origin and (url == origin or url.startswith(origin + "/")):
        return safe_url(url[len(origin) :] or "/")
    return url


def is_external(url: str) -> bool:
    return url[:4].lower() == "http"


def is_upload(url: str) -> bool:
    """Whether this is a picture that was uploaded here: the only ones that load by themselves."""
    return url.startswith(UPLOADS) and bool(_UPLOAD.match(url)) and ".." not in url
